# SPDX-License-Identifier: Apache-2.0
"""A terminal of a test's own: tmux with a shell in it, its screen read back."""

import os
import subprocess
import tempfile

from servers import wait_for


class Terminal:
    """`columns` by `rows`, with a shell at work in `directory`."""

    PROMPT = "ready> "

    def __init__(self, directory, env, columns=80, rows=24):
        self.socket = os.path.join(tempfile.mkdtemp(prefix="t.", dir=directory), "tmux")
        self.directory = directory
        env = {"LC_ALL": "C.UTF-8", **env}
        shell = f"PS1='{self.PROMPT}' HISTFILE=/dev/null exec bash --norc --noprofile --noediting"
        subprocess.run(
            ["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x",
             str(columns), "-y", str(rows), shell, ";", "set-option", "-g", "status", "off"],
            env=env, cwd=directory, check=True, timeout=20)
        self.wait_for(self.PROMPT.strip())

    def tmux(self, *args):
        return subprocess.run(["tmux", "-S", self.socket, *args], check=True, timeout=20,
                              stdout=subprocess.PIPE, text=True).stdout

    def screen(self, *flags):
        """Its lines."""
        return self.tmux("capture-pane", "-p", *flags).splitlines()

    def text(self, *flags):
        return "\n".join(self.screen(*flags))

    def keys(self, *keys):
        """As tmux calls them: a, Enter, Up, C-c."""
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def run(self, line):
        self.type(line)
        self.keys("Enter")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait_for(self, *texts, seconds=15):
        """Until the screen shows them all; the screen then."""
        def look():
            self.last = self.text()
            return all(text in self.last for text in texts)
        try:
            wait_for(f"screen with {texts}", look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.last}") from None
        return self.last

    def wait_until(self, what, condition, seconds=15):
        """The first true answer of condition(screen)."""
        return wait_for(what, lambda: condition(self.text()), seconds)

    def processes(self, name):
        """The pids of its shell's children that are called so."""
        shell = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        found = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", shell], text=True, check=False,
                               stdout=subprocess.PIPE).stdout.split("\n")
        return [int(line.split()[0]) for line in found if line.strip().endswith(name)]

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, timeout=20,
                       stderr=subprocess.DEVNULL)
