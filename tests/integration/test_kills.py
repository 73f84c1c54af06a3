# SPDX-License-Identifier: Apache-2.0
"""The agent is killed fifty times at random instants while its receivers come and go, and delivers
all the same.

What must arrive is known twice. The test's own input numbers its points and keeps its position as
every input does, in the state that is saved once its points were handed on: so there may be no gap
in the numbers, whatever was killed, and since a number is also a time, a point sent again is the
same point. And an output that is asked last, and writes all to disk first, is the witness: what it
has, the others' queues had taken.
"""

import calendar
import json
import os
import random
import threading
import time

from receiver import Receiver
from servers import free_port, wait_for
from vigil import Samples, build_plugin

KILLS = 50
EACH = 25  # points of a gather
ALERT, AGENT = "omnidaemon_alert", "omnivigil_agent"

INPUT = r"""
#include <omnivigil.h>
#include <stdlib.h>
enum { EACH = 25, LANES = 7 };
static const char *const tags[] = {"lane"};
static const struct ov_field fields[] = {{"number", OV_INT, OV_GAUGE, "", ""},
                                         {"half", OV_FLOAT, OV_GAUGE, "", ""}};
static const struct ov_measurement point = {"test_point", "", tags, fields, 1, 2};
static const struct ov_field level_fields[] = {{"level", OV_INT, OV_GAUGE, "", ""}};
static const struct ov_measurement state = {"test_state", "", NULL, level_fields, 0, 1};
static const struct ov_measurement *const measurements[] = {&point, &state, NULL};
static const struct ov_option options[] = {{.name = NULL}};
struct numbers { int64_t next; };
static int start(void *s, struct ov_host *host) { (void)s; (void)host; return OV_OK; }
static void end(void *s) { (void)s; }
/* Points EACH at a time, each at its number's millisecond; and a level that others can see rise
 * and fall: 0, 1, 2, each for so long. */
static int gather(void *s, struct ov_batch *batch)
{
    struct numbers *n = s;
    for (int i = 0; i < EACH; i++, n->next++) {
        struct ov_sample *p = ov_batch_add(batch, &point);
        char lane[] = {' ', 'a' + n->next % LANES, ','};
        p->time_ns = (INT64_C(1700000000000) + n->next) * 1000000;
        ov_sample_tag(batch, p, 0, (struct ov_slice){lane, sizeof lane});
        ov_sample_int(p, 0, n->next);
        ov_sample_float(p, 1, n->next / 2.0);
    }
    ov_sample_int(ov_batch_add(batch, &state), 0, ov_wall_ns() / 700000000 % 3);
    return OV_OK;
}
static void save(void *s, struct ov_buf *out)
{
    ov_buf_int(out, ((struct numbers *)s)->next);
}
static int load(void *s, struct ov_slice saved)
{
    char text[24] = "";
    memcpy(text, saved.ptr, saved.len < sizeof text ? saved.len : sizeof text - 1);
    ((struct numbers *)s)->next = strtoll(text, NULL, 10);
    return OV_OK;
}
OV_PLUGIN = {
    OV_PLUGIN_HEAD, .name = "NAME", .summary = "for the tests", .kind = OV_INPUT,
    .state_size = sizeof(struct numbers), .options = options, .measurements = measurements,
    .open = start, .close = end, .gather = gather, .save = save, .load = load,
};
"""
RULE = {"name": "level", "value": "test_state.level", "warning": "0", "critical": "0:1",
        "for": "0s", "clear_for": "0s", "summary": "{level}"}


class Comings(threading.Thread):
    """Something that is up and down in turns, for random times, until it is told to stay up."""

    def __init__(self, up, down, seed):
        super().__init__(daemon=True)
        self.up, self.down, self.random = up, down, random.Random(seed)
        self.enough, self.failure, self.turns = threading.Event(), None, 0

    def run(self):
        try:
            while not self.enough.wait(self.random.uniform(0.2, 2.5)):
                self.down()
                self.enough.wait(self.random.uniform(0.2, 2.5))
                self.up()
                self.turns += 1
        except Exception as failure:  # told at the end
            self.failure = failure

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        """It is up from here on, whatever happened meanwhile."""
        self.enough.set()
        self.join(60)


class FlightyReceiver:
    """An HTTP receiver that comes and goes at one port, and answers some requests with 503."""

    def __init__(self, seed):
        self.port, self.random, self.lives = free_port(), random.Random(seed), []
        self.up()

    def up(self):
        self.lives.append(Receiver(self.port))
        self.lives[-1].script = [(self.random.choice((200, 200, 503)), {}) for _ in range(20)]

    def down(self):
        self.lives[-1].close()

    def taken(self):
        return [request for life in self.lives for request in life.taken()]


def deliveries(requests):
    """{(alert, state, severity): delivery ids}, in the order of arrival."""
    found = {}
    for request in requests:
        for alert in json.loads(request["body"])["alerts"]:
            key = (alert["id"], alert["state"], alert["severity"])
            found.setdefault(key, set()).add(request["headers"]["X-Omnivigil-Delivery"])
    return found


def nanoseconds(text):
    """Since 1970, of 2025-11-25T01:52:03.250000000Z."""
    seconds = calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    return seconds * 10**9 + int(text[20:-1])


def stored_points(server):
    rows = server.query('SELECT "number", "half", "lane" FROM "test_point"', "omni")
    for row in rows:
        number = row["number"]
        assert row["time"] == (1700000000000 + number) * 1000000, row
        assert row["half"] == number / 2 and row["lane"] == f" {'abcdefg'[number % 7]},", row
    return sorted(row["number"] for row in rows)


def test_fifty_kills(vigil, influx, directory, plugin_dir):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # shown when it fails
    build_plugin(plugin_dir, INPUT, "test_points")
    chance, flighty, steady = random.Random(seed), FlightyReceiver(seed + 1), Receiver()
    influx.query("CREATE DATABASE omni")
    samples = os.path.join(directory, "samples.json")
    config = vigil.config(
        agent={"interval": "100ms", "state_dir": os.path.join(directory, "state"),
               "state_interval": "1s", "grace": "5s"},
        inputs=[{"plugin": "test_points"}], rules=[RULE],
        outputs=[
            {"plugin": "influx", "url": influx.url, "database": "omni", "queue": "write_ahead"},
            {"plugin": "webhook", "name": "flighty", "url": f"http://127.0.0.1:{flighty.port}"},
            {"plugin": "webhook", "name": "steady", "url": steady.url},
            {"plugin": "file", "path": samples, "format": "json", "queue": "write_ahead"}])
    run = lambda: vigil.run(config, OMNIVIGIL_PLUGIN_DIR=plugin_dir)
    with Comings(influx.run, influx.kill, seed + 2) as database, \
            Comings(flighty.up, flighty.down, seed + 3) as receiver:
        for _ in range(KILLS):
            agent = run()
            time.sleep(chance.uniform(0, 1.6))
            agent.check_alive()
            agent.kill()
    for one in (database, receiver):
        assert one.failure is None and one.turns >= 3, (one.failure, one.turns)
    flighty.lives[-1].script = []

    agent = run()

    def drained():
        agent.check_alive()
        last = agent.samples().all("omnivigil_output")[-4:]
        return len(last) == 4 and all(s["fields"]["buffered"] < 2 * EACH for s in last
                                      if s["tags"]["output"] != "file")
    wait_for("an end of the backlog", drained, 30, 0.2)
    agent.wait("a quiet moment", lambda s: s.last("test_state")["level"] == 0
               and s.last(ALERT).get("state") == "resolved")
    assert agent.stop() == 0, agent.stderr()

    # every point once
    numbers = stored_points(influx)
    assert numbers == list(range(len(numbers)))
    with open(samples, encoding="utf-8") as file:
        witnessed = Samples.parse(file.read())
    assert max(s["fields"]["number"] for s in witnessed.all("test_point")) <= numbers[-1]
    assert len(numbers) > 20 * EACH
    own = {row["time"] for row in
           influx.query(f'SELECT "uptime_seconds" FROM "{AGENT}"', "omni")}
    assert len(own) > KILLS
    assert {nanoseconds(s["time"]) for s in witnessed.all(AGENT)} <= own

    # every alert under its id
    told = {(s["fields"]["alert_id"], s["fields"]["state"], s["tags"]["severity"])
            for s in witnessed.all(ALERT)}
    ends = {id for id, state, _ in told if state == "resolved"}
    assert ends == {id for id, _, _ in told} and len(ends) > 5
    at_steady, at_flighty = deliveries(steady.taken()), deliveries(flighty.taken())
    assert set(at_steady) >= told, told - set(at_steady)
    # to one that was away the newest is told: the end of each, and the rest unless it was too late
    assert {id for id, state, _ in at_flighty if state == "resolved"} >= ends
    assert set(at_flighty) <= set(at_steady)
    for key, ids in [*at_steady.items(), *at_flighty.items()]:
        assert len(ids) == 1, (key, ids)
    steady.close()
    flighty.down()
