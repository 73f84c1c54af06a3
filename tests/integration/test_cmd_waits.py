# SPDX-License-Identifier: Apache-2.0
"""Commands look only for what they show, and wait once where several inputs have to."""

import collections

import pytest

import traffic
from commands import Commands

TOPIC = "orders.created"
KEY = f"omni:config:_subscription_active:group:{TOPIC}:billing"


@pytest.fixture
def commands(vigil, redis):
    """Over TCP, where MONITOR tells connections apart."""
    return Commands(vigil, REDIS_URL=redis.url)


def looks_at_clients(seen):
    """The connections that looked who waits in a blocking read, in their order."""
    return [line.split("[")[1].split("]")[0] for line in seen.lines if '"INFO" "clients"' in line]


@pytest.mark.parametrize("command", [
    "bus list", "bus inspect orders.created", "bus dlq", "bus dlq republish orders.created --all",
    "bus dlq purge orders.created --all", "metrics", "storage health", "storage tasks",
    "storage prune-index"])
def test_what_shows_nothing_of_life_waits_for_nobody(redis, client, commands, command):
    """The key is fresh and nobody waits: whether somebody polls would take a second look."""
    traffic.register(client, TOPIC, "billing")
    with redis.monitor() as seen:
        commands.run(*command.split())
    # the input `runner` looks twice without a pause in between
    most = 2 if command == "metrics" else 1
    assert max(collections.Counter(looks_at_clients(seen)).values(), default=0) <= most
    redis.age(KEY, 1000)
    with redis.monitor() as seen:
        commands.run(*command.split())
    assert [name for name in seen.commands() if name[:2] == ["GET", KEY]] == []
    assert client.object("idletime", KEY) >= 1000


@pytest.mark.parametrize("command", ["health", "agent list", f"agent get {TOPIC} billing"])
def test_inputs_wait_at_the_same_time(redis, client, commands, command):
    traffic.register(client, TOPIC, "billing")
    client.set("omni:config:_omnidaemon_start_time", "1795589358.5")
    with redis.monitor() as seen:
        commands.vigil.command(*command.split(), "--config", commands.config, **commands.env)
    looks = looks_at_clients(seen)
    one, other = sorted(set(looks[:4]), key=looks.index)
    assert looks.index(other) < len(looks) - 1 - looks[::-1].index(one), looks
    assert looks.count(one) + looks.count(other) >= 5, looks  # both did wait


def test_life_is_told_where_it_is_shown(redis, client, commands):
    traffic.register(client, TOPIC, "billing")
    redis.age(KEY, 1000)
    row, = commands.json("bus", "groups", status=1)["groups"]
    assert row["life"] == "silent"
    redis.age(KEY, 1000)  # looking for what a stale key says makes it fresh before Redis 7.2
    row, = commands.json("agent", "list")["agents"]
    assert row["life"] == "silent"
    client.set(KEY, "false")
    redis.age(KEY, 1000)
    row, = commands.json("bus", "groups")["groups"]
    assert row["life"] == "paused"
