# SPDX-License-Identifier: Apache-2.0
"""A Redis that answers what it is told: fake_resp.py PORT RULES.json.

A rule is [prefix, raw reply, delay]; the first whose prefix the command starts with is taken, "*"
matches all, the reply "CLOSE" closes the connection. Prints each command it gets.
"""

import json
import socketserver
import sys
import time

port, rules = int(sys.argv[1]), json.load(open(sys.argv[2], encoding="utf-8"))


class Handler(socketserver.StreamRequestHandler):
    def command(self):
        line = self.rfile.readline()
        if line[:1] != b"*":
            return line.split() if line else None
        words = []
        for _ in range(int(line[1:])):
            length = int(self.rfile.readline()[1:])
            words.append(self.rfile.read(length))
            self.rfile.read(2)
        return words

    def handle(self):
        while (words := self.command()) is not None:
            text = b" ".join(words).decode("latin-1")
            print(f"{time.time():.3f} {text}", flush=True)
            for prefix, reply, *delay in rules:
                if prefix == "*" or text.upper().startswith(prefix.upper()):
                    if delay:
                        time.sleep(delay[0])
                    if reply == "CLOSE":
                        return
                    self.wfile.write(reply.encode("latin-1"))
                    break


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler).serve_forever()
