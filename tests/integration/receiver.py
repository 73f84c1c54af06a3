# SPDX-License-Identifier: Apache-2.0
"""An HTTP server under the test's control."""

import http.server
import json
import threading
import time

from servers import wait_for


class Receiver:
    """An HTTP server that answers from a script and remembers what it was sent."""

    def __init__(self, port=0, context=None):
        self.script, self.requests, self.pause, self.closed = [], [], 0, False
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if receiver.closed:  # a connection that was kept open
                    self.close_connection = True
                    return
                status, headers = receiver.script.pop(0) if receiver.script else (200, {})
                receiver.requests.append({
                    "time": time.monotonic(), "wall": time.time(), "method": self.command,
                    "path": self.path, "headers": self.headers, "body": body, "status": status})
                time.sleep(receiver.pause)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_PUT = do_PATCH = do_GET = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def wait(self, count, seconds=20):
        wait_for(f"{count} requests", lambda: len(self.requests) >= count, seconds)
        return self.requests

    def taken(self):
        return [request for request in self.requests if request["status"] == 200]

    def bodies(self):
        return [json.loads(request["body"]) for request in self.requests]

    def alerts(self):
        """(id, state) of a webhook's alerts in the order of arrival."""
        return [(a["id"], a["state"]) for body in self.bodies() for a in body["alerts"]]

    def deliveries(self):
        return [request["headers"]["X-Omnivigil-Delivery"] for request in self.requests]

    def close(self):
        self.closed = True
        self.server.shutdown()
        self.server.server_close()
