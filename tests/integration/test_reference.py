# SPDX-License-Identifier: Apache-2.0
"""What is written about omnivigil agrees with omnivigil: the reference in README.md, the manual and
the example configuration with the plugins' tables, in both directions; and README.md's examples
work: its configurations, its Redis user, its plugin."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

import names
from servers import wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
import reference  # noqa: E402

README = reference.read("README.md")


def code(language):
    """README.md's blocks of code in a language, those within lists too."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


@pytest.fixture
def facts(vigil):
    def ask(*words):
        done = vigil.command(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return reference.read_facts(ask)


@pytest.fixture
def pages(facts):
    return facts.pages


def test_the_tables_are_read_whole(pages):
    """A table that is misread would agree with a reference made of it."""
    assert [page.name for page in pages][:4] == ["agent", *names.INPUTS]
    by_name = {page.name: page for page in pages}
    options = {o.name: o for o in by_name["redis_bus"].options}
    assert options["url"].default == "redis://localhost:6379" and options["url"].secret
    assert options["url"].env == "REDIS_URL" and options["url"].help.startswith("Redis: ")
    assert options["password"].secret == "secret (or password_file)" and not options["user"].secret
    assert options["tls.insecure"].default == "false" and options["storage"].default == "json"
    for page in pages:
        assert page.options and page.summary
        assert all(o.help for o in page.general + page.options), page.name
        assert (page.kind in ("agent", "input")) == bool(page.measurements), page.name
        assert (page.kind in ("agent", "input")) == bool(page.rules), page.name
        for m in page.measurements:
            assert m.help and m.fields and all(f.help for f in m.fields), m.name
        for r in page.rules:
            assert re.fullmatch(r"increase\(\w+\.\w+, \d+m\)|\w+\.\w+", r.value), r
            assert r.summary and re.match("warning|critical", r.when), r
    rules = {r.name: r for r in by_name["redis_bus"].rules}
    assert rules["events-gap"].value == "increase(omnidaemon_bus.events_gaps, 10m)"
    assert rules["silent"].where == "life=silent, registered=true, exists=true"
    assert rules["backlog"].when == "warning 300, critical 1800, for 1m"
    entries = [(page.name, page.options[0].name) for page in pages if page.kind == "section"]
    assert entries == [("rules", "name"), ("silences", "rules")]
    assert by_name["rules"].options[0].required and by_name["silences"].options[0].default == "*"


@pytest.mark.parametrize("path", reference.FILES)
def test_the_reference_is_up_to_date(facts, path):
    wrong = reference.difference(path, facts)
    assert not wrong, "tests/reference.py --write repairs this:\n" + "\n".join(wrong)


# ---------------------------------------------------------------- the example configuration

def test_the_example_is_good(vigil):
    done = vigil.check_config(reference.read("etc/omnivigil.yaml"))
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_the_example_means_the_defaults(pages, vigil):
    """With every option that has a default in force it is good, and means the same."""
    known = {o.name.rsplit(".", 1)[-1] for page in pages for o in page.general + page.options
             if o.default is not None or o.type == "mapping"}
    text = reference.yaml_uncommented(reference.read("etc/omnivigil.yaml"),
                                      lambda name, value: name in known)
    done = vigil.check_config(text)
    assert done.returncode == 0, done.stderr
    for page in pages:
        assert re.search(rf"\b{page.name}\b", text), page.name


def test_the_examples_of_rules_and_silences_are_good(vigil):
    """All their options at once, but `severity`, which excludes ranges."""
    text = reference.read("etc/omnivigil.yaml")
    text = reference.yaml_uncommented(text[text.index("#rules:"):],
                                      lambda name, value: name != "severity")
    assert re.search(r"^ {4}clear_for: ", text, re.MULTILINE), text
    assert re.search(r"^ {4}until: ", text, re.MULTILINE), text
    done = vigil.check_config(text)
    assert done.returncode == 0, f"{text}\n{done.stderr}"


def test_the_example_works_where_omnidaemon_runs(omnidaemon_json, redis, vigil):
    omnidaemon_json.worker({"topic": "t", "name": "a"})
    vigil.write(".env", f"REDIS_URL={redis.url}\nJSON_STORAGE_DIR={omnidaemon_json.json_dir}\n")
    path = vigil.write("omnivigil.yaml", reference.read("etc/omnivigil.yaml"))
    done = vigil.command("gather", "-c", path)
    assert done.returncode == 0, done.stderr
    for name in (names.BUS, names.GROUP, names.AGENT, names.HEALTH):
        assert re.search(rf"^{name}[, ]", done.stdout, re.MULTILINE), name


# ---------------------------------------------------------------- README.md's examples

def test_the_configurations_are_good(vigil, directory):
    blocks = code("yaml")
    assert len(blocks) >= 3
    for text in blocks:
        text = re.sub("/etc/omnivigil|/var/log/omnivigil", directory, text)
        for file in re.findall(r"\w+_file: (\S+)", text):
            os.chmod(vigil.write(os.path.basename(file), "secret"), 0o600)
        done = vigil.check_config(text, INFLUX_PASSWORD="secret",
                                  SLACK_WEBHOOK="https://hooks.example.org/services/x")
        assert done.returncode == 0 and not done.stderr, f"{text}\n{done.stderr}"


def redis_user():
    """The words of the ACL SETUSER command."""
    text = next(text for text in code("sh") if "ACL SETUSER" in text)
    words = shlex.split(text.replace("\\\n", " "))
    assert words[:4] == ["redis-cli", "ACL", "SETUSER", "omnivigil"]
    return words[4:]


def test_the_redis_user_cannot_write(client):
    writing = set(client.execute_command("ACL CAT", "write"))
    admin = set(client.execute_command("ACL CAT", "admin"))
    commands = {word[1:] for word in redis_user() if word.startswith("+")}
    assert "xlen" in commands and not commands & writing
    assert commands & admin <= {"client|list"}


@pytest.mark.parametrize("backend", ["redis", "json"])
def test_the_redis_user_is_enough(request, redis, client, vigil, backend):
    omnidaemon = request.getfixturevalue("omnidaemon" + "_json" * (backend == "json"))
    client.execute_command("ACL", "SETUSER", "omnivigil", *redis_user())
    worker = omnidaemon.worker(
        {"topic": "t", "name": "ok"}, {"topic": "slow", "name": "stalls", "do": "stall"},
        {"topic": "t", "name": "fails", "do": "fail", "reclaim_idle_ms": 500,
         "dlq_retry_limit": 1}, {"topic": "s", "name": "supervised", "supervised": True})
    for topic in ("t", "slow", "s"):
        omnidaemon.publish(topic, 5)
    wait_for("dead letters", lambda: client.exists("omni-dlq:group:t:fails"), 20)
    client.acl_log_reset()
    more = {"user": "omnivigil", "password": "s3cret", "json_dir": omnidaemon.json_dir}
    inputs = names.inputs(redis, backend, **more)
    inputs[0].update(consumers=True, scan_interval="1s")
    agent = vigil.run(vigil.agent_config(inputs))
    agent.cycles(2)
    worker.kill()
    if backend == "redis":  # paused: the key is read once it is stale
        client.set("omni:config:_subscription_active:group:slow:stalls", "false")
        redis.age("omni:config:_subscription_active:group:slow:stalls", 60)
    client.xdel("omni-stream:t", client.xrevrange("omni-stream:t", count=2)[-1][0])
    samples = agent.cycles(3)
    assert agent.stop() == 0
    assert client.acl_log() == [] and "NOPERM" not in agent.stderr(), agent.stderr()
    assert samples.last(names.BUS)["refused"] == 0
    assert samples.last(names.GROUP, agent="fails")["dlq_length"] > 0
    assert samples.last(names.STORAGE)["up"] is True


def test_the_plugin_compiles_and_runs(vigil, directory):
    source = next(text for text in code("c") if "OV_PLUGIN" in text)
    vigil.write("load.c", source)
    command = shlex.split(re.search(r"^ +(gcc .* load\.c)$", README, re.MULTILINE)[1])
    subprocess.run([*command, "-Werror", "-I", os.environ["OV_INCLUDE"]], cwd=directory, check=True,
                   timeout=60)
    own = os.environ["OV_PLUGIN_DIR"]
    for name in os.listdir(own):
        if name.endswith(".so"):
            shutil.copy(os.path.join(own, name), directory)
    listed = vigil.command("plugins", "load", "--plugin-dir", directory)
    page = reference.parse(listed.stdout)
    assert (page.name, page.kind, page.options[0].default) == ("load", "input", "/proc/loadavg")
    config = vigil.config(inputs=[{"plugin": "load"}])
    samples = vigil.gather(config=config, OMNIVIGIL_PLUGIN_DIR=directory)
    assert set(samples.one("host_load")) == {"load_1", "load_5", "load_15"}
    config = vigil.config(inputs=[{"plugin": "load", "path": "/nowhere"}])
    samples = vigil.gather(config=config, OMNIVIGIL_PLUGIN_DIR=directory)
    assert not samples and "cannot open /nowhere" in samples.stderr


# ---------------------------------------------------------------- commands

def commands(vigil):
    """{"config check": {"--config", ...}, ...} as --help tells."""
    own, of_inputs = reference.command_names(vigil.command("--help").stdout)
    found = own + of_inputs
    assert "config check" in own and "run" in own
    return {name: set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", vigil.command(*name.split(), "--help")
                                 .stdout, re.MULTILINE)) for name in found}


def test_the_manual_knows_every_command(vigil):
    manual = reference.read("etc/omnivigil.1")
    for name, flags in commands(vigil).items():
        assert re.search(rf"\.(It Xo )?Cm {name}\n", manual), name
        assert re.search(rf"(`|omnivigil ){name}\b", README), name
        for flag in flags:
            assert "\\-" + flag.replace("-", "\\-") in manual, (name, flag)


def test_what_rules_advise_can_be_done(vigil, pages):
    """The commands that their descriptions name are there, with their flags."""
    known, named = commands(vigil), 0
    for rule in (rule for page in pages for rule in page.rules):
        assert rule.advice, rule.name
        for command in re.findall(r"`omnivigil ([^`]+)`", rule.advice):
            name = re.match(r"[a-z -]*[a-z]", command.partition(" --")[0])[0]
            assert name in known, (rule.name, command)
            assert set(re.findall(r"--([\w-]+)", command)) <= known[name], (rule.name, command)
            named += 1
        assert not re.search(r"omnidaemon_\w+|omnivigil_\w+", rule.advice), rule
    assert named > 10


def test_a_letter_means_one_flag(vigil):
    """In all commands but `check`, whose -c and -w are those of monitoring plugins."""
    meanings = {}
    for name in commands(vigil):
        said = vigil.command(*name.split(), "--help").stdout
        for letter, flag in re.findall(r"^ +-(\w), --([\w-]+)", said, re.MULTILINE):
            if name != "check":
                meanings.setdefault(letter, set()).add(flag)
    assert meanings["f"] == {"format"} and meanings["c"] == {"config"}
    assert all(len(flags) == 1 for flags in meanings.values()), meanings


def completed(*words):
    """What bash would offer after these words, the last of which is being written."""
    script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _omnivigil; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash",
                           os.path.join(reference.ROOT, "etc/completion/omnivigil.bash"),
                           *words],
                          capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr, done.stderr
    return set(done.stdout.split())


def test_bash_completes_every_command(vigil, pages, monkeypatch):
    program = os.environ["OV_OMNIVIGIL"]
    monkeypatch.setenv("OMNIVIGIL_PLUGIN_DIR", os.environ["OV_PLUGIN_DIR"])
    monkeypatch.setenv("PATH", os.path.dirname(program), prepend=os.pathsep)
    known = commands(vigil)
    assert {name.split()[0] for name in known} == completed(program, "")
    for name, flags in known.items():
        assert completed(program, *name.split(), "--") == {f"--{flag}" for flag in flags}, name
    assert completed(program, "config", "") >= {"check"}
    names_of = {kind: {page.name for page in pages if page.kind == kind}
                for kind in ("input", "output")}
    rules = {r.name for page in pages if page.kind == "input" for r in page.rules}
    assert completed(program, "gather", "") >= names_of["input"]
    assert completed(program, "check", "") == rules | names_of["input"]
    assert completed(program, "plugins", "") >= {"agent", "rules", *names_of["input"],
                                                 *names_of["output"]}
    assert completed(program, "check", "--unknown-as", "w") == {"warning"}
    assert completed(program, "check", "-c", "") == set(), "the critical range, not a file"
    assert completed("/usr/lib/nagios/plugins/check_omnidaemon", "--no-") == {"--no-perfdata"}


def test_the_manual_is_well_formed():
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style",
                           os.path.join(reference.ROOT, "etc", "omnivigil.1")],
                          capture_output=True, text=True, check=False)
    wrong = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    assert not wrong, "\n".join(wrong)
