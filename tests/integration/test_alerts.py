# SPDX-License-Identifier: Apache-2.0
"""Alerts of a running agent, next to the real OmniDaemon: what goes wrong is told once and resolved
once, and what goes well is not told at all.

The recommended rules are used, with their times shortened; each test states what may be told, and
anything else fails it."""

import json
import os
import signal
import time

import pytest

import names
import traffic
from servers import wait_for
from watching import ALERT, UNPLAYED, rules_within

# ---------------------------------------------------------------- what goes wrong


def test_killed_runner(omnidaemon, watch):
    """One cause, one alert: that its agents are silent, too, is not told."""
    watched = watch(rules_within(1))
    worker = omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"})
    omnidaemon.publish("orders", 3)
    watched.cycles()
    worker.kill()
    omnidaemon.publish("orders", 4)
    fired = watched.wait("firing critical runner")
    assert "no runner" in fired["fields"]["summary"]
    watched.cycles(6)  # long enough for `silent`
    assert watched.told() == ["firing critical runner"]
    omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"})
    watched.wait("resolved critical runner")
    watched.cycles(6)
    watched.expect("runner")


def test_silent_agent(redis, client, omnidaemon, watch):
    """C05: its consumers ended, the process lives on; then it is paused on purpose."""
    watched = watch(rules_within(1))
    omnidaemon.worker({"topic": "mail", "name": "sorter", "do": "ok"})
    traffic.register(client, "d", "a")
    traffic.publish(client, "d", 1)
    traffic.take(client, "d", "a", 1, ack=True)
    traffic.publish(client, "d", 5)
    redis.age("omni:config:_subscription_active:group:d:a", 3600)
    fired = watched.wait("firing critical silent")
    assert fired["tags"]["topic"] == "d" and fired["tags"]["agent"] == "a"
    assert fired["tags"]["group"] == "group:d:a"
    assert "agent a on d" in fired["fields"]["summary"] and "5 wait" in fired["fields"]["summary"]
    client.set("omni:config:_subscription_active:group:d:a", "false")
    watched.wait("resolved critical silent", seconds=60)
    watched.cycles()
    watched.expect("silent")


def test_broken_callback(client, omnidaemon, watch):
    """It fails at every try, and its tasks fill the dead letter queue; then it is repaired."""
    watched = watch(rules_within(1, {"name": "silent", "for": "30s"}))  # its repair takes a while
    worker = omnidaemon.worker({"topic": "orders", "name": "mail", "do": "fail",
                                "reclaim_idle_ms": 300, "dlq_retry_limit": 1})
    omnidaemon.publish("orders", 6)
    watched.wait("firing critical success", "firing warning dlq")
    wait_for("all dead letters", lambda: client.xlen("omni-dlq:group:orders:mail") == 6)
    dlq = watched.wait("firing warning dlq")
    assert dlq["tags"]["agent"] == "mail" and "gave up tasks" in dlq["fields"]["summary"]
    assert watched.told() in (["firing critical success", "firing warning dlq"],
                              ["firing warning dlq", "firing critical success"])
    worker.stop()
    worker = omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"})
    client.delete("omni-dlq:group:orders:mail")  # dealt with
    watched.wait("resolved warning dlq")
    omnidaemon.publish("orders", 500)
    watched.wait("resolved critical success" if "firing warning success" not in watched.told()
                 else "resolved warning success", seconds=60)
    assert watched.told("dlq") == ["firing warning dlq", "resolved warning dlq"]
    # from critical to warning on its way up, perhaps
    assert watched.told("success") in (
        ["firing critical success", "resolved critical success"],
        ["firing critical success", "firing warning success", "resolved warning success"])
    assert {a["tags"]["rule"] for a in watched.alerts()} == {"dlq", "success"}


def test_lost_group(client, omnidaemon, watch):
    watched = watch(rules_within(1))
    agents = ({"topic": "orders", "name": "mail", "do": "ok"},
              {"topic": "orders", "name": "log", "do": "ok"})
    worker = omnidaemon.worker(*agents)
    watched.cycles()
    client.xgroup_destroy("omni-stream:orders", "group:orders:mail")
    fired = watched.wait("firing critical no-group")
    assert fired["tags"]["agent"] == "mail"
    watched.cycles(4)
    assert watched.told() == ["firing critical no-group"]
    worker.stop()
    omnidaemon.worker(*agents)
    watched.wait("resolved critical no-group")
    watched.cycles(4)
    watched.expect("no-group")


def test_trimmed_backlog(client, omnidaemon, watch):
    """Tasks are trimmed before their delivery: they are gone, and that is told once."""
    watched = watch(rules_within(
        1, {"name": "lost", "critical": "@0:5"}, UNPLAYED))
    omnidaemon.worker({"topic": "mail", "name": "sorter", "do": "ok"})
    traffic.register(client, "d", "a")
    traffic.publish(client, "d", 30)
    traffic.take(client, "d", "a", 10, ack=True)
    watched.cycles()
    client.xtrim("omni-stream:d", maxlen=5, approximate=False)
    fired = watched.wait("firing critical lost")
    assert "15 tasks for a" in fired["fields"]["summary"]
    watched.wait("resolved critical lost")
    watched.cycles()
    watched.expect("lost")


def test_backlog_and_stuck(client, omnidaemon, watch):
    """What waits too long, and what hangs: over as soon as nothing waits, although there is no age
    any more then."""
    watched = watch(rules_within(
        1, {"name": "backlog", "warning": "2"}, {"name": "stuck", "warning": "2"},
        {"name": "pending", "warning": "3"}, UNPLAYED))
    omnidaemon.worker({"topic": "mail", "name": "sorter", "do": "ok"})
    traffic.register(client, "d", "a")
    ids = traffic.publish(client, "d", 4)
    watched.wait("firing warning backlog")
    traffic.take(client, "d", "a", 4)
    watched.wait("resolved warning backlog", "firing warning pending", "firing warning stuck")
    client.xack("omni-stream:d", "group:d:a", *ids)
    watched.wait("resolved warning pending", "resolved warning stuck")
    watched.cycles()
    watched.expect("backlog", "pending", "stuck", severity="warning")


def test_hung_redis(redis, client, omnidaemon, watch):
    """No data resolves nothing, and has an alert of its own."""
    watched = watch(rules_within(1, {"name": "pending", "warning": "3"}, UNPLAYED),
                    inputs=names.inputs(redis, **{names.GATHER_TIMEOUT: "2s"}))
    omnidaemon.worker({"topic": "mail", "name": "sorter", "do": "ok"})
    traffic.register(client, "d", "a")
    traffic.publish(client, "d", 5)
    ids = traffic.take(client, "d", "a", 5)
    watched.wait("firing warning pending")
    redis.send(signal.SIGSTOP)
    try:
        watched.wait("firing critical health", "firing critical no-data")
        wait_for("no data of three", lambda: len(watched.told("no-data")) == 3)
        time.sleep(3)
        assert watched.told("pending") == ["firing warning pending"]
    finally:
        redis.send(signal.SIGCONT)
    watched.wait("resolved critical health", "resolved critical no-data")
    wait_for("data of three", lambda: len(watched.told("no-data")) == 6)
    assert watched.told("pending") == ["firing warning pending"]
    client.xack("omni-stream:d", "group:d:a", *ids)
    watched.wait("resolved warning pending")
    watched.cycles()
    watched.expect_told("firing warning pending", "resolved warning pending",
                        "firing critical health", "resolved critical health",
                        *["firing critical no-data", "resolved critical no-data"] * 3)


def test_redis_comes_back_empty(redis, client, omnidaemon, watch):
    """C06: nothing is resolved merely because what it was about is gone."""
    watched = watch(rules_within(1, {"name": "pending", "warning": "3"}, UNPLAYED))
    traffic.register(client, "d", "a")
    traffic.publish(client, "d", 5)
    traffic.take(client, "d", "a", 5)
    watched.wait("firing warning pending")
    redis.kill()
    watched.wait("firing critical health", "firing critical no-data")
    assert watched.told("pending") == ["firing warning pending"]
    redis.run()
    fresh = redis.client()
    traffic.register(fresh, "d", "a", group=False)  # the runner registered again, its bus did not
    watched.wait("firing critical no-group", "resolved critical health",
                 "resolved critical no-data")
    watched.cycles()
    assert watched.told("pending") == ["firing warning pending"]
    assert watched.told("no-group") == ["firing critical no-group"]
    fresh.xgroup_create("omni-stream:d", "group:d:a", id="$", mkstream=True)
    watched.wait("resolved critical no-group", "resolved warning pending")
    fresh.close()


def pending_of(client, topic="d"):
    traffic.register(client, topic, "a")
    traffic.publish(client, topic, 5)
    return traffic.take(client, topic, "a", 5)


def test_deleted_topic(client, watch):
    """What was deleted ends its alert; what Redis only refuses to tell does not."""
    watched = watch(rules_within(1, {"name": "pending", "warning": "3", "gone_for": "2s"},
                                 UNPLAYED))
    pending_of(client)
    watched.wait("firing warning pending")
    client.execute_command("ACL", "SETUSER", "default", "-xinfo|groups")
    watched.cycles(6)
    assert watched.told() == ["firing warning pending"]
    client.execute_command("ACL", "SETUSER", "default", "+xinfo|groups")
    watched.cycles(4)
    client.srem("omni:topics", "d")
    client.delete("omni-stream:d", "omni:agents:topic:d", "omni:agent:d:a")
    gone = watched.wait("resolved warning pending")
    assert gone["fields"]["reason"] == "gone" and gone["tags"]["topic"] == "d"
    assert gone["fields"]["summary"].startswith("no longer there after ")
    watched.cycles(4)
    watched.expect("pending", severity="warning")


def test_rule_taken_away(client, vigil, watch):
    """What the configuration no longer speaks of does not fire for ever."""
    watched = watch(rules_within(1, {"name": "pending", "warning": "3"}, UNPLAYED))
    pending_of(client)
    watched.wait("firing warning pending")
    assert watched.agent.stop() == 0
    with open(watched.config, encoding="utf-8") as file:
        parts = json.load(file)
    parts["rules"] = rules_within(1, {"name": "pending", "enabled": False}, UNPLAYED)
    watched.config = vigil.config(**parts)
    watched.agent = vigil.run(watched.config)
    assert watched.wait("resolved warning pending")["fields"]["reason"] == "removed"
    watched.cycles()
    watched.expect("pending", severity="warning")


def test_each_target_is_muted_alone(redis, client, omnidaemon, other_redis, watch):
    """Two OmniDaemons, one agent: a lost runner of the one mutes nothing of the other."""
    def inputs(site, url):
        return [{"plugin": plugin, "name": f"{plugin}-{site}", "url": url, "storage": "redis",
                 "tags": {"site": site}} for plugin in (names.REDIS_BUS, names.RUNNER)]
    omnidaemon.worker({"topic": "mail", "name": "sorter", "do": "ok"})
    other = other_redis.client()
    for server, at in ((redis, client), (other_redis, other)):
        traffic.register(at, "d", "a")
        traffic.publish(at, "d", 2)
        server.age("omni:config:_subscription_active:group:d:a", 3600)
    traffic.start_runner(other)
    watched = watch(rules_within(1), inputs=inputs("fra", redis.url) +
                    inputs("muc", other_redis.url))
    watched.wait("firing critical silent", "firing critical runner")
    watched.cycles(6)
    sites = {rule: [a["tags"]["site"] for a in watched.alerts() if a["tags"]["rule"] == rule]
             for rule in ("silent", "runner")}
    assert sites == {"silent": ["fra"], "runner": ["muc"]}
    other.close()


def test_loss_over_a_restart(client, watch):
    """Tasks that are lost while the agent is away are told of once; a restart alone tells
    nothing."""
    lost = {"name": "lost", "critical": "@0:5"}
    watched = watch(rules_within(1, lost, UNPLAYED), state_interval="1s")
    traffic.register(client, "d", "a")
    traffic.publish(client, "d", 30)
    traffic.take(client, "d", "a", 10, ack=True)
    watched.cycles()
    assert watched.agent.stop() == 0
    client.xtrim("omni-stream:d", maxlen=5, approximate=False)
    watched.agent = watched.vigil.run(watched.config)
    fired = watched.wait("firing critical lost")
    assert "15 tasks for a" in fired["fields"]["summary"]
    watched.restart()
    watched.wait("resolved critical lost")
    watched.restart()
    watched.cycles(4)
    assert watched.agent.stop() == 0
    watched.agent = watched.vigil.run(watched.config)
    watched.cycles(4)
    watched.expect("lost")


def test_damaged_storage_file(redis, vigil, watch):
    data = os.path.join(vigil.directory, "data")
    os.mkdir(data)
    for name, content in (("agents", {}), ("results", {}), ("metrics", []), ("config", {})):
        with open(os.path.join(data, name + ".json"), "w", encoding="utf-8") as file:
            json.dump(content, file)
    watched = watch(rules_within(1), inputs=names.inputs(redis, "json", **{names.JSON_DIR: data}))
    watched.agent.cycles(2, names.STORAGE)
    path = os.path.join(data, "results.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"task": {"result": ')
    fired = watched.wait("firing critical storage")
    assert "results.json does not parse" in fired["fields"]["summary"]
    watched.agent.cycles(3, names.STORAGE)
    with open(path, "w", encoding="utf-8") as file:
        file.write("{}")
    watched.wait("resolved critical storage")
    watched.agent.cycles(2, names.STORAGE)
    watched.expect("storage")


# ---------------------------------------------------------------- the life of one alert


BACKLOG = {"name": "over", "value": "omnidaemon_group.undelivered", "warning": "3", "for": "1s"}
QUIET = [{"name": name, "enabled": False} for name in ("silent", "runner", "backlog")]


def al(client):
    client.xgroup_create("omni-stream:al", "group:al:a", id="$", mkstream=True)


def clear(client):
    client.xreadgroup("group:al:a", "consumer:t", {"omni-stream:al": ">"}, count=1000, noack=True)


def test_one_firing_one_resolved(client, watch):
    al(client)
    watched = watch([BACKLOG, *QUIET])
    traffic.publish(client, "al", 5)
    fired = watched.wait("firing warning over")
    watched.cycles(6)
    clear(client)
    resolved = watched.wait("resolved warning over")
    watched.cycles(6)
    watched.expect("over", severity="warning")
    assert fired["fields"]["alert_id"] == resolved["fields"]["alert_id"]
    assert fired["fields"]["threshold"] == "3" and fired["fields"]["value"] == 5
    assert resolved["fields"]["duration_seconds"] >= 6
    assert fired["time"].endswith("Z")


@pytest.mark.parametrize("cleared", ["before", "after"])
def test_killed_between_firing_and_resolved(client, watch, cleared):
    al(client)
    watched = watch([BACKLOG, *QUIET])
    traffic.publish(client, "al", 5)
    watched.wait("firing warning over")
    watched.cycles(1)  # until it has noted that it told
    watched.agent.kill()
    if cleared == "before":
        clear(client)
    watched.restart()
    if cleared == "after":
        watched.cycles()
        watched.restart()  # once more, for nothing
        watched.cycles()
        clear(client)
    watched.wait("resolved warning over")
    watched.cycles(1)
    watched.restart()
    watched.cycles(4)
    watched.expect("over", severity="warning")


def test_killed_at_any_time(client, watch):
    """Wherever it dies, receivers know of every incident's end."""
    al(client)
    watched = watch([{**BACKLOG, "for": "0s"}, *QUIET], interval="200ms")
    for round_ in range(6):
        traffic.publish(client, "al", 5)
        time.sleep(0.15 + 0.11 * round_)
        watched.restart()
        watched.agent.cycles(3)
        clear(client)
        time.sleep(0.1 + 0.09 * round_)
        watched.restart()
        watched.agent.cycles(3)
    states = {}
    for alert in watched.alerts():
        states.setdefault(alert["fields"]["alert_id"], []).append(alert["fields"]["state"])
    assert len(states) == 6
    for life in states.values():
        # told twice only if it died while it was telling
        assert life[0] == "firing" and life[-1] == "resolved" and len(life) <= 4, states


def test_reload_keeps_it(client, watch):
    al(client)
    watched = watch([BACKLOG, *QUIET])
    traffic.publish(client, "al", 5)
    watched.wait("firing warning over")
    for _ in range(3):
        watched.agent.send(signal.SIGHUP)
        watched.cycles(2)
    clear(client)
    watched.wait("resolved warning over")
    watched.cycles()
    watched.expect("over", severity="warning")


def test_repeats_until_it_is_over(client, watch):
    al(client)
    watched = watch([{**BACKLOG, "repeat": "3s"}, *QUIET])
    traffic.publish(client, "al", 5)
    watched.wait("firing warning over")
    wait_for("repeats", lambda: watched.told().count("repeat warning over") == 2)
    clear(client)
    watched.wait("resolved warning over")
    watched.cycles(5)
    told = watched.told()
    assert told[0] == "firing warning over" and told[-1] == "resolved warning over"
    assert set(told[1:-1]) == {"repeat warning over"} and len(told) in (4, 5)


def test_flapping(client, watch):
    """A backlog around the limit for 20 cycles: one alert at most."""
    al(client)
    watched = watch([{**BACKLOG, "for": "0s", "clear_for": "3s"}, *QUIET], interval="200ms")
    for _ in range(20):
        traffic.publish(client, "al", 5)
        time.sleep(0.25)
        clear(client)
        time.sleep(0.25)
    watched.wait("resolved warning over")
    watched.expect("over", severity="warning")


def test_silenced(client, watch, vigil, redis):
    al(client)
    with open(vigil.agent_config(names.inputs(redis)), encoding="utf-8") as file:
        parts = json.load(file)
    config = vigil.config(**parts, rules=[BACKLOG, *QUIET],
                          silences=[{"rules": "ov*", "tags": {"topic": "al"}, "comment": "work"}])
    agent = vigil.run(config)
    traffic.publish(client, "al", 5)
    assert agent.cycles(5).all(ALERT) == []
    # the silence is taken away: it is told then
    vigil.config(**parts, rules=[BACKLOG, *QUIET])
    agent.send(signal.SIGHUP)
    agent.wait("an alert", lambda s: s.all(ALERT, rule="over"))


# ---------------------------------------------------------------- what goes well


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize("backend", ["redis", "json"])
def test_healthy_is_quiet(redis, client, omnidaemon, omnidaemon_json, watch, busy, backend):
    """Nothing is raised, not even for a moment: no rule waits here."""
    real = omnidaemon_json if backend == "json" else omnidaemon
    options = {names.JSON_DIR: real.json_dir} if backend == "json" else {}
    real.worker({"topic": "orders", "name": "mail", "do": "ok", "ms": 20, "consumer_count": 2},
                {"topic": "orders", "name": "log", "do": "ok"},
                {"topic": "eu:slow", "name": "thinker", "do": "ok", "ms": 3000},
                {"topic": "never", "name": "used", "do": "ok"})
    watched = watch(rules_within(0), inputs=names.inputs(redis, backend, **options))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if busy:
            real.publish("orders", 30)
            real.publish("eu:slow", 2)
        time.sleep(0.5)
        watched.agent.check_alive()
    watched.cycles(2)
    assert watched.told() == []
    assert watched.agent.samples(watched.begin).last(names.HEALTH)["status"] == names.RUNNING
