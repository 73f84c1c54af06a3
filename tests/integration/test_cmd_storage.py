# SPDX-License-Identifier: Apache-2.0
"""`storage health`, `storage tasks` and `storage prune-index` next to what OmniDaemon's own storage
API tells, before and after."""

import asyncio
import csv
import io
import json
import os
import re
import signal
import threading
import time

import pytest
import redis as redis_client
from omnidaemon.storage.json_store import JSONStore
from omnidaemon.storage.redis_store import RedisStore

from commands import Commands
from servers import RedisServer, free_port, wait_for

TOPIC = "orders.created"
INDEX = "omni:results:index"
DAY = 86400


def payload(task_id, agent="billing", **more):
    """A result as OmniDaemon's runner stores it."""
    return {"content": {"order": 7, "api_key": "s3cret"}, "webhook": None, "topic": TOPIC,
            "task_id": task_id, "agent": agent, "runner_id": "r", "status": "completed",
            "result": {"ok": True}, "timestamp": 1.5, **more}


class Store:
    """OmniDaemon's own storage API, a call at a time."""

    def __init__(self, make):
        self.make = make

    def call(self, *steps):
        """The last answer of several [(method, arguments...)]."""
        async def run():
            store, answer = self.make(), None
            await store.connect()
            for name, *arguments in steps:
                answer = await getattr(store, name)(*arguments)
            if isinstance(store, RedisStore):
                await store.close()
            return answer
        return asyncio.run(run())

    def save(self, *ids, agent="billing", ttl=DAY, **more):
        self.call(*(("save_result", i, payload(i, agent, **more), ttl) for i in ids))

    def results(self):
        return self.call(("list_results", 10_000_000))


@pytest.fixture
def commands(vigil, redis):
    return Commands(vigil, REDIS_URL=redis.unix_url)


@pytest.fixture
def store(redis):
    return Store(lambda: RedisStore(redis.unix_url))


@pytest.fixture
def commands_json(vigil, redis, omnidaemon_json):
    return Commands(vigil, REDIS_URL=redis.unix_url, STORAGE_BACKEND="json",
                    JSON_STORAGE_DIR=omnidaemon_json.json_dir)


@pytest.fixture
def store_json(omnidaemon_json):
    return Store(lambda: JSONStore(omnidaemon_json.json_dir))


def leak(client, count, prefix="gone", at=None):
    """Entries of the index whose results expired."""
    for first in range(0, count, 5000):
        client.zadd(INDEX, {f"{prefix}-{number}": (at or time.time() - 2 * DAY) + number / 1e3
                            for number in range(first, min(first + 5000, count))})


def fill(client, count, prefix="task"):
    """Results with their entries, as OmniDaemon leaves them; faster than it."""
    now = time.time()
    pipeline = client.pipeline(transaction=False)
    for number in range(count):
        task = f"{prefix}-{number}"
        pipeline.setex(f"omni:result:{task}", DAY, json.dumps(
            {"task_id": task, "result": payload(task), "saved_at": now + number / 1e6}))
        pipeline.zadd(INDEX, {task: now + number / 1e6})
        if number % 5000 == 4999:
            pipeline.execute()
    pipeline.execute()


# ---------------------------------------------------------------- health


def test_health_of_a_real_omnidaemon(redis, client, omnidaemon, commands, store):
    omnidaemon.worker({"topic": TOPIC, "name": "billing"}, {"topic": "reports", "name": "writer"})
    omnidaemon.publish(TOPIC, 12)
    wait_for("the results", lambda: client.zcard(INDEX) == 12)
    leak(client, 5)
    told = commands.json("storage", "health")["storage"]
    assert (told["backend"], told["up"], told["fault"]) == ("redis", True, None)
    assert (told["agents"], told["topics"]) == (2, 2)
    assert told["results"] == len(store.results()) == 12
    assert (told["results_indexed"], told["results_leaked"]) == (17, 5)
    assert told["metrics_length"] == client.xlen("omni:metrics:stream")
    assert told["memory_used_bytes"] > 500_000 and 0 < told["latency_seconds"] < 1
    text = commands.run("storage", "health")
    assert "prune-index" in text.stdout and redis.socket in text.stdout
    rows = list(csv.DictReader(io.StringIO(
        commands.run("storage", "health", "--format", "csv").stdout)))
    assert rows[0]["results"] == "12"
    redis.kill()
    done = commands.run("storage", "health", "--format", "json", status=3)
    told = json.loads(done.stdout)["storage"]
    assert told["up"] is False and told["fault"] and redis.socket in told["reason"]
    assert told["results"] is None


def test_health_says_what_is_refused_and_no_secrets(redis, client, vigil):
    client.execute_command("ACL", "SETUSER", "mon", "on", ">s3cret", "~*", "+@all", "-info",
                           "-zcount")
    told = Commands(vigil, REDIS_URL=f"redis://mon:s3cret@127.0.0.1:{redis.port}").run(
        "storage", "health", "--format", "json")
    assert "s3cret" not in told.stdout + told.stderr
    storage = json.loads(told.stdout)
    assert storage["storage"]["memory_used_bytes"] is None
    assert storage["storage"]["results"] is None and storage["storage"]["results_leaked"] is None
    assert any("INFO" in note and "+info" in note for note in storage["notes"])
    assert any("+zcount" in note for note in storage["notes"])


def test_health_of_json_files(omnidaemon_json, commands_json, store_json):
    directory = omnidaemon_json.json_dir
    done = commands_json.run("storage", "health", "--format", "json", status=3)
    assert "json_dir" in json.loads(done.stdout)["storage"]["reason"]
    store_json.save("a", "b")
    store_json.save("old", ttl=1)
    store_json.call(("add_agent", TOPIC, {"name": "billing"}), ("save_config", "k", 1))
    wait_for("expiry", lambda: store_json.call(("get_result", "nothing")) is None and
             time.time() > json.load(open(os.path.join(directory, "results.json"),
                                          encoding="utf-8"))["old"]["expires_at"])
    told = commands_json.json("storage", "health")
    assert (told["storage"]["agents"], told["storage"]["topics"]) == (1, 1)
    assert (told["storage"]["results"], told["storage"]["results_indexed"]) == (2, 3)
    assert told["storage"]["where"] == directory and "notes" not in told
    files = {row["file"]: row for row in told["files"]}
    assert set(files) == {"agents.json", "results.json", "metrics.json", "config.json"}
    for name, row in files.items():
        path = os.path.join(directory, name)
        assert row["exists"] == os.path.exists(path), name
        if row["exists"]:
            assert row["valid"] is True and row["size_bytes"] == os.path.getsize(path)
            assert 0 <= row["age_seconds"] < 60
    for text in ("[{", "[]", "", "\x00"):
        with open(os.path.join(directory, "results.json"), "w", encoding="utf-8") as file:
            file.write(text)
        told = commands_json.json("storage", "health", status=1)
        row, = (row for row in told["files"] if row["file"] == "results.json")
        assert row["valid"] is False and row["error"], text
        assert "save a copy" in told["notes"][0] and told["storage"]["results"] is None
    assert "parses" in commands_json.run("storage", "health", status=1).stdout.lower()


# ---------------------------------------------------------------- tasks


def compare(told, stored):
    """Rows of `storage tasks` against OmniDaemon's own list."""
    assert [row["task_id"] for row in told] == [record["task_id"] for record in stored]
    for row, record in zip(told, stored):
        assert row["status"] == record["result"]["status"]
        assert (row["topic"], row["agent"]) == (record["result"]["topic"],
                                                record["result"]["agent"])
        assert row["flaw"] is None and 0 <= row["age_seconds"] < 120
        assert DAY - 120 < row["expires_in_seconds"] <= DAY


def test_tasks_of_a_real_omnidaemon(client, omnidaemon, commands, store):
    omnidaemon.worker({"topic": TOPIC, "name": "billing"},
                      {"topic": "reports", "name": "writer", "supervised": True})
    omnidaemon.publish(TOPIC, 8)
    omnidaemon.publish("reports", 3)
    wait_for("the results", lambda: client.zcard(INDEX) == 11, 30)
    stored = store.results()
    compare(commands.json("storage", "tasks")["tasks"], stored)
    compare(commands.json("storage", "tasks", "--limit", "4")["tasks"], stored[:4])
    only = commands.json("storage", "tasks", "--agent", "wri*", "-n", "2")
    of_writer = [record for record in stored if record["result"]["agent"] == "writer"]
    compare(only["tasks"], of_writer[:2])
    assert "newest 2" in only["notes"][0]
    assert len(commands.json("storage", "tasks", "--topic", TOPIC)["tasks"]) == 8
    for record in stored[:3]:
        told, = commands.json("storage", "tasks", record["task_id"], "--bytes", "0")["tasks"]
        assert told["result"] == store.call(("get_result", record["task_id"]))
    text = commands.run("storage", "tasks", stored[0]["task_id"]).stdout
    assert '"runner_id": ' in text and "completed" in text


def test_tasks_in_json_files(omnidaemon_json, commands_json, store_json):
    assert "results.json" in commands_json.run("storage", "tasks", status=3).stderr
    store_json.save(*(f"task-{number}" for number in range(7)))
    store_json.save("other", agent="fraud-check")
    stored = store_json.results()
    compare(commands_json.json("storage", "tasks")["tasks"], stored)
    compare(commands_json.json("storage", "tasks", "-n", "3")["tasks"], stored[:3])
    compare(commands_json.json("storage", "tasks", "--agent", "fraud*")["tasks"], stored[:1])
    told, = commands_json.json("storage", "tasks", "other", "--bytes", "0")["tasks"]
    assert told["result"] == payload("other", "fraud-check")
    path = os.path.join(omnidaemon_json.json_dir, "results.json")
    with open(path, encoding="utf-8") as file:
        records = json.load(file)
    records["task-6"]["expires_at"] = time.time() - 1
    with open(path, "w", encoding="utf-8") as file:
        json.dump(records, file)
    before = os.stat(path)
    told = commands_json.json("storage", "tasks")
    assert [row["task_id"] for row in told["tasks"]] == [
        record["task_id"] for record in stored if record["task_id"] != "task-6"]
    assert "1 more expired" in told["notes"][0]
    told = commands_json.json("storage", "tasks", "task-6", status=1)
    assert told["tasks"] == [] and "expired" in told["notes"][0]
    assert "no result" in commands_json.json("storage", "tasks", "7", status=1)["notes"][0]
    after = os.stat(path)
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"a": ')
    done = commands_json.run("storage", "tasks", status=3)
    assert "results.json" in done.stderr and "save a copy" in done.stderr


def test_expired_results_are_never_shown_as_present(client, commands, store):
    store.save("here", "gone")
    store.save("brief", ttl=1)
    client.delete("omni:result:gone")
    wait_for("expiry", lambda: not client.exists("omni:result:brief"))
    told = commands.json("storage", "tasks")
    assert [row["task_id"] for row in told["tasks"]] == ["here"]
    assert "2 more in the index" in told["notes"][0]
    for task in ("gone", "brief"):
        told = commands.json("storage", "tasks", task, status=1)
        assert told["tasks"] == [] and "expired or was deleted" in told["notes"][0]
    assert client.zcard(INDEX) == 3  # OmniDaemon's own get_result would have removed them
    client.zrem(INDEX, "here")  # as it may be between the two steps of a save
    told, = commands.json("storage", "tasks", "here")["tasks"]
    assert told["status"] == "completed" and told["saved_at"] is None
    assert "no results" in commands.run("storage", "tasks").stdout


def test_tasks_takes_bounded_steps(redis, client, commands):
    fill(client, 700)
    leak(client, 300, at=time.time() + 10)
    with redis.monitor() as seen:
        told = commands.json("storage", "tasks", "-n", "500")
    assert [row["task_id"] for row in told["tasks"]] == [
        f"task-{number}" for number in range(699, 199, -1)]
    assert "300 more in the index" in told["notes"][-1]
    asked = seen.commands()
    names = {command[0].upper() for command in asked}
    assert not names & {"KEYS", "SCAN", "GET", "MGET", "ZSCAN"}
    for command in asked:
        if command[0] == "ZREVRANGE":
            assert int(command[3]) - int(command[2]) < 100
        if command[0] == "GETRANGE":
            assert int(command[3]) < 1 << 20


HOSTILE = ["", " ", "a b", "-n", "*", "x:\x1b[31m\n,ü=\"", "ü" * 300, "'; FLUSHALL\r\n"]


@pytest.mark.parametrize("backend", ["redis", "json"])
def test_hostile_ids_and_results(request, redis, client, backend):
    store = request.getfixturevalue("store" if backend == "redis" else "store_json")
    commands = request.getfixturevalue("commands" if backend == "redis" else "commands_json")
    store.save(*HOSTILE)
    store.save("deep", result=json.loads("[" * 60 + "]" * 60))
    store.save("large", result="x" * 400_000)
    store.call(("save_result", "no object", ["\x1b[2J", float("nan"), float("inf")], DAY),
               ("save_result", "texts", {"status": 7, "topic": None, "agent": {}}, DAY))
    if backend == "redis":
        raw = redis_client.Redis(unix_socket_path=redis.socket)
        for name, value in {b"\xff\xfe": b"\xff", b"none": b"", b"nul\0": b'{"result": 1',
                            b"null": b"null"}.items():
            raw.set(b"omni:result:" + name, value)
            raw.zadd(INDEX, {name: float("inf") if name == b"none" else -5})
        raw.lpush("omni:result:list", "x")
        raw.zadd(INDEX, {"list": 1e300})
    count = len(store.results()) if backend == "json" else client.zcard(INDEX)
    told = commands.json("storage", "tasks", "-n", "1000")["tasks"]
    assert len(told) == count
    flaws = {row["task_id"]: row["flaw"] for row in told if row["flaw"]}
    assert set(flaws) == ({"large"} if backend == "json" else
                          {"large", "\ufffd\ufffd", "none", "nul\0", "list"})
    for form in ("table", "csv"):
        done = commands.run("storage", "tasks", "-n", "1000", "--format", form)
        assert form == "csv" or "\x1b" not in done.stdout
    for name in HOSTILE + ["deep", "no object", "texts"]:
        row, = commands.json("storage", "tasks", "--bytes", "0", "--", name)["tasks"]
        assert row["task_id"] == name
        if name in HOSTILE:
            assert row["result"] == payload(name)
        done = commands.run("storage", "tasks", "--mask", "*key*", "--", name)
        assert "\x1b" not in done.stdout and "s3cret" not in done.stdout
    row, = commands.json("storage", "tasks", "large")["tasks"]
    assert row["flaw"] is None and row["size_bytes"] > 400_000 and len(json.dumps(row)) < 10_000
    row, = commands.json("storage", "tasks", "large", "--bytes", "0")["tasks"]
    assert row["result"] == payload("large", result="x" * 400_000)
    if backend == "redis":
        for name in ("none", "list", "null"):
            commands.run("storage", "tasks", name)
    for wrong in (("--limit", "0"), ("--bytes", "x"), ("a", "b")):
        commands.run("storage", "tasks", *wrong, status=2)


# ---------------------------------------------------------------- prune-index


def whole(client):
    """Every result that is there is in the index."""
    return all(client.zscore(INDEX, key.removeprefix("omni:result:")) is not None
               for key in client.scan_iter("omni:result:*"))


@pytest.mark.parametrize("results, leaked", [(0, 0), (3, 2), (0, 700), (1500, 1700)])
def test_prune_removes_what_is_gone_and_nothing_else(client, commands, store, results, leaked):
    fill(client, results)
    leak(client, leaked)
    before = store.results()
    index = client.zrange(INDEX, 0, -1, withscores=True)
    for args in ((), ("--dry-run",), ("--dry-run", "--yes")):
        told = commands.json("storage", "prune-index", *args)
        assert told["prune_index"] == {
            "indexed": results + leaked, "results": results, "leaked": leaked, "removed": 0,
            "dry_run": True}
        assert not leaked or "--yes" in told["notes"][0]
    assert client.zrange(INDEX, 0, -1, withscores=True) == index
    told = commands.json("storage", "prune-index", "--yes")["prune_index"]
    assert (told["leaked"], told["removed"], told["dry_run"]) == (leaked, leaked, False)
    assert client.zrange(INDEX, 0, -1, withscores=True) == [
        entry for entry in index if entry[0].startswith("task-")]
    assert store.results() == before and len(before) == results
    text = commands.run("storage", "prune-index").stdout
    assert "Nothing was changed" not in text and re.search(rf"\b{results} +{results} +0 +0", text)


def test_prune_after_a_real_expiry(client, omnidaemon, commands, store):
    omnidaemon.worker({"topic": TOPIC, "name": "billing"})
    omnidaemon.publish(TOPIC, 6)
    wait_for("the results", lambda: client.zcard(INDEX) == 6)
    tasks = client.zrange(INDEX, 0, -1)
    for task in tasks[:4]:
        client.pexpire(f"omni:result:{task}", 1)
    wait_for("expiry", lambda: client.exists(*(f"omni:result:{t}" for t in tasks)) == 2)
    before = store.results()
    assert commands.json("storage", "prune-index", "--yes")["prune_index"]["removed"] == 4
    assert store.results() == before and [r["task_id"] for r in before] == tasks[:3:-1]
    assert commands.json("storage", "health")["storage"]["results_leaked"] == 0
    omnidaemon.publish(TOPIC, 1)
    wait_for("one more", lambda: len(store.results()) == 3)


def test_a_result_saved_between_look_and_removal_stays(redis, client, commands, store):
    """Writes are held up by Redis, in the order they came in: a save comes after the look and
    before the removal."""
    leak(client, 300)
    client.execute_command("CLIENT", "PAUSE", "60000", "WRITE")
    try:
        saver = threading.Thread(target=store.save, args=("gone-7",))
        saver.start()
        wait_for("the save", lambda: any(c["cmd"] == "setex" for c in client.client_list()))
        pruner = commands.start("storage", "prune-index", "--yes", "--format", "json")
        wait_for("the removal", lambda: any(c["cmd"] == "eval" for c in client.client_list()))
    finally:
        client.execute_command("CLIENT", "UNPAUSE")
    told = json.loads(pruner.communicate(timeout=30)[0])["prune_index"]
    saver.join()
    assert (told["leaked"], told["removed"]) == (300, 299)
    assert [record["task_id"] for record in store.results()] == ["gone-7"]


def test_killed_in_the_middle(client, commands, store):
    fill(client, 6000)
    leak(client, 30_000)
    before = store.results()
    cut = 0
    for _ in range(40):
        left = client.zcard(INDEX)
        pruner = commands.start("storage", "prune-index", "--yes")
        wait_for("the first removals",
                 lambda: client.zcard(INDEX) < left or pruner.poll() is not None, pause=0)
        pruner.send_signal(signal.SIGKILL)
        pruner.communicate(timeout=30)
        cut += 6000 < client.zcard(INDEX) < left
        if client.zcard(INDEX) == 6000:
            break
    assert cut >= 3 and whole(client) and store.results() == before
    commands.run("storage", "prune-index", "--yes")
    assert client.zcard(INDEX) == 6000 and whole(client) and store.results() == before


def test_refusals_of_prune_change_nothing(redis, client, vigil, commands):
    leak(client, 50)
    rights = "+@read +ping +client|setname +eval +zrem"
    for missing, said in (("-eval", "EVAL"), ("-zrem", "EVAL"), ("-zscan", "ZSCAN"),
                          ("-exists", "EXISTS"), ("-zcard", "ZCARD")):
        client.execute_command("ACL", "SETUSER", "ops", "reset", "on", ">pw", "~*",
                               *rights.split(), missing)
        ops = Commands(vigil, REDIS_URL=f"redis://ops:pw@127.0.0.1:{redis.port}")
        done = ops.run("storage", "prune-index", "--yes", status=3)
        assert said in done.stderr and "ACL SETUSER" in done.stderr, (missing, done.stderr)
        assert client.zcard(INDEX) == 50
        ops.run("storage", "prune-index", status=0 if said == "EVAL" else 3)
    client.execute_command("ACL", "SETUSER", "ops", "reset", "on", ">pw", f"~{INDEX}",
                           *rights.split())
    assert "ACL" in ops.run("storage", "prune-index", "--yes", status=3).stderr
    client.config_set("maxmemory", "1")  # it frees memory, and may do so where there is none
    assert commands.json("storage", "prune-index", "--yes")["prune_index"]["removed"] == 50
    client.config_set("maxmemory", "0")
    client.set(INDEX, "x")
    assert "WRONGTYPE" in commands.run("storage", "prune-index", status=3).stderr
    assert "WRONGTYPE" in commands.run("storage", "tasks", status=3).stderr


def test_prune_needs_the_master_and_one_slot(directory, redis, client, vigil):
    leak(client, 5)
    for name in ("replica", "cluster"):
        os.mkdir(os.path.join(directory, name))
    client.config_set("repl-diskless-sync-delay", 0)
    replica = RedisServer(os.path.join(directory, "replica"), "--replicaof", "127.0.0.1",
                          str(redis.port))
    try:
        wait_for("the replica", lambda: replica.client().zcard(INDEX) == 5)
        commands = Commands(vigil, REDIS_URL=replica.unix_url)
        assert commands.json("storage", "prune-index")["prune_index"]["leaked"] == 5
        assert "master" in commands.run("storage", "prune-index", "--yes", status=3).stderr
    finally:
        replica.kill()
    cluster = RedisServer(os.path.join(directory, "cluster"), "--cluster-enabled", "yes",
                          "--cluster-port", str(free_port()))
    try:
        of_cluster = cluster.client()
        of_cluster.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        wait_for("the cluster",
                 lambda: "cluster_state:ok" in of_cluster.execute_command("CLUSTER", "INFO"))
        leak(of_cluster, 5)
        commands = Commands(vigil, REDIS_URL=cluster.unix_url)
        done = commands.run("storage", "prune-index", "--yes", status=3)
        assert "cluster" in done.stderr and of_cluster.zcard(INDEX) == 5
    finally:
        cluster.kill()


def test_json_storage_has_no_index(commands_json, store_json):
    store_json.save("a")
    told = commands_json.json("storage", "prune-index", "--yes")
    assert "no index" in told["notes"][0]
    assert "no index" in commands_json.run("storage", "prune-index").stdout
    assert len(store_json.results()) == 1


def test_the_operator_of_the_readme(redis, client, vigil):
    leak(client, 20)
    readme = os.path.join(os.path.dirname(__file__), "..", "..", "README.md")
    with open(readme, encoding="utf-8") as file:
        rule = file.read().partition("ACL SETUSER index-operator")[2].partition("```")[0]
    client.execute_command("ACL", "SETUSER", "index-operator",
                           *rule.replace("\\\n", "").replace("'", "").split())
    commands = Commands(vigil, REDIS_URL=f"redis://index-operator:s3cret@127.0.0.1:{redis.port}")
    done = commands.run("storage", "prune-index", "--yes")
    assert done.stderr == "" and client.zcard(INDEX) == 0
