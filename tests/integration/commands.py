# SPDX-License-Identifier: Apache-2.0
"""Runs omnivigil's commands."""

import json
import os
import subprocess


def with_options(args, *options):
    """Puts options behind the words, and before what is no option."""
    at = args.index("--") if "--" in args else len(args)
    return (*args[:at], *options, *args[at:])


class Commands:
    """omnivigil's commands against one OmniDaemon."""

    def __init__(self, vigil, **env):
        self.vigil = vigil
        self.env = {"STORAGE_BACKEND": "redis", **env}
        # its own saved state, or none: never what an agent on this machine left behind
        self.config = vigil.config(agent={"state_dir": os.path.join(vigil.directory, "state")})

    def run(self, *args, status=0, **env):
        done = self.vigil.command(*with_options(args, "--config", self.config),
                                  **{**self.env, **env})
        assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *args, status=0, **env):
        args = with_options(args, "--format", "json")
        return json.loads(self.run(*args, status=status, **env).stdout)

    def start(self, *args):
        return subprocess.Popen(
            [self.vigil.binary, *args, "--config", self.config],
            env={**self.vigil.env, **self.env}, cwd=self.vigil.directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
