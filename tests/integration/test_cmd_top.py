# SPDX-License-Identifier: Apache-2.0
"""`top` in a real terminal, its screen read back."""

import os
import re
import signal
import subprocess
import time

import pytest
import redis as redis_client

import traffic
import truth
from bus_commands import waiting_client
from servers import wait_for
from terminal import Terminal

TOPIC = "orders.created"


class Top:
    """`omnivigil top` in a terminal."""

    def __init__(self, vigil, url):
        self.vigil = vigil
        self.url = url
        self.config = vigil.config(agent={"state_dir": os.path.join(vigil.directory, "state")})
        self.terminal = None

    def open(self, columns=80, rows=24, **env):
        self.terminal = Terminal(self.vigil.directory, {
            **self.vigil.env, "STORAGE_BACKEND": "redis", "REDIS_URL": self.url,
            "OV": self.vigil.binary, **env}, columns, rows)
        return self.terminal

    def start(self, *flags, columns=80, rows=24, interval="200ms", **env):
        terminal = self.open(columns, rows, **env)
        terminal.run(f"$OV top -c {self.config} --interval {interval} {' '.join(flags)}")
        terminal.wait_for("q quit")
        return terminal

    def end(self, key="q", status=0):
        """Leaves, and looks whether the terminal is as it was."""
        self.terminal.keys(key)
        self.terminal.wait_for(Terminal.PROMPT)
        self.terminal.run("echo status=$?, $(stty -a | grep -o ' echo ' | wc -l)")
        self.terminal.wait_for(f"status={status}, 1")


@pytest.fixture
def top(vigil, redis):
    command = Top(vigil, redis.unix_url)
    yield command
    if command.terminal:
        command.terminal.close()


def line_of(screen, *texts):
    """The line that has all these texts."""
    found = [line for line in screen.splitlines() if all(text in line for text in texts)]
    assert len(found) == 1, (texts, found, screen)
    return found[0]


def cell(screen, title, *texts):
    """The number below a heading, in the line with the texts."""
    heading = [line for line in screen.splitlines() if title in line.split()][0]
    end = re.search(rf"{re.escape(title)}( |$)", heading).start() + len(title)
    return line_of(screen, *texts)[:end].split()[-1]


def rows_of(screen, heading):
    """The first words of the lines below the heading, down to the keys."""
    lines = screen.splitlines()
    at = [i for i, line in enumerate(lines) if line.startswith(heading)][0]
    return [line.split()[0] for line in lines[at + 1:-1] if line.strip()]


def shop(client):
    """A few agents without a runner, each different in something."""
    for topic, agent, waiting in (("alpha", "zoe", 3), ("beta", "yan", 50), ("gamma", "xia", 7)):
        traffic.register(client, topic, agent)
        traffic.publish(client, topic, waiting)


# ---------------------------------------------------------------- the real OmniDaemon


def test_real_omnidaemon(top, client, omnidaemon):
    """What a runner does is on the screen, and why an agent fails one key away."""
    omnidaemon.worker(
        {"topic": TOPIC, "name": "billing", "ms": 2},
        {"topic": TOPIC, "name": "fraud-check", "do": "fail", "reclaim_idle_ms": 500,
         "dlq_retry_limit": 1, "message": "amount of order {id} is negative"})
    omnidaemon.publish(TOPIC, 5)
    wait_for("the dead letters", lambda: len(truth.dlq(client, TOPIC, "fraud-check")) == 5, 30)
    terminal = top.start(interval="500ms")
    screen = terminal.wait_for("RUNNING", "runner is active, 2 agents on 1 topic", "redis 7.")
    assert all(len(line) <= 80 for line in screen.splitlines())
    assert re.search(r"TOPIC +AGENT +LIFE +DONE/S TREND +FAIL/S +WAIT +PEND +DLQ", screen)
    assert cell(screen, "DLQ", "fraud-check", "polling") == "5"
    assert "1 critical, 1 warning" in screen

    omnidaemon.publish(TOPIC, 40)
    terminal.wait_until("a rate", lambda screen: re.search(
        r"billing +\w+ +[1-9][\d.]* .*█", screen), 20)

    terminal.keys("4")
    screen = terminal.wait_for("SEVERITY", "critical success")
    assert rows_of(screen, "SEVERITY") == ["critical", "warning"]
    terminal.keys("Enter")
    terminal.wait_for("fraud-check on orders.created  seen", "metrics` shows", "description")
    terminal.keys("Escape", "3", "Enter")
    terminal.wait_for("fraud-check on orders.created", "ValueError: amount of order <id> is "
                      "negative", "invalid data", "is negative")
    terminal.keys("Escape", "1", "Down", "Enter")
    terminal.wait_for("fraud-check on orders.created  seen", "an agent of the tests")
    terminal.keys("End")
    terminal.wait_for("bus dlq republish", "ValueError")
    assert "an agent of the tests" not in terminal.text()
    top.end()


# ---------------------------------------------------------------- keys


def test_sort_filter_pause(top, redis, client):
    shop(client)
    with waiting_client(redis):
        terminal = top.start()
        terminal.wait_for("xia")
        assert rows_of(terminal.text(), "TOPIC") == ["alpha", "beta", "gamma"]
        terminal.keys("r")
        terminal.wait_until("the reverse", lambda screen: rows_of(screen, "TOPIC") == [
            "gamma", "beta", "alpha"])
        terminal.keys("2")
        terminal.wait_until("the most first", lambda screen: "GROUP OF" in screen and rows_of(
            screen, "TOPIC") == ["beta", "gamma", "alpha"])
        terminal.keys("S", "S")  # by the name
        terminal.wait_until("by name", lambda screen: rows_of(screen, "TOPIC") == [
            "gamma", "beta", "alpha"])
        terminal.type("/BET")
        terminal.wait_until("the filter", lambda screen: rows_of(screen, "TOPIC") == ["beta"])
        terminal.wait_for("1 with /BET", "\n/BET   Enter keeps it, Esc drops it")
        terminal.keys("Escape")
        terminal.wait_until("all", lambda screen: len(rows_of(screen, "TOPIC")) == 3)
        terminal.type("/[ag]*a")
        terminal.keys("Enter")
        terminal.wait_until("a pattern", lambda screen: rows_of(screen, "TOPIC") == [
            "gamma", "alpha"])

        terminal.keys("p")
        terminal.wait_for("PAUSED")
        traffic.publish(client, "alpha", 100)
        terminal.wait_for("PAUSED seen 2s ago")
        assert cell(terminal.text(), "WAIT", "alpha") == "3"
        terminal.keys("p")
        terminal.wait_until("what came meanwhile", lambda screen: cell(
            screen, "WAIT", "alpha") == "103")
        terminal.keys("?")
        terminal.wait_for("Ctrl-C", "sort by the next column", "any key goes back")
        terminal.keys("x")
        terminal.wait_for("q quit", "alpha")
        top.end("C-c")


def test_sizes(top, redis, client):
    """It fits whatever the terminal is made to be while it runs."""
    shop(client)
    with waiting_client(redis):
        terminal = top.start(columns=200, rows=50)
        terminal.wait_for("xia", "RESTARTS", "SUCCESS", "NEW/S")
        for columns, rows, there, gone in ((80, 24, "TREND", "RESTARTS"), (44, 10, "WAIT", "TREND"),
                                           (30, 6, "zoe", "nothing fires"),
                                           (120, 24, "SUCCESS", "too small")):
            terminal.resize(columns, rows)
            screen = terminal.wait_until(
                f"{columns}x{rows}",
                lambda screen: there in screen and gone not in screen and screen)
            assert all(len(line) <= columns for line in screen.splitlines())
            assert screen.splitlines()[-1].startswith("q quit")
        terminal.resize(20, 4)
        terminal.wait_for("20x4 is too small", "30x6 at least", "q quits")
        top.terminal.resize(80, 24)
        terminal.wait_for("alpha")
        top.end()


# ---------------------------------------------------------------- what does not answer


def test_a_redis_that_hangs(top, redis, client):
    """Keys are answered at once, and nothing old looks new."""
    shop(client)
    top.config = top.vigil.config(
        agent={"state_dir": os.path.join(top.vigil.directory, "state")},
        inputs=[{"plugin": name, "url": redis.unix_url, "storage": "redis", "timeout": "1s"}
                for name in ("redis_bus", "storage", "runner")])
    with waiting_client(redis):
        terminal = top.start()
        terminal.wait_for("READY", "seen 0s ago, every 200ms")
        redis.send(signal.SIGSTOP)
        try:
            terminal.wait_for("LAST SEEN", "no answer for", seconds=10)
            terminal.wait_for("LAST SEEN", "; is Redis", seconds=10)
            assert not re.match("READY|RUNNING", terminal.text())
            for key, text in (("2", "GROUP OF"), ("3", "DLQ OF"), ("1", "AGENT")):
                terminal.keys(key)
                terminal.wait_for(text, seconds=1)
            terminal.wait_for("zoe")  # as it was last seen
            terminal.keys("Enter")
            terminal.wait_for("zoe on alpha  asking", seconds=1)
            terminal.keys("Escape")
        finally:
            redis.send(signal.SIGCONT)
        terminal.wait_for("READY", "seen 0s ago, every 200ms")

        redis.send(signal.SIGSTOP)
        try:
            terminal.wait_for("LAST SEEN", seconds=10)
            began = time.monotonic()
            top.end()
            assert time.monotonic() - began < 3
        finally:
            redis.send(signal.SIGCONT)


def test_a_redis_that_dies_and_comes_back(top, redis, client):
    shop(client)
    terminal = top.start()
    terminal.wait_for("zoe")
    redis.kill()
    terminal.wait_for("DOWN", "LAST SEEN", "refused")
    assert "zoe" in terminal.text()
    redis.run()
    terminal.wait_for("seen 0s ago, every 200ms", "no agents are registered")
    traffic.register(redis.client(), "delta", "wim")
    terminal.wait_for("wim")
    top.end()


def test_a_redis_that_was_never_there(top, redis):
    redis.kill()
    terminal = top.start()
    terminal.wait_for("nothing seen yet", "refused")
    top.end(status=3)
    assert "nothing could be seen: " in terminal.text()


# ---------------------------------------------------------------- names


def test_hostile_names(top, redis):
    """No byte of a name reaches the terminal as it is, and columns stay where they are."""
    raw = redis_client.Redis(unix_socket_path=redis.socket)
    names = [b"a:b *?[x]\\ \x1b[31m\n", b"\x1b]0;owned\x07\x1b[2J", "日本語ファイル".encode(),
             "e\u0301e\u0301".encode(), b"\xff\xfe\x9b31m", b"-x --help", b"plain"]
    for name in names:
        raw.sadd(b"omni:topics", b"t")
        raw.sadd(b"omni:agents:topic:t", name)
        raw.hset(b"omni:agent:t:" + name, mapping={b"name": name, b"config": b"{}"})
        raw.xgroup_create(b"omni-stream:t", b"group:t:" + name, id="$", mkstream=True)
        raw.set(b"omni:config:_subscription_active:group:t:" + name, b"true")
    with waiting_client(redis):
        terminal = top.start(columns=120)
        screen = terminal.wait_for("plain", "日本語", "\\x1b]0;owned\\x07\\x1b[2J",
                                   "a:b *?[x]\\ \\x1b[31m\\n", "\\xff\\xfe\\x9b31m")
        assert "RUNNING" in screen or "READY" in screen
        for line in screen.splitlines():
            assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)
        terminal.keys("s", "s")  # the life of all is one column
        at = {at for line in terminal.screen() for at in [width_before(line, "busy|polling|silent")]
              if line.startswith("t ")}
        assert len(at) == 1, terminal.text()
        for text, title in (("owned", "\\x1b]0;owned"), ("日本", "日本語"), ("--help", "-x --help"),
                            ("a:b", "a:b *")):
            terminal.keys("Escape")
            terminal.type("/" + text)
            terminal.keys("Enter")
            terminal.wait_for(f"1 with /{text}")
            terminal.keys("Enter")
            screen = terminal.wait_for(title, " on t  seen", "registered           yes")
            assert "there is no agent" not in screen
            terminal.keys("Escape")
        top.end()


def width_before(line, word):
    """The columns in front of it."""
    found = re.search(word, line)
    wide = sum(2 if ord(c) >= 0x2e80 else 0 if 0x300 <= ord(c) < 0x370 else 1
               for c in line[:found.start()]) if found else None
    return wide


# ---------------------------------------------------------------- terminals


def test_colours(top, client, redis):
    shop(client)
    with waiting_client(redis):
        terminal = top.start()
        terminal.wait_for("zoe")
        assert re.search("\x1b\\[[0-9;]*3[0-7]m", terminal.text("-e"))
        top.end()
        terminal.close()
        terminal = top.start(NO_COLOR="1")
        terminal.wait_for("zoe")
        assert not re.search("\x1b\\[[0-9;]*[34][0-7]m", terminal.text("-e"))
        top.end()


def test_ascii_alone(top, client, redis):
    shop(client)
    with waiting_client(redis):
        terminal = top.start(LC_ALL="C")
        terminal.wait_for("zoe")
        terminal.wait_until("a line", lambda screen: "__" in screen)
        assert terminal.text().isascii()
        top.end()


def test_terminals_that_will_not_do(top, vigil):
    done = vigil.command("top")
    assert done.returncode == 2 and "needs a terminal" in done.stderr and not done.stdout
    terminal = top.open()
    for term, words in (("nothing-of-that-name", "is not known here"), ("dumb", "cannot draw"),
                        ("", "TERM is not set"), ("$'\\e[31m'", "`\\x1b[31m` (TERM) is not known")):
        terminal.run(f"clear; TERM={term} $OV top; echo status=$?")
        screen = terminal.wait_for("status=3", words)
        assert "q quit" not in screen
    terminal.run("clear; $OV top --format json; echo status=$?")
    terminal.wait_for("status=2", "no other format")
    terminal.run("clear; $OV top --interval 1ms; echo status=$?")
    terminal.wait_for("status=2", "from 200ms to 1h")


def test_ends(top, redis, client):
    """However it ends, the terminal is as it was."""
    shop(client)
    with waiting_client(redis):
        terminal = top.open()
        terminal.run("echo what was there before; stty -a > before")
        for count, end in enumerate(("q", "C-c", signal.SIGTERM, signal.SIGHUP)):
            terminal.run(f"$OV top -c {top.config}; echo status=$?, the end {count}")
            terminal.wait_for("zoe", "q quit")
            assert "what was there before" not in terminal.text()
            if isinstance(end, str):
                terminal.keys(end)
            else:
                os.kill(terminal.processes("omnivigil")[0], end)
            terminal.wait_for("what was there before", f"status=0, the end {count}")
        terminal.run("stty -a | diff before - && echo all the same")
        terminal.wait_for("\nall the same")


def test_suspended(top, redis, client):
    shop(client)
    with waiting_client(redis):
        terminal = top.start()
        terminal.wait_for("zoe")
        terminal.keys("C-z")
        terminal.wait_for("Stopped", Terminal.PROMPT)
        terminal.run("stty -a | grep -o ' echo '")
        terminal.resize(100, 20)
        traffic.publish(client, "alpha", 500)
        terminal.run("fg")
        screen = terminal.wait_for("q quit", "seen 0s ago", " 503 ")
        assert len(screen.splitlines()) == 20
        pid = terminal.processes("omnivigil")[0]
        os.kill(pid, signal.SIGSTOP)  # not by its own will
        terminal.wait_for("Stopped")
        terminal.run("fg")
        terminal.wait_for("q quit", "seen 0s ago")
        top.end()


def test_its_terminal_goes_away(top, redis, client):
    """As when ssh is cut: it does not live on."""
    shop(client)
    terminal = top.start()
    terminal.wait_for("zoe")
    pid = terminal.processes("omnivigil")[0]
    terminal.close()

    def is_gone():
        found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], check=False, text=True,
                               stdout=subprocess.PIPE).stdout.strip()
        return not found or found.startswith("Z")

    wait_for("end of top", is_gone)
