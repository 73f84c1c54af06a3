# SPDX-License-Identifier: Apache-2.0
"""The recommended rules one by one, next to the real OmniDaemon: what each is about is made to
happen and repaired, and that alert comes and goes, and no other. test_alerts.py has those whose
cause takes more to tell."""

import json
import os
import signal

import names
import traffic
from receiver import Receiver
from servers import free_port, wait_for
from watching import UNPLAYED, rules_within


def test_slow(redis, omnidaemon, watch):
    watched = watch(rules_within(1, {"name": "slow", "warning": "0.5"}),
                    inputs=[{**one, "window": "10s"} if one["plugin"] == names.RUNNER else one
                            for one in names.inputs(redis)])
    omnidaemon.worker({"topic": "orders", "name": "mail", "ms": 700})
    omnidaemon.publish("orders", 3)
    fired = watched.wait("firing warning slow")
    assert fired["tags"]["agent"] == "mail" and fired["fields"]["value"] >= 0.69
    omnidaemon.workers[0].stop()
    omnidaemon.worker({"topic": "orders", "name": "mail", "ms": 0})

    def resolved():
        omnidaemon.publish("orders", 20)
        return "resolved warning slow" in watched.told()
    wait_for("quick tasks", resolved, 40, 1)
    watched.expect("slow", severity="warning")


def test_poison(client, omnidaemon, watch):
    """A body that is no object: OmniDaemon claims it again and again, and it never gets to the dead
    letter queue."""
    watched = watch(rules_within(1, {"name": "poison", "warning": "3"}))
    omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok", "reclaim_idle_ms": 200},
                      reclaim_interval=0.3)
    poison = client.xadd("omni-stream:orders", {"data": '"no object"'})
    fired = watched.wait("firing warning poison", seconds=60)
    assert "was delivered to mail" in fired["fields"]["summary"]
    client.xack("omni-stream:orders", "group:orders:mail", poison)
    watched.wait("resolved warning poison")
    watched.cycles()
    watched.expect("poison", severity="warning")


def test_memory_and_eviction(client, omnidaemon, watch):
    watched = watch(rules_within(1))
    omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"})
    watched.cycles()
    used = client.info("memory")["used_memory"]
    client.config_set("maxmemory", int(used * 1.1))  # 0.91 of it
    fired = watched.wait("firing warning memory")
    assert 0.8 < fired["fields"]["value"] < 0.95
    client.config_set("maxmemory", int(used * 20))
    watched.wait("resolved warning memory")
    client.config_set("maxmemory-policy", "allkeys-lru")
    watched.wait("firing warning eviction")
    client.config_set("maxmemory-policy", "noeviction")
    watched.wait("resolved warning eviction")
    watched.cycles()
    watched.expect("memory", "eviction", severity="warning")


def test_trim_risk(redis, client, omnidaemon, watch):
    """Told before a task is lost; and once more as critical."""
    inputs = names.inputs(redis)
    inputs[0]["stream_limit"] = 100
    watched = watch(rules_within(1, UNPLAYED), inputs=inputs)
    omnidaemon.worker({"topic": "mail", "name": "sorter", "do": "ok"})
    traffic.register(client, "d", "a")
    traffic.publish(client, "d", 60)
    fired = watched.wait("firing warning trim-risk")
    assert "behind by 60 tasks" in fired["fields"]["summary"]
    traffic.publish(client, "d", 25)
    watched.wait("firing critical trim-risk")
    traffic.take(client, "d", "a", 85, ack=True)
    watched.wait("resolved critical trim-risk")
    watched.cycles()
    watched.expect_told("firing warning trim-risk", "firing critical trim-risk",
                        "resolved critical trim-risk")


def test_degraded(redis, omnidaemon_json, watch):
    """Storage is away for a while, the bus is not."""
    real = omnidaemon_json
    real.worker({"topic": "orders", "name": "mail", "do": "ok"})
    watched = watch(rules_within(1, {"name": "no-data", "for": "1m"}), inputs=names.inputs(
        redis, "json", **{names.JSON_DIR: real.json_dir}))
    watched.cycles()
    os.rename(real.json_dir, real.json_dir + ".away")
    fired = watched.wait("firing warning health")
    assert fired["fields"]["summary"].startswith("OmniDaemon is DEGRADED: storage")
    os.rename(real.json_dir + ".away", real.json_dir)
    watched.wait("resolved warning health")
    watched.cycles()
    watched.expect("health", severity="warning")


# ---------------------------------------------------------------- processes


def supervised(client, omnidaemon, **agent):
    """A worker with the supervised agent `watched`; a function that waits until its process has
    another id than before, and tells it."""
    omnidaemon.worker({"topic": "s", "name": "watched", "supervised": True, **agent})

    def process(before=None):
        def other():
            kept = client.get("omni:config:supervisor:watched")
            kept = json.loads(kept) if kept else {}
            return kept.get("state") == "running" and kept["pid"] != before and kept["pid"]
        return wait_for("a process", other, 30)
    return process


def test_restarting(client, omnidaemon, watch):
    """The process of a supervised agent is killed: it is restarted, and that is told."""
    watched = watch(rules_within(1, {"name": "restarting", "warning": "@0:5"}))
    process = supervised(client, omnidaemon)
    first = process()
    watched.cycles(4)
    os.kill(first, signal.SIGKILL)
    process(first)
    fired = watched.wait("firing warning restarting")
    assert fired["tags"]["agent"] == "watched" and "1 times by now" in fired["fields"]["summary"]
    watched.wait("resolved warning restarting")
    watched.expect("restarting", severity="warning")


def test_crashed(client, omnidaemon, watch):
    """A process that may not be restarted any more, until a task makes its supervisor try."""
    watched = watch(rules_within(1))
    process = supervised(client, omnidaemon, restarts=0)
    first = process()
    watched.cycles()
    os.kill(first, signal.SIGKILL)
    fired = watched.wait("firing critical crashed")
    assert fired["tags"]["agent"] == "watched" and "crashed" in fired["fields"]["summary"]
    watched.cycles(4)
    assert watched.told() == ["firing critical crashed"]
    omnidaemon.publish("s", 1)
    process(first)
    watched.wait("resolved critical crashed")
    watched.cycles()
    watched.expect("crashed")


def test_restarts_exhausted(client, omnidaemon, watch):
    """It is restarted once, which is told, and then no more, which is told, too; a new runner is
    the repair."""
    watched = watch(rules_within(1, {"name": "restarting", "warning": "@0:5"}))
    process = supervised(client, omnidaemon, restarts=1)
    first = process()
    watched.cycles()
    os.kill(first, signal.SIGKILL)
    second = process(first)
    watched.wait("firing warning restarting")
    os.kill(second, signal.SIGKILL)
    watched.wait("firing critical crashed")
    watched.cycles(4)
    omnidaemon.workers[0].stop()
    supervised(client, omnidaemon)(second)
    watched.wait("resolved critical crashed", "resolved warning restarting")
    watched.cycles()
    watched.expect_told("firing warning restarting", "resolved warning restarting",
                        "firing critical crashed", "resolved critical crashed")


# ---------------------------------------------------------------- what omnivigil itself lacks


GAPS = ({"name": "metrics-gap", "value": "increase(omnidaemon_metrics.gaps, 5s)"},
        {"name": "events-gap", "value": "increase(omnidaemon_bus.events_gaps, 5s)"})


def test_gaps(client, omnidaemon, watch):
    """Both event streams are trimmed while the agent is away."""
    watched = watch(rules_within(1, *GAPS))
    omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"})
    omnidaemon.publish("orders", 3)
    processed = [("omni:metrics:stream", 2), ("omni-metrics", 1)]  # events a task
    for stream, each in processed:
        wait_for(stream, lambda stream=stream, each=each: client.xlen(stream) == 3 * each)
    watched.cycles()
    assert watched.agent.stop() == 0
    omnidaemon.publish("orders", 20)
    for stream, each in processed:
        wait_for(stream, lambda stream=stream, each=each: client.xlen(stream) == 23 * each)
        client.xtrim(stream, maxlen=10, approximate=False)
    watched.agent = watched.vigil.run(watched.config)
    for rule in ("metrics-gap", "events-gap"):
        fired = watched.wait("firing warning " + rule)
        assert "before they were counted, 1 times" in fired["fields"]["summary"]
    assert watched.agent.samples().last(names.METRICS)["missed"] == 30
    assert watched.agent.samples().last(names.BUS)["events_missed"] == 10
    watched.wait("resolved warning metrics-gap", "resolved warning events-gap")
    watched.cycles()
    watched.expect("metrics-gap", "events-gap", severity="warning")


def test_gap_of_the_file(redis, vigil, watch):
    """OmniDaemon's metrics.json holds the newest 10 000 events and no number of what it dropped."""
    data = os.path.join(vigil.directory, "data")
    os.mkdir(data)

    def write(seconds):
        events = [{**event, "saved_at": 1.7e9 + s} for s in seconds
                  for event in traffic.task_events("orders", "mail", "r", 0.1)]
        with open(os.path.join(data, "metrics.new"), "w", encoding="utf-8") as file:
            json.dump(events, file)
        os.rename(file.name, os.path.join(data, "metrics.json"))
    write(range(10))
    watched = watch(rules_within(1, GAPS[0]),
                    inputs=names.inputs(redis, "json", **{names.JSON_DIR: data}))
    watched.cycles()
    write(range(5, 15))  # some were dropped, which had been counted
    watched.cycles()
    assert watched.told() == []
    write(range(20, 30))
    watched.wait("firing warning metrics-gap", "resolved warning metrics-gap")
    watched.cycles()
    watched.expect("metrics-gap", severity="warning")


def test_output(omnidaemon, vigil, watch):
    """An output whose receiver is away has its own alert, which the others carry."""
    watched = watch(rules_within(1))
    watched.agent.stop()
    with open(watched.config, encoding="utf-8") as file:
        parts = json.load(file)
    port = free_port()
    parts["outputs"].append({"plugin": "influx", "url": f"http://127.0.0.1:{port}"})
    watched.agent = vigil.run(vigil.config(**parts))
    omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"})
    fired = watched.wait("firing critical output")
    assert fired["tags"]["subject"] == "output=influx,plugin=influx"
    receiver = Receiver(port)
    watched.wait("resolved critical output", seconds=60)
    watched.cycles()
    watched.expect("output")
    receiver.close()
