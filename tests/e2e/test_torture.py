# SPDX-License-Identifier: MIT
"""All that routing can do at once: hedging, copies for a mirror, a line, fallbacks, streams that are continued, breakers,
with providers that break in every way, clients that leave, and a configuration that changes under them. Every client
gets its own bytes, and afterwards nothing is left under way."""

import asyncio
import json
import random
import re
import signal

import httpx
from servers import SLOWNESS, get_json, metrics_text, wait_until
from test_isolation import delivered, id_of, metric, read_answer, said

REQUESTS = 2000
CLIENTS = 40
SEED = 20261121
RELOAD_S = 0.25
LEAVES = 0.3  # of the clients
HELD = 200_000  # more than the gateway holds back
# What deployments of the model do besides repeating what they were told.
WAYS = [
    "mock-echo=1-latency=5",
    "mock-echo=1-latency=250",
    "mock-echo=1-status=500-every=3",
    "mock-echo=1-status=429-retry_after=1-every=9",
    "mock-echo=1-fault=reset-every=4",
    "mock-echo=1-fault=half-chunk-every=4",
    "mock-echo=1-tps=200-fault=error-mid-stream-every=3",
    "mock-echo=1-tps=200-fault=reset-after-chunks-every=3",
    "mock-echo=1-latency=40-fault=reset-after-headers-every=4",
]
ROUTER = {
    "retry": {"delay": "20ms", "budget": "100%"},
    "recover_streams": True,
    "slow_stream": {"min_tokens_per_second": 5, "grace": "200ms"},
    "circuit_breaker": {"threshold": 4, "cooldown": "200ms", "max_cooldown": "400ms", "slow_call": "200ms"},
    "hedge": {"delay": "60ms", "budget": 100},
    "queue": {"max_waiting": 100, "timeout": "5s"},
    "adaptive_concurrency": True,
    "fallbacks": [{"m": ["spare"]}],
}


def entry(mock, group, upstream, **params):
    base = {"openai": "/v1", "anthropic": "/anthropic", "mistral": "/mistral/v1"}[upstream.split("/")[0]]
    return {"model_name": group, "litellm_params": {
        "model": upstream, "api_base": mock.url + base, "api_key": "sk-torture", **params,
    }}


def configuration(mocks, turn):
    """As of the reload number `turn`: deployments come and go, limits and strategy change."""
    rng = random.Random(SEED + turn)
    ways = rng.sample(WAYS, 6)
    vendors = ["openai", "openai", "mistral", "anthropic"]
    models = [
        entry(rng.choice(mocks), "m", f"{rng.choice(vendors)}/{way}", max_parallel_requests=rng.choice([2, 4, 8]),
              http2=rng.choice(["prior", "off"]))
        for way in ways
    ]
    models += [entry(mocks[0], "m", "openai/mock-echo=1", max_parallel_requests=3, rpm=3000)]
    models += [entry(mocks[1], "spare", "openai/mock-echo=1"), entry(mocks[1], "shadow", f"anthropic/{rng.choice(WAYS)}")]
    router = {**ROUTER, "strategy": rng.choice(["round_robin", "least_busy", "latency_based", "priority", "smart"])}
    return {"model_list": models, "router": router, "model_groups": {"m": {"mirror": {"model": "shadow", "percent": 30}}}}


def request_of(marker, path, stream, padding, headers):
    content = f"{marker} " + "x" * padding + f" {marker}"
    body = {"model": "m", "stream": stream, "max_tokens": 400, "messages": [{"role": "user", "content": content}]}
    data = json.dumps(body).encode()
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (f"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n{fields}"
            f"x-request-id: {marker}\r\nContent-Length: {len(data)}\r\n\r\n")
    return head.encode() + data, content


def said_by_messages(body, stream):
    """The text of an answer in Anthropic's shape; of a stream, how far it came."""
    if not stream:
        return "".join(block["text"] for block in json.loads(body)["content"] if block["type"] == "text")
    events = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
    return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")


def has_error(body):
    return b'data: {"error":' in body or b"event: error" in body


class Client:
    def __init__(self, gateway, numbers, outcome):
        self.gateway, self.numbers, self.outcome = gateway, numbers, outcome
        self.reader = self.writer = None

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()
            self.reader = self.writer = None

    async def leave(self, request, rng):
        """Half a request, or a whole one whose client goes away a moment later."""
        if rng.random() < 0.2:
            self.writer.write(request[:rng.randrange(len(request))])
        else:
            self.writer.write(request)
            await self.writer.drain()
            await asyncio.sleep(rng.choice([0.0, 0.01, 0.05, 0.1, 0.3]) * rng.random())
        self.close()
        return "left"

    async def ask(self, number, rng):
        marker = f"mark-{number:06}-{''.join(rng.choices('abcdefghijklmnopqrstuvwxyz', k=8))}"
        stream, is_messages = rng.random() < 0.6, rng.random() < 0.4
        headers = {"x-gatewire-priority": rng.choice(["high", "normal", "low"])}
        if rng.random() < 0.2:
            headers["x-gatewire-session"] = str(rng.randrange(5))
        path = "/v1/messages" if is_messages else "/v1/chat/completions"
        request, wanted = request_of(marker, path, stream, rng.choice([0, 10, 1000, 30000, HELD]), headers)
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.gateway.host, self.gateway.port)
        if rng.random() < LEAVES:
            return await self.leave(request, rng)
        self.writer.write(request)
        if rng.random() < 0.1:  # the answer has to wait
            await asyncio.sleep(0.2)
        try:
            head, body = await read_answer(self.reader, None)
        except asyncio.IncompleteReadError:  # too long to be held back until it is complete
            assert not stream and len(wanted) > HELD
            self.close()
            return "cut"
        assert id_of(head).decode() == marker, (marker, head)
        if not head.startswith(b"HTTP/1.1 200 "):
            assert json.loads(body)["error"]["message"], (head, body)
            return "error"
        return self.judge(marker, wanted, body, stream, is_messages)

    @staticmethod
    def judge(marker, wanted, body, stream, is_messages):
        if stream and has_error(body):
            text = said_by_messages(body, True) if is_messages else delivered(body)
            assert wanted.startswith(text), f"{marker} got other bytes"
            return "error event"
        text = said_by_messages(body, stream) if is_messages else said(body, stream)
        assert text == wanted, f"{marker} got other bytes: {text[:100]!r} {text[-100:]!r} {len(text)}"
        return "stream" if stream else "plain"

    async def run(self):
        for number in self.numbers:
            outcome = await asyncio.wait_for(self.ask(number, random.Random(SEED + number)), 60 * SLOWNESS)
            self.outcome[outcome] = self.outcome.get(outcome, 0) + 1
        self.close()


class StreamClient(Client):
    """The same over one HTTP/2 connection of many clients; who leaves resets his stream."""

    def __init__(self, connection, numbers, outcome):
        super().__init__(None, numbers, outcome)
        self.connection = connection

    async def ask(self, number, rng):
        marker = f"mark-{number:06}-{rng.randrange(1 << 32)}"
        stream, is_messages = rng.random() < 0.6, rng.random() < 0.4
        path = "/v1/messages" if is_messages else "/v1/chat/completions"
        request, wanted = request_of(marker, path, stream, rng.choice([0, 1000, 30000]), {})
        data = request[request.index(b"\r\n\r\n") + 4:]
        fields = {"x-request-id": marker, "content-type": "application/json"}
        patience = rng.random() * 0.2 if rng.random() < LEAVES else None
        async with self.connection.stream("POST", path, content=data, headers=fields) as answer:
            if patience is not None:
                await asyncio.sleep(patience)
                return "left"
            body = await answer.aread()
        assert answer.headers["x-request-id"] == marker
        if answer.status_code != 200:
            assert json.loads(body)["error"]["message"], body
            return "error"
        return self.judge(marker, wanted, body, stream, is_messages)


async def reload(gateway, mocks, done):
    turn = 0
    while not done.is_set():
        turn += 1
        fresh = gateway.config_path.with_suffix(".new")
        fresh.write_text(json.dumps({**configuration(mocks, turn), "server": gateway.server_settings}))
        fresh.replace(gateway.config_path)  # at once: half a file is a configuration as well
        gateway.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(RELOAD_S)
    return turn


async def crowd(gateway, mocks, outcome):
    done = asyncio.Event()
    reloading = asyncio.create_task(reload(gateway, mocks, done))
    limits = httpx.Timeout(60 * SLOWNESS)
    try:
        async with httpx.AsyncClient(base_url=gateway.url, http1=False, http2=True, timeout=limits, trust_env=False) as shared:
            clients = [Client(gateway, range(i, REQUESTS, CLIENTS), outcome) for i in range(0, CLIENTS, 2)]
            clients += [StreamClient(shared, range(i, REQUESTS, CLIENTS), outcome) for i in range(1, CLIENTS, 2)]
            await asyncio.gather(*[client.run() for client in clients])
    finally:
        done.set()
        outcome["reloads"] = await reloading


def under_way(gateway):
    """What deployments and breakers still count."""
    page = get_json(gateway.url + "/api/v1/router/circuit-breakers")
    rows = page.get("data", page)["circuit_breakers"]
    busy = re.findall(r"^gatewire_deployment_in_flight\{.*\} [1-9].*$", metrics_text(gateway), re.MULTILINE)
    return [row for row in rows if row["probes_running"] > 0] + busy


def test_all_at_once(start_gateway, start_mock):
    mocks = [start_mock(), start_mock()]
    gateway = start_gateway({**configuration(mocks, 0), "server": {"workers": 2}})
    gateway.server_settings = json.loads(gateway.config_path.read_text())["server"]
    outcome = {}
    asyncio.run(crowd(gateway, mocks, outcome))
    assert gateway.is_running(), gateway.output()[-3000:]
    print(outcome)
    for name in ("gatewire_requests_in_flight", "gatewire_downstream_connections"):
        wait_until(lambda name=name: metric(gateway, name) == 0, what=name)
    try:
        wait_until(lambda: under_way(gateway) == [])
    except AssertionError:
        raise AssertionError(under_way(gateway)) from None
    open_ones, idle = "gatewire_upstream_connections", "gatewire_upstream_connections_idle"
    wait_until(lambda: metric(gateway, open_ones) == metric(gateway, idle), what="busy connections to the providers")
    assert outcome["reloads"] > 3 and outcome["stream"] > 100 and outcome["plain"] > 100, outcome
    assert outcome["left"] > 100, outcome
    text = metrics_text(gateway)
    assert re.search(r'^gatewire_group_hedges_total\{.*"m".*\} [1-9]', text, re.MULTILINE), "nobody was hedged"
