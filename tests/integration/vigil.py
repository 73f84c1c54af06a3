# SPDX-License-Identifier: Apache-2.0
"""Running omnivigil and reading what it says.

OV_OMNIVIGIL names the binary, OV_PLUGIN_DIR its plugins where they are not installed.
"""

import json
import os
import subprocess

import names
from servers import Process, wait_for


def build_plugin(plugin_dir, source, name="mine", *flags):
    """Compiles a plugin; NAME in its source stands for its name."""
    path = os.path.join(plugin_dir, f"{name}.so")
    subprocess.run(
        [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-std=c11", "-D_GNU_SOURCE",
         "-I", os.environ["OV_INCLUDE"], "-x", "c", "-", "-x", "none", "-o", path, *flags],
        input=source.replace("NAME", name), text=True, check=True, timeout=60)
    return path


class Samples(list):
    """Samples as dictionaries: time, measurement, tags, fields."""

    @classmethod
    def parse(cls, text):
        samples = cls()
        for line in text.splitlines(keepends=True):
            if line.endswith("\n") and line.startswith("{"):
                samples.append(json.loads(line, parse_constant=lambda name: 1 / 0))
        return samples

    def all(self, measurement, **tags):
        return Samples(
            s for s in self
            if s["measurement"] == measurement
            and all(s.get("tags", {}).get(tag) == value for tag, value in tags.items())
        )

    def one(self, measurement, **tags):
        """The fields of the only such sample."""
        found = self.all(measurement, **tags)
        if len(found) != 1:
            of_it = [s["tags"] for s in self if s["measurement"] == measurement]
            raise AssertionError(f"{len(found)} samples {measurement} {tags}, of {of_it}")
        return found[0]["fields"]

    def last(self, measurement, **tags):
        """The fields of the newest such sample, {} when there is none."""
        found = self.all(measurement, **tags)
        return found[-1]["fields"] if found else {}

    def measurements(self):
        return {s["measurement"] for s in self}

    def series(self):
        return [(s["measurement"], tuple(sorted(s.get("tags", {}).items()))) for s in self]

    def tag_values(self, measurement, tag):
        return {s["tags"].get(tag) for s in self if s["measurement"] == measurement}


class Gathered(Samples):
    """One run of `omnivigil gather`."""

    status, stderr = None, ""


class Vigil:
    """The command, in a directory and an environment of its own."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.binary = os.environ["OV_OMNIVIGIL"]
        self.env = {
            "PATH": "/usr/bin:/bin",
            "HOME": self.directory,
            # a failing sanitizer must not look like an ordinary refusal
            "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "exitcode=99",
        }
        for name, value in os.environ.items():
            if name.startswith(("LD_", "TSAN_")):
                self.env[name] = value
        if os.environ.get("OV_PLUGIN_DIR"):
            self.env["OMNIVIGIL_PLUGIN_DIR"] = os.environ["OV_PLUGIN_DIR"]
        self.agents = []

    def command(self, *args, seconds=60, **env):
        done = subprocess.run(
            [self.binary, *args], env={**self.env, **env}, cwd=self.directory, timeout=seconds,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="backslashreplace",
            check=False,
        )
        died = done.returncode < 0 or done.returncode in (99, 134, 139)
        assert not died, f"{args} died with {done.returncode}:\n{done.stderr[-4000:]}"
        return done

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def config(self, name="agent.yaml", **parts):
        """A configuration file; JSON is YAML."""
        return self.write(name, json.dumps(parts, indent=1))

    def gather(self, *inputs, url=None, config=None, storage="redis", **env):
        args = ["gather", *inputs, "--format", "json"]
        if config:
            args += ["-c", config]
        if url:
            env["REDIS_URL"] = url
        env.setdefault("STORAGE_BACKEND", storage)
        done = self.command(*args, **env)
        samples = Gathered(Samples.parse(done.stdout))
        samples.status, samples.stderr = done.returncode, done.stderr
        return samples

    def check_config(self, text, **env):
        """What `config check` says of a file with that text."""
        return self.command("config", "check", "-c", self.write("checked.yaml", text), **env)

    def agent_config(self, inputs, outputs=(), name="agent.yaml", state=None, **agent):
        """Inputs are option maps; a file output that Agent reads is added."""
        file = {"plugin": names.FILE_OUTPUT, "path": os.path.join(self.directory, "samples.json"),
                "format": "json"}
        agent.setdefault("interval", "1s")
        agent.setdefault("jitter", "0s")
        agent["state_dir"] = os.path.join(self.directory, state or "state")
        return self.config(name, agent=agent, inputs=list(inputs), outputs=[file, *outputs])

    def run(self, config, **env):
        agent = Agent(self, config, env)
        self.agents.append(agent)
        return agent

    def close(self):
        for agent in self.agents:
            agent.kill()


class Agent(Process):
    """`omnivigil run` in the background."""

    def __init__(self, vigil, config, env):
        super().__init__(vigil.directory, f"omnivigil{len(vigil.agents)}")
        self.samples_path = os.path.join(vigil.directory, "samples.json")
        self.begin = self.size()
        self.start([vigil.binary, "run", "-c", config], env={**vigil.env, **env},
                   cwd=vigil.directory)

    def size(self):
        return os.path.getsize(self.samples_path) if os.path.exists(self.samples_path) else 0

    def samples(self, since=None):
        if not os.path.exists(self.samples_path):
            return Samples()
        with open(self.samples_path, "rb") as file:
            file.seek(self.begin if since is None else since)
            return Samples.parse(file.read().decode("utf-8", "backslashreplace"))

    def wait(self, what, condition, seconds=15, since=None):
        """Waits until condition(samples) is true and returns the samples."""
        def look():
            self.check_alive()
            samples = self.samples(since)
            return samples if condition(samples) else None
        try:
            return wait_for(what, look, seconds, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.stderr()[-3000:]}") from None

    def cycles(self, count, measurement=names.BUS, seconds=20):
        """Lets whole gathers pass that begin from now on; returns their samples."""
        since = self.size()
        return self.wait(f"{count} cycles",
                         lambda s: len(s.all(measurement)) > count, seconds, since)

    def memory_kib(self, what="VmHWM"):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(what))
