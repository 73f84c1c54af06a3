# SPDX-License-Identifier: Apache-2.0
"""The recommended rules one by one, next to the real OmniDaemon: what each is about is made to
happen and repaired, and that alert comes and goes, and no other. test_alerts.py has those whose
cause takes more to tell."""

import json
import os
import signal

import names
import traffic
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


def test_processes(redis, client, omnidaemon, watch):
    """The process of a supervised agent is killed: it is restarted, and that is told."""
    watched = watch(rules_within(1, {"name": "crashed", "for": "10s"}, {
        "name": "restarting", "value": "increase(omnidaemon_agent.restarts, 5s)"}))
    omnidaemon.worker({"topic": "s", "name": "watched", "supervised": True})

    def process():
        kept = client.get("omni:config:supervisor:watched")
        return (json.loads(kept) if kept else {}).get("pid")
    pid = wait_for("a process", process, 30)
    watched.cycles(4)
    os.kill(pid, signal.SIGKILL)
    omnidaemon.publish("s", 1)
    fired = watched.wait("firing warning restarting", seconds=60)
    assert fired["tags"]["agent"] == "watched"
    watched.wait("resolved warning restarting", seconds=60)
    watched.expect("restarting", severity="warning")


def test_output(redis, omnidaemon, vigil, watch):
    """An output whose receiver is away has its own alert, which the others carry."""
    watched = watch(rules_within(1))
    watched.agent.stop()
    with open(watched.config, encoding="utf-8") as file:
        parts = json.load(file)
    parts["outputs"].append({"plugin": "influx", "url": f"http://127.0.0.1:{free_port()}"})
    watched.agent = vigil.run(vigil.config(**parts))
    omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"})
    fired = watched.wait("firing critical output", seconds=60)
    assert fired["tags"]["subject"] == "output=influx,plugin=influx"
    watched.cycles()
    assert watched.told() == ["firing critical output"]
