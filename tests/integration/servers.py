# SPDX-License-Identifier: Apache-2.0
"""Private servers for the tests: each in a directory of its own, on loopback, gone afterwards."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import json

import redis


def wait_for(what, condition, seconds=15, pause=0.05):
    """The first true answer of condition(); fails with the last answer when there is none."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {seconds} s (last: {answer!r})")
        time.sleep(pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A child with its output in files; ends with its owner."""

    def __init__(self, directory, name):
        self.name = name
        self.stdout_path = os.path.join(directory, name + ".out")
        self.stderr_path = os.path.join(directory, name + ".err")
        self.child = None

    def start(self, argv, env=None, cwd=None):
        with open(self.stdout_path, "ab") as out, open(self.stderr_path, "ab") as err:
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=cwd
            )
        return self

    @property
    def pid(self):
        return self.child.pid

    @property
    def alive(self):
        return self.child is not None and self.child.poll() is None

    def stdout(self):
        with open(self.stdout_path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()

    def stderr(self):
        with open(self.stderr_path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()

    def check_alive(self):
        if not self.alive:
            code = self.child.poll() if self.child else None
            raise AssertionError(f"{self.name} ended with {code}:\n{self.stderr()[-3000:]}")
        return True

    def send(self, number):
        if self.alive:
            self.child.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=15):
        """Sends the signal, waits, and returns the exit status; a child that stays is killed."""
        if self.child is None:
            return None
        self.send(number)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"{self.name} ignored signal {number} for {seconds} s") from None

    def kill(self):
        if self.alive:
            self.child.kill()
        if self.child is not None:
            self.child.wait()


class RedisServer(Process):
    """A redis-server on a Unix socket and a loopback port, without persistence."""

    def __init__(self, directory, *options):
        super().__init__(str(directory), "redis")
        self.directory = str(directory)
        self.socket = os.path.join(self.directory, "redis.sock")
        self.port = free_port()
        self.options = options
        self.run()

    def run(self):
        binary = os.environ.get("OV_REDIS_SERVER", "redis-server")
        self.start([
            binary, "--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", self.socket,
            "--dir", self.directory, "--save", "", "--appendonly", "no",
            "--enable-debug-command", "yes", *self.options,
        ])
        wait_for("Redis", lambda: self.check_alive() and self.answers())

    def restart(self):
        """Kills it and starts it again, empty, at the same place."""
        self.kill()
        self.run()

    def answers(self):
        try:
            return self.client().ping()
        except redis.exceptions.AuthenticationError:
            return True
        except redis.exceptions.ResponseError as error:
            return "NOAUTH" in str(error)
        except redis.exceptions.ConnectionError:
            return False

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    @property
    def unix_url(self):
        return f"unix://{self.socket}"

    def client(self, **more):
        return redis.Redis(unix_socket_path=self.socket, decode_responses=True, **more)

    def run_commands(self, text):
        """Runs lines as redis-cli would, split at blanks; returns the last reply."""
        client, reply = self.client(), None
        for line in text.strip().splitlines():
            reply = client.execute_command(*line.split())
        client.close()
        return reply

    def age(self, key, seconds):
        """Makes a key as idle as if nobody had read it for so long."""
        client = self.client()
        raw = redis.Redis(unix_socket_path=self.socket)
        raw.execute_command("RESTORE", key, 0, raw.dump(key), "REPLACE", "IDLETIME", seconds)
        assert client.object("idletime", key) >= seconds
        raw.close()
        client.close()

    def monitor(self):
        return Monitor(self)


class Monitor:
    """Records what clients send: `with redis.monitor() as seen: ...`, then seen.commands()."""

    def __init__(self, server):
        self.server = server
        self.lines = []

    def __enter__(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.server.socket)
        self.sock.sendall(b"MONITOR\r\n")
        assert self.sock.recv(5) == b"+OK\r\n"
        return self

    def __exit__(self, *_):
        self.server.client().echo("the end of the recording")
        data = b""
        self.sock.settimeout(5)
        while b"the end of the recording" not in data[-300:]:
            data += self.sock.recv(1 << 20)
        self.sock.close()
        self.lines = data.decode("utf-8", "backslashreplace").splitlines()[:-1]

    def commands(self):
        """[["XLEN", "omni-stream:a"], ...], what Lua called left out."""
        found = []
        for line in self.lines:
            head, _, rest = line.partition("] ")
            if head.endswith(" lua") or not rest:
                continue
            found.append(split_monitor(rest))
        return found


def split_monitor(text):
    """The words of one MONITOR line, unquoted."""
    words, at = [], 0
    escapes = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b"}
    while at < len(text):
        if text[at] != '"':
            at += 1
            continue
        at, word = at + 1, []
        while text[at] != '"':
            if text[at] != "\\":
                word.append(text[at])
                at += 1
            elif text[at + 1] == "x":
                word.append(chr(int(text[at + 2:at + 4], 16)))
                at += 4
            else:
                word.append(escapes.get(text[at + 1], text[at + 1]))
                at += 2
        words.append("".join(word))
        at += 1
    return words


class InfluxServer(Process):
    """An InfluxDB 1.x on loopback ports of its own."""

    def __init__(self, directory, port=None):
        super().__init__(str(directory), "influx")
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = os.path.join(str(directory), "influx.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                "reporting-enabled = false\n"
                f'bind-address = "127.0.0.1:{free_port()}"\n'
                f'[meta]\ndir = "{directory}/meta"\n'
                f'[data]\ndir = "{directory}/data"\nwal-dir = "{directory}/wal"\n'
                f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n'
                "[monitor]\nstore-enabled = false\n"
            )
        self.run()

    def run(self):
        binary = os.environ.get("OV_INFLUXD") or shutil.which("influxd")
        assert binary, "influxd is not installed: apt-get install influxdb"
        self.start([binary, "-config", self.config])
        wait_for("InfluxDB", lambda: self.check_alive() and self.answers(), 30)

    def answers(self):
        try:
            with urllib.request.urlopen(self.url + "/ping", timeout=5) as answer:
                return answer.status == 204
        except (urllib.error.URLError, ConnectionError):
            return False

    def query(self, text, database=None):
        """Rows as dictionaries, a series' tags among them."""
        body = {"q": text, "epoch": "ns"}
        if database:
            body["db"] = database
        data = urllib.parse.urlencode(body).encode()
        with urllib.request.urlopen(self.url + "/query", data=data, timeout=15) as answer:
            result = json.load(answer)["results"][0]
        assert "error" not in result, result
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row))}
            for series in result.get("series", [])
            for row in series.get("values", [])
        ]


class FakeRedis(Process):
    """fake_resp.py with rules [[prefix, raw reply, delay?], ...]; stdout is what it was asked."""

    def __init__(self, directory, rules):
        super().__init__(str(directory), "fake_redis")
        import sys

        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        path = os.path.join(str(directory), "rules.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(rules, file)
        here = os.path.dirname(os.path.abspath(__file__))
        self.start([sys.executable, os.path.join(here, "fake_resp.py"), str(self.port), path])
        wait_for("fake Redis", lambda: self.check_alive() and self.listening())

    def listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
