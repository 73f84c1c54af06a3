# SPDX-License-Identifier: Apache-2.0
"""omnivigil next to the real OmniDaemon: its numbers are the truth's, its states what happened."""

import json
import os
import signal
import time

import pytest

import names
import traffic
import truth
from servers import wait_for

OK = {"topic": "file_system.tasks", "name": "ok", "do": "ok", "consumer_count": 2, "ms": 20}
FAIL = {"topic": "file_system.tasks", "name": "fail", "do": "fail", "reclaim_idle_ms": 300,
        "dlq_retry_limit": 1}
TIMEOUT = {"topic": "eu:orders", "name": "late, or=never", "do": "timeout",
           "reclaim_idle_ms": 600_000}
STALL = {"topic": "slow", "name": "stuck", "do": "stall", "reclaim_idle_ms": 600_000}
AGENTS = (OK, FAIL, TIMEOUT, STALL)


def close_to(value, expected, tolerance=0.02):
    return abs(value - expected) <= tolerance * abs(expected) + 1e-9


def compare_agents(samples, agents):
    """Each agent's newest counters and times with the truth's."""
    for (topic, name), real in agents.items():
        mine = samples.last(names.AGENT, topic=topic, agent=name)
        got = {key: mine.get(key) for key in ("received", "processed", "failed")}
        assert got == {"received": real.received, "processed": real.processed,
                       "failed": real.failed}, (topic, name)
        if real.processed + real.failed:
            assert close_to(mine["success_ratio"], real.success_ratio(), 1e-6), (topic, name)
        else:
            assert "success_ratio" not in mine, (topic, name)
        for kind, count in real.failures.items():
            failures = samples.last(names.FAILURES, topic=topic, agent=name, error_type=kind)
            assert failures.get("failed") == count, (topic, name, kind)
        if real.seconds:
            assert close_to(mine["processing_avg_seconds"], real.average())
            assert close_to(mine["processing_max_seconds"], max(real.seconds))
            for q in (50, 95, 99):
                assert close_to(mine[f"processing_p{q}_seconds"], real.percentile(q)), q
        else:
            assert "processing_avg_seconds" not in mine


def settled(samples, agents):
    return all(
        samples.last(names.AGENT, topic=topic, agent=name).get("received") == real.received
        and (samples.last(names.AGENT, topic=topic, agent=name).get("failed") == real.failed)
        and (samples.last(names.AGENT, topic=topic, agent=name).get("processed")
             == real.processed)
        for (topic, name), real in agents.items())


def test_redis_storage_success_failure_timeout_stall(redis, client, omnidaemon, vigil):
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    agent.cycles(1)
    worker = omnidaemon.worker(*AGENTS)
    omnidaemon.publish("file_system.tasks", 25)
    omnidaemon.publish("eu:orders", 7)
    omnidaemon.publish("slow", 12)
    wait_for("all dead letters",
             lambda: client.xlen("omni-dlq:group:file_system.tasks:fail") == 25, 30)
    # its 10 slots hold 10 for ever; how many more it has read depends on how they came
    wait_for("a stalled agent",
             lambda: truth.from_redis(client)["slow", "stuck"].received == 10, 10)
    agents = truth.from_redis(client)
    samples = agent.wait("the truth", lambda s: settled(s, agents), 10)
    samples = agent.cycles(2)
    compare_agents(samples, agents)

    for (topic, name), events in {
            ("file_system.tasks", "ok"): {"processed": 25},
            ("file_system.tasks", "fail"): {"reclaim_attempts": 50, "dlq_pushes": 25}}.items():
        group = samples.last(names.GROUP, topic=topic, agent=name)
        for field in ("processed", "reclaim_attempts", "reclaimed", "dlq_pushes"):
            assert group.get(field, 0) == events.get(field, 0), (name, field)
    real = truth.bus(client)
    assert real["group:file_system.tasks:fail"] == {"reclaim_attempt": 50, "dlq_push": 25}

    for topic, name, expected in (
            ("file_system.tasks", "ok", {"pending": 0, "dlq_length": 0, "consumers": 2}),
            ("file_system.tasks", "fail", {"pending": 0, "dlq_length": 25}),
            ("eu:orders", "late, or=never", {"pending": 7, "dlq_length": 0}),
            ("slow", "stuck", {"pending": truth.pending(client, "slow", "group:slow:stuck")})):
        group = samples.last(names.GROUP, topic=topic, agent=name)
        assert group["exists"] is True and group["registered"] is True
        assert group["undelivered"] == truth.undelivered(client, topic, f"group:{topic}:{name}")
        assert {key: group.get(key, 0) for key in expected} == expected, (topic, name)
    assert samples.last(names.GROUP, topic="file_system.tasks", agent="fail")[
        "dlq_newest_seconds"] < 60
    assert samples.last(names.GROUP, topic="slow", agent="stuck")["oldest_pending_seconds"] > 1
    # its consumer does not poll, but its reclaim loop does, here every second
    assert samples.last(names.GROUP, topic="slow", agent="stuck")["life"] in (
        names.POLLING, names.BUSY)
    assert samples.last(names.GROUP, topic="file_system.tasks", agent="ok")["life"] in (
        names.POLLING, names.BUSY)

    health = samples.last(names.HEALTH)
    assert health["runner"] == names.ACTIVE and health["status"] == names.RUNNING
    assert health["runner_id"] == json.loads(client.get("omni:config:_omnidaemon_runner_id"))
    start = json.loads(client.get("omni:config:_omnidaemon_start_time"))
    assert abs(health["uptime_seconds"] - (time.time() - start)) < 5
    assert health["agents"] == 4 and health["bus_up"] is True and health["storage_up"] is True
    known = samples.last(names.AGENT, topic="file_system.tasks", agent="fail")
    assert known["registered"] is True and known["consumer_count"] == 1
    assert known["dlq_retry_limit"] == 1 and close_to(known["reclaim_idle_seconds"], 0.3)
    storage = samples.last(names.STORAGE)
    assert storage["up"] is True and storage["agents"] == 4 and storage["topics"] == 3
    assert storage["results_indexed"] == client.zcard("omni:results:index") == 25
    assert storage["metrics_length"] == client.xlen("omni:metrics:stream")
    assert samples.last(names.METRICS)["entries"] == client.xlen("omni:metrics:stream")

    # A clean stop: stopped, not lost; no counter moves.
    worker.stop(seconds=20)
    samples = agent.wait("a stopped runner",
                         lambda s: s.last(names.HEALTH).get("runner") == names.STOPPED, 15)
    compare_agents(samples, truth.from_redis(client))
    assert agent.stop() == 0


def test_a_killed_runner_is_lost(redis, client, omnidaemon, vigil):
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    worker = omnidaemon.worker(OK)
    omnidaemon.publish("file_system.tasks", 3)
    agent.wait("an active runner",
               lambda s: s.last(names.HEALTH).get("runner") == names.ACTIVE, 15)
    # It stays active although nothing happens: idle is not dead.
    quiet = agent.cycles(8, names.HEALTH)
    assert {s["fields"]["runner"] for s in quiet.all(names.HEALTH)} == {names.ACTIVE}
    worker.stop(signal.SIGKILL)
    omnidaemon.publish("file_system.tasks", 5)
    assert json.loads(client.get("omni:config:_omnidaemon_start_time"))  # what misleads others
    samples = agent.wait("a lost runner",
                         lambda s: s.last(names.HEALTH).get("runner") == names.LOST, 60)
    assert samples.last(names.HEALTH)["status"] != names.RUNNING
    group = agent.cycles(1).last(names.GROUP, topic="file_system.tasks", agent="ok")
    assert group["life"] == names.SILENT and group["undelivered"] == 5
    # Another one takes over.
    omnidaemon.worker(OK)
    agent.wait("an active runner again",
               lambda s: s.last(names.HEALTH).get("runner") == names.ACTIVE, 15, agent.size())


def test_an_idle_agent_is_alive_at_every_look(redis, omnidaemon, vigil):
    """Between two of its waits no client is blocked for a second, and its key is 6 s old then:
    the Redis client gives up at 5 s, as Redis answers, and OmniDaemon pauses."""
    omnidaemon.worker(OK, {**OK, "topic": "other", "consumer_count": 1}, reclaim_interval=30)
    agent = vigil.run(vigil.agent_config(names.inputs(redis), interval="300ms"))
    samples = agent.cycles(45, seconds=30)
    for topic in ("file_system.tasks", "other"):
        lives = [s["fields"].get("life") for s in samples.all(names.GROUP, topic=topic)]
        assert set(lives) == {names.POLLING}, lives
    assert {s["fields"]["runner"] for s in samples.all(names.HEALTH)} == {names.ACTIVE}


def test_a_paused_agent_is_not_dead(redis, client, omnidaemon, vigil):
    omnidaemon.worker(OK)
    # what sdk.unsubscribe_agent leaves, long ago
    key = "omni:config:_subscription_active:group:file_system.tasks:ok"
    client.set(key, "false")
    wait_for("the end of its loops", lambda: client.object("idletime", key) >= 8, 60)
    redis.age(key, 600)
    samples = vigil.gather(url=redis.url)
    group = samples.one(names.GROUP, topic="file_system.tasks", agent="ok")
    assert group["life"] == names.PAUSED


def test_a_dropped_group_is_seen(redis, client, omnidaemon, vigil):
    omnidaemon.worker(OK, FAIL)
    before = vigil.gather(url=redis.url)
    assert before.one(names.GROUP, topic="file_system.tasks", agent="ok")["exists"] is True
    client.xgroup_destroy("omni-stream:file_system.tasks", "group:file_system.tasks:ok")
    after = vigil.gather(url=redis.url)
    gone = after.one(names.GROUP, topic="file_system.tasks", agent="ok")
    assert gone["exists"] is False and gone["registered"] is True
    for field in ("pending", "undelivered", "lost", "consumers"):
        assert field not in gone, field
    assert after.one(names.GROUP, topic="file_system.tasks", agent="fail")["exists"] is True


def test_supervised_agent(redis, client, omnidaemon, vigil):
    omnidaemon.worker({"topic": "s", "name": "watched", "supervised": True})
    omnidaemon.publish("s", 2)
    state = wait_for("a heartbeat", lambda: (
        lambda s: s if s["last_heartbeat"] else None)(
            json.loads(client.get("omni:config:supervisor:watched"))), 20)
    samples = vigil.gather(url=redis.url)
    agent = samples.one(names.AGENT, topic="s", agent="watched")
    assert agent["state"] == "running" and agent["healthy"] is True and agent["restarts"] == 0
    assert 0 <= agent["heartbeat_age_seconds"] < 5
    assert close_to(agent["memory_bytes"], state["memory_mb"] * 1024 * 1024, 0.2)
    assert agent["received"] == 2 and agent["processed"] == 2


def test_json_storage(redis, client, omnidaemon_json, vigil):
    real = omnidaemon_json
    environment = {"STORAGE_BACKEND": "json", "JSON_STORAGE_DIR": real.json_dir}
    config = vigil.agent_config(names.inputs(redis, "json", **{names.JSON_DIR: real.json_dir}))
    worker = real.worker(OK, {**FAIL, "dlq_retry_limit": 1}, TIMEOUT)
    agent = vigil.run(config)
    real.publish("file_system.tasks", 40)
    real.publish("eu:orders", 3)
    wait_for("all dead letters",
             lambda: client.xlen("omni-dlq:group:file_system.tasks:fail") == 40, 30)
    running = agent.cycles(2)
    assert running.last(names.HEALTH)["runner"] == names.ACTIVE
    assert running.last(names.STORAGE, backend="json")["up"] is True
    worker.stop(seconds=20)  # writes the metrics it held back
    agents = truth.from_json(real.json_dir)
    assert agents["file_system.tasks", "ok"].processed == 40
    samples = agent.wait("the truth", lambda s: settled(s, agents), 10)
    compare_agents(samples, agents)
    samples = agent.wait("a stopped runner",
                         lambda s: s.last(names.HEALTH).get("runner") == names.STOPPED, 20)
    for file in ("agents", "results", "metrics", "config"):
        sample = samples.last(names.STORAGE_FILE, file=f"{file}.json")
        assert sample["exists"] is True and sample["valid"] is True
        assert sample["size_bytes"] == os.path.getsize(f"{real.json_dir}/{file}.json")
        assert sample["age_seconds"] < 120
    assert agent.stop() == 0

    # A file that does not parse is data about to be lost.
    with open(f"{real.json_dir}/results.json", "r+b") as file:
        file.truncate(100)
    os.unlink(f"{real.json_dir}/metrics.json")
    samples = vigil.gather(url=redis.url, **environment)
    assert samples.one(names.STORAGE_FILE, file="results.json")["valid"] is False
    assert samples.one(names.STORAGE_FILE, file="metrics.json")["exists"] is False
    assert samples.one(names.STORAGE_FILE, file="agents.json")["valid"] is True


def test_json_storage_that_is_not_there(redis, vigil, directory):
    samples = vigil.gather(url=redis.url, storage="json", JSON_STORAGE_DIR=f"{directory}/none")
    storage = samples.one(names.STORAGE, backend="json")
    assert storage["up"] is False and storage["fault"] and storage["reason"]
    assert "agents" not in storage and "results" not in storage
    assert not os.path.exists(f"{directory}/none")


def test_redis_restarts_under_a_running_agent(redis, omnidaemon, vigil):
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    omnidaemon.worker(OK)
    agent.wait("a group", lambda s: s.all(names.GROUP), 15)
    redis.kill()
    agent.wait("down", lambda s: s.last(names.BUS).get("up") is False, 15)
    down = agent.cycles(3)
    assert down.measurements() & {names.STREAM, names.GROUP, names.CONSUMER} == set()
    for fields in (s["fields"] for s in down.all(names.BUS)):
        assert fields["up"] is False and fields["fault"] and fields["reason"]
        assert not {"topics", "groups", "pending", "undelivered"} & set(fields)
    health = down.last(names.HEALTH)
    assert health["status"] == names.DOWN and health["bus_up"] is False
    assert "agents" not in health
    redis.run()
    agent.wait("up again", lambda s: s.last(names.BUS).get("up") is True, 15, agent.size())
    assert agent.stop() == 0


def test_lost_tasks_are_counted_exactly(redis, client, vigil):
    """100 entries, 10 read, trimmed to 20: 20 left and 70 lost, whatever Redis' lag says."""
    traffic.register(client, "t", "a")
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    agent.cycles(1)
    ids = traffic.publish(client, "t", 100)
    traffic.take(client, "t", "a", 10, ack=True)
    agent.cycles(1)
    client.execute_command("XTRIM", "omni-stream:t", "MAXLEN", 20)
    for read, left in ((0, 20), (5, 15), (15, 0)):
        if read:
            traffic.take(client, "t", "a", read, ack=True)
        assert truth.undelivered(client, "t", "group:t:a") == left
        group = agent.cycles(2).last(names.GROUP, topic="t", agent="a")
        assert group["undelivered"] == left, group
        assert group["lost"] == 70, group
    assert truth.lost(client, "t", "group:t:a", ids) == 0  # the truth forgets; omnivigil does not
    # Nothing is lost that was read before it was trimmed.
    client.execute_command("XTRIM", "omni-stream:t", "MAXLEN", 1)
    group = agent.cycles(2).last(names.GROUP, topic="t", agent="a")
    assert group["lost"] == 70 and group["undelivered"] == 0
    assert agent.stop() == 0
    # A second loss adds, over a restart of the agent too.
    traffic.publish(client, "t", 50)
    client.execute_command("XTRIM", "omni-stream:t", "MAXLEN", 10)
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    group = agent.cycles(2).last(names.GROUP, topic="t", agent="a")
    assert group["undelivered"] == 10
    assert group["lost"] in (40, 110), group  # since Redis' own account, or with the saved one


def test_one_look_tells_lost_from_left(redis, client, vigil):
    traffic.register(client, "t", "a")
    ids = traffic.publish(client, "t", 100)
    traffic.take(client, "t", "a", 10)
    client.execute_command("XTRIM", "omni-stream:t", "MAXLEN", 20)
    group = vigil.gather(url=redis.url).one(names.GROUP, topic="t", agent="a")
    assert group["undelivered"] == truth.undelivered(client, "t", "group:t:a") == 20
    assert group["lost"] == truth.lost(client, "t", "group:t:a", ids) == 70
    assert group["pending"] == 10


@pytest.mark.parametrize("published,maxlen", [(1500, 300)])
def test_losses_by_the_bus_itself(redis, client, omnidaemon, vigil, published, maxlen):
    """MAXLEN ~, as OmniDaemon publishes: an idle agent's backlog is eaten."""
    worker = omnidaemon.worker(OK)
    worker.stop()
    omnidaemon.publish("file_system.tasks", published, maxlen=maxlen)
    left = client.xlen("omni-stream:file_system.tasks")
    assert left < published
    group = vigil.gather(url=redis.url).one(names.GROUP, topic="file_system.tasks", agent="ok")
    assert group.get("undelivered") == left
    assert group.get("lost") in (published - left, None)


def test_a_message_that_is_no_object_stays_pending_and_shows(redis, client, omnidaemon, vigil):
    """OmniDaemon cannot handle it, retries it for ever, and its DLQ stays empty."""
    omnidaemon.worker(FAIL)
    client.xadd("omni-stream:file_system.tasks", {"data": "[1, 2]"})
    wait_for("some deliveries", lambda: any(
        entry["times_delivered"] > 3 for entry in client.xpending_range(
            "omni-stream:file_system.tasks", "group:file_system.tasks:fail", "-", "+", 10)), 20)
    group = vigil.gather(url=redis.url).one(
        names.GROUP, topic="file_system.tasks", agent="fail")
    assert group["max_deliveries"] > 3 and group["pending"] == 1
    assert group["oldest_pending_seconds"] > 1
    assert group.get("dlq_length", 0) == 0
