# SPDX-License-Identifier: Apache-2.0
"""Alerts arrive at HTTP receivers: in each service's form, signed, once, and the newest state.

Alerts come from a small input of the test's own, which emits what the test writes into a file.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time

import pytest

import names
import traffic
from receiver import Receiver
from servers import free_port, wait_for
from vigil import build_plugin

INPUT = r"""
#include <omnivigil.h>
#include <stdio.h>
#include <stdlib.h>
static const char *const tags[] = {"agent", "group", "rule", "severity", "topic"};
static const struct ov_field fields[] = {
    {"state", OV_TEXT, OV_GAUGE, "", ""}, {"alert_id", OV_TEXT, OV_GAUGE, "", ""},
    {"summary", OV_TEXT, OV_GAUGE, "", ""}, {"value", OV_FLOAT, OV_GAUGE, "", ""},
    {"started_at", OV_FLOAT, OV_GAUGE, "seconds", ""},
    {"ended_at", OV_FLOAT, OV_GAUGE, "seconds", ""},
};
static const struct ov_measurement alert = {"omnidaemon_alert", "", tags, fields, 5, 6};
static const struct ov_measurement *const measurements[] = {&alert, NULL};
struct state { char *file; };
static const struct ov_option options[] = {
    {.name = "file", .type = OV_OPT_STRING, .offset = offsetof(struct state, file), .help = "-"},
    {.name = NULL},
};
static int start(void *state, struct ov_host *host) { (void)state; (void)host; return OV_OK; }
static void end(void *state) { (void)state; }
/* Lines "state id severity summary", each emitted once: the file is removed. */
static int gather(void *state, struct ov_batch *batch)
{
    struct state *s = state;
    char line[512], what[16], id[64], severity[16], summary[256];
    FILE *file = fopen(s->file, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%15s %63s %15s %255[^\n]", what, id, severity, summary) != 4)
            continue;
        struct ov_sample *a = ov_batch_add(batch, &alert);
        ov_sample_tag(batch, a, 2, ov_slice("backlog"));
        ov_sample_tag(batch, a, 3, ov_slice(severity));
        ov_sample_tag(batch, a, 4, ov_slice("orders"));
        ov_sample_text(batch, a, 0, ov_slice(what));
        ov_sample_text(batch, a, 1, ov_slice(id));
        ov_sample_text(batch, a, 2, ov_slice(summary));
        ov_sample_float(a, 3, 12.5);
        ov_sample_float(a, 4, 1764035523.25);
        if (*what == 'r' && what[2] == 's')
            ov_sample_float(a, 5, 1764035600);
    }
    if (file) {
        fclose(file);
        remove(s->file);
    }
    return OV_OK;
}
OV_PLUGIN = {
    OV_PLUGIN_HEAD, .name = "test_alerts", .summary = "for the tests", .kind = OV_INPUT,
    .state_size = sizeof(struct state), .options = options, .measurements = measurements,
    .open = start, .close = end, .gather = gather,
};
"""


@pytest.fixture
def receiver():
    started = []

    def start(**options):
        started.append(Receiver(**options))
        return started[-1]

    yield start
    for one in started:
        one.close()


class Alerts:
    """The agent with the test's own input."""

    def __init__(self, vigil, directory, plugin_dir):
        self.vigil, self.directory, self.plugins = vigil, directory, plugin_dir
        build_plugin(plugin_dir, INPUT, "test_alerts")
        self.file = os.path.join(directory, "alerts")
        self.agent = self.config = None

    def configure(self, *outputs, **agent):
        agent.setdefault("interval", "100ms")
        self.config = self.vigil.agent_config(
            [{"plugin": "test_alerts", "file": self.file}],
            [{"plugin": "webhook", "name": f"hook{i}", **o} for i, o in enumerate(outputs)],
            **agent)
        return self.config

    def start(self, *outputs, **agent):
        if outputs:
            self.configure(*outputs, **agent)
        self.agent = self.vigil.run(self.config, OMNIVIGIL_PLUGIN_DIR=self.plugins)
        return self.agent

    def tell(self, *lines):
        """Lines "state id [severity [summary]]" become the alerts of one gather."""
        wait_for("the input", lambda: self.agent.check_alive() and not os.path.exists(self.file))
        with open(self.file + ".new", "w", encoding="utf-8") as file:
            for line in lines:
                words = line.split(" ", 3) + ["critical", "too long"][len(line.split(" ", 3)) - 2:]
                file.write(" ".join(words) + "\n")
        os.rename(self.file + ".new", self.file)
        wait_for("the gather", lambda: not os.path.exists(self.file))

    def check(self, **options):
        path = self.vigil.config("check.yaml", inputs=[{"plugin": "test_alerts"}],
                                 outputs=[{"plugin": "webhook", **options}])
        return self.vigil.command("config", "check", "-c", path, OMNIVIGIL_PLUGIN_DIR=self.plugins)

    def dropped(self, output="hook0"):
        return self.agent.samples().last("omnivigil_output", output=output).get("dropped_rejected")


@pytest.fixture
def alerts(vigil, directory, plugin_dir):
    return Alerts(vigil, directory, plugin_dir)


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


# ---------------------------------------------------------------- what the services require

def is_json(body):
    assert set(body) == {"version", "delivery_id", "source", "alerts"} and body["version"] == 1
    assert set(body["alerts"][0]) == {
        "id", "state", "rule", "severity", "summary", "value", "started_at", "time", "labels"}
    assert body["alerts"][0]["labels"] == {"topic": "orders"}


def is_slack(body):  # api.slack.com/messaging/webhooks: text, or blocks
    assert isinstance(body["text"], str) and len(body["text"]) <= 40000
    assert "&lt;b&gt; &amp; *it*" in body["text"]


def is_discord(body):  # discord.com/developers/docs/resources/webhook: content up to 2000
    assert 0 < len(body["content"]) <= 2000
    assert body["allowed_mentions"] == {"parse": []}
    assert r"\<b\> & \*it\*" in body["content"]


def is_teams(body):  # learn.microsoft.com, "Create and send messages": an adaptive card
    assert body["type"] == "message" and len(body["attachments"]) == 1
    attachment = body["attachments"][0]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard" and card["version"] and card["$schema"]
    assert all(block["type"] == "TextBlock" and block["text"] for block in card["body"])


def is_alertmanager(body):  # api/v2/openapi.yaml: postableAlerts, each with labels
    assert isinstance(body, list)
    for alert in body:
        assert set(alert) <= {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
        assert alert["labels"]["alertname"] == "backlog"
        for name, value in {**alert["labels"], **alert["annotations"]}.items():
            assert re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) and isinstance(value, str)
        assert TIME.fullmatch(alert["startsAt"]) and TIME.fullmatch(alert["endsAt"])
        assert alert["startsAt"] <= alert["endsAt"]


def is_pagerduty(body):  # developer.pagerduty.com, Events API v2, "Send an alert event"
    assert body["routing_key"] == "R-KEY" and body["event_action"] == "trigger"
    assert 0 < len(body["dedup_key"]) <= 255
    payload = body["payload"]
    assert 0 < len(payload["summary"]) <= 1024 and payload["source"]
    assert payload["severity"] in ("critical", "error", "warning", "info")
    assert TIME.fullmatch(payload["timestamp"])


SERVICES = {
    "json": (is_json, {}, "/x?y=z"),
    "slack": (is_slack, {}, "/x?y=z"),
    "discord": (is_discord, {}, "/x?y=z"),
    "teams": (is_teams, {}, "/x?y=z"),
    "alertmanager": (is_alertmanager, {}, "/x/api/v2/alerts"),
    "pagerduty": (is_pagerduty, {"routing_key": "R-KEY"}, "/x?y=z"),
}


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_is_sent(alerts, receiver, service):
    holds, options, path = SERVICES[service]
    to = receiver()
    alerts.start({"url": to.url + ("/x" if service == "alertmanager" else "/x?y=z"),
                  "format": service, **options})
    alerts.tell('firing a-1 critical <b> & *it* "q" \\ \u65e5\u672c',
                "firing a-2 warning <b> & *it*")
    to.wait(2 if service == "pagerduty" else 1)
    time.sleep(0.5)
    assert len(to.requests) == (2 if service == "pagerduty" else 1)
    for request in to.requests:
        assert request["method"] == "POST" and request["path"] == path
        assert request["headers"]["Content-Type"] == "application/json"
        holds(json.loads(request["body"]))
    assert alerts.agent.stop() == 0
    assert b"y=z" not in open(alerts.agent.stderr_path, "rb").read()


# ---------------------------------------------------------------- the life of an alert

def test_one_firing_and_one_resolved(alerts, receiver):
    to = receiver()
    alerts.start({"url": to.url})
    alerts.tell("firing a-1")
    to.wait(1)
    alerts.tell("resolved a-1")
    to.wait(2)
    time.sleep(0.5)
    assert to.alerts() == [("a-1", "firing"), ("a-1", "resolved")]
    resolved = to.bodies()[1]["alerts"][0]
    assert resolved["started_at"] == "2025-11-25T01:52:03.250Z"
    assert resolved["ended_at"] == "2025-11-25T01:53:20.000Z"
    assert len(set(to.deliveries())) == 2
    assert [body["delivery_id"] for body in to.bodies()] == to.deliveries()
    assert alerts.agent.stop() == 0


def test_what_waits_survives_a_kill(alerts, receiver, directory):
    """With its delivery id: whether the receiver had it the first time, nobody can know."""
    to = receiver()
    to.script = [(503, {})] * 3
    alerts.start({"url": to.url, "hmac_key": "SECRET-key", "token": "SECRET-token"})
    alerts.tell("firing a-1", "firing a-2 warning")
    to.wait(2)
    kept = subprocess.run(["grep", "-ral", "alert a-1", f"{directory}/state"], text=True,
                          capture_output=True, check=True).stdout
    assert kept, "the message is on disk, readable"
    alerts.agent.stop(signal.SIGKILL)
    secret = subprocess.run(["grep", "-ra", "SECRET", f"{directory}/state"], capture_output=True)
    assert secret.returncode == 1, secret.stdout
    to.script = []
    seen = len(to.requests)
    alerts.start()
    to.wait(seen + 1)
    time.sleep(0.5)
    assert len(to.requests) == seen + 1 and len(set(to.deliveries())) == 1
    assert alerts.agent.stop() == 0


def test_retries_with_growing_gaps_and_one_id(alerts, receiver):
    bad, good = receiver(), receiver()
    bad.script = [(500, {}), (500, {}), (200, {})]
    alerts.start({"url": bad.url}, {"url": good.url})
    alerts.tell("firing a-1")
    bad.wait(3)
    time.sleep(0.5)
    times = [request["time"] for request in bad.requests]
    assert len(times) == 3 and 0.7 < times[1] - times[0] < times[2] - times[1] < 5
    assert len(set(bad.deliveries())) == 1 and len({r["body"] for r in bad.requests}) == 1
    assert len(good.requests) == 1  # a receiver that fails costs another nothing, and no copy
    assert alerts.agent.stop() == 0


def test_refused_for_good(alerts, receiver):
    to = receiver()
    to.script = [(400, {})]
    alerts.start({"url": to.url + "/SECRET-path"})
    alerts.tell("firing a-1")
    to.wait(1)
    wait_for("the count", lambda: alerts.dropped() == 1)
    time.sleep(1.5)
    assert len(to.requests) == 1
    log = alerts.agent.stderr()
    assert "answers 400" in log and "SECRET" not in log
    assert alerts.agent.stop() == 0


def test_retry_after(alerts, receiver):
    to = receiver()
    to.script = [(429, {"Retry-After": "3"})]
    alerts.start({"url": to.url})
    alerts.tell("firing a-1")
    to.wait(2)
    assert 2.9 < to.requests[1]["time"] - to.requests[0]["time"] < 4.5
    assert alerts.agent.stop() == 0


@pytest.mark.parametrize("timeout,tries", [("10s", 1), ("1s", 2)])
def test_a_slow_receiver(alerts, receiver, timeout, tries):
    to = receiver()
    to.pause = 3
    alerts.start({"url": to.url, "timeout": timeout})
    alerts.tell("firing a-1")
    to.wait(tries)
    if tries == 1:
        time.sleep(4)
        assert len(to.requests) == 1
    assert len(set(to.deliveries())) == 1
    to.pause = 0
    assert alerts.agent.stop() == 0


def test_a_receiver_that_was_away_is_told_the_newest(alerts, receiver):
    port = free_port()
    alerts.start({"url": f"http://127.0.0.1:{port}"})
    alerts.tell("firing a-1", "firing b-1 warning")
    alerts.tell("resolved a-1")
    alerts.tell("firing a-2")
    alerts.tell("repeat b-1 warning")
    time.sleep(1)
    to = receiver(port=port)
    to.wait(3, 30)
    time.sleep(1)
    assert to.alerts() == [("a-1", "resolved"), ("a-2", "firing"), ("b-1", "repeat")]
    last = alerts.agent.samples().last("omnivigil_output", output="hook0")
    assert last["dropped_superseded"] == last["dropped"] == 2 and last["sent"] == 3
    assert alerts.agent.stop() == 0


def test_many_at_once(alerts, receiver):
    to = receiver()
    alerts.start({"url": to.url, "batch": 50, "rate": 10},
                 {"url": to.url + "/discord", "format": "discord", "rate": 1000})
    alerts.tell(*[f"firing a-{i} critical number {i} of them" for i in range(500)])
    wait_for("the last", lambda: len([r for r in to.requests if r["path"] == "/"]) >= 10
             and b"number 499 " in b"".join(r["body"] for r in to.requests
                                            if r["path"] == "/discord"), 30)
    own = [r for r in to.requests if r["path"] == "/"]
    assert len(own) == 10 and own[-1]["time"] - own[0]["time"] > 0.85
    ids = [a["id"] for r in own for a in json.loads(r["body"])["alerts"]]
    assert ids == [f"a-{i}" for i in range(500)]
    discord = [json.loads(r["body"])["content"] for r in to.requests if r["path"] == "/discord"]
    assert all(len(content) <= 2000 for content in discord)
    assert all(f"number {i} " in "".join(discord) for i in range(500))
    assert alerts.agent.memory_kib() < 400_000
    assert alerts.agent.stop() == 0


def test_the_rules_and_a_kill(redis, client, vigil, receiver):
    """From the bus through a rule: one firing, one resolved, of one incident, though the agent is
    killed in between and does not see the end."""
    to = receiver()
    rule = {"name": "mine", "value": "omnidaemon_group.undelivered", "warning": "3", "for": "0s",
            "clear_for": "0s", "summary": "{undelivered} wait in {topic}"}
    traffic.start_runner(client)
    traffic.register(client, "al", "a")
    config = json.loads(open(vigil.agent_config(
        [{"plugin": names.REDIS_BUS, "url": redis.url}],
        [{"plugin": "webhook", "url": to.url}]), encoding="utf-8").read())
    config["rules"] = [rule]
    path = vigil.config(**config)
    agent = vigil.run(path)
    agent.cycles(2)
    traffic.publish(client, "al", 5)

    def mine():
        return [a for body in to.bodies() for a in body["alerts"] if a["rule"] == "mine"]

    wait_for("the alert", mine)
    agent.cycles(3)
    agent.stop(signal.SIGKILL)
    traffic.take(client, "al", "a", 1000, ack=True)
    agent = vigil.run(path)
    wait_for("its end", lambda: len(mine()) > 1)
    agent.cycles(3)
    firing, resolved = mine()
    assert (firing["state"], resolved["state"]) == ("firing", "resolved")
    assert firing["id"] == resolved["id"] and firing["labels"]["topic"] == "al"
    assert firing["summary"] == "5 wait in al" and firing["severity"] == "warning"
    assert TIME.fullmatch(resolved["ended_at"]) and resolved["duration_seconds"] > 2
    assert agent.stop() == 0


# ---------------------------------------------------------------- who sends

def test_signature(alerts, receiver):
    to = receiver()
    alerts.start({"url": to.url, "hmac_key": "a key", "token": "t-1", "method": "PUT",
                  "headers": {"X-Api-Key": "abc"}})
    alerts.tell("firing a-1")
    request = to.wait(1)[0]
    headers, body = request["headers"], request["body"]

    def signature(stamp, content):
        text = stamp.encode() + b"." + content
        return "sha256=" + hmac.new(b"a key", text, hashlib.sha256).hexdigest()

    stamp = headers["X-Omnivigil-Timestamp"]
    assert headers["X-Omnivigil-Signature"] == signature(stamp, body)
    assert headers["X-Omnivigil-Signature"] != signature(stamp, body[:-1] + b" ")
    assert headers["X-Omnivigil-Signature"] != signature(str(int(stamp) + 1), body)
    assert abs(int(stamp) - request["wall"]) < 5
    assert request["method"] == "PUT"
    assert headers["Authorization"] == "Bearer t-1" and headers["X-Api-Key"] == "abc"
    assert alerts.agent.stop() == 0


def test_basic_login_from_the_address(alerts, receiver):
    to = receiver()
    alerts.start({"url": f"http://me:p%20w@127.0.0.1:{to.port}/a"})
    alerts.tell("firing a-1")
    login = to.wait(1)[0]["headers"]["Authorization"]
    assert base64.b64decode(login.split()[1]) == b"me:p w"
    assert alerts.agent.stop() == 0


def test_tls(alerts, receiver, directory):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{directory}/k", "-out",
         f"{directory}/c"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/c", f"{directory}/k")
    to = receiver(context=context)
    url = f"https://127.0.0.1:{to.port}/SECRET"
    alerts.start({"url": url, "tls": {"ca": f"{directory}/c"}}, {"url": url})
    alerts.tell("firing a-1")
    to.wait(1)
    wait_for("the refusal", lambda: "certificate" in alerts.agent.stderr())
    assert len(to.requests) == 1 and "SECRET" not in alerts.agent.stderr()
    assert alerts.agent.stop() == 0


# ---------------------------------------------------------------- templates, configuration

def test_the_example_template(alerts, receiver, directory):
    to = receiver()
    example = os.path.join(os.path.dirname(__file__), "..", "..", "etc", "webhook-template.example")
    path = shutil.copy(example, os.path.join(directory, "template"))
    alerts.start({"url": to.url, "format": "template", "template": path})
    alerts.tell('firing a-1 critical "quoted" \\', "resolved a-2 warning a & b")
    to.wait(1)
    body = to.bodies()[0]
    assert [e["text"] for e in body["entries"]] == ['"quoted" \\', "a & b"]
    assert body["entries"][0]["until"] is None and TIME.fullmatch(body["entries"][1]["until"])
    assert body["entries"][0]["topic"] == "orders" and body["entries"][0]["value"] == 12.5
    assert body["id"] == to.deliveries()[0]
    assert alerts.agent.stop() == 0


URL = "http://127.0.0.1:1/SECRET-path"
REFUSED = {
    "no url": ({}, ["url", "missing"]),
    "a file": ({"url": "file:///etc/SECRET"}, ["url", "http://"]),
    "no url at all": ({"url": "http://["}, ["url"]),
    "no key": ({"format": "pagerduty"}, ["routing_key"]),
    "a key too much": ({"url": URL, "routing_key": "SECRET"}, ["routing_key", "pagerduty"]),
    "no template": ({"url": URL, "format": "template"}, ["template"]),
    "a template too much": ({"url": URL, "template": "x"}, ["template"]),
    "a template that is not there": (
        {"url": URL, "format": "template", "template": "nowhere"}, ["nowhere: No such file"]),
    "a template that is a folder": (
        {"url": URL, "format": "template", "template": "/"}, ["it is no file"]),
    "unknown format": ({"url": URL, "format": "slak"}, ["slak", "slack"]),
    "samples for a pager": (
        {"url": URL, "format": "alertmanager", "measurements": ["*"]}, ["measurements"]),
    "two logins": ({"url": URL, "token": "SECRET", "user": "u"}, ["token", "user"]),
    "a header's line end": ({"url": URL, "headers": {"X-A": "a\r\nSECRET: b"}}, ["X-A", "control"]),
    "a header's name": ({"url": URL, "headers": {"X A": "SECRET"}}, ["header 1"]),
    "a header of ours": ({"url": URL, "headers": {"content-length": "SECRET"}}, ["content-length"]),
    "an empty key": ({"url": URL, "hmac_key": ""}, ["hmac_key"]),
    "half a certificate": ({"url": URL, "tls": {"cert": "x"}}, ["tls.cert", "key"]),
    "no rate": ({"url": URL, "rate": 0}, ["rate"]),
}


@pytest.mark.parametrize("options,holds", REFUSED.values(), ids=REFUSED.keys())
def test_refused_configurations(alerts, options, holds):
    done = alerts.check(**options)
    assert done.returncode != 0
    for text in holds:
        assert text in done.stderr, done.stderr
    assert "SECRET" not in done.stdout + done.stderr


def test_mistakes_in_a_template_are_told_with_their_places(alerts, directory):
    path = os.path.join(directory, "t.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"a": {{sumary}},\n "b": {{fields.valeu|json}},\n "c": {{tags.x|xml}}\n')
    done = alerts.check(url=URL, format="template", template=path)
    assert done.returncode != 0
    assert f"{path}:1:7: unknown name `sumary` (did you mean `summary`?)" in done.stderr
    assert f"{path}:2:7: unknown name `fields.valeu` (did you mean `value`?)" in done.stderr
    assert f"{path}:3:7: unknown filter" in done.stderr


def test_other_samples_on_request(alerts, receiver):
    to = receiver()
    alerts.start({"url": to.url, "measurements": ["omnivigil_ag*"]})
    to.wait(1)
    samples = [s for body in to.bodies() for s in body["samples"]]
    assert {s["measurement"] for s in samples} == {"omnivigil_agent"}
    assert alerts.agent.stop() == 0
