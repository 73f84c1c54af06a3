# SPDX-License-Identifier: Apache-2.0
"""`omnivigil bus groups restore` and what `diagnose` says before and after it: Redis loses the
group of a real OmniDaemon agent, which then gets every task once."""

import collections
import json
import os

import pytest

import traffic
from commands import Commands
from servers import wait_for

TOPIC, AGENT = "orders", "invoice"
GROUP = f"group:{TOPIC}:{AGENT}"
STREAM = f"omni-stream:{TOPIC}"


class Shop:
    def __init__(self, omnidaemon, client, vigil, directory):
        self.omnidaemon, self.client = omnidaemon, client
        self.commands = Commands(vigil, REDIS_URL=omnidaemon.env["REDIS_URL"])
        self.path = os.path.join(directory, "got")
        self.other = os.path.join(directory, "got by another")

    def start(self, **more):
        """The agent, and another one that never loses anything."""
        return self.omnidaemon.worker(
            {"topic": TOPIC, "name": AGENT, "record": self.path, "reclaim_idle_ms": 500, **more},
            {"topic": TOPIC, "name": "other", "record": self.other})

    def got(self, path=None):
        """How often the agent got each task."""
        try:
            with open(path or self.path, encoding="utf-8") as file:
                return collections.Counter(json.loads(line)["task_id"] for line in file)
        except FileNotFoundError:
            return collections.Counter()

    def tasks(self):
        return [json.loads(fields["data"])["task_id"]
                for _, fields in self.client.xrange(STREAM)]

    def publish_until_done(self, count):
        have = len(self.got())
        traffic.publish(self.client, TOPIC, count)
        wait_for("them", lambda: len(self.got()) == have + count and self.settled(), 30)

    def settled(self):
        return self.client.xpending(STREAM, GROUP)["pending"] == 0 and \
            self.noted() >= len(self.got())

    def kill(self, worker):
        """While the other agent has nothing under way, which it would get again only much later."""
        wait_for("the other", lambda: len(self.got(self.other)) == len(self.tasks()) and
                 self.client.xpending(STREAM, f"group:{TOPIC}:other")["pending"] == 0, 30)
        worker.kill()

    def noted(self):
        events = [json.loads(fields["data"]) for _, fields in self.client.xrange("omni-metrics")]
        return sum(e["group"] == GROUP and e["event"] in ("processed", "reclaimed")
                   for e in events)

    def findings(self, status=1):
        return self.commands.json("diagnose", status=status)["findings"]

    def finding(self, name):
        return next((f for f in self.findings() if f["name"] == name), None)

    def restore(self, *args, status=0):
        return self.commands.json("bus", "groups", "restore", TOPIC, *args, status=status)

    def everything_once(self):
        wanted = {task: 1 for task in self.tasks()}
        wait_for("every task", lambda: set(self.got()) == set(wanted) and self.settled(), 60)
        assert self.got() == wanted
        assert self.got(self.other) == wanted


@pytest.fixture
def shop(omnidaemon, client, vigil, directory):
    return Shop(omnidaemon, client, vigil, directory)


def test_before_the_restart(shop, client):
    worker = shop.start()
    shop.publish_until_done(20)
    last = client.xrevrange(STREAM, count=1)[0][0]
    client.xgroup_destroy(STREAM, GROUP)
    traffic.publish(client, TOPIC, 30)
    found = shop.finding("no-group")
    assert f"30 tasks wait for it, the last it did is {last}" in found["evidence"], found
    assert found["next"].startswith("omnivigil bus groups restore ")
    assert found["next"].endswith(" --agent invoice orders")
    assert "past all tasks published in between" in found["meaning"]
    before = client.dump(STREAM)
    planned = shop.restore("--dry-run")["groups"]
    assert client.dump(STREAM) == before
    assert [(g["agent"], g["missed"], g["made_at"], g["restored"]) for g in planned] == [
        (AGENT, 30, last, False)]
    done = shop.restore("--yes")
    assert [(g["missed"], g["restored"]) for g in done["groups"]] == [(30, True)]
    assert any("Restart the runner" in note for note in done["notes"])
    assert "no-group" not in [f["name"] for f in shop.findings()]
    shop.kill(worker)
    shop.start()
    shop.everything_once()
    assert shop.restore("--yes")["groups"] == []


def test_after_the_restart(shop, client):
    """Also of those done since, none comes again."""
    worker = shop.start()
    shop.publish_until_done(20)
    client.xgroup_destroy(STREAM, GROUP)
    missed = traffic.publish(client, TOPIC, 30)
    shop.kill(worker)
    shop.start()
    shop.publish_until_done(25)
    found = shop.finding("missed")
    assert found["finding"] == "agent invoice missed 30 tasks on orders", found
    assert found["severity"] == "critical"
    assert f"from {missed[0]}, " in found["evidence"] and f"to {missed[-1]}, " in found["evidence"]
    done = shop.restore("--yes")
    assert [(g["group"], g["missed"]) for g in done["groups"]] == [("made anew", 30)]
    assert {e["times_delivered"] for e in client.xpending_range(STREAM, GROUP, "-", "+", 50)
            } <= {1, 2}  # as OmniDaemon takes them up
    shop.everything_once()
    assert "missed" not in [f["name"] for f in shop.findings(status=1)]
    assert shop.restore("--yes")["groups"] == []


def test_tasks_under_way_when_the_group_was_lost(shop, client):
    """They were delivered, and are not done: one that failed, and those of a killed process."""
    worker = shop.start(ms=300)
    shop.publish_until_done(3)
    traffic.publish(client, TOPIC, 1)
    wait_for("it", lambda: len(shop.got()) == 4)
    worker.kill()
    client.xgroup_destroy(STREAM, GROUP)
    under_way = len(shop.got())
    traffic.publish(client, TOPIC, 2)
    found = shop.restore("--yes")["groups"]
    assert [g["missed"] for g in found] == [len(shop.tasks()) - shop.noted()]
    shop.start()
    wanted = set(shop.tasks())
    wait_for("every task", lambda: set(shop.got()) == wanted and shop.settled(), 60)
    assert under_way == 4


def test_an_agent_that_did_nothing_yet(shop, client):
    worker = shop.start()
    client.xgroup_destroy(STREAM, GROUP)
    traffic.publish(client, TOPIC, 5)
    assert "5 tasks wait for it, it was registered at" in shop.finding("no-group")["evidence"]
    done = shop.restore("--yes")
    assert [g["missed"] for g in done["groups"]] == [5]
    assert any("come again" in note for note in done["notes"])
    shop.kill(worker)
    shop.start()
    shop.everything_once()


def test_a_group_that_is_made_in_the_middle_has_missed_nothing(shop, client):
    """Whatever was there before, is pending, dead, acknowledged by hand, or waits."""
    traffic.publish(client, TOPIC, 10)
    shop.start(do="ok", dlq_retry_limit=1)
    shop.publish_until_done(5)
    client.xadd(STREAM, {"data": json.dumps({**json.loads(traffic.event(TOPIC)),
                                             "content": "fail"})})
    wait_for("a dead letter", lambda: client.xlen(f"omni-dlq:{GROUP}") == 1, 30)
    assert "missed" not in [f["name"] for f in shop.findings()]
    assert shop.restore("--yes")["groups"] == []


def test_from_an_entry(shop, client):
    worker = shop.start()
    shop.publish_until_done(4)
    client.delete("omni-metrics")
    client.delete("omni:metrics:stream")
    ids = [id for id, _ in client.xrange(STREAM)]
    worker.kill()
    client.xgroup_destroy(STREAM, GROUP)
    planned = shop.restore("--dry-run", "--from", ids[1])["groups"]
    assert {g["agent"]: (g["missed"], g["made_at"]) for g in planned} == {
        AGENT: (2, ids[1]), "other": (2, None)}
    done = shop.restore("--yes", "--from", ids[1], "--agent", AGENT)["groups"]
    assert [(g["missed"], g["made_at"]) for g in done] == [(2, ids[1])]
    refused = shop.commands.run("bus", "groups", "restore", TOPIC, "--from", "yesterday", status=2)
    assert "is no entry id" in refused.stderr


def test_without_an_answer_nothing_is_changed(shop, client):
    traffic.register(client, TOPIC, AGENT)
    traffic.publish(client, TOPIC, 2)
    client.xgroup_destroy(STREAM, GROUP)
    done = shop.commands.run("bus", "groups", "restore", TOPIC, status=1)
    assert "--yes" in done.stderr
    assert client.xinfo_groups(STREAM) == []


def test_a_topic_that_is_not_there(shop):
    done = shop.commands.run("bus", "groups", "restore", "nowhere", status=3)
    assert "there is no topic `nowhere`" in done.stderr


def test_the_rights_it_needs(shop, client):
    """Those the README names, and no more."""
    path = os.path.join(os.path.dirname(__file__), "..", "..", "README.md")
    with open(path, encoding="utf-8") as file:
        line = file.read().split("ACL SETUSER group-operator", 1)[1].split("```")[0]
    rules = line.replace("\\\n", " ").replace("'", "").replace(">s3cret", ">secret").split()
    client.execute_command("ACL", "SETUSER", "group-operator", *rules)
    shop.start()
    shop.publish_until_done(3)
    client.xgroup_destroy(STREAM, GROUP)
    traffic.publish(client, TOPIC, 3)
    url = shop.omnidaemon.env["REDIS_URL"].replace("unix://", "unix://group-operator:secret@")
    done = shop.commands.json("bus", "groups", "restore", TOPIC, "--yes", REDIS_URL=url)
    assert [g["restored"] for g in done["groups"]] == [True], done
