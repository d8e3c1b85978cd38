# SPDX-License-Identifier: MIT
"""One cell of the matrix: a dialect's driver at one provider, and the mark that a scenario earns."""

import contextlib

import httpx
from matrix import anthropic, gemini, ollama, openai, responses, scenarios
from matrix.neutral import CannotAsk, said
from matrix.providers import model_list, model_of
from servers import SLOWNESS, Gatewire

DIALECTS = {driver.name: driver for driver in (
    openai.Chat(), openai.Completions(), responses.Responses(), anthropic.Messages(), gemini.Gemini(), ollama.Ollama())}

WORKS, WARNED, REFUSED, UNASKED = "✓", "~", "✗", "–"


class Refused(Exception):
    """The gateway refused with 400: a mark, not a failure of the test."""


class Cell:
    def __init__(self, http, mock, dialect, provider):
        self.http, self.mock, self.provider = http, mock, provider
        self.driver = DIALECTS[dialect]
        self.warnings = set()
        self._sent = None

    def run(self, title):
        """The mark and, where it is not plain success, what was said."""
        try:
            scenarios.ALL[title](self)
        except CannotAsk as reason:
            return UNASKED, str(reason)
        except Refused as reason:
            return REFUSED, str(reason)
        return (WARNED, "; ".join(sorted(self.warnings))) if self.warnings else (WORKS, "")

    def _request(self, ask, stream):
        model = model_of(self.provider)
        headers = {"anthropic-version": "2023-06-01"} if self.driver.name == "anthropic" else {}
        self._sent = None
        return self.http.build_request("POST", self.driver.path(model, stream), json=self.driver.body(ask, model, stream),
                                       headers=headers)

    def _ask(self, ask, stream):
        answer = self.http.send(self._request(ask, stream))
        if answer.status_code in (400, 422):
            raise Refused(self._refusal(answer))
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:600]}"
        warning = answer.headers.get("x-gatewire-warning")
        self.warnings |= {warning} if warning else set()
        return answer

    def _refusal(self, answer):
        """What it says; a provider's own refusal is told from the gateway's."""
        seen = any(["x-request-id", answer.headers["x-request-id"]] in request["headers"] for request in self.mock.requests())
        return ("the provider says: " if seen else "") + answer.text

    def plain(self, ask):
        return self.driver.plain(self._ask(ask, False).json())

    def stream(self, ask):
        return self.driver.stream(self._ask(ask, True).content)

    def both(self, ask):
        """The answer as a whole, then as a stream."""
        yield self.plain(ask)
        yield self.stream(ask)

    def open_stream(self, ask):
        return self.http.stream("POST", self.driver.path(model_of(self.provider), True), timeout=20 * SLOWNESS,
                                json=self.driver.body(ask, model_of(self.provider), True))

    def upstream(self):
        """The last body that the provider got."""
        return self.mock.last_body()

    def error_of(self, answer):
        found = answer.json()
        found = found[0] if isinstance(found, list) else found
        assert self.driver.error(found), "an error without a text"

    def errors(self, order):
        """The answers to a request that fails, plain and streamed; their shape is the dialect's."""
        for stream in (False, True):
            answer = self.http.send(self._request(said(order), stream))
            assert answer.headers["content-type"].startswith("application/json"), answer.headers
            self.error_of(answer)
            warning = answer.headers.get("x-gatewire-warning")
            self.warnings |= {warning} if warning else set()
            yield answer

    def tells_cache(self):
        """Can the dialect say how much came from a cache?"""
        return self.driver.name != "ollama"

    def tells_retry_after(self):
        """Bedrock never does. Google does in the body, which its own clients get as it came, with a field beside it."""
        return self.provider != "bedrock"


def client(gateway):
    return httpx.Client(base_url=gateway.url, timeout=30 * SLOWNESS, trust_env=False)


@contextlib.contextmanager
def client_of_all(folder, mock):
    """A client of a gateway of its own with all providers; it must survive what it is asked."""
    server = Gatewire(folder, {"model_list": model_list(mock)})
    with client(server) as found:
        yield found
    assert server.stop() == 0, server.output()
