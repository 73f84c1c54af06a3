# SPDX-License-Identifier: Apache-2.0
"""`omnivigil check` where something cannot be known: what Redis refuses to tell is no OK, what is
not there to be told is no problem, and nobody waits for what nobody asked."""

import os
import time

import pytest

import names
import traffic
from monitoring import CRITICAL, OK, UNKNOWN, WARNING
from test_check import Check, an_agent

RIGHTS = ("+ping +info +scan +type +xlen +xinfo +xpending +xrange +xread +get +hget +object +sscan "
          "+smembers +scard +zcard +zcount +time +exists +client +select").split()
# what a rule needs, of all that may be refused
NEEDS = {
    "stuck": {"xpending", "xinfo|groups"},
    "poison": {"xpending", "xinfo|groups"},
    "pending": {"xinfo|groups"},
    "no-group": {"xinfo|groups", "smembers", "sscan"},
    "backlog": {"xinfo|groups", "xinfo|stream", "xrange"},
    "trim-risk": {"xinfo|groups", "xinfo|stream", "xrange"},
    "dlq": {"xinfo|groups", "xinfo|stream", "xlen"},
    "silent": {"xinfo|groups", "smembers", "sscan", "object", "get", "xpending", "hget"},
    "memory": {"info"},
    "eviction": {"info"},
    "crashed": {"get", "smembers", "sscan"},
}
REFUSED = sorted(set().union(*NEEDS.values()) | {"scan", "exists", "xread", "client"})


@pytest.fixture
def plain(redis, vigil):
    """Checks as the user that may do all."""
    return Check(vigil, redis.url)


@pytest.fixture
def as_user(redis, client, vigil):
    """Makes a user and returns the check that is made as it."""
    def make(*rights, keys=("~*",)):
        client.execute_command("ACL", "SETUSER", "mon", "reset", "on", ">pw", *keys, *RIGHTS,
                               *rights)
        return Check(vigil, f"unix://mon:pw@{redis.socket}")
    return make


def a_full_state(redis, client):
    """Something for each rule to look at: tasks wait, others are under way, one was given up."""
    an_agent(client, "orders", "mail", pending=2, undelivered=3, reclaim_idle_ms=1)
    traffic.take(client, "orders", "mail", 1, ack=True)
    client.xadd("omni-dlq:group:orders:mail", {"data": "{}"})
    # two entries behind the newest delivered: the rest is counted
    client.xdel("omni-stream:orders", client.xrange("omni-stream:orders")[-2][0])
    redis.age("omni:config:_subscription_active:group:orders:mail", 3600)
    client.config_set("maxmemory", "1gb")
    client.set("omni:config:_supervisor_registry", '["mail"]')
    client.set("omni:config:supervisor:mail", '{"state": "running", "restart_count": 0}')


def test_refused_is_unknown(redis, client, as_user):
    """Each command that Redis may refuse, for each rule: unknown, with the way out, where the rule
    needs it, and the same answer as ever where it does not."""
    a_full_state(redis, client)
    expected = {rule: as_user()(f"rule:{rule}") for rule in NEEDS}
    assert UNKNOWN not in {answer.status for answer in expected.values()}, expected
    for refused in REFUSED:
        check = as_user(f"-{refused}")
        for rule, needs in NEEDS.items():
            answer = check(f"rule:{rule}")
            whole = refused == "scan" and rule not in ("memory", "eviction", "crashed")
            if refused in needs or whole:
                # what is known to be bad stays so, but the rest is not fine
                assert answer.status != OK, (refused, rule, answer.text)
                assert "unknown" in answer.first, (refused, rule, answer.text)
                assert answer.status == UNKNOWN or "UNKNOWN: " in answer.text
                assert "ACL SETUSER" in answer.text, (refused, answer.text)
            else:
                assert answer.status == expected[rule].status, (refused, rule, answer.text)


def test_refused_topics(client, as_user):
    """C11: one topic may be read, another may not."""
    an_agent(client, "orders", "mail", pending=2)
    an_agent(client, "secret", "spy", pending=2)
    check = as_user(keys=("~omni-stream:orders", "~omni:*", "~omni-dlq:*", "~omni-metrics"))
    whole = check("pending")
    assert whole.status == UNKNOWN and "topic secret: XINFO GROUPS" in whole.first
    assert whole.perfdata == {"pending orders mail": (2, None, "100", None)}
    assert check("pending", "--topic", "orders").status == OK
    assert check("pending", "--topic", "secret").status == UNKNOWN
    assert check("pending", "--unknown-as", "ok").status == OK
    assert check("pending", "-w", "1").status == WARNING
    assert check().status != OK


def test_many_refused_topics(client, as_user):
    for i in range(300):
        an_agent(client, f"t{i}", "a")
    answer = as_user(keys=("~omni:*", "~omni-dlq:*", "~omni-metrics"))("pending")
    assert answer.status == UNKNOWN and len(answer.first) < 500 and not answer.details


def test_absent_is_fine(redis, client, plain):
    """An agent that has nothing to do has no age of a task."""
    an_agent(client)
    answer = plain("redis_bus", "rule:backlog", "rule:pending", "rule:dlq", "rule:stuck")
    assert "unknown" not in answer.first, answer.text
    for rule in ("pending", "backlog", "stuck", "dlq", "poison", "trim-risk", "no-group"):
        assert plain(rule).status == OK, plain(rule).text


def test_null_by_name(client, plain):
    """Asked for by its name, a value that is not there is unknown."""
    an_agent(client)
    for rule in ("success", "slow", "memory", "crashed"):
        answer = plain(f"rule:{rule}")
        assert answer.status == UNKNOWN and "no value" in answer.first, answer.text
        assert all(item[0] is None for item in answer.perfdata.values())
        assert plain(f"rule:{rule}", "--nothing-as", "ok").status == OK
    # among others that have one it is not
    traffic.register(client, "busy", "b")
    traffic.add_metrics(client, traffic.task_events("busy", "b", "runner", seconds=0.5))
    assert plain("success").status == OK


def test_backlog_that_cannot_be_counted(redis, client, vigil, plain):
    """C01: null is not 0. Counted as far as count_max, and unknown beyond."""
    traffic.publish(client, "late", 5)
    an_agent(client, "late", "a", undelivered=40)
    rule = {"name": "behind", "value": "omnidaemon_group.undelivered", "warning": "0"}
    bus = {"plugin": names.REDIS_BUS, "url": redis.url, "storage": "redis"}
    exact = plain("behind", "--config", vigil.config(inputs=[bus], outputs=[], rules=[rule]))
    assert exact.status == WARNING and exact.perfdata == {"behind late a": (40, None, "0", None)}
    bounded = plain("behind", "--config", vigil.config(
        inputs=[{**bus, "count_max": 16}], outputs=[], rules=[rule]))
    assert bounded.status == UNKNOWN and "count_max" in bounded.first
    assert bounded.perfdata == {"behind late a": (None, None, "0", None)}


def test_words(redis, client, vigil, plain):
    """`runner` and `storage` are inputs and rules: the input is meant, if nothing else is said."""
    an_agent(client)
    traffic.start_runner(client)
    rules = {"health", "runner", "crashed", "restarting", "success", "slow"}
    assert {label.split()[0] for label in plain("runner").perfdata} == rules
    assert {label.split()[0] for label in plain("input:runner").perfdata} == rules
    assert set(plain("rule:runner").perfdata) == {"runner"}
    assert {label.split()[0] for label in plain("rule:runner", "redis_bus").perfdata} > {"runner"}
    ranges = plain("runner", "-w", "5")
    assert ranges.status == UNKNOWN and "rule:runner is the rule alone" in ranges.first
    assert plain("rule:runner", "-c", "0").status == CRITICAL
    for word, problem in (("rule:storag", "no rule is called `storag` (did you mean `storage`?)"),
                          ("input:runnr", "no input is called `runnr` (did you mean `runner`?)"),
                          ("rule:redis_bus", "no rule is called"), ("input:dlq", "no input is"),
                          ("rule:events-gap", "about an increase"),
                          ("rule:", "no rule is called ``")):
        answer = plain(word)
        assert answer.status == UNKNOWN and problem in answer.first, answer.text


def test_damaged_file_by_either_name(redis, vigil, plain):
    data = os.path.join(vigil.directory, "data")
    os.mkdir(data)
    for name in ("agents", "results", "config"):
        with open(os.path.join(data, f"{name}.json"), "w", encoding="utf-8") as file:
            file.write("{" if name == "results" else "{}")
    env = {"STORAGE_BACKEND": "json", "JSON_STORAGE_DIR": data}
    for word in ("storage", "rule:storage", "input:storage"):
        answer = plain(word, **env)
        assert answer.status == CRITICAL and "results.json does not parse" in answer.first


def test_nobody_waits_for_nothing(redis, client, plain):
    """Only whether an agent is silent, or a runner there, takes a second look, and only where no
    other sign tells."""
    an_agent(client, "orders", "mail", undelivered=3)
    traffic.start_runner(client)

    def seconds(*args):
        began = time.monotonic()
        plain(*args)
        return time.monotonic() - began
    for rule in ("backlog", "pending", "no-group", "dlq", "memory", "success"):
        assert seconds(rule) < 1, rule
    assert seconds("silent") >= 1  # its key is fresh, and nobody blocks
    assert seconds("silent", "--topic", "orders") >= 1
    assert seconds("rule:runner") >= 1
    traffic.take(client, "orders", "mail", 1)  # it works
    for rule in ("silent", "rule:runner", "health"):
        assert seconds(rule) < 1, rule


def test_paused_a_moment_ago(redis, client, plain):
    """Whoever was paused does not block, and its key is fresh, also because a check has read it."""
    an_agent(client, "busy", "b", pending=1)  # so a runner is there
    traffic.start_runner(client)
    an_agent(client, "orders", "mail", undelivered=3, active=False)
    assert plain("silent").status == OK
    redis.age("omni:config:_subscription_active:group:orders:mail", 3600)
    assert plain("silent").status == OK
    assert plain("silent").status == OK
    client.set("omni:config:_subscription_active:group:orders:mail", "true")
    assert plain("silent").status == CRITICAL
