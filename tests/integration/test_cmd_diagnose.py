# SPDX-License-Identifier: Apache-2.0
"""`omnivigil diagnose`: a real OmniDaemon or Redis is broken in one way after another, and that way
is what is found first; what is healthy is never a finding."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import time

import pytest

import names
import traffic
import truth
from conftest import OmniDaemon
from servers import RedisServer, wait_for

OK = {"topic": "orders", "name": "invoice", "do": "ok", "ms": 5}
MAIL = {"topic": "mail.out", "name": "send it", "do": "ok", "consumer_count": 2}
GROUP = "group:orders:invoice"
FINE, FOUND, USAGE, UNABLE = 0, 1, 2, 3


@pytest.fixture
def redis(directory):
    """One that keeps what it has: without that there is always a finding."""
    server = RedisServer(directory, "--appendonly", "yes", "--enable-protected-configs", "yes")
    yield server
    server.kill()


class Diagnosis:
    def __init__(self, done):
        self.status, self.stderr = done.returncode, done.stderr
        self.text = done.stdout
        self.json = json.loads(done.stdout)
        self.findings = self.json["findings"]
        self.names = [f["name"] for f in self.findings]
        self.causes = [f["name"] for f in self.findings if not f["cause"]]

    def __repr__(self):
        return json.dumps(self.findings, indent=1)

    def only(self, name):
        """The finding, which leads alone."""
        assert self.causes == [name], self
        assert self.status == FOUND
        return self.findings[0]

    def check(self, name):
        return next(c["result"] for c in self.json["checks"] if c["check"] == name)


@pytest.fixture
def diagnose(redis, vigil, directory):
    def run(*args, url=None, storage="redis", **env):
        env = {"REDIS_URL": url or redis.unix_url, "STORAGE_BACKEND": storage,
               "JSON_STORAGE_DIR": os.path.join(directory, "omnidaemon_data"), **env}
        env = {name: value for name, value in env.items() if value is not None}
        return Diagnosis(vigil.command("diagnose", "--format", "json", *args, **env))

    return run


def paste(vigil, line, status=0):
    """Runs a command as a person would who pasted it, in a shell of its own."""
    done = subprocess.run(["bash", "-c", line], env=vigil.env, cwd=vigil.directory, timeout=30,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="backslashreplace", check=False)
    assert done.returncode == status, (line, done.stdout, done.stderr)
    return done.stdout


# ---------------------------------------------------------------- nothing is wrong


@pytest.mark.parametrize("backend", ["redis", "json"])
def test_a_healthy_omnidaemon(redis, client, directory, vigil, diagnose, backend):
    real = OmniDaemon(directory, redis.unix_url, backend)
    try:
        worker = real.worker(OK, MAIL)
        started = diagnose(storage=backend)
        assert started.status == FINE and started.findings == [], started
        real.publish("orders", 300)  # while they are worked on
        busy = diagnose(storage=backend)
        assert busy.status == FINE, busy
        wait_for("all of them", lambda: truth.bus(client).get(
            GROUP, {}).get("processed") == 300, 30)
        idle = diagnose(storage=backend)
        assert idle.status == FINE, idle
        assert {c["result"] for c in idle.json["checks"]} == {"fine"}
        assert idle.json["about"]["result"] == "fine"
        assert idle.json["about"]["redis"] == client.info("server")["redis_version"]
        env = {"REDIS_URL": redis.unix_url, "STORAGE_BACKEND": backend,
               "JSON_STORAGE_DIR": real.json_dir}
        text = vigil.command("diagnose", **env)
        assert text.returncode == FINE
        assert text.stdout.startswith("Nothing is wrong.\nFine: environment, connection, ")
        assert len(text.stdout.splitlines()) == 2
        everything = vigil.command("diagnose", "-v", **env).stdout
        assert "persistence" in everything and "append-only file" in everything
        worker.stop(seconds=20)  # in an orderly way, with nothing left to do
        stopped = diagnose(storage=backend)
        assert stopped.status == FINE, stopped
    finally:
        real.close()


def test_agents_that_start_while_it_looks(redis, omnidaemon, diagnose):
    """Whatever moment of a start it meets."""
    for round in range(3):
        worker = omnidaemon.worker({**OK, "name": f"a{round}"}, {**MAIL, "name": f"b{round}"})
        found = diagnose("--agent", f"[ab]{round}")
        assert found.status == FINE, found
        worker.stop(seconds=20)


# ---------------------------------------------------------------- what goes wrong


def test_a_callback_that_raises_on_one_kind_of_payload(client, omnidaemon, vigil, diagnose):
    omnidaemon.worker({**OK, "reclaim_idle_ms": 200, "dlq_retry_limit": 1,
                       "message": "no amount in order 17"}, MAIL)
    omnidaemon.publish("orders", 20, content="ok")
    omnidaemon.publish("orders", 3, content="fail")
    wait_for("dead letters", lambda: client.xlen("omni-dlq:group:orders:invoice") == 3, 30)
    found = diagnose()
    first = found.only("given-up")
    assert (first["topic"], first["agent"]) == ("orders", "invoice")
    assert first["finding"] == "agent invoice on orders gave up 3 tasks"
    assert "dead letters 3" in first["evidence"]
    assert "of the newest 3, 3 with ValueError: no amount in order 17" in first["evidence"]
    assert "invalid data" in first["meaning"]
    assert first["next"] == "omnivigil bus dlq --group --agent invoice orders"
    assert found.names == ["given-up", "failing"]
    assert first["consequences"] == 1
    assert found.findings[1]["cause"] == first["finding"]
    text = vigil.command("diagnose", REDIS_URL=omnidaemon.env["REDIS_URL"],
                         STORAGE_BACKEND="redis").stdout
    assert "agent invoice on orders gave up 3 tasks" in text.splitlines()[0]
    assert "1 other finding depends on this one" in text and "success ratio" not in text


def test_a_killed_runner(redis, omnidaemon, diagnose):
    worker = omnidaemon.worker(OK, MAIL)
    assert diagnose().status == FINE
    worker.stop(signal.SIGKILL)
    omnidaemon.publish("orders", 7)
    found = wait_for("its death", lambda: (d := diagnose()).status and d, 60, 1)
    first = found.only("runner-lost")
    assert first["severity"] == "critical" and "tasks that wait 7" in first["evidence"]
    omnidaemon.worker(OK, MAIL)
    wait_for("another one", lambda: diagnose().status == FINE, 30, 0.5)


def test_a_stopped_runner_while_tasks_wait(omnidaemon, diagnose):
    omnidaemon.worker(OK).stop(seconds=20)
    omnidaemon.publish("orders", 4)
    first = diagnose().only("runner-stopped")
    assert "undelivered 4" in first["evidence"]


def test_a_lost_group(client, omnidaemon, diagnose):
    omnidaemon.worker(OK, MAIL)
    client.xgroup_destroy("omni-stream:orders", GROUP)
    first = diagnose().only("no-group")
    assert (first["topic"], first["agent"]) == ("orders", "invoice")
    assert first["severity"] == "critical" and "restart its runner" in first["meaning"]
    assert diagnose("--topic", "mail.*").status == FINE


def test_a_topic_that_is_trimmed(client, omnidaemon, diagnose):
    omnidaemon.worker({**OK, "do": "stall", "reclaim_idle_ms": 600_000})
    omnidaemon.publish("orders", 10)
    wait_for("ten taken", lambda: truth.pending(client, "orders", GROUP) == 10)
    omnidaemon.publish("orders", 700, maxlen=200)
    left = truth.undelivered(client, "orders", GROUP)
    lost = 710 - left - truth.pending(client, "orders", GROUP)
    assert lost > 0
    first = diagnose().only("lost")
    assert first["finding"] == (f"{lost} tasks for invoice on orders were trimmed before delivery, "
                                "and more are now")
    assert first["severity"] == "critical" and "a minute are published" in first["evidence"]
    assert f"holds {client.xlen('omni-stream:orders')} entries of 710" in first["meaning"]
    assert "10 000" not in first["meaning"].split("not by")[0]
    omnidaemon.workers[-1].kill()
    while traffic.take(client, "orders", "invoice", 1000, ack=True):
        pass
    over = diagnose("--agent", "invoice")
    assert "lost" not in over.names
    assert f"{lost} tasks for invoice on orders were trimmed" in over.json["notes"][0]


def test_near_the_limit(client, omnidaemon, diagnose):
    omnidaemon.worker({**OK, "do": "stall", "reclaim_idle_ms": 600_000})
    traffic.publish(client, "orders", 9000)
    first = diagnose().findings[0]
    assert first["name"] == "trim-risk" and first["severity"] == "critical"


def test_a_poison_message(client, omnidaemon, vigil, diagnose):
    omnidaemon.worker({**OK, "reclaim_idle_ms": 100, "dlq_retry_limit": 2}, reclaim_interval=0.2)
    id = client.xadd("omni-stream:orders", {"data": json.dumps(["no", "object"])})

    def deliveries():
        entries = client.xpending_range("omni-stream:orders", GROUP, "-", "+", 9)
        return entries and entries[0]["times_delivered"] >= 6

    wait_for("deliveries", deliveries, 30)
    first = diagnose().only("poison")
    assert f"entry {id}" in first["evidence"] and '["no", "object"]' in first["evidence"]
    assert first["next"] == f"omnivigil bus inspect --id {id} orders"


def test_entries_nobody_comes_back_for(client, omnidaemon, vigil, diagnose):
    omnidaemon.worker({**OK, "reclaim_idle_ms": 1000}, reclaim_interval=3600)
    ids = traffic.publish(client, "orders", 2)
    wait_for("both", lambda: truth.bus(client).get(GROUP, {}).get("processed") == 2)
    client.xclaim("omni-stream:orders", GROUP, "consumer:gone-7", 0, ids, idle=900_000, force=True)
    first = diagnose().only("abandoned")
    assert "consumer:gone-7" in first["evidence"] and "15 min" in first["evidence"]
    assert "2 tasks" in first["finding"]
    assert ids[0] in paste(vigil, first["next"])


def test_a_slow_agent(client, redis, diagnose):
    traffic.register(client, "orders", "invoice")
    for _ in range(20):
        traffic.add_metrics(client, traffic.task_events("orders", "invoice", "r", seconds=42))
    found = diagnose()
    assert "slow" in found.names, found
    assert "processing p95 42 s" in found.findings[found.names.index("slow")]["evidence"]


def test_groups_without_agents(client, omnidaemon, vigil, diagnose):
    omnidaemon.worker(OK)
    client.xgroup_create("omni-stream:orders", "group:orders:of old", id="0")
    client.xgroup_create("omni-stream:orders", "somebody else's", id="0")
    first = diagnose().only("orphan-group")
    assert first["agent"] == "of old"
    paste(vigil, first["next"])
    assert diagnose().status == FINE


def test_no_group_in_use_is_to_be_removed(client, omnidaemon, diagnose):
    """Tasks that wait or are under way show that, or that all were taken lately."""
    omnidaemon.worker(OK)
    traffic.publish(client, "other", 3)
    for agent in ("waiting", "under way", "up to date"):
        client.xgroup_create("omni-stream:other", f"group:other:{agent}", id="0")
    traffic.take(client, "other", "under way", 3)
    traffic.take(client, "other", "up to date", 3, ack=True)
    found = diagnose()
    orphans = {f["agent"]: f for f in found.findings if f["name"] == "orphan-group"}
    assert set(orphans) == {"waiting", "under way", "up to date"}, found
    assert {f["next"] for f in orphans.values()} == {"omnivigil bus groups other"}
    assert "do not remove it" in orphans["up to date"]["meaning"]
    assert "a removal of the group drops" in orphans["waiting"]["meaning"]


@pytest.mark.parametrize("prefix", ["shop", "it's; touch pwned"])
def test_storage_under_another_prefix(client, omnidaemon, vigil, diagnose, prefix):
    """Neither with agents under the right one that work, nor with those of others beside."""
    omnidaemon.env["REDIS_KEY_PREFIX"] = prefix
    omnidaemon.worker(OK, MAIL)
    omnidaemon.publish("orders", 5)
    wait_for("all", lambda: truth.bus(client).get(GROUP, {}).get("processed") == 5)
    for number in range(3000):  # results beside, so that one step of a scan is not all
        client.set(f"{prefix}:result:{number}", "{}")
    found = diagnose()
    first = found.only("other-storage")
    assert first["severity"] == "critical" and prefix in first["evidence"], found
    assert "destroy" not in json.dumps(found.json)
    assert diagnose(REDIS_KEY_PREFIX=prefix).status == FINE
    told = paste(vigil, f"{first['next']}; echo \"$REDIS_KEY_PREFIX\"")
    assert told == prefix + "\n"
    assert not os.path.exists(os.path.join(vigil.directory, "pwned"))
    traffic.register(client, "bills", "clerk")  # an agent here, too: that is another OmniDaemon
    traffic.start_runner(client)
    assert "orphan-group" not in diagnose().names


def test_storage_that_is_nowhere_to_be_found(client, omnidaemon_json, directory, diagnose):
    omnidaemon_json.worker(OK)
    omnidaemon_json.publish("orders", 5)
    wait_for("all", lambda: truth.bus(client).get(GROUP, {}).get("processed") == 5)
    empty = os.path.join(directory, "empty")
    os.mkdir(empty)
    found = diagnose(JSON_STORAGE_DIR=empty, storage="json")
    first = found.findings[0]
    assert first["name"] == "other-storage" and GROUP in first["evidence"], found
    assert "JSON_STORAGE_DIR" in first["meaning"]
    assert "destroy" not in json.dumps(found.json)


def test_a_corrupt_file(omnidaemon_json, vigil, diagnose):
    omnidaemon_json.worker(OK)
    path = os.path.join(omnidaemon_json.json_dir, "agents.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"orders": [')
    found = diagnose(storage="json")
    first = found.findings[0]
    assert first["name"] == "file-corrupt" and first["severity"] == "critical", found
    assert "agents.json" in first["evidence"]
    paste(vigil, first["next"])
    with open(path + ".saved", encoding="utf-8") as file:
        assert file.read() == '{"orders": ['


def test_an_index_that_leaks(redis, client, omnidaemon, vigil, diagnose):
    omnidaemon.worker(OK)
    omnidaemon.publish("orders", 2)
    wait_for("two results", lambda: client.zcard("omni:results:index") == 2)
    day = time.time() - 2 * 86400
    for start in range(0, 12_000, 4000):
        client.zadd("omni:results:index", {f"t{start + i}": day for i in range(4000)})
    first = diagnose().only("index-leak")
    assert "results indexed 12002, results 2" in first["evidence"]
    assert first["next"] == "omnivigil storage prune-index"
    words = [*shlex.split(first["next"])[1:], "--yes"]
    done = vigil.command(*words, REDIS_URL=redis.unix_url, STORAGE_BACKEND="redis")
    assert done.returncode == FINE, done.stderr
    assert client.zcard("omni:results:index") == 2 and diagnose().status == FINE


# ---------------------------------------------------------------- Redis


def test_a_server_that_is_down(redis, omnidaemon, diagnose):
    omnidaemon.worker(OK)
    redis.kill()
    found = diagnose(url=redis.url)
    assert found.status == UNABLE and found.causes == ["bus-down"]
    assert "refused" in found.findings[0]["evidence"]
    assert found.findings[0]["next"] == f"redis-cli -h 127.0.0.1 -p {redis.port} ping"
    assert found.check("consumer groups") == "not looked at"
    assert found.findings[0]["consequences"] == len(found.findings) - 1


@pytest.mark.parametrize("login, said", [("", "noauth"), (":wr0ng@", "wrongpass"),
                                         ("nobody:wr0ng@", "wrongpass")])
def test_a_wrong_password(redis, client, diagnose, login, said):
    client.config_set("requirepass", "s3cret")
    found = diagnose(url=f"redis://{login}127.0.0.1:{redis.port}")
    assert found.status == UNABLE and found.causes == ["bus-down"]
    assert said in found.findings[0]["finding"] and "wr0ng" not in found.text + found.stderr
    asks = " --askpass" if login else ""
    assert found.findings[0]["next"].endswith(asks + " ping")
    client.execute_command("AUTH", "s3cret")
    client.config_set("requirepass", "")


NEEDED = ("+ping", "+time", "+info", "+client|list", "+client|setname", "+scan", "+exists", "+get",
          "+hget", "+sscan", "+smembers", "+scard", "+zcard", "+zcount", "+xlen", "+xrange",
          "+xrevrange", "+xread", "+xpending", "+xinfo|stream", "+xinfo|groups", "+xinfo|consumers",
          "+object|idletime")
KEYS = ("%R~omni-stream:*", "%R~omni-dlq:*", "%R~omni-metrics", "%R~omni:*")


@pytest.mark.parametrize("missing", [
    ("+xinfo|groups", "+xinfo|consumers", "+xpending"), ("%R~omni-dlq:*",), ("%R~omni:*", "+time"),
    (),
])
def test_permissions(redis, client, omnidaemon, vigil, diagnose, missing):
    omnidaemon.worker(OK)
    client.execute_command("ACL", "SETUSER", "looker", "on", ">pw", "resetkeys",
                           *(rule for rule in KEYS + NEEDED if rule not in missing))
    url = f"redis://looker:pw@127.0.0.1:{redis.port}"
    found = diagnose(url=url)
    if not missing:
        assert found.status == FINE, found
        return
    first = found.only("refused")
    assert "looker" in first["finding"] and "pw" not in first["next"].split()
    for rule in missing:
        assert rule.lstrip("%R~") in first["next"], first
    # who may grant is another user than the one who lacks it
    paste(vigil, first["next"].replace(" --user looker --askpass", ""))
    assert diagnose(url=url).status == FINE


def test_a_policy_that_evicts(redis, client, omnidaemon, vigil, diagnose):
    omnidaemon.worker(OK)
    client.config_set("maxmemory", "200mb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    first = diagnose().only("eviction")
    assert "allkeys-lru" in first["evidence"]
    paste(vigil, first["next"])
    assert diagnose().status == FINE


def test_keys_that_were_evicted(redis, client, omnidaemon, diagnose):
    omnidaemon.worker(OK)
    for i in range(200):
        client.set(f"ballast:{i}", "x" * 100_000)
    client.config_set("maxmemory-policy", "allkeys-random")
    client.config_set("maxmemory", client.info("memory")["used_memory"] - 2_000_000)
    client.set("one", "more")
    first = diagnose().findings[0]
    assert first["name"] == "evicted" and first["severity"] == "critical"


def test_a_redis_without_streams(fake_redis, diagnose):
    """Which no longer is to be had."""
    info = "# Server\r\nredis_version:4.0.14\r\nrole:master\r\n"
    old = fake_redis([["PING", "+PONG\r\n"], ["TIME", "*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n"],
                      ["INFO", f"${len(info)}\r\n{info}\r\n"], ["SMEMBERS", "*0\r\n"],
                      ["SCAN", "*2\r\n$1\r\n0\r\n*0\r\n"], ["GET", "$-1\r\n"],
                      ["*", "-ERR unknown command\r\n"]])
    found = diagnose(url=old.url)
    assert found.status == FOUND and found.causes[0] == "version", found
    assert "4.0.14" in found.findings[0]["evidence"] and "refused" not in found.causes


def test_no_persistence(redis, client, omnidaemon, vigil, diagnose):
    omnidaemon.worker(OK)
    client.config_set("appendonly", "no")
    client.config_set("save", "")
    first = diagnose().only("no-persistence")
    paste(vigil, first["next"])
    assert diagnose().status == FINE
    client.config_set("appendonly", "no")
    client.config_set("save", "3600 1")
    assert diagnose().status == FINE


def test_a_save_that_failed(redis, client, omnidaemon, directory, diagnose):
    omnidaemon.worker(OK)
    gone = os.path.join(directory, "gone")
    os.mkdir(gone)
    client.config_set("appendonly", "no")
    client.config_set("dir", gone)
    os.rmdir(gone)
    client.bgsave()
    wait_for("a failed save", lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
    client.config_set("save", "3600 1")
    first = diagnose().only("save-failed")
    assert "rdb_last_bgsave_status err" in first["evidence"]


def test_clocks(client, omnidaemon, diagnose):
    omnidaemon.worker(OK)
    events = [{**event, "timestamp": event["timestamp"] - 90}
              for event in traffic.task_events("orders", "invoice", "slow-host", seconds=1)]
    traffic.add_metrics(client, events)
    first = diagnose().only("clock")
    assert first["finding"].startswith("the clock of runner slow-host is 90 s behind")


# ---------------------------------------------------------------- environment, and where it is


def test_nothing_of_omnidaemon(redis, client, diagnose):
    client.set("something", "else")
    first = diagnose().only("nothing-here")
    assert "databases with keys: db0" in first["evidence"]


def test_another_database(redis, client, vigil, diagnose):
    """One without keys, and one that is not there: the next command works, and helps."""
    traffic.register(client, "orders", "invoice")
    url = f"redis://127.0.0.1:{redis.port}/"
    first = diagnose(url=url + "5").only("nothing-here")
    assert "omni:topics" in paste(vigil, first["next"])
    found = diagnose(url=url + "99")
    assert found.status == UNABLE and paste(vigil, found.findings[0]["next"]).split() == [
        "databases", "16"]


def test_storage_is_elsewhere(redis, omnidaemon, diagnose):
    omnidaemon.worker(OK)
    found = diagnose(storage=None)
    first = found.only("other-storage")
    assert first["next"] == "export STORAGE_BACKEND=redis"


def test_variables(redis, omnidaemon, vigil, diagnose):
    omnidaemon.worker(OK)
    assert diagnose(EVENT_BUS_TYPE="redis_stream").status == FINE
    first = diagnose(EVENT_BUS_TYPE="kafka").only("bus-type")
    assert "EVENT_BUS_TYPE=kafka" in first["evidence"]
    secret = f"redis://u:s3cret@127.0.0.1:{redis.port}/3"
    path = vigil.write("other.env", f"REDIS_URL='{secret}'\nSTORAGE_BACKEND=redis\n")
    found = diagnose("--env-file", path)
    first = found.only("overridden")
    assert f"redis://127.0.0.1:{redis.port}/3" in first["evidence"]
    assert "s3cret" not in found.text + found.stderr
    row = next(r for r in found.json["environment"] if r["variable"] == "REDIS_URL")
    assert row["file"] == f"redis://127.0.0.1:{redis.port}/3"
    vigil.write("settings.ini", "[settings]\n")
    assert "contradiction" in diagnose("--env-file", path).names


def test_a_prefix_for_files(omnidaemon_json, diagnose):
    omnidaemon_json.worker(OK)
    assert diagnose(storage="json").status == FINE
    first = diagnose(storage="json", REDIS_KEY_PREFIX="shop").only("contradiction")
    assert "REDIS_KEY_PREFIX=shop" in first["evidence"]


# ---------------------------------------------------------------- hostile names


HOSTILE = ["plain", "two words", "it's", '"; touch pwned; "', "$(touch pwned)", "`touch pwned`",
           "a\nb; touch pwned", "-n", "--help", "*?[a]\\", "!history", "~", "tab\there", "überall",
           "a\\'b\\n", "{a,b}", "#no comment", "\x1b[31mred", "a'$'\n'b", "%s%n"]


def test_hostile_names_in_pasted_commands(redis, client, vigil, diagnose):
    """Topics and agents of any name; one has bytes that are no UTF-8."""
    raw = [name.encode() for name in HOSTILE] + [b"\xff\xfe;touch pwned"]
    for name in raw:
        client.xgroup_create(b"omni-stream:" + name, b"group:" + name + b":" + name, id="$",
                             mkstream=True)
    client.xadd("omni-dlq:group:it's:it's", {"data": "{}"})
    traffic.register(client, "orders", "invoice")
    found = diagnose()
    orphans = [f for f in found.findings if f["name"] == "orphan-group"]
    assert len(orphans) == len(raw), found
    tables = vigil.command("diagnose", "-v", REDIS_URL=redis.unix_url, STORAGE_BACKEND="redis")
    for finding in orphans:
        line = finding["next"]
        assert line.isprintable(), line
        assert line in tables.stdout
        assert paste(vigil, line).strip() == "1", line
    assert not os.path.exists(os.path.join(vigil.directory, "pwned"))
    for name in raw:
        assert client.xinfo_groups(b"omni-stream:" + name) == []


@pytest.mark.parametrize("name", ["plain", "it's; touch pwned", "-n", "a\nb*[x]", "überall"])
def test_pasted_commands_of_omnivigil(redis, client, vigil, name):
    """They find what they are about, with the options that were given here."""
    config = vigil.config("what's up.yaml", inputs=[
        {"plugin": plugin, "url": redis.url, "storage": "redis"} for plugin in names.INPUTS])
    os.mkdir(os.path.join(vigil.directory, "bin"))
    os.symlink(vigil.binary, os.path.join(vigil.directory, "bin", "omnivigil"))
    shell = {**vigil.env, "PATH": os.path.join(vigil.directory, "bin") + ":" + vigil.env["PATH"]}
    traffic.register(client, name, name)
    id = traffic.publish(client, name, 1)[0]
    traffic.take(client, name, name, 1)
    client.xclaim(f"omni-stream:{name}", f"group:{name}:{name}", "c", 0, [id], retrycount=30)
    client.xadd(f"omni-dlq:group:{name}:{name}", {"data": json.dumps({"original_id": id})})
    found = Diagnosis(vigil.command("diagnose", "--format", "json", "-c", config))
    lines = {f["name"]: f["next"] for f in found.findings}
    for kind, told in (("given-up", b"(nothing is said)"), ("poison", id.encode())):
        done = subprocess.run(["bash", "-c", lines[kind]], env=shell, timeout=30,
                              cwd=vigil.directory, capture_output=True, check=False)
        assert done.returncode in (FINE, FOUND) and not done.stderr, (lines[kind], done)
        assert told in done.stdout, (lines[kind], done.stdout)
    assert not os.path.exists(os.path.join(vigil.directory, "pwned"))


def test_hostile_names_reach_omnivigil_as_they_are(redis, client, vigil, diagnose):
    """A pasted command of omnivigil's own gets the topic as a word, the agent as a pattern."""
    os.mkdir(os.path.join(vigil.directory, "bin"))
    echo = vigil.write("bin/omnivigil", "#!/bin/sh\nprintf '%s\\000' \"$@\"\n")
    os.chmod(echo, 0o755)
    for name in HOSTILE:
        client.xadd(f"omni-dlq:group:{name}:{name}", {"data": "{}"})
        traffic.register(client, name, name)
    shell = {**vigil.env, "PATH": os.path.dirname(echo) + ":" + vigil.env["PATH"]}
    found = diagnose()
    letters = [f for f in found.findings if f["name"] == "given-up"]
    assert {f["topic"] for f in letters} == set(HOSTILE)
    for finding in letters:
        got = subprocess.run(["bash", "-c", finding["next"]], env=shell, cwd=vigil.directory,
                             capture_output=True, check=True, timeout=30).stdout
        words = got.decode().split("\0")[:-1]
        pattern = "".join("\\" + c if c in "*?[\\" else c for c in finding["agent"])
        assert words[:3] == ["bus", "dlq", "--group"], words
        assert words[3:5] == ["--agent", pattern], words
        rest = words[5:]
        assert rest == [finding["topic"]] or rest == ["--", finding["topic"]], words
        assert finding["topic"][0] != "-" or rest[0] == "--"
    assert not os.path.exists(os.path.join(vigil.directory, "pwned"))


@pytest.mark.parametrize("wrong", [["--nonsense"], ["word"], ["--env-file", "nowhere/.env"]])
def test_wrong_arguments(vigil, redis, wrong):
    done = vigil.command("diagnose", *wrong, REDIS_URL=redis.url)
    assert done.returncode == USAGE and wrong[-1] in done.stderr and done.stdout == ""
