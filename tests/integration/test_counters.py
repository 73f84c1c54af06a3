# SPDX-License-Identifier: Apache-2.0
"""Counters over capped streams: each event once, whatever is trimmed, over restarts."""

import random
import signal
import time

import names
import traffic
import truth


ADD = ("for i=1,%d do redis.call('XADD','%s',%s'*','data',"
       "'{\"topic\":\"o\",\"agent\":\"a\",\"event\":\"%s\",\"group\":\"group:o:a\","
       "\"processing_time_sec\":1}') end")


def add(client, key, count, event, cap=None):
    client.eval(ADD % (count, key, f"'MAXLEN',{cap}," if cap else "", event), 0)


def steps(vigil, redis, client, key, event, read):
    """Walks a counter through trimming, a flood, another stream and a restart of the agent."""
    add(client, key, 1500, event)
    config = vigil.agent_config(names.inputs(redis))
    agent = vigil.run(config)
    first = read(agent.cycles(2, names.METRICS))
    assert first["count"] in (0, 1500)

    def after(change, seconds=0):
        change()
        return read(agent.cycles(2, names.METRICS))

    grown = after(lambda: add(client, key, 10, event))
    assert grown["count"] == first["count"] + 10
    trimmed = after(lambda: client.execute_command("XTRIM", key, "MAXLEN", 1000))
    assert trimmed == grown
    flood = after(lambda: add(client, key, 5000, event, cap=1000))
    seen, missed = (flood["count"] - grown["count"],
                    flood.get("missed", 0) - grown.get("missed", 0))
    assert seen == 5000 or (seen >= 1000 and seen + missed == 5000), (seen, missed)

    def another():
        client.delete(key)
        add(client, key, 3, event)

    new = after(another)
    assert new["count"] == flood["count"] + 3
    assert agent.stop() == 0
    add(client, key, 2, event)
    agent = vigil.run(config)
    again = read(agent.cycles(2, names.METRICS))
    assert again["count"] in (new["count"] + 2, 2, 0)
    counts = [read_one["count"] for read_one in map(read, by_time(agent.samples(0)))
              if read_one["count"] is not None]
    drops = [(a, b) for a, b in zip(counts, counts[1:]) if b < a]
    assert not drops, drops


def by_time(samples):
    """Samples cut where a new gather of the metrics begins."""
    part = type(samples)()
    for sample in samples:
        if sample["measurement"] == names.METRICS and part:
            yield part
            part = type(samples)()
        part.append(sample)


def test_task_counters(redis, client, vigil):
    def read(samples):
        return {"count": samples.last(names.AGENT, topic="o", agent="a").get("processed"),
                "missed": samples.last(names.METRICS).get("missed", 0)}
    traffic.register(client, "o", "a")
    steps(vigil, redis, client, "omni:metrics:stream", "task_processed", read)


def test_bus_counters(redis, client, vigil):
    def read(samples):
        return {"count": samples.last(names.GROUP, topic="o", agent="a").get("processed")}
    traffic.register(client, "o", "a")
    # the bus' stream holds ten times as many entries; nothing tells how many were missed
    key = "omni-metrics"
    add(client, key, 1500, "processed")
    config = vigil.agent_config(names.inputs(redis))
    agent = vigil.run(config)
    first = read(agent.cycles(2))["count"]
    assert first in (0, 1500)
    for events in ("processed", "processed"):
        add(client, key, 10, events)
    assert read(agent.cycles(2))["count"] == first + 20
    client.execute_command("XTRIM", key, "MAXLEN", 1000)
    assert read(agent.cycles(2))["count"] == first + 20
    for event, field in (("reclaim_attempt", "reclaim_attempts"), ("reclaimed", "reclaimed"),
                         ("dlq_push", "dlq_pushes")):
        add(client, key, 7, event)
        group = agent.cycles(2).last(names.GROUP, topic="o", agent="a")
        assert group[field] == 7 and group["processed"] == first + 20


def test_a_hundred_thousand_tasks_with_a_restart_in_between(redis, client, vigil):
    """Every number is OmniDaemon's own account, although its stream holds half of it."""
    dice = random.Random(1)
    agents = [("orders", "a"), ("orders", "b"), ("mail.incoming", "c"), ("x:y", "d e")]
    for topic, name in agents:
        traffic.register(client, topic, name)
    config = vigil.agent_config(names.inputs(redis))
    agent = vigil.run(config)
    agent.cycles(1)
    told = []  # the account of what was written
    begin = time.monotonic()
    for part in range(20):
        events = []
        for _ in range(5_000):
            topic, name = dice.choice(agents)
            roll = dice.random()
            if roll < 0.9:
                how = {"seconds": dice.lognormvariate(0, 1)}
            else:
                how = {"error": ("ValueError" if roll < 0.96 else "TimeoutError", 'no "luck"\n')}
            events += traffic.task_events(topic, name, "runner-1", **how)
        traffic.add_metrics(client, events)
        told += events
        if part == 7:
            assert agent.stop() == 0
        if part == 8:
            agent = vigil.run(config)
        if part == 14:
            agent.stop(signal.SIGKILL)
            agent = vigil.run(config)
        # no faster than the stream's cap allows a reader that looks every second
        time.sleep(max(0, begin + (part + 1) * 0.5 - time.monotonic()))
    expected = truth.agents_of(told)
    assert sum(a.received for a in expected.values()) == 100_000
    total = sum(a.processed + a.failed for a in expected.values())

    def done(samples):
        return sum(
            samples.last(names.AGENT, topic=topic, agent=name).get("processed", 0)
            + samples.last(names.AGENT, topic=topic, agent=name).get("failed", 0)
            for topic, name in agents) >= total

    samples = agent.wait("all tasks", done, 30)
    metrics = samples.last(names.METRICS)
    assert metrics.get("missed", 0) == 0 and metrics["gaps"] == 0
    assert metrics["entries"] == len(told) == 200_000
    for key, real in expected.items():
        mine = samples.last(names.AGENT, topic=key[0], agent=key[1])
        assert (mine["received"], mine["processed"], mine["failed"]) == (
            real.received, real.processed, real.failed), key
        for kind, count in real.failures.items():
            assert samples.last(names.FAILURES, topic=key[0], agent=key[1],
                                error_type=kind)["failed"] == count
        for q in (50, 95, 99):
            assert abs(mine[f"processing_p{q}_seconds"] / real.percentile(q) - 1) < 0.02, (key, q)
        assert abs(mine["processing_avg_seconds"] / real.average() - 1) < 0.02


def test_a_kill_loses_no_event_and_counts_none_twice(redis, client, vigil):
    traffic.register(client, "t", "a")
    config = vigil.agent_config(names.inputs(redis), interval="200ms", state_interval="1s")
    total = 0
    for round_number in range(4):
        agent = vigil.run(config)
        agent.cycles(1, names.METRICS)
        for _ in range(10):
            traffic.add_metrics(client, [
                event for _ in range(50)
                for event in traffic.task_events("t", "a", "r", seconds=0.1)])
            total += 50
            time.sleep(0.05)
        if round_number < 3:
            agent.stop(signal.SIGKILL)
    samples = agent.wait("all", lambda s: s.last(names.AGENT, topic="t", agent="a").get(
        "processed", 0) >= total, 15)
    mine = samples.last(names.AGENT, topic="t", agent="a")
    assert mine["processed"] == mine["received"] == total
    counts = [s["fields"]["processed"] for s in agent.samples(0).all(names.AGENT, topic="t")
              if "processed" in s["fields"]]
    assert counts[-1] == total
