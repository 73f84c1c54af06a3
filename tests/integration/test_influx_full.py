# SPDX-License-Identifier: Apache-2.0
"""The output influx against everything it may meet: InfluxDB itself (HTTP, Unix socket, UDP, with
users), VictoriaMetrics, nginx with TLS in front, and a server that answers as it is told."""

import collections
import gzip
import http.server
import json
import math
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

import names
import traffic
from servers import InfluxServer, Process, free_port, wait_for
from test_influx import nanoseconds

HOSTILE = ("orders", "eu:orders", 'q"uo\\te, =x', "back\\slash\\", "new\nline",
           "m,topic=x n=1 1\n", "tab\there", "#comment", " ", "注文 😀", "\x7f\x1b[31m", "a\\,b",
           "a\\ b", "time", "x" * 60)


def fill(client):
    traffic.start_runner(client)
    for topic in HOSTILE:
        traffic.register(client, topic, "agent of " + topic)
        traffic.publish(client, topic, 3)
        traffic.take(client, topic, "agent of " + topic, 2)


def as_stored(name):
    """What stands in the line protocol for bytes that it cannot hold."""
    found = []
    for at, letter in enumerate(name):
        code = ord(letter)
        if code < 0x20 or code == 0x7f:
            found.append(chr(0x2421 if code == 0x7f else 0x2400 + code))
        elif letter == "\\" and name[at + 1:at + 2] in ("", ",", "=", " "):
            found.append("\uff3c")
        else:
            found.append(letter)
    return "".join(found)


def tags_as_stored(sample):
    return {k: as_stored(v) for k, v in sample["tags"].items() if v}


def output(url, name="influx", **more):
    return {"plugin": names.INFLUX_OUTPUT, "name": name, "url": url, **more}


def assert_stored(server, database, written):
    """Every sample is there with its own time, tags, fields and types, and nothing else is."""
    compared = 0
    for measurement in sorted(written.measurements()):
        rows = server.query(f'SELECT * FROM "{measurement}" GROUP BY *', database)
        stored = {}
        for row in rows:
            stored.setdefault(row["time"], []).append(
                {k: v for k, v in row.items() if v not in (None, "") and k != "time"})
        for sample in written.all(measurement):
            fields = {k: as_stored(v) if isinstance(v, str) else v
                      for k, v in sample["fields"].items() if v != ""}
            wanted = {**tags_as_stored(sample), **fields}
            there = stored.get(nanoseconds(sample["time"]), ())
            assert wanted in there, f"{database} {measurement}:\n{wanted}\nnot in {there}"
            compared += 1
        assert sum(map(len, stored.values())) == len(written.all(measurement)), measurement
    assert compared > 3 * len(HOSTILE)


class FullInflux(InfluxServer):
    """InfluxDB with a Unix socket and UDP (into the database `udp`), perhaps with users."""

    def __init__(self, directory, users=False):
        super().__init__(directory)
        self.kill()
        self.udp = free_port()
        self.socket = os.path.join(directory, "influx.sock")
        self.users = users
        with open(self.config, encoding="utf-8") as file:
            text = file.read().replace("[http]\n", (
                f'[http]\nunix-socket-enabled = true\nbind-socket = "{self.socket}"\n'
                f"auth-enabled = {json.dumps(users)}\n"))
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text + f'[[udp]]\nenabled = true\nbind-address = "127.0.0.1:{self.udp}"\n'
                       'database = "udp"\nbatch-timeout = "100ms"\n')
        self.run()


class Nginx(Process):
    """nginx with the `server` blocks of `servers`; as the tests' user, from a directory."""

    def __init__(self, directory, servers):
        super().__init__(directory, "nginx")
        binary = os.environ.get("OV_NGINX") or shutil.which("nginx")
        assert binary, "nginx is not installed: apt-get install nginx"
        temporary = "".join(f"{kind}_temp_path {directory}/{kind};\n" for kind in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = os.path.join(directory, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f"daemon off;\nmaster_process off;\nerror_log {directory}/nginx.log;\n"
                f"pid {directory}/nginx.pid;\nevents {{}}\n"
                f"http {{\naccess_log off;\n{temporary}{servers}\n}}\n")
        self.start([binary, "-p", directory, "-c", config, "-e", directory + "/nginx.log"])

    def wait_port(self, port):
        def listens():
            with socket.socket() as probe:
                return self.check_alive() and probe.connect_ex(("127.0.0.1", port)) == 0
        wait_for("nginx", listens)


class Victoria(Process):
    def __init__(self, directory):
        super().__init__(directory, "victoria")
        binary = os.environ.get("OV_VICTORIA") or shutil.which("victoria-metrics")
        assert binary, "VictoriaMetrics is not installed: apt-get install victoria-metrics"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start([binary, f"-httpListenAddr=127.0.0.1:{self.port}",
                    f"-storageDataPath={directory}/victoria", "-search.latencyOffset=0s"])
        wait_for("VictoriaMetrics", lambda: self.check_alive() and self.answers(), 30)

    def answers(self):
        try:
            return urllib.request.urlopen(self.url + "/health", timeout=5).status == 200
        except OSError:
            return False

    def export(self):
        """{(name, labels): {milliseconds: value}} of all there is."""
        urllib.request.urlopen(self.url + "/internal/force_flush", timeout=10).close()
        query = urllib.parse.urlencode({"match[]": '{__name__!=""}'})
        found = {}
        with urllib.request.urlopen(f"{self.url}/api/v1/export?{query}", timeout=30) as answer:
            for line in answer:
                series = json.loads(line)
                labels = frozenset(series["metric"].items())
                found[labels] = dict(zip(series["timestamps"], series["values"]))
        return found


class Scripted(http.server.ThreadingHTTPServer):
    """Answers with the steps (status, headers, body, delay) one after the other, the last for ever;
    keeps what it was asked."""

    daemon_threads = True

    def __init__(self, *steps, address="127.0.0.1", port=0, largest=None):
        self.steps, self.largest = steps, largest
        self.requests, self.connections, self.lock = [], [], threading.Lock()
        super().__init__((address, port), Scripted.Handler)
        self.url = f"http://{address}:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def end(self):
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass # it is gone already

    def lines(self, *statuses):
        """The lines of the requests that were answered so."""
        return [line for request in self.requests if request["status"] in statuses
                for line in request["body"].splitlines()]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            self.server.connections.append(self.connection)

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with self.server.lock:
                at = min(len(self.server.requests), len(self.server.steps) - 1)
                status, headers, text, delay = self.server.steps[at]
                if self.server.largest and len(body) > self.server.largest:
                    status = 413
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                self.server.requests.append({
                    "at": time.monotonic(), "status": status, "path": self.path,
                    "headers": dict(self.headers), "body": body.decode()})
            time.sleep(delay)
            if status == "close":
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass


FINE = (204, {}, "", 0)


@pytest.fixture
def scripted():
    started = []

    def start(*steps, **more):
        started.append(Scripted(*steps, **more))
        return started[-1]

    yield start
    for server in started:
        server.end()


@pytest.fixture
def full(directory):
    server = FullInflux(directory)
    yield server
    server.kill()


# ---------------------------------------------------------------- real servers


def test_every_way_stores_the_same(redis, client, full, vigil):
    """HTTP, gzip, small batches, Unix socket and UDP, hostile names: all come back alike."""
    fill(client)
    ways = {
        "plain": output(full.url, "plain", database="plain", create_database=True),
        "gzip": output(full.url, "gzip", database="gzip", create_database=True, gzip=True),
        "batch": output(full.url, "batch", database="batch", create_database=True, batch=7),
        "unix": output(f"unix://{full.socket}", "unix", database="unix", create_database=True),
        "udp": output(f"udp://127.0.0.1:{full.udp}", "udp"),
    }
    agent = vigil.run(vigil.agent_config(names.inputs(redis), ways.values()))
    agent.cycles(3)
    assert agent.stop() == 0
    written = agent.samples(0)
    wait_for("datagrams", lambda: full.query(f'SELECT COUNT("up") FROM "{names.BUS}"', "udp")[0][
        "count"] == len(written.all(names.BUS)))
    time.sleep(0.5)
    assert {as_stored(t) for t in HOSTILE} == {
        row["value"] for row in full.query(
            f'SHOW TAG VALUES FROM "{names.STREAM}" WITH KEY = "topic"', "plain")}
    for way in ways:
        assert_stored(full, way, written)


@pytest.mark.parametrize("precision, unit", [("us", 10**3), ("ms", 10**6), ("s", 10**9)])
def test_precision(redis, client, influx, vigil, precision, unit):
    fill(client)
    agent = vigil.run(vigil.agent_config(names.inputs(redis), [
        output(influx.url, database="d", create_database=True, precision=precision)]))
    agent.cycles(1)
    assert agent.stop() == 0
    stored = {row["time"] for row in influx.query(f'SELECT "up" FROM "{names.BUS}"', "d")}
    assert stored == {nanoseconds(s["time"]) // unit * unit
                      for s in agent.samples(0).all(names.BUS)}


def test_users(redis, directory, vigil):
    """Who may write does; who may not is kept and told so, without the password."""
    server = FullInflux(directory, users=True)
    try:
        urllib.request.urlopen(server.url + "/query", data=urllib.parse.urlencode({
            "q": "CREATE USER boss WITH PASSWORD 'p@ss w:rd' WITH ALL PRIVILEGES"}).encode())
        urllib.request.urlopen(server.url + "/query?" + urllib.parse.urlencode({
            "q": "CREATE DATABASE p1", "u": "boss", "p": "p@ss w:rd"}), data=b"")
        agent = vigil.run(vigil.agent_config(names.inputs(redis), [
            output(server.url, "good", database="d", create_database=True, user="boss",
                   password="p@ss w:rd"),
            output(server.url, "bad", database="d", user="boss", password="SECRET-1"),
            output(server.url, "policy", database="p1", user="boss", password="p@ss w:rd",
                   retention_policy="nowhere")]))
        agent.cycles(3)
        said = agent.stderr()
        assert "answers 401: authorization failed; check `user`" in said, said
        assert "retention policy not found: nowhere; create it" in said, said
        assert said.count("answers 401") == 1, said
        assert "SECRET" not in said and "p@ss" not in said
        answer = urllib.request.urlopen(server.url + "/query?" + urllib.parse.urlencode({
            "q": f'SELECT COUNT("up") FROM "{names.BUS}"', "db": "d", "u": "boss",
            "p": "p@ss w:rd"}))
        assert json.load(answer)["results"][0]["series"][0]["values"][0][1] >= 3
    finally:
        server.kill()


@pytest.mark.parametrize("options", [
    {"database": "d"}, {"organization": "o", "bucket": "b"}, {"database": "d", "gzip": True}])
def test_victoria_metrics(redis, client, directory, vigil, options):
    fill(client)
    server = Victoria(directory)
    try:
        agent = vigil.run(vigil.agent_config(names.inputs(redis), [output(server.url, **options)]))
        agent.cycles(2)
        assert agent.stop() == 0
        wanted = {}
        for sample in agent.samples(0):
            labels = {**tags_as_stored(sample), **({"db": "d"} if "database" in options else {})}
            for field, value in sample["fields"].items():
                name = f"{sample['measurement']}_{field}"
                series = frozenset({**labels, "__name__": name}.items())
                # it has no texts: they become 0
                wanted.setdefault(series, {})[nanoseconds(sample["time"]) // 10**6] = (
                    0 if isinstance(value, str) else value)
        count = sum(map(len, wanted.values()))
        wait_for("every point", lambda: sum(map(len, server.export().values())) >= count)
        stored = server.export()
        assert stored.keys() == wanted.keys()
        for series, points in wanted.items():
            assert stored[series].keys() == points.keys(), series
            for at, value in points.items():
                assert math.isclose(stored[series][at], value, rel_tol=1e-12), (series, value)
        assert count > 100
    finally:
        server.kill()


def certificates(directory):
    """An authority, a certificate of 127.0.0.1 and one of a client; and another authority."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)
    for authority in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                f"/CN={authority}", "-keyout", authority + ".key", "-out", authority + ".pem")
    for name, extension in (("server", "subjectAltName=IP:127.0.0.1"), ("client", None),
                            ("elsewhere", "subjectAltName=DNS:elsewhere.test")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
                name + ".key", "-out", name + ".csr")
        more = []
        if extension:
            with open(os.path.join(directory, "ext"), "w", encoding="ascii") as file:
                file.write(extension)
            more = ["-extfile", "ext"]
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-out", name + ".pem", *more)


def test_nginx_in_front(redis, client, influx, directory, vigil):
    """TLS with an authority of our own, a client's certificate, a small limit, a Unix socket."""
    fill(client)
    certificates(directory)
    tls, mutual, wrong, small = (free_port() for _ in range(4))
    pass_on = f"location / {{ proxy_pass {influx.url}; }}"

    def block(listen, certificate="server", more=""):
        return (f"server {{ listen {listen}; {more} {pass_on}\n"
                f"ssl_certificate {directory}/{certificate}.pem;\n"
                f"ssl_certificate_key {directory}/{certificate}.key; }}\n")
    nginx = Nginx(directory, "".join((
        block(f"127.0.0.1:{tls} ssl"), block(f"127.0.0.1:{wrong} ssl", "elsewhere"),
        block(f"127.0.0.1:{mutual} ssl", more=f"ssl_verify_client on; ssl_client_certificate "
              f"{directory}/ca.pem;"),
        block(f"127.0.0.1:{small}", more="client_max_body_size 2k;"),
        block(f"unix:{directory}/nginx.sock"))))
    try:
        nginx.wait_port(small)
        ours = {"ca": f"{directory}/ca.pem"}
        mine = {**ours, "cert": f"{directory}/client.pem", "key": f"{directory}/client.key"}
        ways = {  # name: address, its tls, what is said of it where it fails
            "own_ca": (f"https://127.0.0.1:{tls}", ours, None),
            "insecure": (f"https://127.0.0.1:{wrong}", {"insecure": True}, None),
            "client": (f"https://127.0.0.1:{mutual}", mine, None),
            "small": (f"http://127.0.0.1:{small}", {}, None),
            "socket": (f"unix://{directory}/nginx.sock", {}, None),
            "no_ca": (f"https://127.0.0.1:{tls}", {}, "certificate"),
            "other_ca": (f"https://127.0.0.1:{tls}", {"ca": f"{directory}/other.pem"},
                         "certificate"),
            "wrong_name": (f"https://127.0.0.1:{wrong}", ours, "no alternative certificate"),
            "no_cert": (f"https://127.0.0.1:{mutual}", ours,
                        "answers 400: 400 No required SSL certificate was sent; that is not"),
            "plain": (f"http://127.0.0.1:{tls}", {}, "sent to HTTPS port"),
            "not_tls": (f"https://127.0.0.1:{small}", {}, "wrong version number"),
            "no_key": (f"https://127.0.0.1:{mutual}", {**mine, "key": f"{directory}/ca.key"},
                       "key"),
        }
        agent = vigil.run(vigil.agent_config(names.inputs(redis), [
            output(url, name, database=name, create_database=True, tls=tls)
            for name, (url, tls, _) in ways.items()]))
        agent.cycles(3)
        assert agent.stop() == 0
        said = agent.stderr()
        made = {row["name"] for row in influx.query("SHOW DATABASES")}
        for name, (_, _, why) in ways.items():
            if why is None:
                assert_stored(influx, name, agent.samples(0))
            else:
                about = [line for line in said.splitlines() if f" {name}: " in line]
                assert about and why in about[0], (name, about)
                assert name not in made
    finally:
        nginx.kill()


# ---------------------------------------------------------------- answers


def run_against(vigil, redis, *servers, **options):
    agent = vigil.run(vigil.agent_config(names.inputs(redis), [
        output(server.url, f"out{i}", **options) for i, server in enumerate(servers)]))
    return agent


def assert_each_once(lines, written):
    """As many different lines as samples, none twice."""
    def names_of(items):
        return sorted(collections.Counter(items).items())
    assert len(lines) == len(set(lines))
    assert names_of(line.split(",")[0].split(" ")[0] for line in lines) == names_of(
        sample["measurement"] for sample in written)


def test_a_refused_request_is_never_sent_again(redis, client, scripted, vigil):
    fill(client)
    words = ('{"error":"partial write: field type conflict: input field \\"lag\\" is type float, '
             'already exists as type integer dropped=1"}')
    server = scripted((400, {}, words, 0), FINE)
    agent = run_against(vigil, redis, server)
    agent.cycles(3)
    assert agent.stop() == 0
    assert_each_once(server.lines(400, 204), agent.samples(0))
    assert agent.stderr().count("already exists as type integer") == 1
    assert len(server.requests) > 3 and server.requests[1]["at"] - server.requests[0]["at"] < 3


@pytest.mark.parametrize("largest", [2000, 900, 1])
def test_what_is_too_large_is_cut(redis, client, scripted, vigil, largest):
    fill(client)
    server = scripted(FINE, largest=largest)
    agent = run_against(vigil, redis, server)
    agent.cycles(2)
    assert agent.stop() == 0
    if largest > 1:
        assert_each_once(server.lines(204), agent.samples(0))
    else:
        assert not server.lines(204)
        assert "a line alone is too large" in agent.stderr()


@pytest.mark.parametrize("status, asked, least, most", [
    (429, "3", 3, 5), (503, "2", 2, 4), (429, "0", 0.5, 3), (503, "soon", 0.5, 3),
    (429, None, 0.5, 3)])
def test_retry_after(redis, scripted, vigil, status, asked, least, most):
    """Obeyed, while gathering goes on, and all arrives in the end, in order."""
    server = scripted((status, {"Retry-After": asked} if asked else {}, "busy", 0), FINE)
    agent = run_against(vigil, redis, server)
    wait_for("the second request", lambda: len(server.requests) > 1)
    waited = server.requests[1]["at"] - server.requests[0]["at"]
    assert least - 0.01 <= waited <= most, waited # it was asked a moment before it answered
    assert len(agent.samples(0).all(names.BUS)) >= int(waited)
    agent.cycles(1)
    assert agent.stop() == 0
    assert_each_once(server.lines(204), agent.samples(0))
    times = [int(line.rsplit(" ", 1)[1]) for line in server.lines(204)
             if line.startswith(names.BUS)]
    assert times == sorted(times)


def test_backoff_grows(redis, scripted, vigil):
    fails = ((503, {}, "", 0), (500, {}, "", 0), (502, {}, "", 0))
    server = scripted(*fails, FINE)
    agent = run_against(vigil, redis, server)
    wait_for("the answer", lambda: len(server.requests) > 3, 20)
    at = [request["at"] for request in server.requests[:4]]
    waits = [after - before for before, after in zip(at, at[1:])]
    assert 0.5 < waits[0] < 1.6 and waits[0] < waits[1] < waits[2] < 5, waits
    agent.cycles(1)
    assert agent.stop() == 0
    assert_each_once(server.lines(204), agent.samples(0))


def test_one_that_always_fails_is_given_up(redis, client, scripted, vigil):
    """The server fails on some lines for ever; what comes behind them arrives."""
    class Poisoned(Scripted.Handler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            with self.server.lock:
                first = self.server.requests[0]["body"] if self.server.requests else body
                status = 500 if body.splitlines()[0] == first.splitlines()[0] else 204
                self.server.requests.append({"status": status, "body": body})
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
    fill(client)
    server = scripted(FINE)
    server.RequestHandlerClass = Poisoned
    agent = run_against(vigil, redis, server, give_up="2s")
    wait_for("what comes after", lambda: server.lines(204), 20)
    agent.cycles(1)
    assert agent.stop() == 0
    lost = set(server.lines(500)) - set(server.lines(204))
    assert len(server.lines(204)) + len(lost) == len(agent.samples(0))
    assert "gave up" in agent.stderr()


@pytest.mark.parametrize("step, says", [
    ((401, {}, '{"message":"unauthorized"}', 0), "answers 401: unauthorized; check"),
    ((403, {}, "", 0), "answers 403"),
    ((404, {}, "404 page not found", 0), "is `url` that of an InfluxDB?"),
    ((301, {"Location": "http://127.0.0.1:1/"}, "", 0), "a redirect to http://127.0.0.1:1/"),
    ((200, {"Content-Type": "text/html"}, "<title>Hello</title>", 0), "a page for people")])
def test_what_a_person_has_to_mend(redis, scripted, vigil, step, says):
    server = scripted(step)
    agent = run_against(vigil, redis, server, token="tok-SECRET-1")
    agent.cycles(3)
    assert len(server.requests) == 1, "tried again slowly"
    assert agent.stderr().count(says) == 1, agent.stderr()
    assert "SECRET" not in agent.stderr()
    assert server.requests[0]["path"] == "/api/v3/write_lp?db=omnidaemon&precision=nanosecond"
    assert server.requests[0]["headers"]["Authorization"] == "Bearer tok-SECRET-1"


def test_a_slow_server_delays_nobody(redis, scripted, influx, vigil):
    """One accepts and never answers, one takes 3 s for each: the third has all, in time."""
    influx.query("CREATE DATABASE d")
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(8)
    slow = scripted((204, {}, "", 3))
    agent = vigil.run(vigil.agent_config(names.inputs(redis), [
        output(f"http://127.0.0.1:{silent.getsockname()[1]}", "silent", timeout="2s"),
        output(slow.url, "slow"), output(influx.url, "good", database="d")]))
    start = time.monotonic()
    written = agent.cycles(4).all(names.BUS)
    assert time.monotonic() - start < 8
    count = f'SELECT COUNT("up") FROM "{names.BUS}"'
    wait_for("all of them", lambda: influx.query(count, "d")[0]["count"] >= len(written), 1)
    silent.close()


def can_mount():
    """Whether this user may have /etc/hosts of his own."""
    return shutil.which("unshare") and subprocess.run(
        ["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


def test_a_name_that_moves(redis, scripted, directory, vigil):
    """After its server is gone, data arrives where the name leads then."""
    if not can_mount():
        return # the unit tests move a name, too
    hosts = vigil.write("hosts", "127.0.0.1 localhost moving.test\n")
    first = scripted(FINE)
    port = first.server_address[1]
    second = scripted(FINE, address="127.0.0.2", port=port)
    command = vigil.write("in_namespace", (
        f'#!/bin/sh\nexec unshare -rm sh -c \'mount --bind {hosts} /etc/hosts && exec "$@"\' - '
        f'{vigil.binary} "$@"\n'))
    os.chmod(command, 0o755)
    vigil.binary = command
    agent = vigil.run(vigil.agent_config(names.inputs(redis), [
        output(f"http://moving.test:{port}")]))
    wait_for("data at the first address", lambda: len(first.requests) > 1, 20)
    first.end()
    vigil.write("hosts", "127.0.0.1 localhost\n127.0.0.2 moving.test\n")
    wait_for("data at the second address", lambda: second.requests, 30)
    assert agent.stop() == 0


# ---------------------------------------------------------------- options


@pytest.mark.parametrize("options, says", [
    ("url: ftp://x", "must begin with http://, https://, unix:// or udp://"),
    ("url: http://x/?db=d", "must end before"),
    ("url: unix://relative", "absolute path"),
    ("url: udp://x:1/path", "udp://127.0.0.1:8089"),
    ("url: udp://x, gzip: true", "gzip"),
    ("url: udp://x, token: t", "nobody logs in"),
    ("url: udp://x, create_database: true", "needs an answer"),
    ("bucket: b", "needs its `organization`"),
    ("organization: o", "is for version 2"),
    ("version: 2", "needs a `bucket`"),
    ("version: 3, bucket: b, organization: o", "is for version 2"),
    ("version: 3, create_database: true", "creates a database by itself"),
    ("token: t, retention_policy: r", "is for version 1"),
    ("token: t, user: u", "cannot be used together"),
    ("password: p", "is of no use without `user`"),
    ("user: 'a:b'", "colon"),
    ("version: 4", "version"), ("precision: m", "precision"), ("batch: 0", "batch"),
    ("give_up: 0s", "give_up"), ("udp: {datagram: 100}", "datagram"),
    ("tls: {cert: x}", "needs its key")])
def test_what_does_not_go_together(vigil, options, says):
    done = vigil.check_config(
        f"inputs: [{{plugin: storage}}]\noutputs:\n  - {{plugin: influx, {options}}}\n")
    assert done.returncode != 0 and says in done.stderr, done.stderr


@pytest.mark.parametrize("options", [
    "url: 'https://[::1]:1/p'", "url: unix:///run/x", "url: 'udp://[::1]:1'", "url: udp://x",
    "version: 1, token: t", "version: auto, token: t", "bucket: b, organization: o, user: u",
    "version: 3", "precision: s, gzip: true, batch: 1, give_up: 1s"])
def test_what_does(vigil, options):
    done = vigil.check_config(
        f"inputs: [{{plugin: storage}}]\noutputs:\n  - {{plugin: influx, {options}}}\n")
    assert done.returncode == 0, done.stderr
