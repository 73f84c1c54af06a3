# SPDX-License-Identifier: Apache-2.0
"""Whether the yardsticks are straight: servers, the real OmniDaemon, truth, traffic, the player."""

import json
import os
import re
import signal
import socket

import pytest

import traffic
import truth
from servers import Process, split_monitor, wait_for

OK = {"topic": "file_system.tasks", "name": "ok", "do": "ok", "consumer_count": 2}
FAIL = {"topic": "file_system.tasks", "name": "fail", "do": "fail", "reclaim_idle_ms": 300,
        "dlq_retry_limit": 1}
TIMEOUT = {"topic": "t:2", "name": "late", "do": "timeout"}


def test_redis_starts_empty_and_again(redis, client):
    client.set("a", 1)
    redis.restart()
    assert redis.client().dbsize() == 0
    redis.client().set("b", 1)
    redis.age("b", 500)


@pytest.mark.parametrize("line,words", [
    ('"GET" "a"', ["GET", "a"]),
    ('"SET" "a b" "x\\"y\\\\z"', ["SET", "a b", 'x"y\\z']),
    ('"SET" "\\n\\x00" ""', ["SET", "\n\0", ""]),
])
def test_monitor_lines_are_split(line, words):
    assert split_monitor(line) == words


def test_fake_redis_answers_as_told(fake_redis):
    fake = fake_redis([["PING", "+PONG\r\n"], ["QUIT", "CLOSE"], ["*", "-ERR no\r\n"]])
    with socket.create_connection(("127.0.0.1", fake.port), 5) as sock:
        sock.settimeout(5)
        sock.sendall(b"*1\r\n$4\r\nPING\r\n")
        assert sock.recv(100) == b"+PONG\r\n"
        sock.sendall(b"*2\r\n$3\r\nGET\r\n$1\r\nx\r\n")
        assert sock.recv(100) == b"-ERR no\r\n"
        sock.sendall(b"QUIT\r\n")
        assert sock.recv(100) == b""
    assert "GET x" in fake.stdout()


def test_influx_gives_back(influx):
    influx.query("CREATE DATABASE d")
    assert influx.query("SHOW DATABASES") == [{"name": "d"}, ]


def test_truth_of_the_real_omnidaemon(redis, client, omnidaemon):
    worker = omnidaemon.worker(OK, FAIL, TIMEOUT)
    omnidaemon.publish("file_system.tasks", 6)
    omnidaemon.publish("t:2", 2)
    wait_for("six dead letters",
             lambda: client.xlen("omni-dlq:group:file_system.tasks:fail") == 6, 20)
    agents = truth.from_redis(client)
    ok = agents["file_system.tasks", "ok"]
    assert (ok.received, ok.processed, ok.failed) == (6, 6, 0)
    assert len(ok.seconds) == 6
    fail = agents["file_system.tasks", "fail"]
    assert (fail.received, fail.processed, fail.failed) == (12, 0, 12)
    assert fail.failures == {"ValueError": 12}
    assert agents["t:2", "late"].failures == {"TimeoutError": 2}
    bus = truth.bus(client)
    assert bus["group:file_system.tasks:ok"] == {"processed": 6}
    assert bus["group:file_system.tasks:fail"] == {"reclaim_attempt": 12, "dlq_push": 6}
    entry = truth.dlq(client, "file_system.tasks", "fail")[0]
    assert entry["error"] == "Max retries (2) exceeded"
    assert json.loads(client.get("omni:config:_omnidaemon_start_time")) > 0
    assert worker.stop() == 0
    assert client.get("omni:config:_omnidaemon_start_time") == "null"


def test_a_crash_leaves_the_start_time(client, omnidaemon):
    worker = omnidaemon.worker(OK)
    worker.stop(signal.SIGKILL)
    assert json.loads(client.get("omni:config:_omnidaemon_start_time")) > 0


def test_truth_of_json_storage(omnidaemon_json):
    worker = omnidaemon_json.worker(OK, TIMEOUT)
    omnidaemon_json.publish("file_system.tasks", 3)
    omnidaemon_json.publish("t:2", 2)
    wait_for("five answers", lambda: len(worker.stderr().split("gave up waiting")) > 2)
    worker.stop()
    agents = truth.from_json(omnidaemon_json.json_dir)
    assert agents["file_system.tasks", "ok"].processed == 3
    assert agents["t:2", "late"].failed == 2


# What the fast writers and the player write has the shape of what OmniDaemon writes.

WRITES = {"XADD", "SET", "SETEX", "HSET", "SADD", "ZADD", "XACK", "HINCRBY", "HDEL", "EXPIRE",
          "XGROUP", "XCLAIM", "XREADGROUP", "XPENDING", "GET"}
NULLABLE = {"pid", "msg_id", "webhook", "reply_to", "correlation_id", "causation_id"}
# What an application chooses, not OmniDaemon.
CHOSEN = {"content", "result", "tools"}


def shape_of_value(key, value):
    if key in CHOSEN and not (isinstance(value, dict) and "task_id" in value):
        return "chosen"
    if isinstance(value, dict):
        return tuple((k, shape_of_value(k, v)) for k, v in value.items())
    if key in NULLABLE:
        return "nullable"
    return type(value).__name__


def shape_of_word(command, at, word):
    if word[:1] in ("{", "["):
        try:
            value = json.loads(word)
        except ValueError:
            return "text"
        # The bytes are Python's: separators and order of the keys.
        assert json.dumps(value) == word, word
        return shape_of_value("", value)
    if at == 1 and ":" in word:
        return re.sub(r"(agent|agents:topic|result|supervisor|group|omni-stream):.*", r"\1:*", word)
    if re.fullmatch(r"\d{9,}\.\d+", word):
        return "seconds"
    if word.isdigit():
        return "maxlen" if command[0] == "XADD" else "digits"
    if word.isupper() or word in ("~", "*", ">", "$", "-", "+", "data", "true", "null"):
        return word
    return "text"


def shapes(monitor):
    found = {}
    for command in monitor.commands():
        if command[0] in WRITES:
            shape = (command[0], *(shape_of_word(command, at, word)
                                   for at, word in enumerate(command[1:], 1)))
            found.setdefault(shape, command)
    return found


@pytest.fixture
def real_shapes(redis, client, omnidaemon):
    """Everything OmniDaemon writes in a life with successes, failures, retries and a supervisor."""
    flaky = {**FAIL, "name": "flaky", "topic": "flaky", "do": "ok"}
    supervised = {"topic": "s", "name": "watched", "supervised": True}
    full = {"consumer_count": 1, "reclaim_idle_ms": 300, "dlq_retry_limit": 1}
    with redis.monitor() as seen:
        worker = omnidaemon.worker({**OK, **full}, FAIL, TIMEOUT, flaky, supervised)
        omnidaemon.publish("file_system.tasks", 2)
        omnidaemon.publish("s", 1)
        omnidaemon.publish("t:2", 1)
        group = "group:flaky:flaky"
        # a message whose consumer died: read by nobody's consumer, reclaimed, processed
        traffic.publish(client, "other", 1)
        client.xgroup_create("omni-stream:flaky", "group:flaky:gone", id="$")
        wait_for("dead letters",
                 lambda: client.xlen("omni-dlq:group:file_system.tasks:fail") == 2, 20)
        wait_for("a heartbeat", lambda: json.loads(
            client.get("omni:config:supervisor:watched"))["last_heartbeat"] > 0, 20)
        worker.stop()
        # what it left pending is what the next runner reclaims and processes
        client.set(f"omni:config:_subscription_active:{group}", "true")
        traffic.publish(client, "flaky", 1)
        traffic.take(client, "flaky", "flaky", 1)
        worker = omnidaemon.worker(flaky)
        wait_for("a reclaimed message", lambda: truth.bus(client)[group]["reclaimed"] == 1, 20)
        worker.stop()
    client.flushall()
    return shapes(seen)


def test_player_and_traffic_write_what_omnidaemon_writes(redis, client, directory, real_shapes):
    player = Process(directory, "player")
    with redis.monitor() as seen:
        player.start([os.environ["OV_PLAYER"], "--socket", redis.socket, "--rate", "3"])
        wait_for("the player's dead letters", lambda: player.check_alive() and client.xlen(
            "omni-dlq:group:orders.created:fraud-check"), 30)
        wait_for("a message reclaimed by the player", lambda: any(
            events["reclaimed"] for events in truth.bus(client).values()), 30)
        assert player.stop() == 0, player.stderr()
    odd = {shape: command for shape, command in shapes(seen).items() if shape not in real_shapes}
    assert not odd, "\n".join(f"{shape}\n    {command}" for shape, command in odd.items())

    client.flushall()
    with redis.monitor() as seen:
        traffic.register(client, "t", "a", consumer_count=1)
        traffic.start_runner(client)
        traffic.publish(client, "t", 1)
        traffic.add_metrics(client, traffic.task_events("t", "a", "r", seconds=0.5))
        traffic.add_metrics(client, traffic.task_events("t", "a", "r", error=("E", "x")))
        for kind in ("processed", "reclaim_attempt", "reclaimed", "dlq_push"):
            traffic.add_metrics(client, [traffic.bus_event("t", "a", kind)], "omni-metrics")
    odd = {shape: command for shape, command in shapes(seen).items() if shape not in real_shapes}
    assert not odd, "\n".join(f"{shape}\n    {command}" for shape, command in odd.items())


def test_player_refuses_a_redis_in_use(redis, client, directory):
    client.sadd("omni:topics", "real")
    player = Process(directory, "player").start([os.environ["OV_PLAYER"], "--url", redis.unix_url])
    assert player.child.wait(10) == 1
    assert "holds OmniDaemon's data" in player.stderr()
    assert client.dbsize() == 1


@pytest.mark.parametrize("argv,status", [
    (["--help"], 0), (["--seconds", "x"], 1), (["--rate", "-1"], 1), (["--nonsense"], 2),
    (["--url", "http://x"], 1), (["--url", "redis://"], 1), (["--socket", "/nonexistent"], 1),
    (["--url", "redis://127.0.0.1:1"], 1), (["left over"], 1),
])
def test_player_command_line(directory, argv, status):
    player = Process(directory, "player").start([os.environ["OV_PLAYER"], *argv])
    assert player.child.wait(10) == status, player.stderr()
    assert status == 0 or player.stderr()
