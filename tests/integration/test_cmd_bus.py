# SPDX-License-Identifier: Apache-2.0
"""`bus list`, `bus groups`, `bus stats` and `bus inspect` next to what Redis holds."""

import csv
import io
import json

import pytest
import redis as redis_client

import dead_letters as dl
from bus_commands import Bus, waiting_client
from servers import wait_for

TOPIC = "orders.created"


@pytest.fixture
def bus(vigil, redis):
    with waiting_client(redis):
        yield Bus(vigil, redis.unix_url)


def test_list(client, bus):
    assert "no topics" in bus.run("list").stdout
    dl.register(client)
    dl.register(client, "eu:orders", ("a", "b"))
    for number in range(3):
        client.xadd(f"omni-stream:{TOPIC}", {"data": json.dumps(dl.event(number))})
    topics = {row["topic"]: row for row in bus.json("list")["topics"]}
    assert set(topics) == {TOPIC, "eu:orders"}
    assert (topics[TOPIC]["length"], topics[TOPIC]["groups"]) == (3, 1)
    assert (topics["eu:orders"]["length"], topics["eu:orders"]["groups"]) == (0, 2)
    assert topics[TOPIC]["last_age_seconds"] < 60
    assert topics["eu:orders"]["last_age_seconds"] is None
    only = list(csv.DictReader(io.StringIO(
        bus.run("list", "--topic", "eu:*", "--format", "csv").stdout)))
    assert [row["topic"] for row in only] == ["eu:orders"]


def test_groups_tell_the_truth(redis, client, bus):
    """Lost tasks, a lost group, dead letters under their real key; exit status 1 for each."""
    dl.register(client, agents=("fraud-check", "billing"))
    assert bus.json("groups")["groups"][0]["dlq_length"] == 0
    client.execute_command("XGROUP", "SETID", f"omni-stream:{TOPIC}",
                           f"group:{TOPIC}:fraud-check", "0", "ENTRIESREAD", "0")
    for number in range(10):
        client.xadd(f"omni-stream:{TOPIC}", {"data": json.dumps(dl.event(number))})
    client.xtrim(f"omni-stream:{TOPIC}", maxlen=4, approximate=False)
    rows = {row["agent"]: row for row in bus.json("groups", TOPIC, status=1)["groups"]}
    assert (rows["fraud-check"]["undelivered"], rows["fraud-check"]["lost"]) == (4, 6)
    table = bus.run("groups", "--stream", f"omni-stream:{TOPIC}", status=1).stdout
    assert "fraud-check" in table and TOPIC in table
    client.xgroup_destroy(f"omni-stream:{TOPIC}", f"group:{TOPIC}:fraud-check")
    rows = {row["agent"]: row for row in bus.json("groups", status=1)["groups"]}
    assert rows["fraud-check"]["life"] == "no group"
    bus.run("groups", "--agent", "billing")
    dl.fill(client, 2, agent="billing")
    rows = bus.json("groups", "--agent", "billing", status=1)["groups"]
    assert [row["dlq_length"] for row in rows] == [2]
    assert "did you mean" in bus.run("groups", "orders.craeted", status=3).stderr
    assert "bus list" in bus.run("groups", "something else", status=3).stderr


def test_stats(client, bus):
    dl.register(client)
    told = bus.json("stats")
    assert told["totals"]["topics"] == told["totals"]["groups"] == 1
    assert told["totals"]["memory_used_bytes"] > 100000 and told["groups"][0]["topic"] == TOPIC
    dl.fill(client, 3)
    client.set("dlq:group:orders.created:fraud-check", "what OmniDaemon's own command counts")
    told = bus.json("stats", status=1)
    assert told["totals"]["dlq_length"] == 3 and "bus dlq" in told["notes"][-1]


def test_redis_is_away(redis, vigil):
    redis.kill()
    for command in (("list",), ("groups",), ("stats",), ("inspect", "a"), ("dlq",),
                    ("dlq", "republish", "a", "--all", "--yes")):
        done = Bus(vigil, redis.url).run(*command, status=3)
        assert "refused" in done.stderr and done.stdout in ("", "{}\n")


# ---------------------------------------------------------------- bus inspect


def test_inspect(redis, client, bus):
    dl.register(client)
    assert "no entries" in bus.run("inspect", TOPIC).stdout
    ids = [client.xadd(f"omni-stream:{TOPIC}", {"data": json.dumps(dl.event(number))})
           for number in range(30)]
    rows = bus.json("inspect", TOPIC)["entries"]
    assert [row["id"] for row in rows] == ids[:-11:-1]
    assert rows[0]["payload"] == dl.event(29) and rows[0]["task_id"] == "task-29"
    assert len(bus.json("inspect", f"omni-stream:{TOPIC}", "--limit", "25")["entries"]) == 25
    row, = bus.json("inspect", "--stream", TOPIC, "--id", ids[3])["entries"]
    assert row["payload"]["task_id"] == "task-3"
    done = bus.run("inspect", TOPIC, "--id", "7-7", status=1)
    assert "no entry 7-7" in done.stdout
    dl.fill(client, 1)
    row, = bus.json("inspect", dl.key_of())["entries"]
    assert row["payload"]["failed_message"]["task_id"] == "task-0"
    for wrong in (("--id", "x"), ("--limit", "0"), ("--id", ids[0], "--follow")):
        bus.run("inspect", TOPIC, *wrong, status=2)
    bus.run("inspect", status=2)
    assert "did you mean" in bus.run("inspect", "orders.creatde", status=3).stderr


def test_inspect_masks_and_cuts(redis, client, bus):
    dl.register(client)
    raw = redis_client.Redis(unix_socket_path=redis.socket)
    key = f"omni-stream:{TOPIC}"
    raw.xadd(key, {"data": json.dumps(dl.event(
        1, content={"API_Key": "s3cret", "deep": [{"auth_token": {"a": "s3cret"}}],
                    "text": json.dumps({"token": "s3cret"}), "max_tokens": 7}))})
    raw.xadd(key, {b"data": b"token=s3cret", b"note": b'{"token": "s3cret"}'})
    raw.xadd(key, {b"data": b"\xff\x1b[31m" + b"x" * 100_000, b"more": b"\x00"})
    for form in ("table", "json", "csv"):
        done = bus.run("inspect", TOPIC, "--mask", "*key*,*_token,token", "--format", form)
        assert "s3cret" not in done.stdout and "\x1b" not in done.stdout
        assert "***" in done.stdout and "max_tokens" in done.stdout
    rows = bus.json("inspect", TOPIC)["entries"]
    assert len(json.dumps(rows[0])) < 6000 and "bytes more" in rows[0]["payload"]
    assert rows[0]["other_fields"] == {"more": "\x00"}
    assert rows[1]["payload"] == "token=s3cret"
    whole = bus.json("inspect", TOPIC, "--bytes", "0", "--limit", "1")["entries"][0]
    assert whole["payload"].count("x") == 100_000


def test_inspect_follows(redis, client, bus):
    dl.register(client)
    client.xadd(f"omni-stream:{TOPIC}", {"data": json.dumps(dl.event(0))})
    with redis.monitor() as seen:
        run = bus.start("inspect", TOPIC, "--follow", "--format", "json")
        wait_for("it to look", lambda: any(
            c["cmd"] == "xrange" for c in client.client_list() if c["name"] == "omnivigil"))
        for number in range(1, 4):
            client.xadd(f"omni-stream:{TOPIC}", {"data": json.dumps(dl.event(number))})
            line = json.loads(run.stdout.readline())
            assert line["entries"][0]["payload"]["task_id"] == f"task-{number}"
        run.terminate()
        run.communicate()
    sent = {command[0].upper() for command in seen.commands()}
    assert "XRANGE" in sent and not sent & {"XREAD", "XREADGROUP", "KEYS", "XACK"}
