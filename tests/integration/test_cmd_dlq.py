# SPDX-License-Identifier: Apache-2.0
"""`bus dlq` and its kin: what failed and why, put back exactly once, saved, removed."""

import csv
import io
import json
import os
import pty
import shlex
import signal
import subprocess
import time

import pytest
import redis as redis_client

import dead_letters as dl
from bus_commands import Bus, waiting_client
from servers import RedisServer, free_port, wait_for

TOPIC = "orders.created"
FAIL = {"topic": TOPIC, "name": "fraud-check", "do": "fail", "reclaim_idle_ms": 200,
        "dlq_retry_limit": 1, "message": "order {id} of 'Zoë' is 12 short"}


@pytest.fixture
def bus(vigil, redis):
    with waiting_client(redis):
        yield Bus(vigil, redis.unix_url)


# ---------------------------------------------------------------- what failed, and why


def test_real_dead_letters_and_the_way_back(redis, client, omnidaemon, vigil, directory, bus):
    """OmniDaemon's own dead letters have their exceptions, and come back as they were."""
    record = os.path.join(directory, "received")
    other = {"topic": TOPIC, "name": "billing", "do": "ok"}
    worker = omnidaemon.worker({**FAIL, "record": record}, other)
    omnidaemon.publish(TOPIC, 2)
    exotic = json.dumps(dl.event(7, task_id="7f3b0c1e-0000-4000-8000-00000000abcd", content={
        "ü": [1e400, 1.0, 12345678901234567890, None], "agent": "mine", "delivery_attempts": 9}))
    client.xadd(f"omni-stream:{TOPIC}", {"data": exotic})
    wait_for("dead letters", lambda: client.xlen(dl.key_of()) == 3, 30)
    worker.stop()
    first = {}
    for line in open(record, encoding="utf-8"):
        message = json.loads(line)
        first.setdefault(message["task_id"], message)

    letters = bus.json("dlq", TOPIC, status=1)["dead_letters"]
    assert {row["task_id"] for row in letters} == set(first)
    for row in letters:
        assert (row["agent"], row["attempts"], row["error_type"]) == ("fraud-check", 2,
                                                                      "ValueError")
        assert row["error"] == f"order {row['task_id']} of 'Zoë' is 12 short"
        assert row["age_seconds"] < 60 and row["payload"]["task_id"] == row["task_id"]
    pattern, = bus.json("dlq", "--group", status=1)["failures"]
    assert pattern["count"] == 3 and pattern["class"] == "invalid data"
    assert pattern["example_task_id"] in first and pattern["first"] <= pattern["last"]

    told = bus.json("dlq", "republish", TOPIC, "--all", "--yes")
    assert told["republish"]["republished"] == 3 and "billing" in told["notes"][0]
    assert client.xlen(dl.key_of()) == 0
    os.unlink(record)
    omnidaemon.worker({**FAIL, "do": "ok", "record": record}, other)
    wait_for("the events", lambda: os.path.exists(record) and
             len(open(record, encoding="utf-8").readlines()) == 3, 20)
    for line in open(record, encoding="utf-8"):
        message = json.loads(line)
        assert message == first[message["task_id"]]
    raw = [fields["data"] for _, fields in client.xrange(f"omni-stream:{TOPIC}")]
    assert raw.count(exotic) == 2 and raw[-1] in raw[:3]  # byte for byte


def test_exceptions_from_json_storage(redis, client, vigil, directory):
    dl.register(client)
    dl.fill(client, 3)
    os.mkdir(os.path.join(directory, "data"))
    with open(os.path.join(directory, "data", "metrics.json"), "w", encoding="utf-8") as file:
        json.dump([json.loads(dl.failure(0, error="old")), json.loads(dl.failure(0)),
                   json.loads(dl.failure(1, agent="billing")), {"event": None}, 7], file)
    data = {"JSON_STORAGE_DIR": os.path.join(directory, "data")}
    bus = Bus(vigil, redis.unix_url, "json")
    told = bus.json("dlq", TOPIC, status=1, **data)
    rows = {row["task_id"]: row for row in told["dead_letters"]}
    assert (rows["task-0"]["error_type"], rows["task-0"]["error"]) == ("ValueError", "no luck")
    for task in ("task-1", "task-2"):
        assert rows[task]["error_type"] is None
        assert rows[task]["error"] == "Max retries (4) exceeded"
    assert told["notes"][0].startswith("2 without an exception")
    with open(os.path.join(directory, "data", "metrics.json"), "w", encoding="utf-8") as file:
        file.write("[{")
    told = bus.json("dlq", TOPIC, status=1, **data)
    assert len(told["dead_letters"]) == 3 and "metrics.json" in told["notes"][0]


def test_join_is_one_bounded_pass(redis, client, bus):
    dl.register(client)
    dl.fill(client, 500)
    pipeline = client.pipeline(transaction=False)
    for number in range(3000):
        pipeline.xadd("omni:metrics:stream", {"data": dl.failure(number % 1000)})
    pipeline.execute()
    with redis.monitor() as seen:
        told = bus.json("dlq", "--group", status=1)
    assert told["failures"][0]["count"] == 500
    reads = [c for c in seen.commands() if c[0] == "XREVRANGE" and c[1] == "omni:metrics:stream"]
    assert 1 <= len(reads) <= 10 and all("COUNT" in command for command in reads)
    assert not [c for c in seen.commands() if c[0].upper() == "KEYS"]


def test_patterns_and_classes(client, bus):
    dl.register(client, agents=("fraud-check", "billing"))
    dl.fill(client, 8)
    dl.fill(client, 2, agent="billing", first=8)
    errors = [("ValueError", "order 17 of 'Zoë'"), ("ValueError", "order 9 of 'Bob'"),
              ("TimeoutError", ""), ("ConnectionError", "10.0.0.7:80 refused"),
              ("ConnectionError", "10.0.0.8:80 refused"), ("AttributeError", "'x' is None"),
              ("ValueError", "order 3 of 'Eve'")]
    for number, (kind, text) in enumerate(errors):
        client.xadd("omni:metrics:stream",
                    {"data": dl.failure(number, error=text, error_type=kind)})
    client.xadd("omni:metrics:stream", {"data": dl.failure(
        8, agent="billing", error="order 1 of 'Ann'")})
    rows = bus.json("dlq", "--group", status=1)["failures"]
    assert (rows[0]["count"], rows[0]["failure"]) == (4, "ValueError: order <n> of '...'")
    assert {(r["count"], r["failure"], r["class"], r["agent"]) for r in rows} == {
        (4, "ValueError: order <n> of '...'", "invalid data", "several"),
        (2, "ConnectionError: <n> refused", "service down", "fraud-check"),
        (2, "Max retries (4) exceeded", "unknown", "several"),
        (1, "TimeoutError", "timeout", "fraud-check"),
        (1, "AttributeError: 'x' is None", "logic or data", "fraud-check")}
    assert all(r["remedy"] for r in rows)
    table = bus.run("dlq", "--group", status=1).stdout
    assert "order <n> of '...'" in table and "service down" in table
    for row in rows:  # what is shown can be pasted
        told = bus.json("dlq", "republish", TOPIC, "--match", row["failure"], "--dry-run")
        assert told["republish"]["chosen"] == row["count"], row
    only = bus.json("dlq", TOPIC, "--group", "--agent", "bill*", status=1)["failures"]
    assert [r["count"] for r in only] == [1, 1]


def test_forms_limits_and_nothing(client, bus):
    dl.register(client)
    assert "no dead letters" in bus.run("dlq").stdout
    assert bus.json("dlq") == {"dead_letters": []} or bus.json("dlq")["dead_letters"] == []
    ids = dl.fill(client, 30)
    told = bus.json("dlq", "--limit", "3", status=1)
    assert [row["id"] for row in told["dead_letters"]] == ids[:-4:-1]
    rows = list(csv.DictReader(io.StringIO(
        bus.run("dlq", "--format", "csv", status=1).stdout)))
    assert len(rows) == 20 and rows[0]["task_id"] == "task-29"
    one = bus.run("dlq", TOPIC, "--id", ids[4], status=1).stdout
    assert "task-4" in one and "Zo" in one and "task-5" not in one
    assert "no such dead letter" in bus.run("dlq", TOPIC, "--id", "1-1").stdout
    for wrong in (("--limit", "0"), ("--limit", "x"), ("--id", "x"), ("--bytes", "-1")):
        bus.run("dlq", *wrong, status=2)
    done = bus.run("dlq", "orders.creatd", status=3)
    assert "did you mean `orders.created`" in done.stderr


def test_hostile_entries_and_names(redis, client, bus):
    topic, agent = 'a:"b" {c}*\n', "x:\x1b[31m,ü="
    dl.register(client, topic, (agent,))
    key = dl.key_of(topic, agent)
    raw = redis_client.Redis(unix_socket_path=redis.socket)
    bodies = [b"", b"\xff\xfe", b"null", b"[]", b"{}", b'{"failed_message": [1]}', b"[" * 5000,
              b'{"failed_message": {"task_id": 7, "a": NaN, "\xff": "\x1b"}}',
              b'{"failed_message": {"content": "' + b"x" * 100000 + b'"}}',
              b'{"failed_message": {"task_id": "t", "api_key": "s3cret", "content": '
              b'"{\\"password\\": \\"s3cret\\"}"}}']
    for body in bodies:
        raw.xadd(key, {b"data": body})
    raw.xadd(key, {b"other": b"s3cret", b"data\n": b"x"})
    for form in ("table", "json", "csv"):
        done = bus.run("dlq", topic, "--format", form, "--mask", "*key*,pass*", status=1)
        assert "s3cret" not in done.stdout
        assert form == "csv" or "\x1b" not in done.stdout
    told = bus.json("dlq", topic, status=1)["dead_letters"]
    assert len(told) == 11 and told[0]["agent"] == agent and told[0]["topic"] == topic
    assert len([row for row in told if row["flaw"]]) == 9
    assert all(len(json.dumps(row)) < 8000 for row in told)
    told = bus.json("dlq", "republish", topic, "--all", "--yes", status=1)["republish"]
    assert (told["republished"], told["kept_unreadable"]) == (2, 9)
    assert raw.xlen(key) == 9
    assert bus.json("dlq", "--group", status=1)["failures"][0]["count"] >= 1


# ---------------------------------------------------------------- republish


@pytest.mark.parametrize("answer", ["n", "", "y"])
def test_the_answer_at_the_terminal(client, bus, answer):
    dl.register(client)
    dl.fill(client, 1)
    master, terminal = pty.openpty()
    os.write(master, f"{answer}\n".encode())
    done = subprocess.run(
        [bus.vigil.binary, "bus", "dlq", "purge", TOPIC, "--all"], env={**bus.vigil.env, **bus.env},
        cwd=bus.vigil.directory, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal,
        timeout=60, check=False)
    os.close(terminal)
    said = os.read(master, 65536).decode()
    os.close(master)
    kept = answer != "y"
    assert client.xlen(dl.key_of()) == kept and done.returncode == kept, said
    assert "[y/N]" in said and ("Nothing was changed." in said) == kept, said


def test_republish_choices(client, bus):
    dl.register(client, agents=("fraud-check", "billing"))
    ids = dl.fill(client, 10)
    dl.fill(client, 1, agent="billing", first=10)
    for number in range(10):
        client.xadd("omni:metrics:stream", {"data": dl.failure(
            number, error_type="ConnectionError" if number % 2 else "ValueError")})
    done = bus.run("dlq", "republish", TOPIC, "--all", status=1)
    assert "be asked here: --yes would" in done.stderr and client.xlen(dl.key_of()) == 10
    for wrong in ((), ("--all", "--match", "x"), ("--id", "x"), ("--all", ids[0]),
                  ("--older-than", "7"), ("--id", ids[0], "--older-than", "1d"),
                  ("--id", ids[0], "--id", ids[1])):
        bus.run("dlq", "republish", TOPIC, *wrong, status=2)
    dry = bus.json("dlq", "republish", TOPIC, "--match", "ConnectionError*", "--dry-run")
    assert dry["republish"]["would_republish"] == 5 and dry["republish"]["dry_run"] is True
    assert client.xlen(dl.key_of()) == 10 and dl.published(client) == []

    told = bus.json("dlq", "republish", TOPIC, "--match", "ConnectionError*", "--yes",
                    "--agent", "fraud-*")["republish"]
    assert (told["chosen"], told["republished"], told["already_gone"]) == (5, 5, 0)
    ids_of = [id for id, _ in client.xrange(f"omni-stream:{TOPIC}")]
    assert (told["first_new_id"], told["last_new_id"]) == (ids_of[0], ids_of[-1])
    assert dl.published(client) == [dl.event(n) for n in (1, 3, 5, 7, 9)]
    told = bus.json("dlq", "republish", TOPIC, "--id", ids[0], ids[1], f"{ids[2]},{ids[4]}",
                    ids[0], "--yes", "--agent", "fraud-check")["republish"]
    assert (told["republished"], told["already_gone"]) == (3, 1)
    told = bus.json("dlq", "republish", TOPIC, "--match", "task-6", "--yes")["republish"]
    assert told["republished"] == 1 and dl.dead(client) == ["task-8"]
    told = bus.json("dlq", "republish", TOPIC, "--older-than", "1h", "--yes")
    assert told["republish"]["chosen"] == 0 and "No dead letter fits." in told["notes"]
    told = bus.json("dlq", "republish", TOPIC, "--all", "--yes")["republish"]
    assert told["republished"] == 2 and client.xlen(dl.key_of()) == 0
    assert len(dl.published(client)) == 11
    told = bus.json("dlq", "republish", TOPIC, "--all", "--yes")["republish"]
    assert (told["chosen"], told["republished"]) == (0, 0)


def test_an_id_in_two_queues(client, bus):
    dl.register(client, agents=("fraud-check", "billing"))
    for agent in ("fraud-check", "billing"):
        client.xadd(dl.key_of(agent=agent), {"data": dl.letter(1)}, id="1700000000000-0")
    for command in ("republish", "purge"):
        done = bus.run("dlq", command, TOPIC, "--id", "1700000000000-0", "--yes", status=2)
        assert "--agent" in done.stderr
    bus.run("dlq", "republish", TOPIC, "--id", "1700000000000-0", "--yes", "--agent", "billing")
    assert dl.dead(client) == ["task-1"] and dl.dead(client, agent="billing") == []


def test_bookkeeping_is_removed(client, bus):
    dl.register(client)
    body = json.loads(dl.letter(1))
    body["failed_message"].update(processing_consumer="consumer:fraud-check-1",
                                  agent="fraud-check")
    client.xadd(dl.key_of(), {"data": json.dumps(body)})
    group = f"group:{TOPIC}:fraud-check"
    client.hset(f"retry_counts:{group}", mapping={body["original_id"]: 4, "1-1": 2})
    bus.run("dlq", "republish", TOPIC, "--all", "--yes")
    assert dl.published(client) == [dl.event(1)]
    assert client.hgetall(f"retry_counts:{group}") == {"1-1": "2"}


def test_kept_entries_are_not_put_back_twice(client, bus):
    dl.register(client)
    ids = dl.fill(client, 3)
    told = bus.json("dlq", "republish", TOPIC, "--id", ids[0], "--keep", "--yes")["republish"]
    assert told["republished"] == 1 and client.xlen(dl.key_of()) == 3
    for more in ((), ("--keep",)):
        told = bus.json("dlq", "republish", TOPIC, "--all", "--keep", "--yes", *more)["republish"]
    assert (told["republished"], told["republished_before"]) == (0, 3)
    assert sorted(e["task_id"] for e in dl.published(client)) == ["task-0", "task-1", "task-2"]
    told = bus.json("dlq", "republish", TOPIC, "--all", "--yes")["republish"]
    assert (told["republished"], told["republished_before"]) == (0, 3)
    told = bus.json("dlq", "republish", TOPIC, "--all", "--again", "--yes")["republish"]
    assert told["republished"] == 3 and client.xlen(dl.key_of()) == 0
    assert len(dl.published(client)) == 6
    assert client.keys("omnivigil:*") == []


def test_republish_killed_again_and_again(client, bus):
    """Every event is on the topic once or still in the queue, whenever it is killed."""
    count, kills, left = 3000, 0, 3000
    dl.register(client)
    dl.fill(client, count)
    while left:
        run = bus.start("dlq", "republish", TOPIC, "--all", "--yes")
        goal = max(left - (1, 100, 300)[kills % 3], 0)
        wait_for("progress", lambda: client.xlen(dl.key_of()) <= goal or run.poll() is not None,
                 pause=0)
        kills += run.poll() is None
        run.kill()
        _, said = run.communicate()
        assert run.returncode in (0, -signal.SIGKILL), said
        # what it had sent by then may still be worked on, one whole event after the other
        with client.pipeline() as both:
            topic, queue = both.xrange(f"omni-stream:{TOPIC}").xrange(dl.key_of()).execute()
        tasks = [json.loads(fields["data"])["task_id"] for _, fields in topic]
        tasks += [json.loads(f["data"])["failed_message"]["task_id"] for _, f in queue]
        assert sorted(tasks) == sorted(f"task-{n}" for n in range(count))
        left = len(queue)
    assert kills >= 3, kills


def test_two_at_once(client, bus):
    count = 3000
    dl.register(client)
    dl.fill(client, count)
    runs = [bus.start("dlq", "republish", TOPIC, "--all", "--yes", "--format", "json")
            for _ in range(2)]
    told = [json.loads(run.communicate(timeout=60)[0])["republish"] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum(t["republished"] for t in told) == count
    tasks = [e["task_id"] for e in dl.published(client)]
    assert len(tasks) == count and client.xlen(dl.key_of()) == 0
    assert sorted(tasks) == sorted(f"task-{n}" for n in range(count))


def test_no_room_on_the_topic(client, bus):
    """What is not delivered yet is not trimmed away by what is put back."""
    dl.register(client, agents=("fraud-check", "billing"))
    pipeline = client.pipeline(transaction=False)
    for number in range(9990):
        pipeline.xadd(f"omni-stream:{TOPIC}", {"data": "{}"})
    pipeline.execute()
    dl.fill(client, 30)
    first = client.xrange(f"omni-stream:{TOPIC}", count=1)
    told = bus.json("dlq", "republish", TOPIC, "--all", "--yes", status=1)
    assert (told["republish"]["republished"], told["republish"]["kept_no_room"]) == (10, 20)
    assert client.xrange(f"omni-stream:{TOPIC}", count=1) == first
    assert client.xlen(dl.key_of()) == 20


def test_nobody_would_get_it(client, bus):
    dl.fill(client, 2)
    done = bus.run("dlq", "republish", TOPIC, "--all", "--yes", status=3)
    assert "reach nobody" in done.stderr and client.xlen(dl.key_of()) == 2


def test_events_of_another_topic_stay(client, bus):
    dl.register(client)
    client.xadd(dl.key_of(), {"data": dl.letter(1, original_stream="omni-stream:elsewhere")})
    told = bus.json("dlq", "republish", TOPIC, "--all", "--yes", status=1)["republish"]
    assert told["kept_other_topic"] == 1 and client.xlen(dl.key_of()) == 1


def test_refusals_change_nothing(redis, client, vigil, bus):
    dl.register(client)
    dl.fill(client, 5)
    reading = ["~*", "+@read", "+ping", "+info", "+time", "+client", "+xinfo", "+scan", "+object",
               "+exists", "+hello", "+select", "+auth"]
    cases = {
        "eval": [*reading, "+xadd", "+xdel", "-eval"],
        "xdel": [*reading, "+eval", "+xadd", "+hdel"],
        "xadd": [*reading, "+eval", "+xdel", "+hdel"],
        "xdel ": [*reading, "+eval", "+xadd", "+hdel", "-xdel"],
    }
    for missing, rules in cases.items():
        client.execute_command("ACL", "SETUSER", "ops", "reset", "on", ">pw", *rules)
        url = f"redis://ops:pw@127.0.0.1:{redis.port}"
        done = Bus(vigil, url).run("dlq", "republish", TOPIC, "--all", "--yes", status=3)
        assert "ACL SETUSER" in done.stderr, (missing, done.stderr)
        assert client.xlen(dl.key_of()) == 5 and dl.published(client) == [], missing
        done = Bus(vigil, url).run("dlq", "republish", TOPIC, "--all", "--keep", "--yes", status=3)
        assert dl.published(client) == [], missing
    client.config_set("maxmemory", "1")
    done = bus.run("dlq", "republish", TOPIC, "--all", "--keep", "--yes", status=3)
    assert "maxmemory" in done.stderr and client.keys("omnivigil:*") == []
    client.config_set("maxmemory", "0")
    assert client.xlen(dl.key_of()) == 5 and dl.published(client) == []


def test_the_operator_of_the_readme(redis, client, vigil):
    dl.register(client)
    dl.fill(client, 4)
    for number in range(4):
        client.xadd("omni:metrics:stream", {"data": dl.failure(number)})
    readme = os.path.join(os.path.dirname(__file__), "..", "..", "README.md")
    with open(readme, encoding="utf-8") as file:
        rule = file.read().partition("ACL SETUSER dlq-operator")[2].partition("```")[0]
    client.execute_command("ACL", "SETUSER", "dlq-operator",
                           *shlex.split(rule.replace("\\\n", "")))
    bus = Bus(vigil, f"redis://dlq-operator:s3cret@127.0.0.1:{redis.port}")
    for args in (("republish", TOPIC, "--match", "*", "--keep"), ("purge", TOPIC, "--match", "*"),
                 ("republish", TOPIC, "--all")):
        done = bus.run("dlq", *args, "--yes")
        assert done.stderr == ""
        if args[0] == "purge":
            dl.fill(client, 2)
    assert len(dl.published(client)) == 6 and client.xlen(dl.key_of()) == 0


def test_replica(directory, client, redis, vigil, bus):
    dl.register(client)
    dl.fill(client, 2)
    os.mkdir(os.path.join(directory, "replica"))
    client.config_set("repl-diskless-sync-delay", 0)
    replica = RedisServer(os.path.join(directory, "replica"), "--replicaof", "127.0.0.1",
                          str(redis.port))
    try:
        wait_for("the replica", lambda: replica.client().xlen(dl.key_of()) == 2)
        done = Bus(vigil, replica.unix_url).run("dlq", "republish", TOPIC, "--all", "--yes",
                                                status=3)
        assert "address of the master" in done.stderr
        done = Bus(vigil, replica.unix_url).run("dlq", "purge", TOPIC, "--all", "--yes", status=3)
        assert "address of the master" in done.stderr
    finally:
        replica.kill()
    assert client.xlen(dl.key_of()) == 2 and dl.published(client) == []


def test_cluster_is_refused(directory, vigil):
    os.mkdir(os.path.join(directory, "cluster"))
    server = RedisServer(os.path.join(directory, "cluster"), "--cluster-enabled", "yes",
                         "--cluster-port", str(free_port()))
    try:
        client = server.client()
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        wait_for("the cluster",
                 lambda: "cluster_state:ok" in client.execute_command("CLUSTER", "INFO"))
        dl.register(client)
        dl.fill(client, 2)
        done = Bus(vigil, server.unix_url).run("dlq", "republish", TOPIC, "--all", "--yes",
                                               status=3)
        assert "cluster" in done.stderr and client.xlen(dl.key_of()) == 2
        assert dl.published(client) == []
    finally:
        server.kill()


# ---------------------------------------------------------------- export and purge


def test_export_is_exact_and_can_be_read_back(redis, client, bus, directory):
    dl.register(client)
    dl.fill(client, 300)
    raw = redis_client.Redis(unix_socket_path=redis.socket)
    raw.xadd(dl.key_of(), {b"data": b"\xff\x00\n\"", b"b": b"\xc3\xbc"})
    before = raw.xrange(dl.key_of())
    path = os.path.join(directory, "letters.json")
    done = bus.run("dlq", "export", TOPIC, "--all", "--output", path)
    assert "301 dead letters" in done.stderr and os.stat(path).st_mode & 0o777 == 0o600
    with open(path, "rb") as file:
        lines = file.read().splitlines()
    assert len(lines) == 301
    again = []
    for line in lines:
        entry = json.loads(line)
        code = entry.get("encoding", "utf-8")
        fields = [text.encode(code) for text in entry["fields"]]
        again.append((entry["id"].encode(), dict(zip(fields[::2], fields[1::2]))))
        assert entry["key"] == dl.key_of()
    assert again == before
    done = bus.run("dlq", "export", TOPIC, "--all", "--output", path, status=3)
    assert "exists" in done.stderr
    with open(path, "rb") as file:
        assert file.read().splitlines() == lines
    done = bus.run("dlq", "export", TOPIC, "--all", "-o", "/dev/full/x", status=3)
    with open("/dev/full", "wb") as full:
        run = subprocess.run([bus.vigil.binary, "bus", "dlq", "export", TOPIC, "--all"],
                             env={**bus.vigil.env, **bus.env}, stdout=full, stderr=-1, timeout=60,
                             check=False)
    assert run.returncode == 3 and b"No space" in run.stderr
    assert bus.run("dlq", "export", TOPIC, "--match", '*"order": 7,*').stdout.count("\n") == 1


def test_purge_removes_what_was_seen(client, bus):
    dl.register(client)
    ids = dl.fill(client, 50)
    old = client.xrange(dl.key_of(), count=1)
    assert old
    done = bus.run("dlq", "purge", TOPIC, "--all", status=1)
    assert "--yes" in done.stderr and client.xlen(dl.key_of()) == 50
    told = bus.json("dlq", "purge", TOPIC, "--all", "--dry-run")["purge"]
    assert (told["chosen"], told["dry_run"]) == (50, True) and client.xlen(dl.key_of()) == 50
    told = bus.json("dlq", "purge", TOPIC, "--id", ids[0], "1-1", "--yes")["purge"]
    assert (told["purged"], told["already_gone"]) == (1, 1)
    told = bus.json("dlq", "purge", TOPIC, "--match", "task-1*", "--yes", status=1)["purge"]
    assert told["chosen"] == 0  # a pattern with a wildcard is for the whole
    told = bus.json("dlq", "purge", TOPIC, "--match", "\"task-1", "--yes")["purge"]
    assert told["purged"] == 11 and client.xlen(dl.key_of()) == 38
    assert bus.json("dlq", "purge", TOPIC, "--older-than", "1h", "--yes")["purge"]["purged"] == 0
    time.sleep(1.1)  # so that all are older than a second
    dl.fill(client, 1, first=99)
    told = bus.json("dlq", "purge", TOPIC, "--older-than", "1s", "--yes")["purge"]
    assert told["purged"] == 38 and dl.dead(client) == ["task-99"]
