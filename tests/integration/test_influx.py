# SPDX-License-Identifier: Apache-2.0
"""A real InfluxDB receives what omnivigil gathers, and gives back the same values."""

import datetime
import re
import time

import names
import traffic
from servers import InfluxServer, free_port, wait_for


def output(url, database="omni", **more):
    return {"plugin": names.INFLUX_OUTPUT, "url": url, "database": database, **more}


def nanoseconds(text):
    """RFC 3339 to Unix nanoseconds, exactly."""
    head, _, rest = text.rstrip("Z").partition(".")
    whole = datetime.datetime.fromisoformat(head + "+00:00")
    return int(whole.timestamp()) * 10**9 + int((rest + "0" * 9)[:9])


def as_stored(name):
    """A backslash that would undo the line protocol's escaping is written as a look-alike."""
    return re.sub(r"\\(?=$|[,= ])", "\uff3c", name)


def fill(client):
    traffic.start_runner(client)
    for topic, agent in (("orders", "a"), ("eu:orders", "b c"), ('q"uo\\te, =x', "日本語"),
                         ("back\\slash\\", "d=e,f")):
        traffic.register(client, topic, agent)
        traffic.publish(client, topic, 12)
        traffic.take(client, topic, agent, 5)
        traffic.add_metrics(client, traffic.task_events(topic, agent, "r", seconds=0.25))
        traffic.add_metrics(client, traffic.task_events(topic, agent, "r", error=("E", "x")))


def test_values_come_back(redis, client, influx, vigil):
    influx.query("CREATE DATABASE omni")
    fill(client)
    agent = vigil.run(vigil.agent_config(names.inputs(redis), [output(influx.url)]))
    agent.cycles(3)
    assert agent.stop() == 0
    written = agent.samples(0)
    assert {names.BUS, names.GROUP, names.AGENT, names.HEALTH} <= written.measurements()
    compared = 0
    for measurement in (names.BUS, names.STREAM, names.GROUP, names.AGENT, names.FAILURES,
                        names.HEALTH, names.STORAGE):
        rows = influx.query(f'SELECT * FROM "{measurement}" GROUP BY *', "omni")
        stored = {}
        for row in rows:
            fields = {k: v for k, v in row.items() if v is not None and k != "time"}
            stored.setdefault(row["time"], []).append(fields)
        for sample in written.all(measurement):
            tags = {k: as_stored(v) for k, v in sample["tags"].items() if v}
            wanted = {**tags, **sample["fields"]}
            found = [row for row in stored.get(nanoseconds(sample["time"]), ())
                     if all(row.get(k) == v for k, v in tags.items())]
            assert found, (measurement, sample)
            assert any({k: v for k, v in row.items() if v != ""} == wanted for row in found), (
                sample, found)
            compared += 1
        # nothing twice, nothing more
        assert sum(map(len, stored.values())) == len(written.all(measurement)), measurement
    assert compared > 40


def test_influx_is_down_for_a_while(redis, client, directory, vigil):
    """What was gathered meanwhile arrives later, with its own times."""
    fill(client)
    port = free_port()
    agent = vigil.run(vigil.agent_config(names.inputs(redis), [output(f"http://127.0.0.1:{port}")]))
    agent.cycles(3)
    server = InfluxServer(directory, port)
    try:
        server.query("CREATE DATABASE omni")
        early = len(agent.samples().all(names.BUS))
        query = f'SELECT COUNT("up") FROM "{names.BUS}"'
        wait_for("the backlog", lambda: (
            lambda rows: rows and rows[0]["count"] >= early)(server.query(query, "omni")), 40, 0.5)
        assert agent.stop() == 0
        written = agent.samples(0).all(names.BUS)
        time.sleep(0.5)
        assert server.query(query, "omni")[0]["count"] == len(written)
    finally:
        server.kill()


def test_a_missing_database_is_made_or_named(redis, influx, vigil):
    agent = vigil.run(vigil.agent_config(names.inputs(redis), [output(influx.url, "nowhere")]))
    agent.cycles(3)
    rows = influx.query("SHOW DATABASES")
    assert {"name": "nowhere"} in rows or "nowhere" in agent.stderr()
