# SPDX-License-Identifier: Apache-2.0
"""StatsD receivers get what was gathered: the original server, and recorders that check every
datagram; they go away, come back, and move. OV_STATSD names the server's stats.js."""

import json
import os
import re
import socket
import threading
import time

import pytest

from servers import Process, free_port, wait_for
from vigil import build_plugin

STATSD_OUTPUT = "statsd"
STREAMS = 400

# 400 streams whose gauge is at -5 and whose counter rises by 3, and one with too long a name.
SOURCE = r"""
#include <omnivigil.h>
#include <stdio.h>
static const struct ov_field fields[] = {
    {"level", OV_INT, OV_GAUGE, "", "below zero"}, {"ratio", OV_FLOAT, OV_GAUGE, "", "a fraction"},
    {"on", OV_BOOL, OV_GAUGE, "", "a truth"}, {"life", OV_TEXT, OV_GAUGE, "", "a text"},
    {"done", OV_INT, OV_COUNTER, "", "rises"}, {"still", OV_INT, OV_COUNTER, "", "does not"}};
static const char *const tags[] = {"topic", "agent"};
static const struct ov_measurement measurement = {
    .name = "test_stream", .help = "for the tests", .tags = tags, .tag_count = 2,
    .fields = fields, .field_count = 6};
static const struct ov_measurement *const measurements[] = {&measurement, NULL};
static const struct ov_option options[] = {{.name = NULL}};
struct state { int64_t count; };
static int start(void *state, struct ov_host *host) { (void)state; (void)host; return OV_OK; }
static void end(void *state) { (void)state; }
static void add(struct ov_batch *batch, const char *topic, size_t len, int64_t count)
{
    struct ov_sample *s = ov_batch_add(batch, &measurement);
    ov_sample_tag(batch, s, 0, (struct ov_slice){topic, len});
    ov_sample_tag(batch, s, 1, ov_slice("mail:sorter|a#b,c"));
    ov_sample_int(s, 0, -5);
    ov_sample_float(s, 1, 0.25);
    ov_sample_bool(s, 2, true);
    ov_sample_text(batch, s, 3, ov_slice("busy"));
    ov_sample_int(s, 4, count * 3);
    ov_sample_int(s, 5, 7);
}
static int gather(void *state, struct ov_batch *batch)
{
    struct state *mine = state;
    static char name[2000];
    mine->count++;
    for (int i = 0; i < 400; i++) {
        int len = snprintf(name, sizeof name, "t%d:x y", i);
        add(batch, name, (size_t)len, mine->count);
    }
    memset(name, 'x', sizeof name);
    add(batch, name, sizeof name, mine->count);
    return OV_OK;
}
OV_PLUGIN = {
    OV_PLUGIN_HEAD, .name = "NAME", .summary = "for the tests", .kind = OV_INPUT,
    .state_size = sizeof(struct state), .options = options, .measurements = measurements,
    .open = start, .close = end, .gather = gather,
};
"""


class Recorder:
    """A datagram receiver that keeps what comes and when."""

    def __init__(self, family, address):
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.bind(address)
        self.sock.settimeout(0.1)
        self.datagrams = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.running = True
        self.thread.start()

    def run(self):
        while self.running:
            try:
                self.datagrams.append(self.sock.recv(65536).decode())
            except TimeoutError:
                continue

    def lines(self):
        return [line for datagram in list(self.datagrams) for line in datagram.split("\n")]

    def count(self, text):
        return sum(text in line for line in self.lines())

    def close(self):
        self.running = False
        self.thread.join()
        self.sock.close()


@pytest.fixture
def recorder():
    opened = []

    def start(family, address):
        opened.append(Recorder(family, address))
        return opened[-1]

    yield start
    for one in opened:
        if one.running:
            one.close()


@pytest.fixture
def start(vigil, plugin_dir):
    """Runs an agent with the source above and a statsd output."""
    build_plugin(plugin_dir, SOURCE, "source")
    vigil.env["OMNIVIGIL_PLUGIN_DIR"] = plugin_dir

    def run(address, dialect="plain", **options):
        output = {"plugin": STATSD_OUTPUT, "address": address, "dialect": dialect,
                  "include": {"measurements": ["test_*"]}, **options}
        return vigil.run(vigil.agent_config([{"plugin": "source"}], [output], interval="500ms",
                                            tags={"site": "fra"}))

    return run


def gathers(agent, count, seconds=20):
    """Waits until so many gathers were written by the file output."""
    agent.wait(f"{count} gathers", lambda samples: len(
        {s["time"] for s in samples.all("test_stream")}) >= count, seconds)


def check_datagrams(datagrams, limit):
    for datagram in datagrams:
        assert 0 < len(datagram.encode()) <= limit
        for line in datagram.split("\n"):
            assert re.fullmatch(r"[^\s:|]+:-?[0-9.e-]+\|[gc](\|#[^\s|#]+)?", line), line


PLAIN = "test_stream.fra.t1_x_y.mail_sorter_a_b_c"
TAGS = "agent:mail_sorter_a_b_c,site:fra,topic:t1_x_y"


def sorted_tags(line):
    name, _, tags = line.partition("|#")
    return name + "|#" + ",".join(sorted(tags.split(",")))


def test_udp_plain(start, recorder):
    port = free_port()
    seen = recorder(socket.AF_INET, ("127.0.0.1", port))
    agent = start(f"udp://127.0.0.1:{port}")
    gathers(agent, 4)
    assert agent.stop() == 0
    wait_for("the last datagrams", lambda: seen.count(f"{PLAIN}.done:3|c") >= 2)
    check_datagrams(seen.datagrams, 1432)
    lines = seen.lines()
    assert not any("#" in line or "life" in line or "still" in line for line in lines)
    pair = f"{PLAIN}.level:0|g\n{PLAIN}.level:-5|g"
    cycles = sum(pair in datagram for datagram in seen.datagrams)
    assert cycles >= 3
    assert lines.count(f"{PLAIN}.level:-5|g") == lines.count(f"{PLAIN}.level:0|g") == cycles
    assert lines.count(f"{PLAIN}.ratio:0.25|g") == lines.count(f"{PLAIN}.on:1|g") == cycles
    # the first value is where counting begins
    assert lines.count(f"{PLAIN}.done:3|c") == cycles - 1
    assert len({line.split(":")[0] for line in lines if ".level:" in line}) == STREAMS
    dropped = [s for s in agent.samples(0) if s["measurement"] == "omnivigil_output"
               and s["tags"]["output"] == STATSD_OUTPUT]
    assert dropped[-1]["fields"]["dropped_unfit"] >= 3
    assert agent.stderr().count("too long") == 1


def test_unix_dogstatsd(start, recorder, directory):
    path = os.path.join(directory, "dog.sock")
    seen = recorder(socket.AF_UNIX, path)
    agent = start(f"unix://{path}", "dogstatsd", prefix="app")
    gathers(agent, 4)
    assert agent.stop() == 0
    wait_for("the last datagrams", lambda: seen.count("app.test_stream.done:3|c") >= 2 * STREAMS)
    check_datagrams(seen.datagrams, 8192)
    assert max(len(d) for d in seen.datagrams) > 1432
    lines = [sorted_tags(line) for line in seen.lines()]
    assert f"app.test_stream.level:-5|g|#{TAGS}" in lines
    assert f"app.test_stream.done:3|c|#{TAGS}" in lines
    assert not any(".level:0|" in line or ".still:" in line for line in lines)


def test_receiver_away_and_back(start, recorder):
    port = free_port()
    agent = start(f"udp://127.0.0.1:{port}")
    gathers(agent, 4)
    time.sleep(2)
    seen = recorder(socket.AF_INET, ("127.0.0.1", port))
    # what waited comes too, in its order, and nothing of it twice
    wait_for("samples", lambda: seen.count(f"{PLAIN}.done:3|c") >= 4, 5)
    first = agent.stderr().count("Connection refused")
    assert first == 1
    seen.close()
    time.sleep(2)
    again = recorder(socket.AF_INET, ("127.0.0.1", port))
    wait_for("samples", lambda: again.count(f"{PLAIN}.level:-5|g") >= 2, 5)
    assert agent.stop() == 0
    assert agent.stderr().count("Connection refused") == 2
    check_datagrams(seen.datagrams + again.datagrams, 1432)


def test_own_interval_tags_and_filter(start, recorder):
    port = free_port()
    seen = recorder(socket.AF_INET, ("127.0.0.1", port))
    agent = start(f"udp://127.0.0.1:{port}", "influx", interval="2s",
                  tags={"site": "ber", "app": "x"},
                  include={"measurements": ["test_*"], "tags": ["topic=t1:*"]},
                  exclude={"fields": ["ratio", "test_stream.o?"], "tags": ["agent"]})
    gathers(agent, 10)
    assert agent.stop() == 0
    name = "test_stream.level,app=x,site=ber,topic=t1_x_y"
    lines = seen.lines()
    assert 2 <= lines.count(f"{name}:-5|g") <= 4
    # three gathers are passed over, their rise is not lost
    risen = [int(line.split(":")[1].split("|")[0]) for line in lines if ".done," in line]
    assert risen and max(risen) == 12
    assert {line.split(",")[0] for line in lines} == {"test_stream.level", "test_stream.done"}


def test_tcp(start):
    with socket.create_server(("127.0.0.1", 0)) as server:
        agent = start(f"tcp://127.0.0.1:{server.getsockname()[1]}", "graphite")
        server.settimeout(10)
        text = ""
        for _ in range(2):  # the second after the first was closed on it
            peer = server.accept()[0]
            peer.settimeout(10)
            part = b""
            while part.count(b"test_stream.done;") < 2 * STREAMS:
                more = peer.recv(65536)
                assert more, "the connection was closed"
                part += more
            peer.close()
            text += part[:part.rindex(b"\n") + 1].decode()
        assert agent.stop() == 0
    series = {";".join([name, *sorted(tags)]) + ":" + value for line in text.splitlines()
              for (name, *tags), value in [(line.split(":")[0].split(";"), line.split(":")[1])]}
    tags = "agent=mail_sorter_a_b_c;site=fra;topic=t1_x_y"
    assert {f"test_stream.level;{tags}:0|g", f"test_stream.level;{tags}:-5|g",
            f"test_stream.done;{tags}:3|c"} <= series


class StatsdServer(Process):
    """The original server, as npm installs it."""

    def __init__(self, directory):
        super().__init__(directory, "statsd")
        self.port, self.management = free_port(), free_port()
        path = os.path.join(directory, "statsd.js")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"port": self.port, "address": "127.0.0.1", "mgmt_port": self.management,
                       "mgmt_address": "127.0.0.1", "flushInterval": 600_000,
                       "backends": ["./backends/repeater"], "repeater": []}, file)
        self.start(["node", os.environ["OV_STATSD"], path])
        wait_for("statsd", lambda: self.check_alive() and self.ask("health").startswith("health"))

    def ask(self, what):
        """What the management port says; it takes one command at a time."""
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", self.management), 5) as sock:
                sock.sendall(what.encode() + b"\n")
                while not answer.endswith((b"END\n\n", b"up\n")):
                    more = sock.recv(65536)
                    if not more:
                        break
                    answer += more
        except OSError:
            pass
        return answer.decode()

    def values(self, what):
        """Of `gauges` or `counters`, which the server writes as a JavaScript object."""
        return {name: float(value) for name, value in
                re.findall(r"""'?([\w.;=-]+)'?: (-?[\d.e-]+)""", self.ask(what))}


@pytest.fixture
def statsd(directory):
    server = StatsdServer(directory)
    yield server
    server.kill()


def test_original_server(start, statsd):
    agent = start(f"udp://127.0.0.1:{statsd.port}")
    gathers(agent, 4)
    assert agent.stop() == 0
    time.sleep(0.5)
    gauges, counters = statsd.values("gauges"), statsd.values("counters")
    assert counters["statsd.bad_lines_seen"] == 0
    for stream in range(STREAMS):
        name = f"test_stream.fra.t{stream}_x_y.mail_sorter_a_b_c"
        assert gauges[f"{name}.level"] == -5
        assert gauges[f"{name}.ratio"] == 0.25
        assert gauges[f"{name}.on"] == 1
        assert counters[f"{name}.done"] == counters[f"{PLAIN}.done"]
    assert counters[f"{PLAIN}.done"] >= 6 and counters[f"{PLAIN}.done"] % 3 == 0
