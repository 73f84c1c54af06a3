# SPDX-License-Identifier: Apache-2.0
"""States of Redis that mislead monitors, and what omnivigil must make of them."""

import re
import time

import pytest

import names
import traffic
from servers import RedisServer

# Whatever a monitor must never send.
FORBIDDEN = {"KEYS", "XREADGROUP", "XCLAIM", "XAUTOCLAIM", "XACK", "XADD", "SET", "EVAL",
             "FLUSHALL", "FLUSHDB", "DEBUG", "DEL", "XDEL", "XTRIM", "XGROUP", "HSET", "EXPIRE",
             "SAVE", "BGSAVE", "MONITOR", "SHUTDOWN"}


def forbidden(commands):
    return [c for c in commands if c[0].upper() in FORBIDDEN
            or [w.upper() for w in c[:2]] == ["CONFIG", "SET"]]


def bus(redis, **options):
    return {"plugin": names.REDIS_BUS, "url": redis.url, names.BACKEND: "redis", **options}


def undelivered(samples, topic):
    group = samples.last(names.GROUP, topic=topic)
    return group.get("undelivered")


def silent_agent(redis):
    """The state of an agent that has died without a word: five events wait for it."""
    redis.run_commands("""
        HSET omni:agent:d:a name a topic d created_at 1760000000
        SADD omni:topics d
        SADD omni:agents:topic:d a
        SET omni:config:_subscription_active:group:d:a true
        SET omni:config:_omnidaemon_start_time 1760000000
        XGROUP CREATE omni-stream:d group:d:a $ MKSTREAM
        XADD omni-stream:d * data {}
    """)
    client = redis.client()
    traffic.take(client, "d", "a", 1, ack=True)
    traffic.publish(client, "d", 5)
    redis.age("omni:config:_subscription_active:group:d:a", 600)


def test_lag_that_redis_does_not_know(redis, vigil):
    redis.run_commands("""
        XADD omni-stream:orders 0-1 data {}
        XADD omni-stream:orders 0-2 data {}
        XADD omni-stream:orders 0-3 data {}
        XGROUP CREATE omni-stream:orders group:orders:a 0
        XREADGROUP GROUP group:orders:a consumer:a-1 COUNT 1 STREAMS omni-stream:orders >
        XDEL omni-stream:orders 0-2
        XADD omni-stream:mid 0-1 data {}
        XADD omni-stream:mid 0-2 data {}
        XADD omni-stream:mid 0-3 data {}
        XGROUP CREATE omni-stream:mid group:mid:a 0-2
        XADD omni-stream:late * data {}
        XGROUP CREATE omni-stream:late group:late:a $
        XADD omni-stream:late * data {}
        XADD omni-stream:late * data {}
        XADD omni-stream:late * data {}
        XADD omni-stream:late * data {}
    """)
    time.sleep(1.1)
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    for samples in (vigil.gather(url=redis.url), agent.cycles(3)):
        for topic, exact, length, pending in (
                ("orders", 1, 2, 1), ("mid", 1, 3, 0), ("late", 4, 5, 0)):
            assert undelivered(samples, topic) in (exact, None), topic
            group = samples.last(names.GROUP, topic=topic)
            assert "undelivered" in group or "oldest_undelivered_seconds" in group, topic
            assert group["pending"] == pending
            assert samples.last(names.STREAM, topic=topic)["length"] == length
        assert samples.last(names.GROUP, topic="late")["oldest_undelivered_seconds"] >= 1


def test_a_count_that_is_only_bounded_is_not_shown_as_exact(redis, client, vigil):
    """An agent that subscribed late to a busy topic: more waits than may be counted each time."""
    traffic.publish(client, "busy", 3)
    traffic.register(client, "busy", "a")
    traffic.publish(client, "busy", 9_000)
    group = vigil.gather(url=redis.url).one(names.GROUP, topic="busy")
    if "undelivered" in group:
        assert group["undelivered"] == 9_000
    else:
        assert 0 < group["undelivered_at_least"] <= 9_000
    assert group["oldest_undelivered_seconds"] >= 0


def test_pending_entries_that_were_trimmed(redis, vigil):
    redis.run_commands("""
        XADD omni-stream:t 1-0 data {}
        XADD omni-stream:t 2-0 data {}
        XADD omni-stream:t 3-0 data {}
        XGROUP CREATE omni-stream:t group:t:a 0
        XREADGROUP GROUP group:t:a consumer:a-1 COUNT 2 STREAMS omni-stream:t >
        XTRIM omni-stream:t MAXLEN 1
    """)
    agent = vigil.run(vigil.agent_config([bus(redis)]))
    with redis.monitor() as seen:
        samples = agent.cycles(3)
    group = samples.last(names.GROUP, topic="t")
    assert group["pending"] == 2 and group["undelivered"] == 1
    assert samples.last(names.STREAM, topic="t")["length"] == 1
    for command in seen.commands():
        assert command[0] != "XCLAIM"
        assert command[0] not in ("XRANGE", "XREVRANGE") or "2-0" not in command[2:4]
    assert "ERROR" not in agent.stderr().upper()


def test_silent_death_of_an_agent(redis, client, vigil):
    silent_agent(redis)
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    group = agent.cycles(2).last(names.GROUP, topic="d", agent="a")
    assert (group["consumers"], group["pending"], group["undelivered"]) == (1, 0, 5)
    assert group["life"] == names.SILENT and group["oldest_undelivered_seconds"] >= 0
    # Looking is no sign of life.
    group = agent.cycles(3).last(names.GROUP, topic="d", agent="a")
    assert group["life"] == names.SILENT
    # Switched off on purpose is no death.
    key = "omni:config:_subscription_active:group:d:a"
    client.set(key, "false")
    agent.wait("paused", lambda s: s.last(names.GROUP, topic="d").get("life") == names.PAUSED, 40)
    client.set(key, "true")
    traffic.take(client, "d", "a", 10, ack=True)
    client.get(key)
    samples = agent.wait(
        "life", lambda s: s.last(names.GROUP, topic="d").get("life") == names.POLLING, 20)
    assert undelivered(samples, "d") == 0


def test_the_first_delivery_is_a_sign_of_life(redis, client, vigil):
    redis.run_commands("XGROUP CREATE omni-stream:d group:d:a $ MKSTREAM")
    agent = vigil.run(vigil.agent_config([bus(redis)]))
    group = agent.cycles(2).last(names.GROUP, topic="d")
    assert group["life"] == names.SILENT and group["undelivered"] == 0
    traffic.publish(client, "d", 1)
    traffic.take(client, "d", "a", 1, ack=True)
    agent.wait("life", lambda s: names.POLLING in [
        g["fields"].get("life") for g in s.all(names.GROUP, topic="d")], 5)
    agent.wait("its end", lambda s: s.last(names.GROUP, topic="d").get("life") == names.SILENT, 5)


def test_redis_comes_back_empty(redis, client, vigil):
    silent_agent(redis)
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    agent.cycles(2)
    redis.kill()
    agent.wait("down", lambda s: s.last(names.BUS).get("up") is False, 15)
    down = agent.cycles(2)
    assert down.measurements() & {names.STREAM, names.GROUP, names.AGENT} == set()
    redis.run()
    since = agent.size()
    agent.wait("up", lambda s: s.last(names.BUS).get("up") is True, 15, since)
    # The runner registered again, its bus did not.
    redis.run_commands("""
        HSET omni:agent:d:a name a topic d created_at 1760000000
        SADD omni:agents:topic:d a
        SADD omni:topics d
    """)
    samples = agent.wait(
        "an agent without a group",
        lambda s: s.last(names.GROUP, topic="d", agent="a").get("exists") is False, 15, since)
    group = samples.last(names.GROUP, topic="d", agent="a")
    assert group["registered"] is True
    assert "undelivered" not in group and "pending" not in group


def test_a_flood_of_consumers(redis, client, vigil):
    def consumers(first, last):
        pipe = client.pipeline(transaction=False)
        for i in range(first, last + 1):
            pipe.execute_command("XGROUP", "CREATECONSUMER", "omni-stream:many",
                                 "group:many:a", f"consumer:pod-{i}-1")
        pipe.execute()

    client.xgroup_create("omni-stream:many", "group:many:a", "$", mkstream=True)
    consumers(1, 1)
    few = vigil.gather(names.REDIS_BUS, url=redis.url)
    consumers(2, 3000)
    begin = time.monotonic()
    many = vigil.gather(names.REDIS_BUS, url=redis.url)
    assert time.monotonic() - begin < 1
    assert len(many) == len(few)
    assert many.one(names.GROUP, topic="many")["consumers"] == 3000

    config = vigil.config(inputs=[bus(redis, **{names.CONSUMERS: True})],
                          outputs=[{"plugin": names.FILE_OUTPUT}])
    samples = vigil.gather(config=config)
    shown = len(samples.all(names.CONSUMER))
    assert 0 < shown <= 3000
    if shown < 3000:
        assert str(3000 - shown) in samples.stderr or any(
            3000 - shown in s["fields"].values() for s in samples)


def test_what_is_under_omni_stream_but_no_healthy_stream(redis, vigil):
    redis.run_commands("""
        SET omni-stream:str x
        LPUSH omni-stream:list a b
        HSET omni-stream:hash f v
        XADD omni-stream:empty 1-1 data {}
        XDEL omni-stream:empty 1-1
        XADD omni-stream:nogroup 5-0 data {}
        XGROUP CREATE omni-stream:mk group:mk:a $ MKSTREAM
        XADD omni-stream: 6-0 data {}
    """)
    redis.client().eval(
        "for i=1,2000 do redis.call('HSET','omni-stream:h'..i,'f','v') end", 0)
    with redis.monitor() as seen:
        samples = vigil.gather(names.REDIS_BUS, url=redis.url)
    streams = {s["tags"].get("topic", ""): s["fields"] for s in samples.all(names.STREAM)}
    assert set(streams) == {"empty", "nogroup", "mk", ""}
    assert streams["empty"]["length"] == 0 and "last_age_seconds" not in streams["empty"]
    assert streams["nogroup"]["length"] == 1 and streams["mk"]["length"] == 0
    groups = samples.all(names.GROUP)
    assert [g["tags"]["topic"] for g in groups] == ["mk"]
    made = groups[0]["fields"]
    assert (made["consumers"], made["pending"], made["undelivered"]) == (0, 0, 0)
    assert samples.one(names.BUS)["up"] is True
    asked = [c for c in seen.commands() if c[0] == "XINFO"
             and re.fullmatch(r"omni-stream:h\d+", c[2])]
    assert not asked
    assert len(samples.stderr.splitlines()) <= 1

    config = vigil.config(inputs=[bus(redis, **{names.TOPICS: ["absent"]})],
                          outputs=[{"plugin": names.FILE_OUTPUT}])
    missing = vigil.gather(config=config).one(names.STREAM, topic="absent")
    assert missing["exists"] is False and "length" not in missing


def test_colons_foreign_groups_dead_letters_and_patterns(redis, vigil):
    redis.run_commands("""
        XGROUP CREATE omni-stream:eu:orders group:eu:orders:a:b $ MKSTREAM
        XGROUP CREATE omni-stream:eu:orders billing $
        XADD omni-dlq:group:eu:orders:a:b * data {"error":"x"}
        XADD omni-dlq:group:eu:orders:a:b * data {"error":"y"}
        XADD omni-dlq:billing * data {}
        XADD dlq:group:eu:orders:a:b * data {}
        XADD omni-dlq:group:gone:z * data {}
        XADD omni-stream:[ab] * data {}
        XADD omni-stream:a * data {}
    """)
    samples = vigil.gather(names.REDIS_BUS, url=redis.url)
    mine = samples.one(names.GROUP, topic="eu:orders", group="group:eu:orders:a:b")
    tags = samples.all(names.GROUP, group="group:eu:orders:a:b")[0]["tags"]
    assert tags["agent"] == "a:b" and mine["dlq_length"] == 2
    foreign = samples.all(names.GROUP, group="billing")[0]
    assert not foreign["tags"].get("agent") and foreign["tags"]["topic"] == "eu:orders"
    assert foreign["fields"]["dlq_length"] == 1
    orphan = samples.all(names.GROUP, group="group:gone:z")
    assert len(orphan) == 1 and orphan[0]["fields"]["dlq_length"] == 1
    assert not any(str(value).startswith("dlq:")
                   for s in samples for value in s["tags"].values())

    for option, topics in ((names.TOPICS, {"[ab]"}), (names.TOPIC_PATTERNS, {"a"})):
        config = vigil.config(inputs=[bus(redis, **{option: ["[ab]"]})],
                              outputs=[{"plugin": names.FILE_OUTPUT}])
        samples = vigil.gather(config=config)
        assert samples.tag_values(names.STREAM, "topic") == topics, option


def test_names_of_every_kind(redis, client, vigil):
    """Topics and agents are free text; each comes back as it is, once."""
    odd = ["a b", "a,b=c", 'q"uo\\te', "日本語.タスク", "tab\there", "new\nline", "x" * 500, "*?[",
           "{braces}", "'single'", "per%cent", "a:b:c"]
    for name in odd:
        traffic.register(client, name, f"agent of {name}"[:300])
    samples = vigil.gather(url=redis.url)
    assert samples.status == 0
    assert samples.tag_values(names.STREAM, "topic") == set(odd)
    for name in odd:
        sample = samples.all(names.GROUP, topic=name)
        assert len(sample) == 1, name
        assert sample[0]["tags"]["agent"] == f"agent of {name}"[:300]
        assert sample[0]["fields"]["registered"] is True
    series = samples.series()
    assert len(series) == len(set(series))


def test_names_that_are_no_utf8(redis, client, vigil):
    client.xadd(b"omni-stream:\xff\xfe", {"data": "{}"})
    client.xadd("omni-stream:fine", {"data": "{}"})
    samples = vigil.gather(names.REDIS_BUS, url=redis.url)
    assert samples.status == 0
    assert len(samples.all(names.STREAM)) == 2
    assert samples.one(names.STREAM, topic="fine")["length"] == 1


def test_rights_that_are_missing_in_part(redis, client, vigil):
    redis.run_commands("""
        XADD omni-stream:orders * data {}
        XGROUP CREATE omni-stream:orders group:orders:a 0
        XADD omni-stream:secret * data {}
        XGROUP CREATE omni-stream:secret group:secret:a 0
        ACL SETUSER mon reset on >pw ~omni-stream:orders
        ACL SETUSER mon +ping +info +scan +type +xlen +xinfo -xinfo|consumers
    """)
    config = vigil.agent_config([bus(redis, user="mon", password="pw")], interval="200ms")
    agent = vigil.run(config)
    samples = agent.cycles(30)
    assert samples.last(names.BUS)["up"] is True
    group = samples.last(names.GROUP, topic="orders")
    assert (group["consumers"], group["pending"], group["undelivered"]) == (0, 0, 1)
    assert samples.last(names.STREAM, topic="orders")["length"] == 1
    assert not samples.all(names.GROUP, topic="secret")
    assert "length" not in samples.last(names.STREAM, topic="secret")
    assert "oldest_pending_seconds" not in group and not group.get("max_deliveries")
    log = agent.stderr()
    assert "xinfo" in log.lower() or "noperm" in log.lower()
    assert len(log.splitlines()) < 25, log


def test_probes_leave_no_trace(redis, client, vigil):
    silent_agent(redis)
    redis.run_commands("""
        XGROUP CREATE omni-stream:oom group:oom:a $ MKSTREAM
        XADD omni-stream:oom * data {}
        XREADGROUP GROUP group:oom:a consumer:a-1 COUNT 1 STREAMS omni-stream:oom >
        HSET retry_counts:group:oom:a 1-0 2
        EXPIRE retry_counts:group:oom:a 3600
        CONFIG SET maxmemory 1mb
    """)

    def state():
        pending = client.xpending_range("omni-stream:oom", "group:oom:a", "-", "+", 10)
        return {
            "keys": sorted(client.scan_iter()),
            "deliveries": [entry["times_delivered"] for entry in pending],
            "retries": client.hgetall("retry_counts:group:oom:a"),
            "consumers": [c["name"] for c in client.xinfo_consumers(
                "omni-stream:oom", "group:oom:a")],
        }

    before, ttl = state(), client.ttl("retry_counts:group:oom:a")
    idle = client.xpending_range("omni-stream:oom", "group:oom:a", "-", "+", 1)[0][
        "time_since_delivered"]
    connections = client.info("stats")["total_connections_received"]
    agent = vigil.run(vigil.agent_config([bus(redis)]))
    with redis.monitor() as seen:
        samples = agent.cycles(5)
    new = client.info("stats")["total_connections_received"] - connections
    assert new <= 3, "one of omnivigil's, the monitor's, and the end of the recording"
    assert state() == before
    assert ttl - 60 < client.ttl("retry_counts:group:oom:a") <= ttl
    assert client.xpending_range("omni-stream:oom", "group:oom:a", "-", "+", 1)[0][
        "time_since_delivered"] > idle + 3000
    assert forbidden(seen.commands()) == []
    fields = samples.last(names.BUS)
    assert fields["up"] is True and fields["memory_ratio"] > 1
    assert fields["memory_limit_bytes"] == 1 << 20 and fields["memory_used_bytes"] > 1 << 20
    # Reading a key whose idle time is a sign of life would be reviving the dead.
    key = "omni:config:_subscription_active:group:d:a"
    assert ["GET", key] not in [c[:2] for c in seen.commands()[:-1]] or samples.last(
        names.GROUP, topic="d")["life"] != names.POLLING


def test_every_input_is_read_only(redis, client, vigil):
    silent_agent(redis)
    agent = vigil.run(vigil.agent_config(names.inputs(redis)))
    agent.cycles(1)
    with redis.monitor() as seen:
        agent.cycles(3)
    assert forbidden(seen.commands()) == []


def test_twenty_thousand_streams(redis, client, vigil):
    client.eval("for i=1,20000 do redis.call('XADD','omni-stream:t'..i,'*','data','{}') end "
                "for i=1,200000 do redis.call('SET','k'..i,'v') end", 0)
    client.config_set("slowlog-log-slower-than", 50_000)
    client.execute_command("SLOWLOG", "RESET")
    agent = vigil.run(vigil.agent_config([bus(redis)], interval="2s"))
    samples = agent.cycles(3, seconds=40)
    assert client.execute_command("SLOWLOG", "LEN") == 0
    fields = samples.last(names.BUS)
    whole = fields.get("scan_complete") is True
    assert fields["up"] is True and (not whole or fields["topics"] == 20_000)
    assert agent.memory_kib() < 100_000
    newest = samples.all(names.STREAM)[-1]["time"]
    assert samples.all(names.BUS)[-1]["time"] <= newest or not whole


def test_redis_is_killed_in_the_middle_of_a_gather(redis, client, vigil):
    client.eval("for i=1,20000 do redis.call('XADD','omni-stream:t'..i,'*','data','{}') "
                "redis.call('XGROUP','CREATE','omni-stream:t'..i,'group:t'..i..':a','0') end", 0)
    config = vigil.agent_config([bus(redis, **{names.GATHER_TIMEOUT: "20s"})], interval="100ms")
    agent = vigil.run(config)
    agent.wait("a whole gather", lambda s: s.last(names.BUS).get("topics") == 20_000, 30)
    redis.kill()
    samples = agent.wait("down", lambda s: s.last(names.BUS).get("up") is False, 15)
    for fields in (s["fields"] for s in samples.all(names.BUS)):
        if fields["up"] and fields.get("scan_complete") and "topics" in fields:
            assert fields["topics"] in (0, 20_000)
        if "topics" in fields and fields["topics"] == 20_000 and "undelivered" in fields:
            assert fields["undelivered"] == 20_000
    zeros = [s for s in samples.all(names.STREAM) if s["fields"].get("length") == 0]
    assert not zeros
    redis.run()
    since = agent.size()
    agent.wait("up and empty", lambda s: s.last(names.BUS).get("up") is True, 15, since)


ORDERS = "*2\r\n$1\r\n0\r\n*3\r\n" + "$18\r\nomni-stream:orders\r\n" * 3
GROUPS = ("*1\r\n*12\r\n$4\r\nname\r\n$14\r\ngroup:orders:a\r\n$9\r\nconsumers\r\n:1\r\n"
          "$7\r\npending\r\n:0\r\n$17\r\nlast-delivered-id\r\n$3\r\n1-0\r\n"
          "$12\r\nentries-read\r\n:1\r\n$3\r\nlag\r\n:0\r\n")
STREAM = ("*14\r\n$6\r\nlength\r\n:1\r\n$17\r\nlast-generated-id\r\n$3\r\n1-0\r\n"
          "$13\r\nentries-added\r\n:1\r\n$6\r\ngroups\r\n:1\r\n"
          "$11\r\nfirst-entry\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$4\r\ndata\r\n$2\r\n{}\r\n"
          "$10\r\nlast-entry\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$4\r\ndata\r\n$2\r\n{}\r\n"
          "$20\r\nmax-deleted-entry-id\r\n$3\r\n0-0\r\n")
BASE = [["PING", "+PONG\r\n"],
        ["INFO", "$21\r\nredis_version:7.2.4\r\n\r\n"],
        ["TYPE", "+stream\r\n"],
        ["XLEN", ":1\r\n"]]


@pytest.mark.parametrize("rules,groups", [
    pytest.param([["SCAN", ORDERS], ["XINFO GROUPS", GROUPS], ["XINFO STREAM", STREAM]], 1,
                 id="listed thrice"),
    pytest.param([["SCAN", ORDERS], ["XINFO GROUPS", "-ERR no such key\r\n"],
                  ["XINFO STREAM", "-ERR no such key\r\n"]], 0, id="gone since"),
    pytest.param([["SCAN", ORDERS], ["XINFO GROUPS", GROUPS], ["XINFO STREAM", STREAM],
                  ["XPENDING", "-NOGROUP No such consumer group 'g' for key name 'k'\r\n"],
                  ["XINFO CONSUMERS", "-NOGROUP No such consumer group\r\n"]], 1,
                 id="group gone since"),
    pytest.param([["SCAN", ORDERS], ["XINFO GROUPS", "*1\r\n*0\r\n"], ["XINFO", ":5\r\n"]], 0,
                 id="nonsense"),
])
def test_keys_that_come_twice_or_go(fake_redis, vigil, rules, groups):
    fake = fake_redis(BASE + rules + [["*", "-ERR unknown command\r\n"]])
    samples = vigil.gather(names.REDIS_BUS, url=fake.url)
    assert len(samples.all(names.GROUP)) == groups
    assert len(samples.all(names.STREAM)) <= 1
    series = samples.series()
    assert len(series) == len(set(series))
    assert samples.one(names.BUS)["up"] is True
    told = [line.partition(" ")[2] for line in samples.stderr.splitlines()]
    assert len(told) == len(set(told)) <= 8, samples.stderr  # each refused command, once


@pytest.mark.parametrize("rules,fault", [
    ([["*", "-NOAUTH Authentication required.\r\n"]], "noauth"),
    ([["*", "-LOADING Redis is loading the dataset in memory\r\n"]], "loading"),
    ([["*", "-ERR max number of clients reached\r\n"]], "maxclients"),
    ([["*", "HTTP/1.1 400 Bad Request\r\n\r\n"]], None),
    ([["*", "CLOSE"]], None),
    ([["*", "$99999999999999\r\n"]], None),
    ([["*", "*1000000000\r\n"]], None),
    ([["*", "+OK\r\n", 30]], "timeout"),
])
def test_a_server_that_is_none(fake_redis, vigil, rules, fault):
    fake = fake_redis(rules)
    config = vigil.config(inputs=[{"plugin": names.REDIS_BUS, "url": fake.url,
                                   names.REDIS_TIMEOUT: "1s"}],
                          outputs=[{"plugin": names.FILE_OUTPUT}])
    begin = time.monotonic()
    fields = vigil.gather(config=config).one(names.BUS)
    assert time.monotonic() - begin < 8
    assert fields["up"] is False and fields["reason"] and fields["fault"]
    assert fault is None or fields["fault"] == fault
    assert "topics" not in fields and "pending" not in fields


def test_a_database_number_and_a_prefix(redis, vigil, directory):
    client = redis.client(db=3)
    traffic.register(client, "t", "a", prefix="mine")
    samples = vigil.gather(url=f"{redis.url}/3", REDIS_KEY_PREFIX="mine")
    group = samples.one(names.GROUP, topic="t", agent="a")
    assert group["registered"] is True
    assert samples.one(names.STORAGE)["agents"] == 1
    empty = vigil.gather(url=f"{redis.url}/3")
    assert empty.one(names.GROUP, topic="t", agent="a")["registered"] is False


def test_nothing_there_at_all(redis, vigil):
    samples = vigil.gather(url=redis.url)
    fields = samples.one(names.BUS)
    assert fields["up"] is True and fields["topics"] == 0 and fields["version"].startswith("7.")
    assert samples.one(names.HEALTH)["status"] == names.READY
    assert samples.one(names.HEALTH)["runner"] == names.NONE


def test_two_redis_servers_are_told_apart(redis, vigil, directory):
    import os
    other_dir = os.path.join(directory, "other")
    os.mkdir(other_dir)
    other = RedisServer(other_dir)
    try:
        redis.client().xadd("omni-stream:t", {"data": "{}"})
        other.client().xadd("omni-stream:t", {"data": "{}"})
        config = vigil.config(
            inputs=[bus(redis, name="one", tags={"site": "one"}),
                    bus(other, name="two", tags={"site": "two"})],
            outputs=[{"plugin": names.FILE_OUTPUT}])
        samples = vigil.gather(config=config)
        assert {s["tags"]["site"] for s in samples.all(names.STREAM, topic="t")} == {"one", "two"}
        series = samples.series()
        assert len(series) == len(set(series))
    finally:
        other.kill()


def test_many_topics_are_asked_for_in_turns(redis, client, vigil):
    """What is new among many topics is seen at once where their number tells, else in six looks."""
    def register(topic):
        redis.run_commands(f"""
            SADD omni:topics {topic}
            SADD omni:agents:topic:{topic} a
            XGROUP CREATE omni-stream:{topic} group:{topic}:a $ MKSTREAM
        """)

    for i in range(60):
        register(f"t{i}")
    agent = vigil.run(vigil.agent_config([bus(redis)], interval="200ms"))
    assert len(agent.cycles(3).tag_values(names.GROUP, "topic")) == 60

    def found(what, condition, looks):
        since = agent.size()
        agent.wait(what, lambda s: condition(s) or len(s.all(names.BUS)) > looks + 2, 15, since)
        assert condition(agent.samples(since)), what

    register("one.more")
    found("another topic", lambda s: s.all(names.GROUP, topic="one.more"), 1)
    client.srem("omni:topics", "t0")
    client.sadd("omni:topics", "swapped")
    client.sadd("omni:agents:topic:swapped", "b")
    found("a topic in place of another", lambda s: s.all(names.STREAM, topic="swapped"), 6)
    client.sadd("omni:agents:topic:t1", "late")
    found("another agent", lambda s: any(
        g["fields"]["registered"] for g in s.all(names.GROUP, topic="t1", agent="late")), 6)
    # a dead letter that nobody's task explains, and one that a task explains
    client.xadd("omni-dlq:group:t2:a", {"data": "{}"})
    found("a dead letter", lambda s: any(
        g["fields"].get("dlq_length") == 1 for g in s.all(names.GROUP, topic="t2")), 6)
    for i in range(10, 30):
        traffic.publish(client, f"t{i}", 1)
        traffic.take(client, f"t{i}", "a", 1, ack=True)
        client.xadd(f"omni-dlq:group:t{i}:a", {"data": "{}"})
    found("dead letters at once", lambda s: all(
        any(g["fields"].get("dlq_length") == 1 for g in s.all(names.GROUP, topic=f"t{i}"))
        for i in range(10, 30)), 1)
