# SPDX-License-Identifier: Apache-2.0
"""What waits for a receiver: over outages, restarts, kills, damage and full disks."""

import glob
import http.server
import json
import os
import random
import re
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest

import names
from servers import InfluxServer, free_port, wait_for
from vigil import Samples

OUTPUT = "omnivigil_output"
AGENT = "omnivigil_agent"


class Receiver:
    """Speaks InfluxDB's write API; `answer` says how: a status, None to hang, or a function of
    the body that returns one. Keeps what it took."""

    def __init__(self):
        self.answer, self.bodies, self.requests, self.refused = 204, [], 0, 0
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests += 1
                answer = receiver.answer(body) if callable(receiver.answer) else receiver.answer
                while answer is None:
                    time.sleep(0.1)
                    answer = 204 if receiver.closed else receiver.answer
                if answer == 204:
                    with receiver.lock:
                        receiver.bodies.append(body)
                else:
                    receiver.refused += 1
                self.send_response(answer)
                if answer >= 500:
                    self.send_header("Retry-After", "1")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.closed = False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.closed = True
        self.server.shutdown()
        self.server.server_close()

    def lines(self):
        with self.lock:
            return b"".join(self.bodies).decode().splitlines()

    def times(self, measurement=AGENT):
        return [line.rsplit(" ", 1)[1] for line in self.lines()
                if re.match(measurement + "[, ]", line)]

    def fields(self, name):
        """The fields of every omnivigil_output of that name, in the order they came."""
        found = []
        for line in self.lines():
            if line.startswith(OUTPUT + ",") and f"output={name}," in line:
                text = re.split(r"(?<!\\) ", line)[1]
                found.append({k: v for k, _, v in (f.partition("=") for f in text.split(","))})
        return found


class Rig:
    """Agents whose own measurements are all there is to send. Every one of them is also written
    to a file, the witness, by an output that is asked last."""

    def __init__(self, vigil, directory):
        self.vigil, self.directory = vigil, directory
        self.receiver = Receiver()
        self.witness = os.path.join(directory, "witness")

    def config(self, outputs=None, witness=True, agent=None, name="agent.yaml", **influx):
        outputs = list(outputs if outputs is not None else [self.influx(**influx)])
        if witness:
            outputs.append({"plugin": "file", "name": "witness", "path": self.witness,
                            "queue": "write_ahead"})
        own = {"interval": "100ms", "jitter": "0s", "grace": "2s",
               "state_dir": os.path.join(self.directory, "state"), **(agent or {})}
        return self.vigil.config(name, agent=own, inputs=[], outputs=outputs)

    def influx(self, **more):
        return {"plugin": "influx", "url": self.receiver.url, "queue": "disk", **more}

    def witnessed(self):
        try:
            with open(self.witness, encoding="utf-8") as file:
                return [line.rsplit(" ", 1)[1].strip() for line in file if line.startswith(AGENT)]
        except FileNotFoundError:
            return []

    def run(self, config, **env):
        return self.vigil.run(config, **env)

    def spool(self, output="influx", state="state"):
        return glob.glob(os.path.join(self.directory, state, "queue", output, "*"))

    def spooled_bytes(self, output="influx"):
        return sum(os.path.getsize(path) for path in self.spool(output))

    def wait_cycles(self, count, agent):
        goal = len(self.witnessed()) + count
        wait_for(f"{count} cycles", lambda: agent.check_alive() and len(self.witnessed()) >= goal)

    def wait_drained(self, seconds=20):
        """Until the receiver has all that the witness has."""
        wait_for("everything", lambda: set(self.witnessed()) <= set(self.receiver.times()),
                 seconds, 0.1)


@pytest.fixture(name="rig")
def rig_fixture(vigil, directory):
    rig = Rig(vigil, directory)
    yield rig
    rig.receiver.close()


def balanced(fields):
    number = {k: int(v.rstrip("i")) for k, v in fields.items() if v.endswith("i")}
    causes = sum(v for k, v in number.items() if k.startswith("dropped_"))
    assert number["dropped"] == causes, fields
    assert number["collected"] == number["sent"] + number["buffered"] + number["dropped"], fields
    return number


def test_outage_over_restarts(rig):
    """Down for long, stopped in between and killed too: all arrives, and once."""
    rig.receiver.answer = 503
    config = rig.config(queue="write_ahead")
    agent = rig.run(config)
    rig.wait_cycles(8, agent)
    assert agent.stop() == 0
    assert rig.spooled_bytes() > 1000
    agent = rig.run(config)
    rig.wait_cycles(8, agent)
    agent.kill()
    agent = rig.run(config)
    rig.wait_cycles(3, agent)
    rig.receiver.answer = 204
    rig.wait_drained()
    assert agent.stop() == 0
    times = rig.receiver.times()
    assert len(times) == len(set(times))
    assert times == sorted(times)
    for fields in rig.receiver.fields("influx"):
        balanced(fields)
    # what is done is done
    assert rig.spooled_bytes() == 0
    before = len(times)
    agent = rig.run(config)
    rig.wait_cycles(2, agent)
    assert agent.stop() == 0
    again = rig.receiver.times()[before:]
    assert not set(again) & set(times)


def test_readable_on_disk(rig):
    """What waits is what goes on the wire, as text."""
    rig.receiver.answer = 503
    agent = rig.run(rig.config())
    rig.wait_cycles(4, agent)
    assert agent.stop() == 0
    text = "".join(open(path, encoding="utf-8").read() for path in rig.spool())
    spooled = [line for line in text.splitlines() if line.startswith(AGENT + " ")]
    assert [line.rsplit(" ", 1)[1] for line in spooled] == rig.witnessed()
    heads = [line for line in text.splitlines() if line.startswith("#ov1 ")]
    assert all(len(line) == 63 for line in heads) and heads


def test_kills_send_at_most_the_batch_in_flight_twice(rig):
    config = rig.config(queue="write_ahead")
    kills = 25
    for i in range(kills):
        rig.receiver.answer = 503 if i % 5 == 0 else 204
        agent = rig.run(config)
        time.sleep(random.uniform(0.05, 0.4))
        agent.kill()
    rig.receiver.answer = 204
    agent = rig.run(config)
    rig.wait_cycles(2, agent)
    rig.wait_drained()
    assert agent.stop() == 0
    with rig.receiver.lock:
        bodies = list(rig.receiver.bodies)
    assert len(bodies) - len(set(bodies)) <= kills
    times = rig.receiver.times()
    assert set(rig.witnessed()) <= set(times)
    twice = [body for body in set(bodies) if bodies.count(body) > 1]
    in_flight = max((body.count(AGENT.encode() + b" ") for body in twice), default=0)
    assert len(times) - len(set(times)) <= kills * max(in_flight, 1)


def test_damaged_log(rig):
    """A wrong byte and a torn end: one warning, and all the rest arrives."""
    rig.receiver.answer = 503
    config = rig.config()
    agent = rig.run(config)
    rig.wait_cycles(10, agent)
    assert agent.stop() == 0
    (path,) = rig.spool()
    with open(path, "r+b") as file:
        data = file.read()
        second = data.index(b"#ov1 ", 1)
        file.seek(second + 12)
        file.write(b"X")
        file.truncate(len(data) - 5)
    rig.receiver.answer = 204
    agent = rig.run(config)
    rig.wait_cycles(3, agent)
    assert agent.stop() == 0
    warnings = [line for line in agent.stderr().splitlines() if "skipped" in line]
    assert len(warnings) == 1 and "damaged bytes" in warnings[0], agent.stderr()
    assert "not written whole" in warnings[0]
    missing = set(rig.witnessed()) - set(rig.receiver.times())
    assert 1 <= len(missing) <= 2
    assert [os.path.basename(p) for p in rig.spool()] == ["damaged.log"]


def test_random_bytes_for_a_log(rig):
    rig.receiver.answer = 503
    config = rig.config()
    agent = rig.run(config)
    rig.wait_cycles(3, agent)
    assert agent.stop() == 0
    for path in rig.spool():
        with open(path, "wb") as file:
            file.write(random.randbytes(100_000))
    rig.receiver.answer = 204
    agent = rig.run(config)
    begin = len(rig.witnessed())
    rig.wait_cycles(3, agent)
    assert agent.stop() == 0
    assert len([line for line in agent.stderr().splitlines() if "skipped" in line]) == 1
    assert set(rig.witnessed()[begin + 1:]) <= set(rig.receiver.times())


def test_disk_full(rig):
    """Memory serves meanwhile, one line says so, and then the disk again."""
    rig.receiver.answer = 503
    agent = rig.run(rig.config(witness=False, queue="write_ahead"))
    wait_for("a spool", lambda: rig.spooled_bytes() > 500)
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    wait_for("the fault", lambda: "samples wait in memory" in agent.stderr())
    time.sleep(1)
    assert rig.spooled_bytes() <= 1000
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_for("the disk again", lambda: rig.spooled_bytes() > 1500)
    rig.receiver.answer = 204
    wait_for("everything", lambda: rig.spooled_bytes() == 0)
    assert agent.stop() == 0
    text = agent.stderr()
    assert text.count("samples wait in memory") == 1, text
    assert text.count("queue on disk: well again") == 1, text
    times = [int(t) for t in rig.receiver.times()]
    assert times == sorted(set(times))
    steps = [b - a for a, b in zip(times, times[1:])]
    assert max(steps) < 1e9  # nothing is missing


def test_tmpfs_full(rig, directory):
    """The same on a small file system of its own, where one can be mounted."""
    small = os.path.join(directory, "small")
    os.mkdir(small)
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        return  # test_disk_full has to do
    try:
        rig.receiver.answer = 503
        agent = rig.run(rig.config(witness=False, queue="write_ahead",
                                   agent={"queue_dir": small}))
        spool = os.path.join(small, "queue", "influx", "*")
        wait_for("a spool", lambda: sum(map(os.path.getsize, glob.glob(spool))) > 500)
        filler = os.path.join(small, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        wait_for("the fault", lambda: "No space left on device: samples wait in memory" in
                 agent.stderr())
        os.unlink(filler)
        wait_for("the disk again", lambda: "queue on disk: well again" in agent.stderr())
        rig.receiver.answer = 204
        wait_for("everything", lambda: sum(map(os.path.getsize, glob.glob(spool))) == 0)
        assert agent.stop() == 0
        times = [int(t) for t in rig.receiver.times()]
        assert times == sorted(set(times))
        assert max(b - a for a, b in zip(times, times[1:])) < 1e9
    finally:
        subprocess.run(["umount", "-l", small], check=False)


def test_unusable_directory(rig, directory):
    """A file in the directory's place: a clear word, and delivery goes on."""
    os.makedirs(os.path.join(directory, "state", "queue"))
    open(os.path.join(directory, "state", "queue", "influx"), "w").close()
    agent = rig.run(rig.config())
    rig.wait_cycles(5, agent)
    assert agent.stop() == 0
    assert agent.stderr().count("Not a directory: samples wait in memory") == 1
    assert set(rig.witnessed()) <= set(rig.receiver.times())


def test_foreign_directory(rig, directory):
    if os.geteuid() != 0:
        return  # only root can give a directory away
    path = os.path.join(directory, "state", "queue", "influx")
    os.makedirs(path)
    os.chown(path, 4711, 4711)
    agent = rig.run(rig.config())
    rig.wait_cycles(3, agent)
    assert agent.stop() == 0
    assert agent.stderr().count("belongs to user 4711") == 1


def test_two_agents_on_one_directory(rig, directory):
    shared = os.path.join(directory, "shared")
    agent = rig.run(rig.config(agent={"queue_dir": shared}))
    rig.wait_cycles(2, agent)
    second = rig.run(rig.config(name="second.yaml", agent={
        "queue_dir": shared, "state_dir": os.path.join(directory, "other")}))
    assert second.child.wait(10) == 1
    assert "in use by another omnivigil" in second.stderr()
    rig.wait_cycles(2, agent)
    assert agent.stop() == 0


def test_a_file_whose_directory_comes_later(vigil):
    """Told by the check, and when the agent starts; nothing is lost until it is there."""
    directory = os.path.join(vigil.directory, "later")
    path = os.path.join(directory, "samples.csv")
    config = vigil.agent_config([], [{"plugin": "file", "name": "late", "path": path,
                                      "format": "csv"}], interval="200ms")
    check = vigil.command("config", "check", "-c", config)
    assert check.returncode == 0 and "good" in check.stdout, check.stderr
    assert f"there is no directory {directory}" in check.stderr
    agent = vigil.run(config)
    agent.wait("a failing output", lambda s: s.last(
        "omnivigil_output", output="late").get("failing"))
    assert f"late: cannot open {path}: No such file" in agent.stderr()
    os.mkdir(directory)
    agent.wait("its recovery", lambda s: s.last(
        "omnivigil_output", output="late").get("failing") is False)
    assert "late: send: well again" in agent.stderr()
    assert agent.stop() == 0
    with open(path, encoding="utf-8") as file:
        assert len({line.split(",")[0] for line in file}) > 2


def test_stop_while_all_outputs_hang(rig, directory):
    """Ends in time, and what was spooled arrives later."""
    rig.receiver.answer = None
    fifo = os.path.join(directory, "fifo")
    os.mkfifo(fifo)
    silent = socket.create_server(("127.0.0.1", 0))  # connects, and never says a word
    outputs = [
        rig.influx(timeout="60s"),
        rig.influx(name="silent", url=f"http://127.0.0.1:{silent.getsockname()[1]}",
                   timeout="60s"),
        {"plugin": "file", "name": "fifo", "path": fifo, "timeout": "60s"},
    ]
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)  # there, but reads nothing
    config = rig.config(outputs, agent={"grace": "1s"})
    agent = rig.run(config)
    rig.wait_cycles(20, agent)
    begin = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - begin < 2.2
    witnessed = set(rig.witnessed())
    rig.receiver.answer = 204
    agent = rig.run(config)
    wait_for("what was spooled", lambda: witnessed <= set(rig.receiver.times()), 20, 0.2)
    os.close(reader)
    agent.kill()
    silent.close()


def test_full_queue_keeps_the_newest(rig):
    """Dropped is exact, the newest are kept in order, the log is limited; others miss nothing."""
    rig.receiver.answer = 503
    agent = rig.run(rig.config(queue="memory", queue_samples=30))
    rig.wait_cycles(40, agent)
    rig.receiver.answer = 204
    wait_for("the newest", lambda: rig.receiver.times())
    rig.wait_cycles(3, agent)
    assert agent.stop() == 0
    times, witnessed = rig.receiver.times(), rig.witnessed()
    assert times == witnessed[-len(times):]
    fields = [balanced(f) for f in rig.receiver.fields("influx")]
    assert fields[-1]["dropped_full"] == fields[-1]["dropped"] > 60
    assert all(f["buffered"] <= 30 + 30 for f in fields)
    # three samples a cycle, those the newest knows of
    cycle = witnessed.index(times[-1]) - witnessed.index(times[0])
    assert fields[-1]["collected"] - fields[-1]["dropped"] <= (cycle + 1) * 3 + 30
    full = [line for line in agent.stderr().splitlines() if "the queue is full" in line]
    assert len(full) == 1, full


def test_limit_on_disk_and_few_files(rig):
    """A limit in bytes holds on disk and at a restart, with few descriptors."""
    rig.receiver.answer = 503
    config = rig.config(queue="write_ahead", queue_bytes="64KiB", agent={"interval": "100ms"},
                        outputs=[rig.influx(queue="write_ahead", queue_bytes="64KiB")] + [
                            rig.influx(name=f"more{i}", queue="write_ahead", queue_bytes="64KiB")
                            for i in range(20)])
    agent = rig.run(config)
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (256, 256))
    rig.wait_cycles(30, agent)
    assert all(rig.spooled_bytes(f"more{i}") <= 2 * 65536 for i in range(20))
    assert len(os.listdir(f"/proc/{agent.pid}/fd")) < 200
    agent.kill()
    agent = rig.run(config)
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (256, 256))
    rig.wait_cycles(3, agent)
    rig.receiver.answer = 204
    rig.wait_cycles(15, agent)
    assert agent.stop() == 0
    for fields in rig.receiver.fields("more7"):
        balanced(fields)
    assert "full" in agent.stderr()


def test_batch_size_and_leftovers(rig):
    """A changed batch size finds what waits; what nobody claims is reported once."""
    rig.receiver.answer = 503
    agent = rig.run(rig.config([rig.influx(batch=1), rig.influx(name="gone")]))
    rig.wait_cycles(5, agent)
    assert agent.stop() == 0
    witnessed = rig.witnessed()
    rig.receiver.answer = 204
    agent = rig.run(rig.config([rig.influx(batch=500)]))
    rig.wait_drained()
    assert agent.stop() == 0
    assert set(witnessed) <= set(rig.receiver.times())
    lines = [line for line in agent.stderr().splitlines() if "queue/gone" in line]
    assert len(lines) == 1 and "bytes that wait for an output named gone" in lines[0]


def test_another_plugin_under_the_same_name(rig):
    """Bytes of one format are not sent to a receiver of another."""
    rig.receiver.answer = 503
    agent = rig.run(rig.config([rig.influx(name="main")]))
    rig.wait_cycles(5, agent)
    assert agent.stop() == 0
    path = os.path.join(rig.directory, "main.json")
    agent = rig.run(rig.config([{"plugin": "file", "name": "main", "path": path,
                                 "format": "json"}]))
    rig.wait_cycles(3, agent)
    assert agent.stop() == 0
    with open(path, encoding="utf-8") as file:
        assert Samples.parse(file.read())
    assert agent.stderr().count("made for another plugin than file") == 1
    assert rig.spool("main")


def test_refused_for_ever(rig):
    """What a receiver answers with 5xx for ever does not stay for ever."""
    rig.receiver.answer = lambda body: 500 if rig.poison in body else 204
    agent = rig.run(rig.config(witness=True, retry_limit="3s"))
    rig.poison = b"omnivigil"
    rig.wait_cycles(10, agent)
    wait_for("the limit", lambda: "retry_limit of 3 s" in agent.stderr(), 20)
    rig.poison = b"never"
    wait_for("samples again", lambda: rig.receiver.fields("influx"), 20)
    rig.wait_cycles(15, agent)
    assert agent.stop() == 0
    fields = [balanced(f) for f in rig.receiver.fields("influx")]
    assert fields[-1]["dropped_expired"] == fields[-1]["dropped"] > 0


def test_joined_and_refused(rig):
    """Records sent together do not fall together."""
    rig.receiver.answer = 503
    agent = rig.run(rig.config())
    rig.wait_cycles(10, agent)
    rig.receiver.answer = lambda body: 400 if body.count(AGENT.encode() + b" ") > 1 else 204
    rig.wait_drained()
    rig.wait_cycles(2, agent)
    assert agent.stop() == 0
    assert rig.receiver.refused > 1
    times = rig.receiver.times()
    assert times == sorted(set(times))
    fields = [balanced(f) for f in rig.receiver.fields("influx")]
    assert fields[-1]["dropped"] == 0


def test_backlog_is_joined(rig):
    """Many small records go in few requests."""
    rig.receiver.answer = 503
    agent = rig.run(rig.config())
    rig.wait_cycles(40, agent)
    rig.receiver.answer = 204
    rig.wait_drained()
    with rig.receiver.lock:
        largest = max(body.count(AGENT.encode() + b" ") for body in rig.receiver.bodies)
    assert agent.stop() == 0
    assert largest >= 30


def test_flush(rig):
    """Samples wait for others to go with them; not for a full batch, and not at the end."""
    agent = rig.run(rig.config(flush="2s"))
    rig.wait_cycles(50, agent)
    assert rig.receiver.requests <= 4
    assert agent.stop() == 0
    assert set(rig.witnessed()) <= set(rig.receiver.times())
    rig.receiver.requests = 0
    agent = rig.run(rig.config(flush="1h", batch=10))
    rig.wait_cycles(10, agent)
    assert rig.receiver.requests >= 2
    assert agent.stop() == 0
    assert set(rig.witnessed()) <= set(rig.receiver.times())


def test_reload_keeps_the_queue(rig):
    for queue in ("memory", "disk"):
        rig.receiver.answer = 503
        config = rig.config(queue=queue)
        agent = rig.run(config)
        rig.wait_cycles(5, agent)
        for batch in (7, 8):
            rig.config(queue=queue, batch=batch, retry_limit="1h")
            agent.send(signal.SIGHUP)
            wait_for("a reload", lambda n=batch - 6:
                     agent.stderr().count("configuration reloaded") >= n)
            rig.wait_cycles(3, agent)
        rig.receiver.answer = 204
        rig.wait_drained()
        assert agent.stop() == 0
        times = rig.receiver.times()
        assert len(times) == len(set(times))
        for fields in rig.receiver.fields("influx"):
            assert balanced(fields)["dropped"] == 0


def test_reload_that_removes_an_output(rig):
    """What waited for it stays on disk, and is found when it comes back."""
    rig.receiver.answer = 503
    both = rig.config([rig.influx(), rig.influx(name="second")])
    agent = rig.run(both)
    rig.wait_cycles(5, agent)
    before = rig.witnessed()
    rig.config([rig.influx()])
    agent.send(signal.SIGHUP)
    wait_for("a reload", lambda: "configuration reloaded" in agent.stderr())
    assert rig.spooled_bytes("second") > 500
    rig.receiver.answer = 204
    rig.wait_drained()
    once = rig.receiver.times()
    rig.config([rig.influx(), rig.influx(name="second")])
    agent.send(signal.SIGHUP)
    wait_for("a second reload", lambda: agent.stderr().count("configuration reloaded") == 2)
    wait_for("the rest", lambda: all(rig.receiver.times().count(t) == 2 for t in before[:-1]))
    assert agent.stop() == 0
    assert len(once) == len(set(once))


def test_fills_memory_no_further(rig):
    """All outputs dead, at full speed: memory and descriptors stay flat after the limit."""
    port = free_port()  # nobody listens
    outputs = [rig.influx(name=f"o{i}", url=f"http://127.0.0.1:{port}", queue=queue,
                          queue_samples=300) for i, queue in
               enumerate(("memory", "disk", "write_ahead"))]
    agent = rig.run(rig.config(outputs))
    rig.wait_cycles(80, agent)
    memory, files = agent.memory_kib("VmRSS"), len(os.listdir(f"/proc/{agent.pid}/fd"))
    rig.wait_cycles(60, agent)
    assert agent.memory_kib("VmRSS") <= memory * 1.25  # sanitizers hold back what is freed
    assert len(os.listdir(f"/proc/{agent.pid}/fd")) <= files
    assert agent.stop() == 0


def test_outage_of_a_real_server(rig, directory):
    port = free_port()
    agent = rig.run(rig.config(url=f"http://127.0.0.1:{port}", database="omni"))
    rig.wait_cycles(10, agent)
    server = InfluxServer(directory, port)
    try:
        server.query("CREATE DATABASE omni")
        rig.wait_cycles(10, agent)

        def stored():
            rows = server.query(f'SELECT "uptime_seconds" FROM "{AGENT}"', "omni")
            return {str(row["time"]) for row in rows}
        early = set(rig.witnessed())
        wait_for("the backlog", lambda: early <= stored(), 30, 0.3)
        assert agent.stop() == 0
        assert set(rig.witnessed()) <= stored()
    finally:
        server.kill()


def test_options_are_checked(vigil):
    for text, expected in (
        ("queue: ram", "memory, disk"),
        ("queue_sync: sometimes", "never, interval"),
        ("retry_limit: -1s", "retry_limit"),
    ):
        done = vigil.check_config(json.dumps({"outputs": [
            {"plugin": names.FILE_OUTPUT, **dict([text.split(": ")])}]}))
        assert done.returncode != 0 and expected in done.stdout + done.stderr, done
