# SPDX-License-Identifier: Apache-2.0
"""The definitions for Icinga 2, Nagios and NRPE, run by the real schedulers: state, output and
performance data arrive there as `omnivigil check` prints them."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import names
import traffic
from monitoring import (CRITICAL, ITEM, OK, REWRITTEN, UNKNOWN, WARNING, Answer,
                        parse_perfdata)
from schedulers import SHIPPED_BINARY, Icinga, Nagios, Nrpe, shipped
from servers import wait_for

DOWN = 1  # of a host
HOSTILE = ("it's a=b;c|d", "$ARG1$ `id`", "заказы \"eu\"")

# what each service looks at, and what it should find here
SERVICES = {
    "runner": (("runner",), OK),
    "agents": (("no-group", "silent"), CRITICAL),
    "tasks": (("pending", "backlog", "stuck", "poison", "dlq", "trim-risk"), WARNING),
    "redis": (("memory", "eviction", "--nothing-as", "ok"), OK),
    "orders": (("pending", "--topic", "orders", "-w", "50", "-c", "100"), CRITICAL),
}


@pytest.fixture
def omnidaemon_with_problems(client):
    traffic.register(client, "orders", "mail")
    traffic.publish(client, "orders", 101)
    traffic.take(client, "orders", "mail", 101)
    traffic.register(client, "lost", "sorter", group=False)
    for topic in HOSTILE:
        traffic.register(client, topic, "a")


def is_settled(status):
    return len(status) == len(SERVICES) + 1 and all(s["checked"] for s in status.values())


def still(text):
    """Without ages, which differ from look to look; Nagios makes `:` of `;`."""
    return re.sub(r"\b[0-9.]+ s\b|\[[a-z-]+ [0-9.]+", "", text).replace(";", ":")


def at_once(function, things):
    """{thing: function(thing)}: checks wait rather than work."""
    with ThreadPoolExecutor(len(things)) as pool:
        return dict(zip(things, pool.map(function, things)))


def compare(status, names_of, vigil, pattern, **env):
    """Each service with what the same check says at the prompt."""
    prompt = at_once(lambda key: vigil.command("check", *SERVICES[key][0], **env), SERVICES)
    for key, (_, expected) in SERVICES.items():
        service = status[names_of[key]]
        answer = Answer(prompt[key].returncode, prompt[key].stdout)
        assert answer.status == expected, answer.text
        assert service["state"] == answer.status, (key, service)
        assert still(service["output"]) == still(answer.first), key
        assert service["details"].count("\\n") + bool(service["details"]) >= len(answer.details)
        there = parse_perfdata(service["perfdata"], pattern)
        assert there.keys() == answer.perfdata.keys(), key
        for label, item in answer.perfdata.items():
            assert there[label][1:] == item[1:], label
            if label.startswith(("pending", "no-group")):
                assert there[label] == item, label
    assert any("it's a_b;c_d" in label for label in
               parse_perfdata(status[names_of["tasks"]]["perfdata"], pattern))


@pytest.mark.usefixtures("omnidaemon_with_problems")
def test_icinga(redis, directory, vigil):
    hosts = f'''
        object Host "production" {{
          import "omnidaemon-host"
          vars.omnivigil_redis_url = "{redis.url}"
          vars.omnidaemon_topics["orders"] = {{
            omnivigil_warning = "50", omnivigil_critical = "100"
          }}
        }}'''
    icinga = Icinga(directory, vigil.binary, vigil.env, hosts)
    try:
        status = wait_for("checks by Icinga",
                          lambda: is_settled(icinga.status()) and icinga.status(), 40, 0.5)
        assert status["HOST"]["state"] == 0
        assert status["HOST"]["output"].startswith("OK: ")
        compare(status, {**{key: f"omnidaemon-{key}" for key in SERVICES},
                         "orders": "omnidaemon-topic orders"}, vigil, REWRITTEN,
                REDIS_URL=redis.url, STORAGE_BACKEND="redis")
        redis.kill()
        wait_for("a host that is down", lambda: icinga.status()["HOST"]["state"] == DOWN, 30, 0.5)
        wait_for("unknown services", lambda: all(
            icinga.status()[f"omnidaemon-{key}"]["state"] == UNKNOWN for key in ("tasks", "redis")),
            30, 0.5)
        log = icinga.stdout() + icinga.stderr()
        assert "invalid perfdata" not in log and "warning/Macro" not in log, log[-3000:]
    finally:
        icinga.stop(seconds=20)


@pytest.mark.usefixtures("omnidaemon_with_problems")
def test_nagios(redis, directory, vigil):
    config = vigil.config(inputs=names.inputs(redis), outputs=[])
    example = re.search(r"on one host:\n#\n((?:#.*\n)+)", shipped("nagios", "omnivigil.cfg"))[1]
    hosts = f'''
        define host {{
            use                omnidaemon
            host_name          omnidaemon-production
            address            127.0.0.1
            _OMNIVIGIL_CONFIG  {config}
        }}
        {example.replace("#", "").replace("-c 500", "-c 100")}'''
    nagios = Nagios(directory, vigil.binary, vigil.env, hosts)
    try:
        status = wait_for("checks by Nagios",
                          lambda: is_settled(nagios.status()) and nagios.status(), 40, 0.5)
        assert status["HOST"]["state"] == 0
        assert status["HOST"]["output"].startswith("OK: ")
        compare(status, {**{key: f"OmniDaemon {key}" for key in SERVICES},
                         "redis": "OmniDaemon Redis"}, vigil, ITEM,
                REDIS_URL=redis.url, STORAGE_BACKEND="redis")
        redis.kill()
        wait_for("a host that is down", lambda: nagios.status()["HOST"]["state"] == DOWN, 30, 0.5)
        wait_for("unknown services", lambda: all(
            nagios.status()[f"OmniDaemon {key}"]["state"] == UNKNOWN for key in ("tasks", "Redis")),
            30, 0.5)
    finally:
        nagios.stop(seconds=20)


@pytest.mark.usefixtures("omnidaemon_with_problems")
def test_nrpe(redis, directory, vigil):
    config = vigil.config(inputs=names.inputs(redis), outputs=[])
    expected = {"check_omnidaemon_runner": OK, "check_omnidaemon_agents": CRITICAL,
                "check_omnidaemon_tasks": WARNING, "check_omnidaemon_redis": OK,
                "check_omnidaemon_storage": UNKNOWN}  # there are no files on Redis
    definitions = shipped("nrpe", "omnivigil.cfg")
    assert set(re.findall(r"^command\[(\w+)\]=", definitions, re.M)) == expected.keys()
    nrpe = Nrpe(directory, definitions.replace(SHIPPED_BINARY, vigil.binary).replace(
        "/etc/omnivigil/omnivigil.yaml", config), vigil.env)
    for name, answer in at_once(nrpe.ask, expected).items():
        assert answer.status == expected[name], answer.text


def test_definitions_name_rules_that_exist(redis, client, vigil):
    """All of them, and every rule that one look can decide."""
    traffic.register(client, "orders", "mail")
    known = vigil.command("plugins", "redis_bus").stdout + vigil.command("plugins", "runner").stdout
    icinga = set(re.findall(r'"([a-z-]+)"', " ".join(
        re.findall(r"omnivigil_rules = \[(.*?)\]", shipped("icinga2", "omnivigil.conf")))))
    nagios = set(" ".join(re.findall(r"^ *check_command +check_omnidaemon!([a-z -]*?)(?: --.*)?$",
                                     shipped("nagios", "omnivigil.cfg"), re.M)).split())
    assert icinga == nagios
    for rule in icinga:
        assert re.search(rf"\b{rule}\b", known), rule
    checks = at_once(lambda rule: vigil.command(
        "check", rule, "--nothing-as", "ok", REDIS_URL=redis.url, STORAGE_BACKEND="redis"), icinga)
    for rule, done in checks.items():
        assert done.returncode != UNKNOWN, (rule, done.stdout)
