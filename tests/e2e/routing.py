# SPDX-License-Identifier: MIT
"""What the tests of routing share: requests, what is read from their answers, a provider that answers by its key.

Which deployment fails how is written in its upstream model's name (bench/README.md), so one mock plays all of them.
"""

import collections
import http.server
import itertools
import json
import threading

import httpx
from servers import SLOWNESS

CHAT = "/v1/chat/completions"
TIMEOUT_S = 20 * SLOWNESS
# A pause short enough for tests; what they say about times is relative to it.
DELAY_MS = 50
# Upstream models.
BAD = ["mock-status=500"]
GOOD = ["mock-echo=1"]
# A deployment whose address refuses connections.
NOBODY = {"model": "x", "api_base": "http://127.0.0.2:9/v1"}

serial = itertools.count()


def times(status, count, more=""):
    """An upstream model that fails `count` times and works from then on; no other test counts with it."""
    return f"mock-status={status}{more}-times={count}-key=routing{next(serial)}"


def ask(gateway, model, stream=False, headers=None, path=CHAT, **body):
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}], **body}
    return httpx.post(gateway.url + path, json=body, headers=headers, timeout=TIMEOUT_S, trust_env=False)


def attempts(answer):
    return int(answer.headers.get("x-gatewire-attempts", "1"))


def asked(mock):
    """Exchanges that the mock has seen since its reset."""
    return mock.stats()["requests"]


def who(answer):
    assert answer.status_code == 200, answer.text
    return answer.headers["x-gatewire-deployment"]


def assert_fell_back(answer, asked_for, served_by):
    assert who(answer) == served_by
    assert answer.headers["x-gatewire-fallback-from"] == asked_for
    assert answer.headers["x-failover"] == "true"
    assert answer.headers["x-original-provider"] == "openai" and answer.headers["x-provider"] == "openai"


def spread(gateway, model, count, **more):
    """How often each deployment answered."""
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        return collections.Counter(who(client.post(gateway.url + CHAT, json=body)) for _ in range(count))


def openings(gateway, deployment):
    """How often the deployment's breaker opened."""
    return gateway.output().count(f"deployment '{deployment}': its circuit breaker opened")


class ByKey:
    """A provider that answers by the key it is shown: `answers[key]` is a status and fields."""

    OK = json.dumps({
        "id": "x", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }).encode()

    def __init__(self):
        self.answers = {}
        self.seen = collections.Counter()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802 - its name in the library
                self.rfile.read(int(self.headers["content-length"]))
                key = self.headers["authorization"].removeprefix("Bearer ")
                outer.seen[key] += 1
                status, fields = outer.answers.get(key, (200, {}))
                body = outer.OK if status == 200 else json.dumps({"error": {"message": f"{key} is refused"}}).encode()
                self.send_response(status)
                for name, value in {"content-type": "application/json", "content-length": str(len(body)), **fields}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
