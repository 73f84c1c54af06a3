# SPDX-License-Identifier: Apache-2.0
"""Fixtures: private servers, the real OmniDaemon, and omnivigil, each in the test's own directory.

Unix sockets have short paths, so directories are made under TMPDIR and not under pytest's long
ones. A test that fails keeps its directory and says where it is.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

import names
from servers import FakeRedis, InfluxServer, Process, RedisServer, wait_for
from vigil import Vigil
from watching import Watch

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call":
        item.failed = report.failed


@pytest.fixture
def directory(request):
    path = tempfile.mkdtemp(prefix="ov.")
    yield path
    if getattr(request.node, "failed", False):
        print(f"kept: {path}", file=sys.stderr)
    else:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def plugin_dir(directory):
    """A directory with omnivigil's own plugins, for the test to add to."""
    path = os.path.join(directory, "plugins")
    own = os.environ["OV_PLUGIN_DIR"]
    os.mkdir(path)
    for name in os.listdir(own):
        if name.endswith(".so"):
            shutil.copy(os.path.join(own, name), path)
    return path


@pytest.fixture
def redis(directory):
    server = RedisServer(directory)
    yield server
    server.kill()


@pytest.fixture
def other_redis(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def client(redis):
    connection = redis.client()
    yield connection
    connection.close()


@pytest.fixture
def influx(directory):
    server = InfluxServer(directory)
    yield server
    server.kill()


@pytest.fixture
def vigil(directory):
    command = Vigil(directory)
    yield command
    command.close()


@pytest.fixture
def fake_redis(directory):
    started = []

    def start(rules):
        started.append(FakeRedis(directory, rules))
        return started[-1]

    yield start
    for fake in started:
        fake.kill()


class OmniDaemon:
    """The real one: its runner and its publisher as processes of their own."""

    def __init__(self, directory, url, backend):
        self.directory = directory
        self.json_dir = os.path.join(directory, "omnidaemon_data")
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": directory,
            "PYTHONDONTWRITEBYTECODE": "1",
            "REDIS_URL": url,
            "STORAGE_BACKEND": backend,
            "JSON_STORAGE_DIR": self.json_dir,
        }
        self.workers = []

    def worker(self, *agents, reclaim_interval=1):
        """A runner with agents as worker.py takes them; ready when this returns."""
        worker = Process(self.directory, f"worker{len(self.workers)}")
        self.workers.append(worker)
        worker.start(
            [sys.executable, os.path.join(HERE, "worker.py"),
             "--reclaim-interval", str(reclaim_interval), json.dumps(agents)],
            env=self.env, cwd=self.directory,
        )
        wait_for("OmniDaemon", lambda: worker.check_alive() and "ready" in worker.stdout(), 30)
        return worker

    def publish(self, topic, count, content="task", maxlen=10_000):
        subprocess.run(
            [sys.executable, os.path.join(HERE, "publisher.py"), "--maxlen", str(maxlen), topic,
             str(count), content],
            env=self.env, cwd=self.directory, check=True, timeout=60,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def close(self):
        for worker in self.workers:
            worker.kill()


@pytest.fixture
def omnidaemon(directory, redis):
    """On Redis storage."""
    real = OmniDaemon(directory, redis.unix_url, "redis")
    yield real
    real.close()


@pytest.fixture
def omnidaemon_json(directory, redis):
    """On JSON storage."""
    real = OmniDaemon(directory, redis.unix_url, "json")
    yield real
    real.close()


@pytest.fixture
def watch(redis, vigil):
    """Starts a Watch with rules; by default of all inputs."""
    def start(rules, backend="redis", inputs=None, **agent):
        return Watch(vigil, inputs or names.inputs(redis, backend), rules, **agent)
    return start
