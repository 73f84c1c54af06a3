# SPDX-License-Identifier: Apache-2.0
"""`omnivigil check` of what grows, from one look: what Redis' ids and times tell is told, what they
cannot tell is UNKNOWN, and a memory that an agent left is used while it is fresh."""

import json
import os
import re
import time

import pytest

import names
import traffic
from monitoring import CRITICAL, OK, UNKNOWN, WARNING
from test_check import Check
from watching import UNPLAYED


@pytest.fixture
def check(redis, vigil):
    return Check(vigil, redis.url)


def behind(client, topic="d", added=30, read=10):
    """A group that reads from the beginning, so that Redis knows how far it is."""
    traffic.register(client, topic, "a")
    traffic.publish(client, topic, added)
    traffic.take(client, topic, "a", read, ack=True)


def trim(client, length, topic="d"):
    client.xtrim(f"omni-stream:{topic}", maxlen=length, approximate=False)


# ---------------------------------------------------------------- lost


def test_nothing_lost(client, check):
    behind(client)
    assert check("lost").status == OK
    trim(client, 25)  # only what was read
    assert check("lost").status == OK


def test_missing_right_before_the_group(client, check):
    """The tasks it would get next are gone: that is so now, whenever it happened."""
    behind(client)
    trim(client, 5)
    for args in (("lost",), ("redis_bus",), ()):
        answer = check(*args, "--topic", "d")
        assert answer.status == CRITICAL
        assert "on d, 15 tasks for a were trimmed before delivery [lost 0, " in answer.text
    assert check("lost", "--agent", "b").status == UNKNOWN


def test_loss_it_is_past(client, check):
    """How many is known, but not when. Only who asks for just that is told so."""
    behind(client)
    trim(client, 5)
    traffic.take(client, "d", "a", 2, ack=True)
    answer = check("lost")
    assert answer.status == UNKNOWN and "one look cannot tell when: let the agent" in answer.first
    assert "U" in answer.text.split("|")[1]
    assert check("lost", "--unknown-as", "ok").status == OK
    for args in (("redis_bus",), ()):
        assert check(*args, "--topic", "d").status == OK


def test_reads_are_not_known(client, check):
    """A group made at $ on a topic with history: until it caught up, Redis' lag is null."""
    client.xadd("omni-stream:d", {"data": "{}"})
    ids = traffic.publish(client, "d", 5)
    client.xdel("omni-stream:d", ids[2])
    client.xgroup_create("omni-stream:d", "group:d:a", id=ids[0])
    answer = check("lost")
    assert answer.status == UNKNOWN and "how many tasks were delivered before" in answer.first
    assert check("redis_bus", "--topic", "d").status == OK


def test_after_an_agent(client, vigil, redis, check):
    """Its memory dates a loss that the group is past; one that is too old does not."""
    behind(client)
    config = vigil.agent_config(names.inputs(redis))
    with open(config, encoding="utf-8") as file:
        config = vigil.config(**json.load(file), rules=[UNPLAYED])
    agent = vigil.run(config)
    agent.cycles(3)
    assert agent.stop() == 0
    trim(client, 5)
    traffic.take(client, "d", "a", 2, ack=True)
    answer = check("lost", "--config", config)
    assert answer.status == CRITICAL and "15 tasks for a" in answer.first
    state = os.path.join(vigil.directory, "state", "redis_bus.state")
    with open(state, encoding="utf-8") as file:
        head, saved = file.read().split("\n", 1)
    saved = re.sub(r"^T \d+", f"T {int((time.time() - 700) * 1000)}", saved)
    total = 14695981039346656037
    for byte in saved.encode():
        total = (total ^ byte) * 1099511628211 & 0xffffffffffffffff
    head = f"{head.rsplit(' ', 2)[0]} {len(saved)} {total:016x}"
    with open(state, "w", encoding="utf-8") as file:
        file.write(f"{head}\n{saved}")
    answer = check("lost", "--config", config)
    assert answer.status == UNKNOWN and "one look cannot tell when" in answer.first


# ---------------------------------------------------------------- restarting


@pytest.mark.parametrize("backend", ["redis", "json"])
def test_restarting(client, vigil, check, backend):
    """A supervisor writes down how often it restarted its process, and when it last did."""
    data = os.path.join(vigil.directory, "data")
    os.mkdir(data)
    env = {"STORAGE_BACKEND": backend, "JSON_STORAGE_DIR": data}
    traffic.register(client, "s", "watched")
    with open(os.path.join(data, "agents.json"), "w", encoding="utf-8") as file:
        json.dump({"s": [{"name": "watched", "topic": "s", "config": {}}]}, file)

    def supervisor(restarts, seconds):
        state = {"agent_name": "watched", "state": "running", "healthy": True, "pid": 1,
                 "start_time": time.time() - seconds, "restart_count": restarts,
                 "last_updated": time.time()}
        client.set("omni:config:_supervisor_registry", '["watched"]')
        client.set("omni:config:supervisor:watched", json.dumps(state))
        with open(os.path.join(data, "config.json"), "w", encoding="utf-8") as file:
            json.dump({"supervisor:watched": state}, file)
    for restarts, seconds, status in ((0, 5, OK), (0, 5000, OK), (2, 5, WARNING), (2, 590, WARNING),
                                      (2, 620, OK), (9, 90000, OK), (2, -3, WARNING)):
        supervisor(restarts, seconds)
        answer = check("restarting", **env)
        assert answer.status == status, (restarts, seconds, answer.text)
        if status == WARNING:
            assert "watched was restarted, 2 times by now" in answer.first
