# SPDX-License-Identifier: Apache-2.0
"""The configuration: every mistake is named at its place, and secrets stay secret."""

import json
import os
import re
import signal
import socket
import time
import urllib.parse

import pytest

import names
import traffic

GOOD = """\
agent:
  interval: 5s
  tags:
    site: fra
inputs:
  - plugin: redis_bus
    url: redis://127.0.0.1:1
outputs:
  - plugin: file
"""


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_the_good_file_is_good(vigil):
    done = vigil.check_config(GOOD)
    assert done.returncode == 0, done.stderr


# id: (text, what the message must hold)
BAD = {
    "typo": (changed("interval:", "intervall:"), ["2:3", "intervall", "interval"]),
    "unknown plugin": (changed("redis_bus", "redis_buss"), ["6:13", "redis_buss", "redis_bus"]),
    "same key twice": (changed("  interval: 5s\n", "  interval: 5s\n  interval: 6s\n"),
                       ["3:3", "interval"]),
    "zero interval": (changed("5s", "0s"), ["2:13"]),
    "negative interval": (changed("5s", "-1s"), ["2:13"]),
    "no unit": (changed("5s", "10"), ["2:13", "10"]),
    "bad unit": (changed("5s", "10x"), ["2:13", "10x"]),
    "exponent": (changed("5s", "1e3s"), ["2:13", "1e3s"]),
    "ages": (changed("5s", "999999999999h"), ["2:13"]),
    "list for a map": (changed("agent:\n  interval: 5s\n  tags:\n    site: fra\n",
                               "agent: [1, 2]\n"), ["1:8"]),
    "map for a list": (changed("outputs:\n  - plugin: file\n", "outputs: {plugin: file}\n"),
                       ["8:10"]),
    "text for a list": (changed("outputs:\n  - plugin: file\n", "outputs: file\n"), ["8:10"]),
    "no plugin": (changed("plugin: file", "name: file"), ["9:5"]),
    "same name twice": (GOOD + "  - plugin: file\n", ["10:"]),
    "unset variable": (changed("fra", "${OV_UNSET}"), ["4:11", "OV_UNSET"]),
    "tab": (changed("  interval", "\tinterval"), ["2:"]),
    "empty": ("", []),
    "only a comment": ("# nothing\n", []),
    "binary": ("\x7fELF\x02\x01\x01\0\0\0\0\0", []),
    "no yaml": ("agent: {interval: 5s\n", []),
    "two documents": (GOOD + "---\n" + GOOD, []),
    "deep": ("[" * 100_000, []),
    "deep maps": ("".join(" " * i + "a:\n" for i in range(2_000)), []),
    "bomb": ("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)), []),
    "wrong enum": (changed("plugin: file", "plugin: file\n    format: jsn"),
                   ["10:13", "jsn", "json"]),
    "text for a flag": (changed("plugin: file", "plugin: file\n    optional: maybe"), ["10:15"]),
    "yes for a flag": (changed("plugin: file", "plugin: file\n    optional: yes"), ["10:15"]),
    "quoted flag": (changed("plugin: file", 'plugin: file\n    optional: "true"'), ["10:15"]),
    "bad url": (changed("redis://127.0.0.1:1", "http://127.0.0.1:1"), ["7:10"]),
    "port 0": (changed("redis://127.0.0.1:1", "redis://127.0.0.1:0"), ["7:10"]),
    "port 65536": (changed("redis://127.0.0.1:1", "redis://127.0.0.1:65536"), ["7:10"]),
    "bad escape in url": (changed("redis://127.0.0.1:1", "redis://:%zz@127.0.0.1:1"), ["7:10"]),
    "unknown section": (GOOD + "rulez: []\n", ["10:1", "rulez"]),
}


@pytest.mark.parametrize("text,holds", BAD.values(), ids=BAD.keys())
def test_mistakes_are_named(vigil, text, holds):
    done = vigil.check_config(text)
    if not holds and text.strip(" #nothing\n") == "":
        # an empty file may be the built-in configuration, or a mistake; it must be said which
        assert done.returncode == 0 or done.stderr
        return
    assert done.returncode not in (0, None)
    message = done.stderr + done.stdout
    assert "checked.yaml" in message
    for part in holds:
        assert part in message, f"{part!r} not in {message}"
    assert len(message) < 20_000
    # the agent does not start with it either
    run = vigil.command("run", "-c", os.path.join(vigil.directory, "checked.yaml"), seconds=10)
    assert run.returncode not in (0, None)


def test_all_mistakes_are_told_at_once(vigil):
    done = vigil.check_config(GOOD.replace("interval", "intervall").replace("url:", "ulr:")
                              .replace("plugin: file", "plugin: fiel"))
    for part in ("2:3", "7:5", "9:13"):
        assert part in done.stderr + done.stdout


MANY_MISTAKES = """\
agent:
  intervall: 5s
inputs:
  - plugin: redis_buss
  - plugin: redis_bus
    url: http://127.0.0.1:1
    topcs: [a]
  - plugin: runner
    gather_timeout: 5
outputs:
  - plugin: influx
    url: influx.example.org
    database: 5
    tokn: x
  - plugin: file
    format: jsn
rules:
  - {name: blah, enabled: false}
  - {name: backlog, warning: abc}
  - {name: mine, value: omnidaemon_grup.lag, critical: "5"}
  - {name: life, value: omnidaemon_group.life, critical: "5"}
  - {nmae: x}
silences:
  - {rules: bcklog, tags: {topik: x}, until: 2020-12-01}
"""


def test_no_mistake_hides_another(vigil):
    """Each told at once, as far as it can be judged beside the others, and nothing else is."""
    done = vigil.check_config(MANY_MISTAKES)
    said = done.stderr
    expected = [
        ("2:3", "`interval`?"), ("4:13", "`redis_bus`?"), ("6:10", "redis://"),
        ("7:5", "`topics`?"), ("9:21", "unit"), ("12:10", "http"), ("14:5", "`token`?"),
        ("16:13", "`json`?"), ("18:12", "of that name"), ("19:30", "range"),
        ("20:25", "`omnidaemon_group`?"), ("21:25", "is a text"), ("22:6", "`name`?"),
        ("22:6", "is required"), ("24:13", "`backlog`?"), ("24:27", "`topic`?"),
        ("24:46", "warning: this silence is over"),
    ]
    for place, holds in expected:
        lines = [line for line in said.splitlines() if f"checked.yaml:{place}: " in line]
        assert any(holds in line for line in lines), (place, holds, said)
    assert said.splitlines()[-1].endswith("16 errors"), said


@pytest.mark.parametrize("text", [
    "\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), GOOD.rstrip("\n"),
    changed("5s", "100ms"), changed("5s", '"5s"'), changed("5s", "1h"),
], ids=["BOM", "CRLF", "no final newline", "ms", "quoted", "hour"])
def test_forms_that_are_fine(vigil, text):
    done = vigil.check_config(text)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path,word", [
    ("absent.yaml", "absent.yaml"), (".", "."), ("/dev/null/x", "/dev/null/x")])
def test_files_that_are_none(vigil, path, word):
    done = vigil.command("config", "check", "-c", path)
    assert done.returncode != 0 and word in done.stderr
    assert vigil.command("run", "-c", path, seconds=10).returncode != 0


def test_a_file_that_may_not_be_read(vigil):
    path = vigil.write("secret.yaml", GOOD)
    os.chmod(path, 0)
    if os.geteuid() == 0:
        os.chmod(path, 0o600)  # root reads everything
        return
    done = vigil.command("config", "check", "-c", path)
    assert done.returncode != 0 and "ermission" in done.stderr


@pytest.mark.parametrize("written,means", [
    ("no", "no"), ("012", "012"), ("1.0", "1.0"), ("2026-01-01", "2026-01-01"),
    ("${OV_TAG}", "a$b\\c\"q\": #z ${NOT} & *x\nend"), ("${OV_UNSET:-d}", "d"),
    ("$${LIT}", "${LIT}"), ('"quo\\"ted"', 'quo"ted'), ("'it''s'", "it's"), ("ü", "ü"),
])
def test_text_stays_text(redis, vigil, written, means):
    text = GOOD.replace("site: fra", f"site: {written}").replace(
        "redis://127.0.0.1:1", redis.url)
    path = vigil.write("tags.yaml", text)
    done = vigil.command("gather", "-c", path, "--format", "json",
                         OV_TAG="a$b\\c\"q\": #z ${NOT} & *x\nend")
    assert done.returncode == 0, done.stderr
    sites = {json.loads(line)["tags"]["site"] for line in done.stdout.splitlines()}
    assert sites == {means}


def test_the_check_touches_nothing(redis, vigil, directory):
    config = vigil.agent_config([{"plugin": names.REDIS_BUS, "url": redis.url}])
    before = redis.client().info("stats")["total_connections_received"]
    files = sorted(os.listdir(directory))
    done = vigil.command("config", "check", "-c", config)
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(directory)) == files
    assert redis.client().info("stats")["total_connections_received"] <= before + 1


def test_reload(redis, client, vigil):
    """A bad file keeps the old configuration, a good one the counters; no HUP ends the agent."""
    traffic.register(client, "t", "a")
    traffic.add_metrics(client, traffic.task_events("t", "a", "r", seconds=1))
    inputs = names.inputs(redis)
    config = vigil.agent_config(inputs)
    agent = vigil.run(config)
    time.sleep(0.02)  # as long as it takes to be loaded
    agent.send(signal.SIGHUP)  # before it is ready
    before = agent.cycles(2).last(names.AGENT, topic="t", agent="a")
    for text in (GOOD.replace("interval", "intervall"), "", "[" * 1000, "\0"):
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        agent.send(signal.SIGHUP)
        time.sleep(0.3)
        agent.check_alive()
    assert "intervall" in agent.stderr()
    agent.cycles(2)
    vigil.agent_config(inputs, tags={"after": "reload"})
    agent.send(signal.SIGHUP)
    samples = agent.wait("the new tag", lambda s: any(
        one["tags"].get("after") == "reload" for one in s[-5:]), 15)
    samples = agent.cycles(2)
    after = samples.last(names.AGENT, topic="t", agent="a")
    assert after["processed"] >= before["processed"]
    for _ in range(100):
        agent.send(signal.SIGHUP)
    agent.cycles(2, seconds=30)
    assert agent.stop() == 0


@pytest.mark.parametrize("where,says", [
    (None, "the default: REDIS_URL is not set in the environment, and there is no file .env here"),
    ("empty .env", "the default: REDIS_URL is not set in the environment, nor in .env"),
    (".env", "from REDIS_URL in .env"),
    ("environment", "from REDIS_URL in the environment"),
    ("configuration", "from `url` in "),
])
def test_a_failure_tells_where_the_address_comes_from(vigil, where, says):
    url = "redis://user:secret@127.0.0.1:1/0"
    env, options = {"STORAGE_BACKEND": "redis"}, []
    if where == "environment":
        env["REDIS_URL"] = url
    elif where == ".env":
        vigil.write(".env", f"REDIS_URL={url}\n")
    elif where == "empty .env":
        vigil.write(".env", "OTHER=1\n")
    elif where == "configuration":
        options = ["--config", vigil.config(inputs=[
            {"plugin": name, "url": "redis://127.0.0.1:1"} for name in names.INPUTS])]
    if where in (None, "empty .env"):
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", 6379)) == 0:
                pytest.skip("a Redis runs at the default address")
    for command in (["bus", "list"], ["health"], ["agent", "list"], ["metrics"], ["gather"],
                    ["check", "health", "redis_bus"]):
        done = vigil.command(*command, *options, **env)
        said = done.stderr + (done.stdout if command[0] == "check" else "")
        assert done.returncode != 0 and f"({says}" in said, (command, said)
        assert "secret" not in said, said


WRONG_ENVIRONMENT = {
    "REDIS_URL": ("foo", "REDIS_URL"),
    "STORAGE_BACKEND": ("reddis", "did you mean `redis`?"),
}


@pytest.mark.parametrize("where", ["environment", ".env", "configuration"])
@pytest.mark.parametrize("name", WRONG_ENVIRONMENT)
def test_commands_tell_a_bad_environment(vigil, name, where):
    """They are found, whatever is wrong with what they would look at."""
    value, says = WRONG_ENVIRONMENT[name]
    env, options = {}, []
    if where == "environment":
        env[name] = value
    elif where == ".env":
        vigil.write(".env", f"{name}={value}\n")
    else:
        option = {"REDIS_URL": {"plugin": names.REDIS_BUS, "url": value},
                  "STORAGE_BACKEND": {"plugin": names.STORAGE_INPUT, names.BACKEND: value}}[name]
        says = says.replace("REDIS_URL", "url")
        options = ["--config", vigil.config(inputs=[option])]
    for command in (["diagnose"], ["health"], ["metrics"], ["agent", "list"], ["bus", "list"],
                    ["bus", "dlq", "orders"], ["storage", "health"], ["gather"]):
        done = vigil.command(*command, *options, **env)
        assert done.returncode == 2, (command, done.stdout, done.stderr)
        assert says in done.stderr and "unknown command" not in done.stderr, done.stderr
    listed = vigil.command("--help", **env)
    assert listed.returncode == 0 and "  bus dlq republish " in listed.stdout


def test_commands_tell_a_text_that_is_no_configuration(vigil):
    path = vigil.write("bad.yaml", "inputs: [\n")
    done = vigil.command("bus", "list", "-c", path)
    assert done.returncode == 2 and "bad.yaml:" in done.stderr, done.stderr


# ---------------------------------------------------------------- secrets

PASSWORD = "p@ss:w/rd#%$ {x}'\"\\"
QUOTED = urllib.parse.quote(PASSWORD, safe="")
SECRETS = [PASSWORD, QUOTED, "p@ss", "tok-SECRET-1", "pw-SECRET-2", "SECRET-3"]


@pytest.fixture
def locked(redis, client):
    client.xadd("omni-stream:t", {"data": "{}"})
    client.config_set("requirepass", PASSWORD)
    return redis


def leaks(text):
    return [secret for secret in SECRETS if secret in text]


def ways(locked, vigil):
    address = f"127.0.0.1:{locked.port}"
    file = vigil.write("password", PASSWORD)
    newline = vigil.write("password_n", PASSWORD + "\n")
    for path in (file, newline):
        os.chmod(path, 0o600)
    open_redis = {"plugin": names.REDIS_BUS, "url": f"redis://{address}"}
    return {
        "file": ({**open_redis, "password_file": file}, {}, None),
        "file with newline": ({**open_redis, "password_file": newline}, {}, None),
        "environment": ({**open_redis, "password": "${OV_PASSWORD}"},
                        {"OV_PASSWORD": PASSWORD}, None),
        "url": ({"plugin": names.REDIS_BUS, "url": f"redis://:{QUOTED}@{address}"}, {}, None),
        "REDIS_URL": ({"plugin": names.REDIS_BUS},
                      {"REDIS_URL": f"redis://:{QUOTED}@{address}"}, None),
        "wrong": ({**open_redis, "password": "p@ss"}, {}, "wrongpass"),
        "none": (open_redis, {}, "noauth"),
    }


@pytest.mark.parametrize("way", ["file", "file with newline", "environment", "url", "REDIS_URL",
                                 "wrong", "none"])
def test_passwords(locked, vigil, way):
    options, env, fault = ways(locked, vigil)[way]
    influx = {"plugin": names.INFLUX_OUTPUT, "url": "http://u:pw-SECRET-2@127.0.0.1:1/",
              "database": "d", "token": "tok-SECRET-1"}
    config = vigil.agent_config([options], [influx], interval="500ms", log_level="debug")
    os.chmod(config, 0o600)
    agent = vigil.run(config, **env)
    samples = agent.cycles(5)
    fields = samples.last(names.BUS)
    if fault is None:
        assert fields["up"] is True, fields
        assert samples.last(names.STREAM, topic="t")["length"] == 1
    else:
        assert fields["up"] is False and fields["fault"] == fault, fields
        assert fault in agent.stderr().lower() or "password" in agent.stderr().lower()
        client = locked.client(password=PASSWORD)
        tries = client.info("stats").get("acl_access_denied_auth", 0)
        assert tries < 12, "an attempt storm"
    with open(f"/proc/{agent.pid}/cmdline", encoding="utf-8") as file:
        assert not leaks(file.read())
    check = vigil.command("config", "check", "-c", config, **env)
    assert agent.stop() == 0
    with open(agent.samples_path, encoding="utf-8") as file:
        texts = {"log": agent.stderr(), "samples": file.read(),
                 "check": check.stdout + check.stderr}
    for where, text in texts.items():
        assert not leaks(text), (where, leaks(text))
    for name in os.listdir(vigil.directory):
        if name in (os.path.basename(config), "password", "password_n") or name.endswith("sock"):
            continue
        path = os.path.join(vigil.directory, name)
        for root, _, files in os.walk(path):
            for one in files:
                with open(os.path.join(root, one), encoding="latin-1") as file:
                    assert not leaks(file.read()), one


def test_a_secret_file_that_others_can_read(locked, vigil):
    path = vigil.write("password", PASSWORD)
    os.chmod(path, 0o644)
    done = vigil.check_config(changed(
        "url: redis://127.0.0.1:1",
        f"url: redis://127.0.0.1:{locked.port}\n    password_file: {path}"))
    assert path in done.stderr + done.stdout
    assert re.search("mode|read|permission|others", done.stderr + done.stdout)


def test_a_secret_in_a_bad_place_is_not_printed(vigil):
    """The line with the mistake is shown, unless it holds a secret."""
    for bad in (f"url: http://:{QUOTED}@h:1", f"password: [{json.dumps(PASSWORD)}]",
                f"passwort: {json.dumps(PASSWORD)}"):
        done = vigil.check_config(changed("url: redis://127.0.0.1:1", bad))
        assert done.returncode != 0
        if "passwort" not in bad:  # an unknown key's value cannot be known to be secret
            assert not leaks(done.stderr + done.stdout), bad
