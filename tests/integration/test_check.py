# SPDX-License-Identifier: Apache-2.0
"""`omnivigil check`, as a scheduler runs it: what it exits with, what it prints, and when."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import names
import traffic
from monitoring import CRITICAL, OK, UNKNOWN, WARNING, Answer

HOSTILE = [
    "a b", "a'b", "a''b", "a=b", "a_b", "a|b", "a\nb", "a\tb", "a;b,c", "eu:orders", "$ARG1$",
    "\"q\"", "*", "[a-z]", "\\", "заказы", "a\x1b[31mred", "`id`", "ö" * 150, "x" * 5000, "U",
    "1=2;3;4;5",
]


class Check:
    """Runs it against one Redis."""

    def __init__(self, vigil, url):
        self.vigil, self.env = vigil, {"REDIS_URL": url, "STORAGE_BACKEND": "redis"}

    def __call__(self, *args, **env):
        done = self.vigil.command("check", *args, **{**self.env, **env})
        assert done.stderr == "", done.stderr
        return Answer(done.returncode, done.stdout)


@pytest.fixture
def check(redis, vigil):
    # Somebody waits at this Redis, as OmniDaemon's consumers do: where nobody does, a check takes
    # another look after a second.
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.connect(redis.socket)
        waiting.sendall(b"BLPOP nothing 0\r\n")
        yield Check(vigil, redis.url)


def an_agent(client, topic="orders", agent="mail", undelivered=0, pending=0, **more):
    traffic.register(client, topic, agent, **more)
    if pending:
        traffic.publish(client, topic, pending)
        traffic.take(client, topic, agent, pending)
    if undelivered:
        traffic.publish(client, topic, undelivered)


# ---------------------------------------------------------------- states


def test_healthy(redis, client, omnidaemon, check):
    omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"},
                      {"topic": "eu:orders", "name": "it's = fine", "do": "ok"})
    omnidaemon.publish("orders", 5)
    answer = check()
    assert answer.status == OK, answer.text
    assert answer.first.endswith(" ok") and not answer.details
    assert answer.perfdata["pending orders mail"] == (0, None, "100", None)
    assert answer.perfdata["no-group eu:orders it's _ fine"][0] == 1
    assert answer.perfdata["dlq orders mail"][0] is None  # nothing there is no number
    quiet = check("--no-perfdata")
    assert quiet.status == OK and quiet.perfdata == {} and "|" not in quiet.text
    # of one input, of one rule, of one agent
    assert set(k.split()[0] for k in check("runner").perfdata) <= {
        "health", "runner", "crashed", "restarting", "success", "slow"}
    assert set(check("pending", "--agent", "mail").perfdata) == {"pending orders mail"}


def test_states_and_ranges(client, check):
    an_agent(client, pending=5)
    for warning, critical, expected in (
            ("5", "10", OK), ("4", "10", WARNING), ("4", "4", CRITICAL), ("10", "4", CRITICAL),
            ("5:", "0:", OK), ("6:", "0:", WARNING), ("~:5", "~:5", OK), ("~:4", "~:9", WARNING),
            ("@5:6", "@6:7", WARNING), ("@0:4", "@5", CRITICAL), (None, "4", CRITICAL),
            (None, "5", OK), ("4", None, WARNING), ("5", None, OK), ("-5:5", "-5:-1", CRITICAL)):
        args = ([f"-w{warning}"] if warning else []) + (["-c", critical] if critical else [])
        answer = check("pending", *args)
        assert answer.status == expected, (warning, critical, answer.text)
        assert answer.perfdata == {"pending orders mail": (5, None, warning, critical)}
        if expected != OK:
            # the worst, its value and its threshold, then the counts
            threshold = warning if expected == WARNING else critical
            assert "agent mail on orders" in answer.first
            assert f"[pending 5, threshold {threshold}]" in answer.first
            assert answer.first.endswith("0 ok")


def test_all_exit_statuses(client, check):
    """In the order of their weight: what is known to be bad comes first."""
    an_agent(client, "t", "a", pending=101)
    traffic.start_runner(client)
    assert check("pending").status == WARNING
    client.xgroup_destroy("omni-stream:t", "group:t:a")
    lost = check("no-group")
    assert lost.status == CRITICAL and "agent a on t has lost its consumer group" in lost.first
    an_agent(client, "u", "b", pending=101)
    both = check("no-group", "pending")
    assert both.status == CRITICAL and len(both.details) == 1
    assert both.details[0].startswith("WARNING: agent b on u has 101 tasks under way")
    assert "1 critical, 1 warning" in both.first


def test_the_worst_of_many(client, check):
    for i in range(299):
        an_agent(client, f"topic-{i}", "a")
    an_agent(client, "the.one", "a", pending=7)
    answer = check("pending", "-w", "5", "-c", "6")
    assert answer.status == CRITICAL
    assert answer.first.startswith("CRITICAL: agent a on the.one has 7 tasks under way")
    assert answer.first.endswith("1 critical, 299 ok") and len(answer.first) < 400
    assert answer.perfdata["pending the.one a"] == (7, None, "5", "6")
    # all of them bad: still short, unless more is asked for
    bad = check("pending", "-w", "1:")
    assert bad.status == WARNING and bad.first.endswith("299 warning, 1 ok")
    assert len(bad.details) < 60
    assert len(check("pending", "-w", "1:", "-vvv", "--no-perfdata").details) >= 299


def test_verbose(client, check):
    an_agent(client, pending=5)
    assert check("pending", "-w", "4").details == []
    assert check("pending", "-v").details == ["OK: pending orders mail [pending 5]"]
    told = check("pending", "-w", "4", "-vv")
    assert "Tasks were delivered and not finished" in "\n".join(told.details)


def test_one_cause_one_problem(redis, client, omnidaemon, check):
    """An agent that is silent next to others that work, and one whose runner is gone."""
    omnidaemon.worker({"topic": "mail", "name": "sorter", "do": "ok"})
    an_agent(client, undelivered=3)
    redis.age("omni:config:_subscription_active:group:orders:mail", 3600)
    silent = check()
    assert silent.status == CRITICAL and "1 critical" in silent.first
    assert "agent mail on orders no longer asks for tasks (3 wait)" in silent.first
    omnidaemon.close()
    redis.age("omni:config:_subscription_active:group:mail:sorter", 3600)
    lost = check()
    assert lost.status == CRITICAL and "1 critical" in lost.first and "no runner" in lost.first
    assert check("silent").status == OK
    # paused on purpose is no problem at all
    client.set("omni:config:_subscription_active:group:orders:mail", "false")
    assert check("silent").status == OK


# ---------------------------------------------------------------- nothing, and failures


def test_nothing_found(client, check):
    an_agent(client)
    traffic.start_runner(client)
    for args in (("pending", "--topic", "nosuch"), ("--topic", "nosuch"), ("--agent", "nobody"),
                 ("pending", "--agent", "mai"), ("health", "--topic", "orders"),
                 ("--topic", "orders", "--agent", "nobody"), ("pending", "--topic", "Orders"),
                 ("pending", "--topic", "")):
        answer = check(*args)
        assert answer.status == UNKNOWN and "nothing found" in answer.first, (args, answer.text)
        assert answer.perfdata == {}
        assert check(*args, "--nothing-as", "ok").status == OK
        assert check(*args, "--nothing-as", "critical").status == CRITICAL
    # one of two is there
    assert check("pending", "no-group", "--topic", "orders").status == OK


def test_topics_and_agents(client, check):
    for topic in ("orders.eu", "orders.us", "mail"):
        for agent in ("a", "b"):
            an_agent(client, topic, agent, pending=5 if agent == "b" else 0)
    bad = check("pending", "-w", "4", "--topic", "orders.*")
    assert bad.status == WARNING and set(bad.perfdata) == {
        f"pending orders.{c} {a}" for c in ("eu", "us") for a in "ab"}
    assert check("pending", "-w", "4", "--topic", "orders.*", "--agent", "a").status == OK
    assert set(check("pending", "--topic", "*.?s", "--agent", "[!a]").perfdata) == {
        "pending orders.us b"}
    # without a rule: what is about topics alone, not the health of the whole
    filtered = check("--topic", "mail", "--agent", "a")
    assert filtered.perfdata and all(" mail a" in label for label in filtered.perfdata)
    of_input = check("redis_bus", "--topic", "mail")
    assert of_input.status == OK and of_input.perfdata
    nobody = check("redis_bus", "--topic", "nobody's")
    assert nobody.status == UNKNOWN and "nothing found for rule" in nobody.first
    assert "rule memory" not in nobody.text
    assert check("memory", "--topic", "mail").status == UNKNOWN


def test_wrong_usage(check):
    for args, problem in (
            (("--bogus",), "unknown option `--bogus`"),
            (("--tpoic", "x"), "did you mean `--topic`?"),
            (("-w",), "--warning needs a value"), (("-w", "5"), "need just one rule"),
            (("pending", "dlq", "-w", "5"), "need just one rule, not 2"),
            (("pending", "-w", "ten"), "--warning: expected a range"),
            (("pending", "-w", "5", "-c", "5:1"), "--critical: "),
            (("pendng",), "did you mean `pending`?"), (("redis_bs",), "did you mean `redis_bus`?"),
            (("a\nb|c",), "no rule and no input is called `a\\nb/c`"),
            (("metrics-gap",), "about an increase"), (("lost", "events-gap"), "about an increase"),
            (("no-data",), "nothing found for rule no-data"),
            (("-t", "0"), "--timeout takes"), (("-t", "-1"), "--timeout takes"),
            (("-t", "x"), "--timeout takes"), (("-t", "nan"), "--timeout takes"),
            (("-t", "1e9"), "--timeout takes"), (("-t", "5:bad"), "--timeout takes"),
            (("-t", "5:"), "--timeout takes"), (("-t", "0x5"), "--timeout takes"),
            (("-t", " 5"), "--timeout takes"), (("-t", "1e1"), "--timeout takes"),
            (("-t", "1.5.5"), "--timeout takes"),
            (("--topic", "a", "--topic", "b"), "--topic is given twice"),
            (("--agent", "a", "pending", "--agent=b"), "--agent is given twice"),
            (("--unknown-as", "fine"), "--unknown-as takes"),
            (("-c", "/nowhere.yaml"), "given as --config FILE"),
            (("--config", "/nowhere.yaml"), "/nowhere.yaml")):
        answer = check(*args)
        assert answer.status == UNKNOWN and problem in answer.first, (args, answer.text)


def test_configurations(vigil, redis, check):
    good = {"inputs": names.inputs(redis), "outputs": []}
    cases = (
        ({**good, "rules": [{"name": "pendng", "value": "omnidaemon_group.pendng",
                             "warning": "1"}]}, "did you mean `pending`"),
        ({**good, "rules": [{"name": "pending\n|x", "value": "omnidaemon_group.life",
                             "warning": "1"}]}, "`life` is a text"),
        ({**good, "rules": [{"name": "pending", "warning": "x"}]}, "expected a range"),
        ({**good, "rules": [{"name": "pendng", "warning": "1"}]}, "did you mean `pending`"),
        ({**good, "inputs": [{"plugin": "redis_bus"}], "rules": [{"name": "slow", "warning": "1"}]},
         "a rule of the input runner, which is not configured: add `- plugin: runner`"),
        ({**good, "intputs": []}, "intputs"),
        ({"inputs": [{"plugin": "nosuch"}]}, "unknown plugin `nosuch`"),
    )
    for parts, problem in cases:
        answer = check("--config", vigil.config(**parts))
        assert answer.status == UNKNOWN and problem in answer.first, answer.text
        assert not answer.details
    assert check("--config", vigil.write("broken.yaml", "inputs: [")).status == UNKNOWN
    assert check("--config", vigil.directory).status == UNKNOWN


def test_rules_of_the_configuration(client, redis, vigil, check):
    an_agent(client, pending=5)
    config = vigil.config(inputs=names.inputs(redis), outputs=[], rules=[
        {"name": "pending", "warning": "4", "summary": "{agent}: {value}"},
        {"name": "no-group", "enabled": False},
        {"name": "my own", "value": "omnidaemon_stream.length", "critical": "@5"},
    ])
    answer = check("pending", "--config", config)
    assert answer.first.startswith("WARNING: mail: 5 [pending 5, threshold 4]")
    own = check("my own", "--config", config)
    assert own.status == CRITICAL and own.perfdata == {"my own orders": (5, None, None, "@5")}
    assert check("no-group", "--config", config).status == UNKNOWN
    assert not any(label.startswith("no-group") for label in check("--config", config).perfdata)


def test_several_of_them(redis, other_redis, client, vigil, check):
    """Two OmniDaemons of equal topics and agents: each is named, and can be asked for alone."""
    other = other_redis.client()
    an_agent(client, pending=2)
    an_agent(other, pending=9)
    other.close()
    config = vigil.config(outputs=[], inputs=[
        {"plugin": names.REDIS_BUS, "name": name, "url": server.url, "storage": "redis"}
        for name, server in (("shop", redis), ("mail", other_redis))])
    both = check("pending", "-w", "5", "--config", config)
    assert both.status == WARNING and both.first.startswith("WARNING: mail: agent mail on orders")
    assert both.perfdata == {"pending shop orders mail": (2, None, "5", None),
                             "pending mail orders mail": (9, None, "5", None)}
    assert check("redis_bus", "--config", config).perfdata.keys() > both.perfdata.keys()
    shop = check("shop", "--config", config)
    assert shop.perfdata["pending orders mail"][0] == 2 and "mail: " not in shop.text
    assert check("mail", "--config", config).perfdata["pending orders mail"][0] == 9
    # an input, and a rule of all of them
    mixed = check("shop", "memory", "--config", config).perfdata
    assert {"pending orders mail", "memory shop", "memory mail"} <= mixed.keys()
    other_redis.kill()
    assert check("shop", "--config", config).status == OK
    assert check("pending", "--config", config).status == UNKNOWN


def test_without_redis(redis, vigil, check):
    redis.kill()
    answer = check("redis_bus")
    assert answer.status == UNKNOWN and "redis_bus: " in answer.first
    assert answer.first.endswith(", 0 ok") and check().first.endswith(", 0 ok")
    assert check("redis_bus", "--unknown-as", "critical").status == CRITICAL
    assert check("redis_bus", "--unknown-as", "ok").status == OK
    health = check("health")
    assert health.status == CRITICAL and "OmniDaemon is DOWN" in health.first
    secret = check("redis_bus", REDIS_URL="redis://user:hunter2@127.0.0.1:1")
    assert secret.status == UNKNOWN and "hunter2" not in secret.text


def test_hung_redis(redis, client, check):
    an_agent(client)
    redis.send(signal.SIGSTOP)
    try:
        for limit, expected in (("1", UNKNOWN), ("1:unknown", UNKNOWN), ("1:critical", CRITICAL),
                                ("1.5:warning", WARNING), ("1:ok", OK)):
            began = time.monotonic()
            answer = check("-t", limit)
            took = time.monotonic() - began
            assert answer.status == expected, (limit, answer.text)
            assert took < float(limit.partition(":")[0]) + 1, (limit, took)
    finally:
        redis.send(signal.SIGCONT)
    assert check("pending").status == OK


@pytest.mark.parametrize("rules", [
    [["*", "", 30]],                                        # accepts, and never answers
    [["*", "+OK\r\n", 0.5]],                                # nonsense, slowly
    [["*", "*2147483647\r\n"]], [["*", "$5\r\nab"]], [["*", "CLOSE"]], [["*", "\x00\xff"]],
])
def test_redis_that_is_none(fake_redis, vigil, rules):
    fake = fake_redis(rules)
    began = time.monotonic()
    answer = Check(vigil, fake.url)("redis_bus", "-t", "2")
    assert answer.status == UNKNOWN and time.monotonic() - began < 3, answer.text


# ---------------------------------------------------------------- text


def test_hostile_names(client, check):
    for topic in HOSTILE:
        an_agent(client, topic, "o'b|r=i\nen", pending=2)
    answer = check("pending", "-w", "1")
    assert answer.status == WARNING
    assert len(answer.perfdata) == len(HOSTILE)
    assert all(item == (2, None, "1", None) for item in answer.perfdata.values())
    everything = check("-vvv")
    assert len(everything.perfdata) > len(HOSTILE)
    for topic in HOSTILE:
        exactly = "".join("\\" + c if c in "*[\\" else c for c in topic)
        alone = check("pending", "-w", "1", "--topic", exactly)
        assert len(alone.perfdata) == 1, (topic, alone.text)
        assert "pending 2, threshold 1" in alone.first


def test_locales(client, check, vigil):
    an_agent(client, pending=3)
    client.config_set("maxmemory", "100mb")
    plain = check("pending", "-w", "0.5", "-c", "2.5")
    for locale in ("de_DE.UTF-8", "fr_FR", "tr_TR.UTF-8", "nonsense", ""):
        env = {"LC_ALL": locale, "LC_NUMERIC": locale, "LANG": locale, "LANGUAGE": locale}
        assert check("pending", "-w", "0.5", "-c", "2.5", **env).text == plain.text
        memory = check("memory", **env).perfdata["memory"]
        assert 0 < memory[0] < 1 and memory[2:] == ("0.8", "0.95")


@pytest.mark.parametrize("how", ["closed", "full", "reader gone", "all closed"])
def test_nowhere_to_print(client, vigil, check, how):
    """What cannot be told is not OK."""
    an_agent(client)
    redirect = {"closed": ">&-", "full": ">/dev/full", "all closed": "<&- >&- 2>&-",
                "reader gone": "| true"}[how]
    script = f'"$1" check pending {redirect}'
    if how == "reader gone":
        script = f'(sleep 0.2; "$1" check pending; echo $? >status) {redirect}; sleep 1'
    done = subprocess.run(["sh", "-c", script, "sh", vigil.binary],
                          env={**vigil.env, **check.env}, cwd=vigil.directory, timeout=30,
                          check=False)
    status = done.returncode
    if how == "reader gone":
        with open(os.path.join(vigil.directory, "status"), encoding="ascii") as file:
            status = int(file.read())
    assert status == UNKNOWN


# ---------------------------------------------------------------- as a guest


def test_by_its_other_name(client, vigil, check):
    an_agent(client, pending=3)
    link = os.path.join(vigil.directory, "check_omnidaemon")
    os.symlink(vigil.binary, link)
    done = subprocess.run([link, "pending", "-w", "2"], env={**vigil.env, **check.env},
                          cwd=vigil.directory, timeout=30, capture_output=True, text=True,
                          check=False)
    assert Answer(done.returncode, done.stdout).status == WARNING


def test_fifty_at_once(redis, client, check):
    for i in range(50):
        an_agent(client, f"t{i}", "a", pending=i % 3)
    began = time.monotonic()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda i: check("pending", "-w", "1"), range(50)))
    assert {a.text for a in answers} == {answers[0].text} and answers[0].status == WARNING
    assert time.monotonic() - began < 30
    assert len(redis.client().client_list()) < 10


def test_leaves_nothing_behind(redis, client, vigil, check):
    an_agent(client, pending=3, undelivered=2)
    keys, before = sorted(client.keys()), set(os.listdir(vigil.directory))
    with redis.monitor() as seen:
        check()
    assert set(os.listdir(vigil.directory)) == before
    assert sorted(client.keys()) == keys
    known = client.command()
    for name in {words[0].lower() for words in seen.commands()}:
        assert "write" not in known[name]["flags"], name


def test_next_to_the_agent(redis, client, vigil, check):
    """It reads the agent's state, without its lock, and changes nothing there."""
    an_agent(client, pending=3)
    config = vigil.agent_config(names.inputs(redis))
    agent = vigil.run(config)
    agent.cycles(2)
    for _ in range(3):
        assert check("pending", "-w", "2", "--config", config).status == WARNING
    agent.cycles(1)
    assert agent.stop() == 0


# ---------------------------------------------------------------- what does not count

def test_silenced(client, redis, vigil, check):
    """By the silences of the agent: told apart, and no problem. So it is for health."""
    for topic in ("orders", "mail"):
        an_agent(client, topic=topic, pending=5)

    def config(**silence):
        return vigil.config(inputs=names.inputs(redis), outputs=[], silences=[silence],
                            agent={"state_dir": os.path.join(vigil.directory, "none")},
                            rules=[{"name": "pending", "warning": "4", "for": "0s"}])
    until = {"until": "2099-12-27T00:00:00Z", "comment": "stocktaking"}
    for silence, status, silenced in (({"rules": "pending", **until}, OK, 2),
                                      ({"tags": {"topic": "ord*"}, **until}, WARNING, 1),
                                      ({"rules": "backlog", **until}, WARNING, 0),
                                      ({"rules": "pending", "until": "2001-01-01"}, WARNING, 0)):
        path = config(**silence)
        answer = check("pending", "--config", path, "-v")
        assert answer.status == status, (silence, answer.text)
        assert answer.text.count("SILENCED until 2099") == silenced, answer.text
        assert (f"{silenced} silenced" in answer.first) == (silenced > 0), answer.text
        assert f"{2 - silenced} warning" in answer.first or silenced == 2, answer.text
        assert len(answer.perfdata) == 2, answer.perfdata
        done = vigil.command("health", "--config", path, "--format", "json")
        found = json.loads(done.stdout)["findings"]
        assert [f["silenced"] for f in found if f["rule"] == "pending"].count(True) == silenced
        assert done.returncode == int(any(not f["silenced"] for f in found)), done.stdout
        shown = vigil.command("health", "--config", path).stdout
        assert shown.count("silenced until 2099") == silenced, shown
        shown = vigil.command("diagnose", "-v", "--config", path).stdout
        assert shown.count("silenced by the configuration") == silenced, shown


def test_what_has_no_value_is_not_called_fine(client, check):
    """An agent without tasks has no success ratio: that is not an OK, nor a problem."""
    an_agent(client, undelivered=1)
    answer = check("runner", "-v")
    lines = answer.text.splitlines()
    assert any(line.startswith("NO VALUE: success orders mail") for line in lines), answer.text
    assert not any(line.startswith("OK: success") for line in lines), answer.text
    counted = int(re.search(r"(\d+) without a value", answer.first)[1])
    assert counted == sum(line.startswith("NO VALUE: ") for line in lines), answer.text
    assert int(re.search(r"(\d+) ok", answer.first)[1]) == sum(
        line.startswith("OK: ") for line in lines[1:]), answer.text
