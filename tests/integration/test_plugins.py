# SPDX-License-Identifier: Apache-2.0
"""Plugin files that must be refused, with a message that tells what to do, and start order."""

import os
import re
import shutil
import subprocess

import pytest

import names
import traffic
from vigil import build_plugin as build

GOOD = """
#include <omnivigil.h>
static const struct ov_field fields[] = {{"value", OV_INT, OV_GAUGE, "", "a value"}};
static const struct ov_measurement measurement = {
    .name = "test_value", .help = "for the tests", .fields = fields, .field_count = 1};
static const struct ov_measurement *const measurements[] = {&measurement, NULL};
static const struct ov_option options[] = {{.name = NULL}};
struct state { struct ov_host *host; };
static int start(void *state, struct ov_host *host)
{
    ((struct state *)state)->host = host;
    return OV_OK;
}
static void end(void *state) { (void)state; }
static int gather(void *state, struct ov_batch *batch)
{
    (void)state;
    ov_sample_int(ov_batch_add(batch, &measurement), 0, 42);
    return OV_OK;
}
OV_PLUGIN = {
    OV_PLUGIN_HEAD, .name = "NAME", .summary = "for the tests", .kind = OV_INPUT,
    .state_size = sizeof(struct state), .options = options, .measurements = measurements,
    .open = start, .close = end, .gather = gather,
};
"""

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")

CONFIG = """\
inputs:
  - plugin: PLUGIN
outputs:
  - plugin: file
"""


def messages(vigil, plugin_dir, name="mine"):
    """What check, start and one gather say; each must refuse."""
    path = vigil.write("plugin.yaml", CONFIG.replace("PLUGIN", name))
    for argv in (["config", "check", "-c", path], ["run", "-c", path], ["gather", "-c", path]):
        done = vigil.command(*argv, seconds=20, OMNIVIGIL_PLUGIN_DIR=plugin_dir)
        assert done.returncode != 0, argv
        yield done.stderr


def test_a_good_one_works(vigil, plugin_dir):
    build(plugin_dir, GOOD)
    path = vigil.write("plugin.yaml", CONFIG.replace("PLUGIN", "mine"))
    samples = vigil.gather(config=path, OMNIVIGIL_PLUGIN_DIR=plugin_dir)
    assert samples.one("test_value") == {"value": 42}
    listed = vigil.command("plugins", "mine", OMNIVIGIL_PLUGIN_DIR=plugin_dir)
    assert "test_value" in listed.stdout and "for the tests" in listed.stdout


def test_each_look_has_its_time(vigil):
    """`--watch` off a terminal: blocks, each below the time of its look."""
    with subprocess.Popen(
            [vigil.binary, "health", "--watch", "0.1"], env={**vigil.env, "COLUMNS": "60",
            "REDIS_URL": "redis://127.0.0.1:1"}, cwd=vigil.directory, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True) as watching:
        lines = []
        while sum(bool(TIME.fullmatch(line)) for line in lines) < 3:
            line = watching.stdout.readline()
            assert line, lines
            lines.append(line.rstrip("\n"))
        watching.kill()
    assert TIME.fullmatch(lines[0]) and max(map(len, lines)) <= 60, lines
    for number, line in enumerate(lines[1:-1], 1):
        if TIME.fullmatch(line):
            assert lines[number - 1] == "" and lines[number + 1] == "", lines
    assert "DOWN" in lines


def test_a_command_of_an_input_that_is_not_configured(vigil):
    config = vigil.config(inputs=[{"plugin": names.STORAGE_INPUT}])
    done = vigil.command("bus", "list", "--config", config)
    assert done.returncode == 2 and "`bus list` comes with the input redis_bus" in done.stderr
    done = vigil.command("buss", "list", "--config", config)
    assert done.returncode == 2 and "(did you mean `bus list`?)" in done.stderr


def test_missing(vigil, plugin_dir):
    for text in messages(vigil, plugin_dir):
        assert "mine" in text


def foreign_elf(path):
    with open(path, "r+b") as file:
        file.seek(18)
        file.write(b"\xb7\x00" if os.uname().machine == "x86_64" else b"\x3e\x00")


REFUSED = {
    "text file": (lambda d: write(d, "this is no plugin\n"), ["mine.so"]),
    "empty file": (lambda d: write(d, ""), ["mine.so"]),
    "other architecture": (lambda d: foreign_elf(build(d, GOOD)), ["mine.so"]),
    "no symbol": (lambda d: build(d, "int nothing;"), ["mine.so", "omnivigil_plugin"]),
    "older interface": (lambda d: build(d, GOOD.replace("OV_PLUGIN_HEAD", ".abi = 0, .size = "
                        "sizeof(struct ov_plugin)")), ["mine.so", "0", "1"]),
    "newer interface": (lambda d: build(d, GOOD.replace("OV_PLUGIN_HEAD", ".abi = 4711, .size = "
                        "sizeof(struct ov_plugin)")), ["mine.so", "4711", "1"]),
    "other size": (lambda d: build(d, GOOD.replace("OV_PLUGIN_HEAD", ".abi = OV_ABI, "
                   ".size = 8")), ["mine.so"]),
    "other name": (lambda d: build(d, GOOD.replace("NAME", "somebody")), ["mine.so", "somebody"]),
    "undefined symbol": (lambda d: build(d, GOOD.replace(
        "(void)state;\n", "(void)state; extern void nowhere_to_be_found(void); "
        "nowhere_to_be_found();")), ["mine.so", "nowhere_to_be_found"]),
    "world-writable": (lambda d: os.chmod(build(d, GOOD), 0o777), ["mine.so", "writ"]),
    "no gather": (lambda d: build(d, GOOD.replace(".gather = gather,", "")), ["mine.so"]),
}


def write(plugin_dir, text):
    with open(os.path.join(plugin_dir, "mine.so"), "w", encoding="ascii") as file:
        file.write(text)


@pytest.mark.parametrize("make,holds", REFUSED.values(), ids=REFUSED.keys())
def test_refused(vigil, plugin_dir, make, holds):
    make(plugin_dir)
    for text in messages(vigil, plugin_dir):
        for part in holds:
            assert part in text, f"{part!r} not in {text}"


def test_a_library_that_is_missing(vigil, plugin_dir, directory):
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", f"{directory}/libgone.so",
                    "-Wl,-soname,libgone.so.1"], input="int gone;", text=True, check=True)
    build(plugin_dir, GOOD + "extern int gone; int *use(void) { return &gone; }", "mine",
          "-Wl,--no-as-needed", f"{directory}/libgone.so")
    for text in messages(vigil, plugin_dir):
        assert "libgone.so.1" in text


@pytest.mark.parametrize("name", ["../mine", "/etc/passwd", "a/b", "", ".", "..", "x\\0y"])
def test_names_that_are_paths(vigil, plugin_dir, directory, name):
    shutil.copy(build(plugin_dir, GOOD), os.path.join(directory, "mine.so"))
    for text in messages(vigil, plugin_dir, f'"{name}"'):
        assert text


def test_the_current_directory_is_not_searched(vigil, plugin_dir, directory):
    os.rename(build(plugin_dir, GOOD), os.path.join(directory, "mine.so"))
    for text in messages(vigil, plugin_dir):
        assert "mine" in text


def test_an_optional_one_is_left_out(vigil, plugin_dir, redis):
    path = vigil.config(
        inputs=[{"plugin": "mine", "optional": True},
                {"plugin": names.REDIS_BUS, "url": redis.url}],
        outputs=[{"plugin": names.FILE_OUTPUT}])
    samples = vigil.gather(config=path, OMNIVIGIL_PLUGIN_DIR=plugin_dir)
    assert samples.one(names.BUS)["up"] is True
    assert "mine" in samples.stderr


def test_an_input_that_hangs_costs_only_itself(vigil, plugin_dir, redis):
    build(plugin_dir, GOOD.replace("(void)state;\n", "(void)state; for (;;) pause();\n")
          .replace("#include <omnivigil.h>", "#include <omnivigil.h>\n#include <unistd.h>"))
    config = vigil.agent_config([{"plugin": "mine"},
                                 {"plugin": names.REDIS_BUS, "url": redis.url}], grace="1s")
    agent = vigil.run(config, OMNIVIGIL_PLUGIN_DIR=plugin_dir)
    samples = agent.cycles(3)
    assert samples.last(names.BUS)["up"] is True and not samples.all("test_value")
    agent.stop(seconds=10)


def test_an_input_that_fails_costs_only_itself(vigil, plugin_dir, redis):
    build(plugin_dir, GOOD.replace(
        "(void)state;\n    ov",
        'if (batch) return ov_fail(((struct state *)state)->host,\n'
        '                          "the reason is a test");\n    ov'))
    config = vigil.agent_config([{"plugin": "mine"},
                                 {"plugin": names.REDIS_BUS, "url": redis.url}])
    agent = vigil.run(config, OMNIVIGIL_PLUGIN_DIR=plugin_dir)
    assert agent.cycles(4).last(names.BUS)["up"] is True
    log = agent.stderr()
    assert log.count("the reason is a test") == 1, log
    assert agent.stop() == 0


def test_the_list_and_each_description(vigil):
    listed = vigil.command("plugins")
    assert listed.returncode == 0
    for name in (*names.INPUTS, names.FILE_OUTPUT, names.INFLUX_OUTPUT):
        assert re.search(rf"\b{name}\b", listed.stdout), name
        one = vigil.command("plugins", name)
        assert one.returncode == 0 and len(one.stdout.splitlines()) > 3
    unknown = vigil.command("plugins", "redis_buss")
    assert unknown.returncode != 0 and "redis_bus" in unknown.stderr


def test_version_and_help(vigil):
    assert re.match(r"omnivigil \d+\.\d+\.\d+", vigil.command("--version").stdout)
    assert "gather" in vigil.command("--help").stdout
    wrong = vigil.command("gahter")
    assert wrong.returncode != 0 and "gather" in wrong.stderr


def test_everything_is_away_at_the_start(redis, vigil, directory):
    """The agent starts, says what it waits for once, and works as things come."""
    url = redis.url
    redis.kill()
    config = vigil.agent_config(
        [{"plugin": names.REDIS_BUS, "url": url},
         {"plugin": names.REDIS_BUS, "name": "nowhere", "url": "redis://no-such-host.invalid:1"}],
        [{"plugin": names.INFLUX_OUTPUT, "url": "http://127.0.0.1:1", "database": "d"}])
    agent = vigil.run(config)
    samples = agent.cycles(6)
    assert all(s["fields"]["up"] is False for s in samples.all(names.BUS))
    assert len(agent.stderr().splitlines()) < 12, agent.stderr()
    redis.run()
    traffic.publish(redis.client(), "t", 1)
    agent.wait("the stream", lambda s: s.all(names.STREAM, topic="t"), 15)
    assert agent.stop() == 0


def test_a_second_agent_on_the_same_state_is_refused(redis, vigil):
    config = vigil.agent_config([{"plugin": names.REDIS_BUS, "url": redis.url}])
    first = vigil.run(config)
    first.cycles(1)
    second = vigil.command("run", "-c", config, seconds=10)
    assert second.returncode != 0 and "state" in second.stderr
    assert first.stop() == 0
