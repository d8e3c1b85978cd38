# SPDX-License-Identifier: MIT
"""Every client gets its own bytes and nobody else's: thousands of requests, plain and streamed, many of them given up
half way or broken by the provider, over few connections on both sides. Afterwards nothing is left under way."""

import asyncio
import json
import random
import re

from servers import SLOWNESS, deployment, metric, wait_until

REQUESTS = 2400
CLIENTS = 60
SEED = 20240611
FAULTS = ["reset", "reset-after-headers", "reset-after-chunks", "close-early", "half-chunk", "garbage"]


def body_of(marker, stream, padding):
    content = f"{marker} " + "x" * padding + f" {marker}"
    return json.dumps({"model": "mock-small", "stream": stream, "messages": [{"role": "user", "content": content}]}).encode()


def request_of(marker, body, *knobs):
    fields = b"".join(b"x-mock-" + knob + b"\r\n" for knob in (b"echo: 1", *knobs))
    return (b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
            b"%sx-request-id: %s\r\nContent-Length: %d\r\n\r\n" % (fields, marker, len(body)) + body)


async def read_answer(reader, chosen):
    """Head and body of a response; with `chosen` it is given up after so many bytes, and None is returned."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head:
        length = int(re.search(rb"content-length: (\d+)", head).group(1))
        if chosen is not None and chosen < length:
            await reader.readexactly(chosen)
            return head, None
        return head, await reader.readexactly(length)
    parts, seen = [], 0
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        data = await reader.readexactly(size + 2)
        parts.append(data[:-2])
        seen += size
        if size == 0:
            return head, b"".join(parts)
        if chosen is not None and seen >= chosen:
            return head, None


def said(body, stream):
    """The text of the answer."""
    if not stream:
        return json.loads(body)["choices"][0]["message"]["content"]
    assert body.endswith(b"data: [DONE]\n\n"), body[-200:]
    return delivered(body)


def delivered(body):
    """The text of a stream that may have ended with an error event."""
    events = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events if "choices" in event)


def id_of(head):
    return re.search(rb"^x-request-id: (\S+)\r$", head, re.MULTILINE).group(1)


class Client:
    def __init__(self, gateway, numbers, outcome):
        self.gateway, self.numbers, self.outcome = gateway, numbers, outcome
        self.reader = self.writer = None

    async def close(self):
        if self.writer is not None:
            self.writer.transport.abort()
            self.reader = self.writer = None

    async def ask(self, number, rng):
        marker = f"mark-{number:06}-{''.join(rng.choices('abcdefghijklmnopqrstuvwxyz', k=8))}".encode()
        stream, padding, fate = rng.random() < 0.5, rng.choice([0, 10, 1000, 30000]), rng.random()
        body = body_of(marker.decode(), stream, padding)
        wanted = f"{marker.decode()} " + "x" * padding + f" {marker.decode()}"
        knobs = [b"latency: 20", b"tps: 100"] if rng.random() < 0.4 or fate < 0.35 else []
        if fate > 0.9:
            knobs.append(b"fault: " + rng.choice(FAULTS).encode())
        request = request_of(marker, body, *knobs)
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.gateway.host, self.gateway.port)
        if fate < 0.1:
            self.writer.write(request[:rng.randrange(len(request))])
            await self.close()
            return "half a request"
        self.writer.write(request)
        if fate < 0.2:
            await self.writer.drain()
            await asyncio.sleep(rng.random() * 0.03)
            await self.close()
            return "gone before the answer"
        if fate > 0.9:
            return await self.see_fault(marker, wanted, stream)
        head, answer = await read_answer(self.reader, rng.randrange(400) if fate < 0.35 else None)
        assert head.startswith(b"HTTP/1.1 200 ") and id_of(head) == marker, (marker, head)
        if answer is None:
            await self.close()
            return "gone in the answer"
        assert said(answer, stream) == wanted, f"{marker} got other bytes"
        return "stream" if stream else "plain"

    async def see_fault(self, marker, wanted, stream):
        """An error or an error event; what was delivered before it is the beginning of the client's own."""
        head, answer = await read_answer(self.reader, None)
        assert id_of(head) == marker, (marker, head)
        if not head.startswith(b"HTTP/1.1 200 "):
            assert head.startswith(b"HTTP/1.1 502 ") and json.loads(answer)["error"]["message"], head
            return "fault: error"
        assert stream and wanted.startswith(delivered(answer)), f"{marker} got other bytes"
        assert b'data: {"error":' in answer, answer[-300:]
        return "fault: error event"

    async def run(self):
        for number in self.numbers:
            outcome = await asyncio.wait_for(self.ask(number, random.Random(SEED + number)), 30 * SLOWNESS)
            self.outcome[outcome] = self.outcome.get(outcome, 0) + 1
        await self.close()


async def crowd(gateway, outcome):
    await asyncio.gather(*[Client(gateway, range(i, REQUESTS, CLIENTS), outcome).run() for i in range(CLIENTS)])


def test_everybody_gets_his_own_answer(start_gateway, start_mock):
    mock = start_mock()
    gateway = start_gateway({"model_list": [deployment(mock)], "server": {"workers": 2}})
    outcome = {}
    asyncio.run(crowd(gateway, outcome))
    assert sum(outcome.values()) == REQUESTS
    assert len(outcome) == 7 and min(outcome.values()) >= 20, outcome
    # Clients did leave while the provider was answering: the paced answers make sure that they can.
    assert mock.stats()["aborted"] > 100, mock.stats()
    for name in ("gatewire_requests_in_flight", "gatewire_downstream_connections"):
        wait_until(lambda name=name: metric(gateway, name) == 0, what=name)
    open_ones, idle = "gatewire_upstream_connections", "gatewire_upstream_connections_idle"
    wait_until(lambda: metric(gateway, open_ones) == metric(gateway, idle), what="busy connections to the provider")
