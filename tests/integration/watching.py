# SPDX-License-Identifier: Apache-2.0
"""Watches what a running agent tells: the recommended rules with their times shortened, and that
just the expected alerts come and go."""

import json
import time

import names
from servers import wait_for

ALERT = "omnidaemon_alert"
# every recommended rule that waits before it fires
HELD = ("no-group", "silent", "pending", "backlog", "poison", "memory", "health", "runner",
        "crashed", "success", "slow", "no-data", "output")
# ... and those that may not fire while one of the others is found out
MUTED_LATER = ("silent",)


# for agents that this file plays itself, and badly: nobody polls
UNPLAYED = {"name": "silent", "enabled": False}


def rules_within(seconds, *changed):
    """The recommended rules, firing after so long; and changes of single ones."""
    rules = {name: {"name": name, "for": f"{seconds}s"} for name in HELD}
    rules.update({name: {"name": name, "for": f"{seconds + 3}s"} for name in MUTED_LATER})
    for change in changed:
        rules[change["name"]] = {**rules.get(change["name"], {}), **change}
    return list(rules.values())


class Watch:
    """An agent and what it told."""

    def __init__(self, vigil, inputs, rules, **agent):
        with open(vigil.agent_config(inputs, **agent), encoding="utf-8") as file:
            parts = json.load(file)
        self.vigil, self.config = vigil, vigil.config(**parts, rules=rules)
        self.agent = vigil.run(self.config)
        self.begin = self.agent.begin

    def restart(self):
        self.agent.kill()
        self.agent = self.vigil.run(self.config)

    def alerts(self):
        return self.agent.samples(self.begin).all(ALERT)

    def told(self, rule=None):
        """["firing critical no-group", ...] in their order"""
        return [f"{a['fields']['state']} {a['tags']['severity']} {a['tags']['rule']}"
                for a in self.alerts() if rule in (None, a["tags"]["rule"])]

    def wait(self, *expected, seconds=30):
        """Until each of these was told; returns the last one's sample."""
        def there():
            self.agent.check_alive()
            told = self.told()
            return all(e in told for e in expected)
        try:
            wait_for(f"{expected}", there, seconds, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\ntold: {self.told()}\n{self.agent.stderr()}") from None
        return next(a for a in reversed(self.alerts())
                    if f"{a['fields']['state']} {a['tags']['severity']} {a['tags']['rule']}"
                    == expected[-1])

    def cycles(self, count=3):
        self.agent.cycles(count, names.BUS)

    def expect(self, *rules, severity="critical"):
        """Just these fired and were resolved, each once and under one id, and nothing else."""
        self.expect_told(*(f"{state} {severity} {rule}" for rule in rules
                           for state in ("firing", "resolved")))

    def expect_told(self, *expected):
        assert sorted(self.told()) == sorted(expected), self.told()
        lives = {}
        for alert in self.alerts():
            fields = alert["fields"]
            lives.setdefault(fields["alert_id"], []).append(fields)
        for life in lives.values():
            assert [f["state"] for f in life].count("resolved") <= 1, life
            assert {f["started_at"] for f in life} == {life[0]["started_at"]}
            for fields in life:
                if fields["state"] == "resolved":
                    assert fields is life[-1]
                    assert abs(fields["ended_at"] - fields["started_at"]
                               - fields["duration_seconds"]) < 0.001
                    assert abs(fields["ended_at"] - time.time()) < 300
