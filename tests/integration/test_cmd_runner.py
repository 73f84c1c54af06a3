# SPDX-License-Identifier: Apache-2.0
"""`health`, `agent list`, `agent get` and `metrics` next to what OmniDaemon itself has stored."""

import asyncio
import csv
import io
import json
import math
import os
import time

import pytest
from omnidaemon.storage.json_store import JSONStore
from omnidaemon.storage.redis_store import RedisStore

import names
import traffic
import truth
from commands import Commands
from servers import wait_for

TOPIC = "orders.created"
HOSTILE = "a:b *?[x]\\ \x1b[31m\n\"é,=|"


@pytest.fixture
def commands(vigil, redis):
    return Commands(vigil, REDIS_URL=redis.unix_url)


@pytest.fixture
def commands_json(vigil, redis, omnidaemon_json):
    return Commands(vigil, REDIS_URL=redis.unix_url, STORAGE_BACKEND="json",
                    JSON_STORAGE_DIR=omnidaemon_json.json_dir)


def register(redis, client, topic, agent):
    """An agent whose consumers were gone for a while: nothing is looked at twice."""
    group = traffic.register(client, topic, agent)
    redis.age(f"omni:config:_subscription_active:{group}", 100)
    return group


def stored_agents(store):
    """{(topic, name): agent} as OmniDaemon's own storage API tells."""
    async def read():
        await store.connect()
        return await store.list_all_agents()
    return {(topic, agent["name"]): agent
            for topic, agents in asyncio.run(read()).items() for agent in agents}


def failed_tasks(client, agent):
    """The ids of its failed tasks, the newest first."""
    events = [json.loads(entry["data"])
              for _, entry in client.xrevrange("omni:metrics:stream")]
    return [event["task_id"] for event in events
            if event["event"] == "task_failed" and event["agent"] == agent]


def compare_with_truth(told, agents):
    """Rows of `metrics` against what happened, read in full."""
    rows = {(row["topic"], row["agent"]): row for row in told["agents"] if row["received"]}
    assert set(rows) == set(agents)
    for key, agent in agents.items():
        row = rows[key]
        assert (row["received"], row["processed"], row["failed"]) == (
            agent.received, agent.processed, agent.failed)
        if agent.processed + agent.failed:
            assert row["success_ratio"] == pytest.approx(agent.success_ratio())
        if agent.seconds:
            assert row["processing_avg_seconds"] == pytest.approx(agent.average(), abs=1e-6)
            for q in (50, 95, 99):
                assert row[f"processing_p{q}_seconds"] == pytest.approx(
                    agent.percentile(q), rel=0.011, abs=1e-4)
    assert told["totals"]["received"] == sum(a.received for a in agents.values())
    assert told["totals"]["failed"] == sum(a.failed for a in agents.values())
    failures = {(f["topic"], f["agent"], f["error_type"]): f["failed"] for f in told["failures"]}
    assert failures == {(*key, kind): count for key, agent in agents.items()
                        for kind, count in agent.failures.items()}


# ---------------------------------------------------------------- the real OmniDaemon


def test_real_omnidaemon(redis, client, omnidaemon, commands):
    """A runner's life: at work, failing, killed, its agents as its own storage API tells them."""
    worker = omnidaemon.worker(
        {"topic": TOPIC, "name": "billing", "ms": 5},
        {"topic": TOPIC, "name": "fraud-check", "do": "fail", "reclaim_idle_ms": 500,
         "dlq_retry_limit": 1},
        {"topic": "reports", "name": "writer", "supervised": True})
    omnidaemon.publish(TOPIC, 12)
    omnidaemon.publish("reports", 3)
    wait_for("the dead letters", lambda: len(truth.dlq(client, TOPIC, "fraud-check")) == 12, 30)

    told = commands.json("health", status=1)
    assert told["health"]["status"] == "RUNNING" and told["health"]["runner"] == "active"
    assert told["health"]["runner_id"] == json.loads(
        client.get("omni:config:_omnidaemon_runner_id"))
    assert "blocking read" in told["health"]["sign"] or "busy" in told["health"]["sign"]
    assert [part["up"] for part in told["parts"]] == [True, True]
    assert {"success", "dlq"} <= {f["rule"] for f in told["findings"]}
    assert {f["agent"] for f in told["findings"]} == {"fraud-check"}

    stored = stored_agents(RedisStore(redis.unix_url))
    told = commands.json("agent", "list", status=1)
    assert [(row["topic"], row["agent"]) for row in told["agents"]] == sorted(stored)
    for row in told["agents"]:
        agent = stored[row["topic"], row["agent"]]
        assert (row["description"], row["tools"], row["callback"]) == (
            agent["description"], agent["tools"], agent["callback_name"])
        assert row["consumer_count"] == agent["config"]["consumer_count"]
    for shape in ("tree", "table", "compact"):
        text = commands.run("agent", "list", "--shape", shape, status=1).stdout
        assert all(name in text for _, name in stored)
    commands.run("agent", "list", "--agent", "billing")

    told = commands.json("agent", "get", TOPIC, "fraud-check", status=1)
    agent = stored[TOPIC, "fraud-check"]
    assert told["agent"]["config"] == agent["config"] and told["agent"]["tools"] == agent["tools"]
    assert told["agent"]["reclaim_idle_seconds"] == 0.5 and told["agent"]["dlq_retry_limit"] == 1
    assert told["agent"]["life"] == "polling"
    assert told["group"]["dlq_length"] == 12 and told["tasks"]["processed"] == 0
    assert [row["consumer"] for row in told["consumers"]] == [
        row["name"] for row in client.xinfo_consumers(f"omni-stream:{TOPIC}",
                                                      f"group:{TOPIC}:fraud-check")]
    assert told["failures"] == [{"error_type": "ValueError", "failed": told["tasks"]["failed"]}]
    assert [(row["error_type"], row["error"], row["task_id"]) for row in told["last_failures"]] == [
        ("ValueError", "no luck", task) for task in failed_tasks(client, "fraud-check")[:5]]

    supervised = wait_for("a heartbeat", lambda: (
        lambda state: state if state.get("last_heartbeat") else None)(
            json.loads(client.get("omni:config:supervisor:writer"))))
    told = commands.json("agent", "get", "--topic", "reports", "--name", "writer")["supervisor"]
    assert (told["state"], told["pid"], told["restarts"]) == ("running", supervised["pid"], 0)
    os.kill(told["pid"], 0)
    assert told["heartbeat_age_seconds"] < 60 and told["memory_bytes"] > 1e6

    compare_with_truth(commands.json("metrics", status=1), truth.from_redis(client))
    compare_with_truth(commands.json("metrics", "--since", "1h", status=1),
                       truth.from_redis(client))

    worker.kill()
    told = wait_for("the loss to show", lambda: (
        lambda health: health if health["runner"] == "lost" else None)(
            json.loads(commands.vigil.command(
                "health", "--format", "json", "--config", commands.config,
                **commands.env).stdout)["health"]), 30)
    assert "crash" in told["sign"] and told["started_at"]


def test_real_omnidaemon_stops(client, omnidaemon, commands):
    worker = omnidaemon.worker({"topic": TOPIC, "name": "billing"})
    worker.stop()
    told = commands.json("health")["health"]
    assert (told["status"], told["runner"]) == ("READY", "stopped")
    assert "orderly" in told["sign"] and told["started_at"] is None


def test_real_omnidaemon_on_json(omnidaemon_json, commands_json):
    worker = omnidaemon_json.worker({"topic": TOPIC, "name": "billing"},
                                    {"topic": TOPIC, "name": "fails", "do": "fail"})
    omnidaemon_json.publish(TOPIC, 30)
    path = os.path.join(omnidaemon_json.json_dir, "metrics.json")
    wait_for("metrics.json", lambda: os.path.exists(path), 20)
    worker.stop()
    stored = stored_agents(JSONStore(omnidaemon_json.json_dir))
    told = commands_json.json("agent", "list", status=1)
    assert {(row["topic"], row["agent"]): (row["description"], row["tools"], row["callback"])
            for row in told["agents"]} == {
        key: (agent["description"], agent["tools"], agent["callback_name"])
        for key, agent in stored.items()}
    told = commands_json.json("agent", "get", TOPIC, "billing")["agent"]
    assert told["config"] == stored[TOPIC, "billing"]["config"]
    told = commands_json.json("agent", "get", TOPIC, "fails", status=1)["last_failures"]
    with open(path, encoding="utf-8") as file:
        failed = [event["task_id"] for event in json.load(file) if event["event"] == "task_failed"]
    assert [(row["error"], row["task_id"]) for row in told] == [
        ("no luck", task) for task in failed[:-6:-1]]
    told = commands_json.json("metrics", status=1)
    compare_with_truth(told, truth.from_json(omnidaemon_json.json_dir))
    assert any("100 events" in note for note in told["notes"])
    told = commands_json.json("metrics", "--since", "1ms", status=1)
    assert told["totals"]["received"] == 0


# ---------------------------------------------------------------- health


def test_health_without_redis(redis, commands):
    redis.kill()
    done = commands.run("health", status=3)
    assert "DOWN" in done.stdout and "connection" in done.stdout
    for command in (("agent", "list"), ("agent", "get", "a", "b"), ("metrics",)):
        done = commands.run(*command, status=3)
        assert done.stderr.startswith("omnivigil: ") and "redis.sock" in done.stderr


def test_health_degraded(redis, commands_json, omnidaemon_json):
    os.makedirs(omnidaemon_json.json_dir)
    assert commands_json.json("health")["health"]["status"] == "READY"
    redis.kill()
    assert commands_json.json("health", status=1)["health"]["status"] == "DEGRADED"
    os.rmdir(omnidaemon_json.json_dir)
    assert commands_json.json("health", status=3)["health"]["status"] == "DOWN"


# ---------------------------------------------------------------- agents


def test_hostile_agents(redis, client, commands):
    assert "no such agents" in commands.run("agent", "list").stdout
    group = register(redis, client, HOSTILE, HOSTILE + "2")
    client.hset(f"omni:agent:{HOSTILE}:{HOSTILE}2", mapping={
        "description": "\x1b]0;evil\x07", "tools": "[\"\x1b[2J\", NaN",
        "callback_name": "x" * 70000, "config": "not json", "created_at": "soon"})
    for command in (("agent", "list"), ("agent", "get", HOSTILE, HOSTILE + "2")):
        text = commands.run(*command).stdout
        redis.age(f"omni:config:_subscription_active:{group}", 100)
        assert "\x07" not in text and "\x1b" not in text and "xxxx" not in text
        assert list(csv.reader(io.StringIO(commands.run(*command, "--format", "csv").stdout)))
        redis.age(f"omni:config:_subscription_active:{group}", 100)
    told = commands.json("agent", "get", HOSTILE)["agent"]
    assert (told["topic"], told["agent"]) == (HOSTILE, HOSTILE + "2")
    assert told["callback"] == "(70000 bytes, not shown)" and told["config"] == "not json"
    assert commands.json("agent", "list", "--topic", "other*")["agents"] == []


def test_which_agent(redis, client, commands):
    register(redis, client, TOPIC, "billing")
    register(redis, client, TOPIC, "fraud-check")
    for args, status, hint in (
            (("orders.creatde", "billing"), 3, "did you mean `orders.created`"),
            ((TOPIC, "biling"), 3, "did you mean `billing`"),
            ((TOPIC, "something else"), 3, "agent list"),
            ((TOPIC,), 2, "2 agents match"),
            ((), 2, "2 agents match")):
        assert hint in commands.run("agent", "get", *args, status=status).stderr
    assert commands.json("agent", "get", "--agent", "bil*")["agent"]["agent"] == "billing"


def test_agent_without_group(redis, client, commands):
    register(redis, client, TOPIC, "billing")
    client.xgroup_destroy(f"omni-stream:{TOPIC}", f"group:{TOPIC}:billing")
    assert commands.json("agent", "list", status=1)["agents"][0]["life"] == "no group"
    told = commands.json("agent", "get", TOPIC, "billing", status=1)
    assert told["agent"]["life"] == "no group" and "consumers" not in told
    assert told["findings"][0]["rule"] == "no-group"


def test_many_consumers_are_not_listed(redis, client, commands):
    group = register(redis, client, TOPIC, "billing")
    pipe = client.pipeline(transaction=False)
    for number in range(1001):
        pipe.xgroup_createconsumer(f"omni-stream:{TOPIC}", group, f"c{number}")
    pipe.execute()
    told = commands.json("agent", "get", TOPIC, "billing")
    assert told["consumers"] == [] and any("too many" in note for note in told["notes"])


# ---------------------------------------------------------------- metrics


def test_metrics_are_exact(redis, client, commands):
    """Far beyond the 1000 events where OmniDaemon's own command stops counting."""
    assert commands.json("metrics")["agents"] == []
    register(redis, client, TOPIC, "idle")
    events = []
    for number in range(5000):
        error = ("ValueError", "no") if number % 10 == 0 else None
        events += traffic.task_events(TOPIC, f"agent{number % 3}", "r",
                                      seconds=(number % 997) / 100, error=error)
    traffic.add_metrics(client, events)
    told = commands.json("metrics", status=1)
    compare_with_truth(told, truth.from_redis(client))
    assert told["covers"]["complete"] and told["covers"]["events"] == 10_000
    assert [row["received"] for row in told["agents"]][-1] == 0
    assert told["agents"][-1]["agent"] == "idle"
    only = list(csv.reader(io.StringIO(
        commands.run("metrics", "--agent", "agent1", "--format", "csv", status=1).stdout)))
    assert sum(TOPIC in row for row in only) == 2
    text = commands.run("metrics", "--limit", "1", status=1).stdout
    assert "1 of 4 shown" in text and "agent0" in text
    gathered = commands.vigil.gather("runner", url=commands.env["REDIS_URL"],
                                     config=commands.config)
    for row in told["agents"][:-1]:
        sample = gathered.one("omnidaemon_agent", topic=row["topic"], agent=row["agent"])
        assert (row["received"], row["processed"], row["failed"]) == (
            sample["received"], sample["processed"], sample["failed"])


def test_metrics_since(client, commands):
    key, now = "omni:metrics:stream", int(time.time() * 1000)
    for minutes in (90, 50, 10):
        for number, event in enumerate(traffic.task_events(TOPIC, "billing", "r", seconds=1)):
            client.xadd(key, {"data": json.dumps(event)}, id=f"{now - minutes * 60000}-{number}")
    for since, received, complete in (("30m", 1, True), ("1h", 2, True), ("7d", 3, True)):
        told = commands.json("metrics", "--since", since)
        assert (told["totals"]["received"], told["covers"]["complete"]) == (received, complete)
    client.xtrim(key, maxlen=4, approximate=False)
    assert commands.json("metrics", "--since", "20m")["covers"]["complete"]
    told = commands.json("metrics", "--since", "2h")
    assert not told["covers"]["complete"] and "no longer reach back" in told["notes"][0]
    assert not commands.json("metrics")["covers"]["complete"]
    for wrong in ("0s", "1", "yesterday", "-1h"):
        assert "--since" in commands.run("metrics", "--since", wrong, status=2).stderr


def test_metrics_over_saved_state(redis, client, commands):
    """Counts go on where an agent saved its state, and it is said that they do."""
    traffic.add_metrics(client, [e for _ in range(20) for e in traffic.task_events(
        TOPIC, "billing", "r", seconds=0.5)])
    vigil = commands.vigil
    agent = vigil.run(vigil.agent_config([
        {"plugin": "runner", "url": redis.unix_url, "storage": "redis"}]))
    agent.wait("its counts", lambda s: s.last("omnidaemon_agent").get("received") == 20)
    agent.stop()
    client.xtrim("omni:metrics:stream", maxlen=10, approximate=False)
    told = commands.json("metrics")
    assert told["totals"]["received"] == 20 and told["covers"]["counts_from"] == "saved state"
    assert "saved its state" in told["notes"][0]
    assert commands.json("metrics", "--since", "1h")["totals"]["received"] == 5


def test_hostile_events(client, commands):
    for data in ("", "[]", "{", "\x00\xff", json.dumps({"event": "task_failed"}),
                 '{"event": "task_processed", "topic": "a", "agent": "b",'
                 ' "processing_time_sec": NaN}',
                 json.dumps({"event": "task_failed", "topic": HOSTILE, "agent": "b",
                             "error_type": "\x1b[31m" + "E" * 100})):
        client.xadd("omni:metrics:stream", {"data": data})
    client.xadd("omni:metrics:stream", {"other": "x"})
    told = commands.json("metrics", status=1)
    assert (told["totals"]["processed"], told["covers"]["events"]) == (1, 8)
    assert all(value is None or math.isfinite(value) for row in told["agents"]
               for name, value in row.items() if name not in ("topic", "agent"))
    assert "\x1b" not in commands.run("metrics", status=1).stdout
    client.delete("omni:metrics:stream")
    client.set("omni:metrics:stream", "not a stream")
    assert "metrics:stream" in commands.run("metrics", status=3).stderr


def test_what_was_lost(redis, client, vigil):
    """While more is, and when it is over: the agent's row and page tell it."""
    traffic.register(client, "orders", "invoice")
    traffic.publish(client, "orders", 10)
    traffic.take(client, "orders", "invoice", 10, ack=True)
    traffic.publish(client, "orders", 700, maxlen=100)
    lost = 700 - client.xlen("omni-stream:orders")
    others = ("silent", "runner", "backlog", "trim-risk", "no-group", "eviction")
    config = vigil.config(
        inputs=[{"plugin": plugin, "url": redis.url, "storage": "redis"}
                for plugin in names.INPUTS],
        rules=[{"name": name, "enabled": False} for name in others])

    def look(*args):
        done = vigil.command(*args, "-c", config, "--format", "json")
        return done.returncode, json.loads(done.stdout)

    status, told = look("agent", "list")
    assert status == 1 and [a["lost"] for a in told["agents"]] == [lost]
    assert "and more are now" in str(look("agent", "get", "orders", "invoice")[1]["notes"])
    assert look("bus", "groups")[0] == 1
    while traffic.take(client, "orders", "invoice", 1000, ack=True):
        pass
    assert [a["lost"] for a in look("agent", "list")[1]["agents"]] == [lost]
    assert f"{lost} tasks were trimmed before their delivery at some time" in str(
        look("agent", "get", "orders", "invoice")[1]["notes"])
    status, told = look("bus", "groups")
    assert told["groups"][0]["lost"] == lost and "lost at some time" in str(told["notes"])
    assert status == 0, told
