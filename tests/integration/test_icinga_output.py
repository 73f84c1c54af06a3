# SPDX-License-Identifier: Apache-2.0
"""Alerts as states of services in a real Icinga 2, over its API, with the shipped definitions:
what Icinga itself says of them is what counts."""

import os
import re
import signal
import subprocess

import pytest

import names
import traffic
from monitoring import CRITICAL, OK, UNKNOWN, WARNING
from schedulers import Icinga, shipped
from servers import wait_for

PERMISSIONS = '"actions/process-check-result", "objects/create/service"'
USERS = f'''
    object ApiUser "omnivigil" {{ password = "se\\"cret", permissions = [ {PERMISSIONS} ] }}
    object ApiUser "certificate" {{ client_cn = "agent", permissions = [ {PERMISSIONS} ] }}
    object ApiUser "nobody" {{ password = "secret", permissions = [ "status/query" ] }}
    '''
HOST = 'object Host "omnidaemon" { import "omnivigil-agent" }'
# as shipped, but for their patience
RULES = [{"name": "pending", "warning": 5, "critical": 50, "for": "0s", "clear_for": "0s"}]


@pytest.fixture
def icinga(directory, vigil):
    started = []

    def start(objects=HOST):
        started.append(Icinga(directory, vigil.binary, vigil.env, USERS + objects, api=True))
        return started[-1]

    yield start
    for one in started:
        one.stop()


class Told:
    """An agent that tells Icinga of what happens in a Redis."""

    def __init__(self, vigil, redis, client, icinga):
        self.vigil, self.redis, self.client, self.icinga = vigil, redis, client, icinga
        self.taken = {}
        self.agent = None

    def configure(self, **output):
        output.setdefault("user", "omnivigil")
        if output["user"] == "omnivigil":
            output.setdefault("password", 'se"cret')
        output.setdefault("tls", {"ca": self.icinga.authority})
        self.config = self.vigil.agent_config(
            [{"plugin": names.REDIS_BUS, "url": self.redis.url, "storage": "redis"}],
            [{"plugin": "icinga", "url": self.icinga.url, "refresh": "2s", "ttl": "60s",
              "timeout": "2s", **{k: v for k, v in output.items() if v is not None}}],
            interval="500ms")
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text.rstrip()[:-1] + f', "rules": {RULES}}}'.replace("'", '"'))

    def start(self, **output):
        if output or not self.agent:
            self.configure(**output)
        self.agent = self.vigil.run(self.config)

    def pend(self, topic, count):
        """So many tasks under way."""
        if topic not in self.taken:
            traffic.register(self.client, topic, "mail")
            self.taken[topic] = []
        now = self.taken[topic]
        if count > len(now):
            traffic.publish(self.client, topic, count - len(now))
            now += traffic.take(self.client, topic, "mail", count - len(now))
        elif count < len(now):
            self.client.xack(f"omni-stream:{topic}", f"group:{topic}:mail", *now[count:])
            del now[count:]

    def wait(self, service, state, text="", seconds=40):
        def look():
            assert self.agent.check_alive()
            found = self.icinga.status().get(service)
            return found if found and found["checked"] and found["state"] == state and \
                text in found["output"] else None
        try:
            return wait_for(f"{service} in state {state}", look, seconds, 0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.icinga.status().get(service)}\n"
                                 f"{self.agent.stderr()[-3000:]}") from None

    def dropped(self):
        return self.agent.samples().last("omnivigil_output", output="icinga")


@pytest.fixture
def told(vigil, redis, client, icinga):
    def start(objects=HOST, **output):
        one = Told(vigil, redis, client, icinga(objects))
        one.start(**output)
        return one

    return start


def test_states(told, directory):
    """Also with a client certificate in place of a password."""
    one = told(user=None, tls={})  # refused: the authority is unknown
    wait_for("a refusal", lambda: "SSL certificate" in one.agent.stderr(), 20)
    one.agent.stop()
    certificate, key = one.icinga.certificate("agent")
    one.start(user=None, tls={"ca": one.icinga.authority, "cert": certificate, "key": key})
    one.wait("omnivigil", OK, "OK: omnivigil ")
    one.wait("pending", OK, "OK: no alert")
    one.pend("orders", 10)
    warned = one.wait("pending", WARNING, "WARNING: agent mail on orders has 10 tasks under way")
    assert warned["perfdata"] == "alerts=1 critical=0"
    one.pend("orders", 101)
    alarmed = one.wait("pending", CRITICAL, "CRITICAL: agent mail on orders has 101 tasks")
    assert re.search(r" \(since \d{4}-\d\d-\d\dT[\d:.]+Z\)$", alarmed["output"])
    assert alarmed["details"] and alarmed["perfdata"] == "alerts=1 critical=1"
    one.pend("orders", 0)
    one.wait("pending", OK, "OK: no alert")
    assert one.wait("memory", OK)["perfdata"] == "alerts=0 critical=0"
    assert one.agent.stop() == 0
    one.icinga.stop()
    with open(os.path.join(directory, "icinga", "lib", "icinga2.state"), encoding="utf-8") as file:
        assert f'"check_source":"{os.uname().nodename}"' in file.read()


def test_the_end_of_one_alert_does_not_hide_another(told):
    """Neither over a restart of the agent, which is told only once of each."""
    one = told()
    one.pend("orders", 101)
    one.pend("mail", 6)
    found = one.wait("pending", CRITICAL, "CRITICAL: 2 alerts, agent mail on orders has 101")
    assert "WARNING: agent mail on mail has 6 tasks under way" in found["details"]
    one.agent.kill()
    one.start()
    one.pend("orders", 0)
    one.wait("pending", WARNING, "WARNING: agent mail on mail has 6 tasks")
    one.pend("mail", 0)
    one.wait("pending", OK)
    assert one.agent.stop() == 0


def test_away_and_back(told):
    """What Icinga gets is how things are when it is back, though the agent was killed meanwhile,
    and nothing older comes after it."""
    one = told()
    one.pend("orders", 101)
    one.wait("pending", CRITICAL)
    one.wait("memory", OK)
    one.icinga.stop()
    one.pend("orders", 0)
    one.agent.wait("the end of the alert", lambda s: [
        a for a in s.all("omnidaemon_alert") if a["fields"]["state"] == "resolved"])
    one.agent.wait("a retry", lambda s: s.last("omnivigil_output", output="icinga")["retries"] > 0)
    one.agent.kill()
    kept = subprocess.run(["grep", "-ra", "omnidaemon!pending", f"{one.vigil.directory}/state"],
                          capture_output=True, text=True, check=True).stdout
    assert '"exit_status":0' in kept and "cret" not in kept
    one.start()
    one.pend("mail", 6)
    one.agent.wait("another alert", lambda s: s.all("omnidaemon_alert"))
    before = len(one.icinga.stdout())
    one.icinga.run()
    one.wait("pending", WARNING, "agent mail on mail")
    one.agent.wait("an empty queue",
                   lambda s: s.last("omnivigil_output", output="icinga")["buffered"] == 0, 30)
    since = one.agent.size()
    one.agent.wait("another refresh", lambda s: s.last(
        "omnivigil_output", output="icinga").get("sent", 0) > 60, 60, since)
    assert one.icinga.status()["pending"]["state"] == WARNING
    assert one.dropped()["dropped"] == one.dropped()["dropped_superseded"]
    changes = re.findall(r"Checkable 'omnidaemon!pending' \w+ state change from \w+ to (\w+)",
                         one.icinga.stdout()[before:])
    assert changes[-1] == "WARNING" and set(changes) <= {"WARNING", "UNKNOWN"}  # before the first
    assert one.agent.stop() == 0


def test_refused_logins(told):
    one = told(password="SECRET-wrong")
    wait_for("a refusal", lambda: "answers 401" in one.agent.stderr(), 20)
    assert "check `user` and `password`" in one.agent.stderr()
    one.configure(user="nobody", password="secret")
    one.agent.send(signal.SIGHUP)
    wait_for("another", lambda: "lacks the permission actions/process-check-result" in
             one.agent.stderr(), 20)
    one.pend("orders", 101)
    one.configure()
    one.agent.send(signal.SIGHUP)
    one.wait("pending", CRITICAL)
    assert "SECRET" not in one.agent.stderr()
    assert one.agent.stop() == 0


def test_a_service_that_is_missing_or_refuses(told):
    """It holds up no other, and one that Icinga gets later has its state then."""
    one = told('''object Host "omnidaemon" {
        import "omnivigil-agent"
        vars.omnivigil_alerts = [ "pending", "dlq" ]
    }''', exclude={"tags": ["rule=silent", "rule=no-group"]})
    one.pend("orders", 101)
    one.wait("pending", CRITICAL)
    one.wait("dlq", OK)
    log = one.agent.stderr()
    assert "Icinga has no service omnidaemon!memory, or the user lacks" in log
    assert "set `create`" in log and "omnidaemon!silent" not in log
    assert one.dropped()["dropped_rejected"] > 0 and not one.dropped()["failing"]
    assert one.agent.stop() == 0


def test_services_are_created(told):
    one = told(service="{{rule}} {{topic}} {{agent}}", create="omnivigil-alert")
    one.pend("it's a=b;c|d/?#%&", 101)
    one.pend("заказы \"eu\" !", 6)
    one.wait("pending it's a=b;c|d/?#%& mail", CRITICAL)
    one.wait('pending заказы "eu" _ mail', WARNING)
    one.pend("it's a=b;c|d/?#%&", 0)
    one.wait("pending it's a=b;c|d/?#%& mail", OK, "OK: no alert")
    assert "created service omnidaemon!pending it's" in one.agent.stderr()
    one.configure(service="{{rule}} {{topic}}", create="nonsense")
    one.agent.send(signal.SIGHUP)
    wait_for("a refusal", lambda: "nonsense" in one.agent.stderr(), 20)
    assert "omnivigil" in one.icinga.status(), "the heartbeat goes on"
    assert one.agent.stop() == 0


def test_an_output_for_some_inputs(told):
    """For one of several OmniDaemons: the rules are there, the others' alerts are not."""
    one = told(include={"tags": ["input=shop*"]})
    one.wait("pending", OK)
    one.pend("orders", 101)
    one.agent.wait("an alert", lambda s: s.all("omnidaemon_alert", rule="pending"))
    since = one.agent.size()
    sent = one.dropped()["sent"]
    one.agent.wait("a refresh", lambda s: s.last(
        "omnivigil_output", output="icinga").get("sent", 0) > sent + 50, 30, since)
    assert one.icinga.status()["pending"]["state"] == OK
    assert one.agent.stop() == 0


def test_a_dead_agent_is_noticed(told):
    one = told(ttl="3s")
    one.wait("memory", OK)
    one.agent.kill()
    for service in ("omnivigil", "memory"):
        wait_for(f"{service} unknown", lambda name=service:
                 one.icinga.status()[name]["state"] == UNKNOWN, 30, 0.2)
    assert "does the agent run" in one.icinga.status()["memory"]["output"]


def test_the_definitions_have_every_rule(vigil):
    rules = {rule for page in ("agent", *names.INPUTS) for rule in re.findall(
        r"^  ([a-z-]+) ", vigil.command("plugins", page).stdout.partition("Recommended rules")[2],
        re.M)}
    listed = re.search(r"omnivigil_alerts = \[(.*?)\]", shipped("icinga2", "omnivigil.conf"), re.S)
    assert set(re.findall(r'"([a-z-]+)"', listed[1])) == rules


@pytest.mark.parametrize("option,text", [
    ({"host": "{{rul}}"}, "(did you mean `rule`?)"),
    ({"service": "{{severity}}"}, "unknown name `severity`"),
    ({"service": ""}, "is empty"),
    ({"url": "icinga:5665"}, "is not a URL"),
    ({"password": "x"}, "is of no use without `user`"),
    ({"user": "a:b", "password": "x"}, "must not hold a colon"),
    ({"ttl": "30s"}, "must be longer than `refresh`"),
    ({"heartbeat": "a!b"}, "without `!`"),
    ({"create": ""}, "is empty"),
    ({"tls": {"cert": "x"}}, "needs its key"),
])
def test_refused_configurations(vigil, option, text):
    path = vigil.config(inputs=[], outputs=[
        {"plugin": "icinga", "url": "https://icinga.example.org:5665", **option}])
    done = vigil.command("config", "check", "-c", path)
    assert done.returncode == 1 and text in done.stderr + done.stdout, done
