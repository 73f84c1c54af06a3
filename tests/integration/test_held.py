# SPDX-License-Identifier: Apache-2.0
"""What `health` tells of alerts that an agent holds, and that one look does not see."""

import json
import time

import pytest

from servers import wait_for
from watching import rules_within

# A rule that one look cannot judge: it is about growth.
GROWTH = {"name": "handed-out", "value": "increase(omnidaemon_agent.processed, 10m)",
          "critical": 2, "summary": "{agent} did {value} tasks"}


@pytest.fixture
def grown(client, omnidaemon, watch):
    watched = watch(rules_within(1, GROWTH))
    omnidaemon.worker({"topic": "orders", "name": "mail", "do": "ok"})
    omnidaemon.publish("orders", 1)
    watched.cycles(5)
    omnidaemon.publish("orders", 5)
    watched.wait("firing critical handed-out")
    return watched


def health(vigil, config, status):
    done = vigil.command("health", "-c", config, "--format", "json")
    assert done.returncode == status, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def test_an_agent_that_runs_or_was_stopped(vigil, grown):
    for stop in (False, True):
        if stop:
            grown.agent.kill()
        told = health(vigil, grown.config, 1)
        row, = [f for f in told["findings"] if f["rule"] == "handed-out"]
        assert row["severity"] == "critical" and row["told_by"] == "agent", row
        assert (row["topic"], row["agent"]) == ("orders", "mail")
        assert row["summary"].startswith("mail did ") and row["since"].endswith("Z"), row
        assert any("agent tells is as of" in note for note in told["notes"]), told["notes"]
        done = vigil.command("health", "-c", grown.config)
        assert "mail did" in done.stdout and "TOLD BY" in done.stdout, done.stdout
        done = vigil.command("agent", "get", "orders", "mail", "-c", grown.config)
        assert "mail did" in done.stdout, done.stdout


def test_what_both_see_is_told_once(vigil, grown, client, omnidaemon):
    client.xgroup_destroy("omni-stream:orders", "group:orders:mail")
    fired = grown.wait("firing critical no-group")

    def told():
        return [f for f in health(vigil, grown.config, 1)["findings"] if f["rule"] == "no-group"]
    wait_for("both", lambda: [f["told_by"] for f in told()] == ["both"])
    row, = told()
    since = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(fired["fields"]["started_at"]))
    assert row["since"].startswith(since), (row, fired)


def test_no_word_of_another_agent(vigil, grown, redis, directory):
    """Neither of one that watches another database, nor of one that never was."""
    with open(grown.config, encoding="utf-8") as file:
        parts = json.load(file)
    elsewhere = {**parts, "inputs": [{**one, "key_prefix": "other"}
                                     for one in parts["inputs"]]}
    none = {**parts, "agent": {**parts["agent"], "state_dir": f"{directory}/none"}}
    for other in (elsewhere, none):
        done = vigil.command("health", "-c", vigil.config("other.yaml", **other),
                             "--format", "json")
        told = json.loads(done.stdout)
        assert not [f for f in told["findings"] if f["told_by"] != "look"], told
        assert any("Not judged in one look" in note and "handed-out" in note
                   for note in told["notes"]), told["notes"]
