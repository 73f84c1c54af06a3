# SPDX-License-Identifier: Apache-2.0
"""Runs omnivigil's bus commands."""

import contextlib
import json
import socket
import subprocess


class Bus:
    """omnivigil's bus commands against one Redis."""

    def __init__(self, vigil, url, storage="redis"):
        self.vigil = vigil
        self.env = {"REDIS_URL": url, "STORAGE_BACKEND": storage}

    def run(self, *args, status=0, **env):
        done = self.vigil.command("bus", *args, **{**self.env, **env})
        assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *args, status=0, **env):
        return json.loads(self.run(*args, "--format", "json", status=status, **env).stdout)

    def start(self, *args):
        return subprocess.Popen(
            [self.vigil.binary, "bus", *args], env={**self.vigil.env, **self.env},
            cwd=self.vigil.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)


@contextlib.contextmanager
def waiting_client(redis):
    """A client that blocks, as a consumer does: without any, each look takes a second one."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(redis.socket)
        client.sendall(b"BLPOP nothing 0\r\n")
        yield
