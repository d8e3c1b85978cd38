# SPDX-License-Identifier: MIT
"""Steady load through a gateway: plain and streamed chats in turn, each answer checked to its last byte.

The clients run in a thread of their own; the test walks through phases (`run`) and reads the figures at the end. How long
a phase lasts is decided by the number of answers and by a condition, never by a clock.
"""

import asyncio
import collections
import itertools
import json
import threading
import time
from dataclasses import dataclass

from servers import SLOWNESS

CHAT = "/v1/chat/completions"
# Longer than all limits of the gateway together: who waits that long was forgotten.
CLIENT_S = 20 * SLOWNESS
CLIENTS = 12 if SLOWNESS == 1 else 6
# Between two questions of a client: about 250 requests a second of all of them, what two cores that do other things can.
PACE_S = 0.040 * SLOWNESS
# Answers between two looks at the condition that ends a phase.
LOOK_EVERY = 20

# How a request ended. Only OK is right; TOLD is what a stream may do that broke after its first output.
OK, REFUSED, TOLD, SILENT, WRONG = "ok", "refused", "told", "silent", "wrong"


@dataclass
class Outcome:
    """One request as its client saw it."""

    phase: str
    kind: str
    seconds: float
    attempts: int
    deployment: str
    fallback_from: str
    detail: str


class Broken(Exception):
    """The connection ended where it must not."""


async def read_head(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return int(lines[0].split(" ")[1]), fields


async def read_body(reader, fields):
    if fields.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(fields.get("content-length", "0")))
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        chunk = await reader.readexactly(size + 2)
        if chunk[-2:] != b"\r\n":
            raise Broken(f"a chunk without its end: {chunk[-20:]!r}")
        body += chunk[:-2]
        if size == 0:
            return body


def judge_plain(status, content, text):
    if status != 200:
        return REFUSED, f"{status} {content[:300]!r}"
    answer = json.loads(content)
    choice = answer["choices"][0]
    good = choice["message"]["content"] == text and choice["finish_reason"] == "stop" and answer["usage"]["total_tokens"] > 0
    return (OK, "") if good else (WRONG, repr(content[:300]))


def judge_stream(status, content, text):
    if status != 200:
        return REFUSED, f"{status} {content[:300]!r}"
    events = [part.removeprefix(b"data: ") for part in content.split(b"\n\n") if part]
    if not content.endswith(b"\n\n") or not events:
        return SILENT, repr(content[-300:])
    is_done = events[-1] == b"[DONE]"
    seen, finish = "", None
    for event in events[:-1] if is_done else events:
        data = json.loads(event)
        if "error" in data:
            kind = WRONG if is_done else TOLD if seen else REFUSED
            return kind, f"after {len(seen)} characters: {event[:300]!r}"
        for choice in data["choices"]:
            seen += choice["delta"].get("content") or ""
            finish = choice.get("finish_reason") or finish
    if not is_done:
        return SILENT, repr(content[-300:])
    return (OK, "") if (seen, finish) == (text, "stop") else (WRONG, repr(content[-300:]))


class Load:
    """Use with `with`: the clients ask from its beginning to its end."""

    def __init__(self, gateway, model="chat", only_streams=False):
        self.gateway = gateway
        self.model = model
        self.only_streams = only_streams
        self.outcomes = []
        self._phase = "before"
        self._grew = threading.Condition()
        self._stopping = False
        self._numbers = itertools.count()
        self._ended = collections.Counter()  # by phase
        self._failure = None
        self._thread = threading.Thread(target=self._main, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping = True
        self._thread.join(CLIENT_S + 10)
        assert not self._thread.is_alive(), "a client never got an end of its answer"
        if self._failure is not None:
            raise self._failure

    def run(self, phase, requests, until=None, fault=None, timeout=30 * SLOWNESS):
        """Does `fault`, and goes on until `requests` of `phase` have ended and `until` is true."""
        deadline = time.monotonic() + timeout
        self._phase = phase
        if fault is not None:
            fault()
        wanted = requests
        while True:
            with self._grew:
                while self._ended[phase] < wanted:
                    left = deadline - time.monotonic()
                    assert left > 0 and self._thread.is_alive(), f"{phase}: {self._ended[phase]} answers, waited for {wanted}"
                    self._grew.wait(left)
            if until is None or until():
                return
            assert time.monotonic() < deadline, f"{phase}: the condition never came true"
            with self._grew:
                wanted = self._ended[phase] + LOOK_EVERY

    def of(self, *phases):
        """The outcomes of requests of these phases; all without."""
        with self._grew:
            return [outcome for outcome in self.outcomes if not phases or outcome.phase in phases]

    # ---- the thread

    def _main(self):
        try:
            asyncio.run(self._run())
        except BaseException as failure:  # noqa: BLE001 - the test's thread raises it again
            self._failure = failure
        with self._grew:
            self._grew.notify_all()

    async def _run(self):
        await asyncio.gather(*(self._client(number) for number in range(CLIENTS)))

    async def _client(self, number):
        connection = None
        loop = asyncio.get_running_loop()
        due = loop.time() + PACE_S * number / CLIENTS
        while not self._stopping:
            await asyncio.sleep(max(0, due - loop.time()))
            due = max(due + PACE_S, loop.time())
            if connection is None:
                connection = await asyncio.open_connection(self.gateway.host, self.gateway.port)
            if not await self._ask(connection, number):
                connection[1].close()
                connection = None
        if connection is not None:
            connection[1].close()

    async def _ask(self, connection, client):
        """One question and its answer; whether the connection can be used again."""
        reader, writer = connection
        number = next(self._numbers)
        stream = self.only_streams or number % 2 == 1
        text = f"client {client} says that this is number {number}"
        body = json.dumps({"model": self.model, "stream": stream, "messages": [{"role": "user", "content": text}]}).encode()
        phase, begin, fields = self._phase, time.monotonic(), {}
        writer.write((
            f"POST {CHAT} HTTP/1.1\r\nhost: chaos\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode() + body)
        is_usable = True
        try:
            async with asyncio.timeout(CLIENT_S):
                status, fields = await read_head(reader)
                content = await read_body(reader, fields)
            kind, detail = (judge_stream if stream else judge_plain)(status, content, text)
            is_usable = fields.get("connection") != "close"
        except (Broken, asyncio.IncompleteReadError, ConnectionError, TimeoutError, ValueError, KeyError) as failure:
            kind, detail, is_usable = SILENT, f"{failure!r} after {fields}", False
        if phase == "before":
            phase = self._phase  # a fault that met a request on its way is the fault's
        outcome = Outcome(
            phase, kind, time.monotonic() - begin, int(fields.get("x-gatewire-attempts", "1")),
            fields.get("x-gatewire-deployment", ""), fields.get("x-gatewire-fallback-from", ""), detail,
        )
        with self._grew:
            self.outcomes.append(outcome)
            self._ended[phase] += 1
            self._grew.notify_all()
        return is_usable


def percentile(outcomes, share):
    """Of the time from the first byte sent to the last one read, in ms."""
    times = sorted(outcome.seconds for outcome in outcomes)
    return round(times[min(len(times) - 1, int(len(times) * share))] * 1000, 1) if times else None


def figures(load, name):
    """One row of the table: the phase "during" against the phase "before"."""
    before, during = load.of("before"), load.of("during")
    retries = sum(outcome.attempts - 1 for outcome in during)
    return {
        "fault": name,
        "requests": len(during),
        "failures": sum(outcome.kind not in (OK, TOLD) for outcome in load.of()),
        "cut": sum(outcome.kind == TOLD for outcome in load.of()),
        "retries": retries,
        "extra_pct": round(100 * retries / max(1, len(during)), 1),
        "p50_before": percentile(before, 0.50),
        "p50_during": percentile(during, 0.50),
        "p99_before": percentile(before, 0.99),
        "p99_during": percentile(during, 0.99),
    }
