# SPDX-License-Identifier: MIT
"""A second exchange when the first takes unusually long."""

import httpx
import pytest
from servers import SLOWNESS, deployment, wait_until

CHAT = "/v1/chat/completions"
SLOW_MS = int(20_000 * SLOWNESS)
HEDGE = {"delay": "100ms", "budget": 100}


@pytest.fixture
def pair(start_gateway, start_mock):
    """A gateway that asks `slow` first, and the two mocks."""

    def start(first_args, second_args=(), hedge=None):
        first, second = start_mock(*first_args), start_mock(*second_args)
        models = [
            deployment(first, "mock-small", priority=2),
            deployment(second, "mock-small", priority=1),
        ]
        router = {"max_retries": 0, "hedge": HEDGE if hedge is None else hedge}
        return start_gateway({"model_list": models, "router": router}), first, second

    return start


def ask(gateway, stream=False, path=CHAT, **fields):
    body = {"model": "mock-small", "messages": [{"role": "user", "content": "hi"}], "stream": stream, **fields}
    return httpx.post(gateway.url + path, json=body, timeout=60 * SLOWNESS, trust_env=False)


@pytest.mark.parametrize("stream", [False, True])
def test_the_first_to_answer_wins(pair, stream):
    gateway, slow, fast = pair(["--latency", str(SLOW_MS)])
    answer = ask(gateway, stream)
    assert answer.status_code == 200 and answer.headers["x-gatewire-deployment"] == "mock-small#2"
    assert answer.headers["x-gatewire-attempts"] == "2"
    if stream:
        assert answer.text.endswith("data: [DONE]\n\n")
    assert fast.stats()["requests"] == 1
    wait_until(lambda: slow.stats()["aborted"] == 1)  # the other one is told to stop


def test_other_dialects_too(pair):
    gateway, _, _ = pair(["--latency", str(SLOW_MS)])
    answer = ask(gateway, path="/v1/messages", max_tokens=50)
    assert answer.status_code == 200 and answer.json()["type"] == "message"
    assert answer.headers["x-gatewire-deployment"] == "mock-small#2"


def test_a_fast_answer_is_not_hedged(pair):
    gateway, first, second = pair([], hedge={"delay": "20s", "budget": 100})
    assert ask(gateway).headers["x-gatewire-deployment"] == "mock-small#1"
    assert (first.stats()["requests"], second.stats()["requests"]) == (1, 0)


def test_the_second_fails_and_the_first_still_answers(pair):
    gateway, _, _ = pair(["--latency", str(int(1000 * SLOWNESS))], ["--status", "500"])
    answer = ask(gateway)
    assert answer.status_code == 200 and answer.headers["x-gatewire-deployment"] == "mock-small#1"


def test_the_first_fails_while_the_second_is_asked(pair):
    late = str(int(600 * SLOWNESS))
    gateway, _, _ = pair(["--latency", late, "--status", "500"], ["--latency", str(int(1500 * SLOWNESS))])
    answer = ask(gateway)
    assert answer.status_code == 200 and answer.headers["x-gatewire-deployment"] == "mock-small#2"


def test_both_fail(pair):
    late = str(int(300 * SLOWNESS))
    gateway, _, _ = pair(["--latency", late, "--status", "500"], ["--latency", late, "--status", "503"])
    answer = ask(gateway)
    assert answer.status_code in (500, 503)
    message = answer.json()["error"]["message"]
    assert "mock-small#1" in message and "mock-small#2" in message


def test_connection_refused_on_one(pair):
    gateway, _, second = pair(["--latency", str(int(1000 * SLOWNESS))])
    second.stop()
    assert ask(gateway).headers["x-gatewire-deployment"] == "mock-small#1"


def test_client_leaves_while_both_are_asked(pair):
    gateway, first, second = pair(["--latency", str(SLOW_MS)], ["--latency", str(SLOW_MS)])
    with pytest.raises(httpx.ReadTimeout):
        body = {"model": "mock-small", "messages": [{"role": "user", "content": "hi"}]}
        httpx.post(gateway.url + CHAT, json=body, timeout=1.5 * SLOWNESS, trust_env=False)
    wait_until(lambda: first.stats()["aborted"] == 1 and second.stats()["aborted"] == 1)


def test_budget(pair):
    """Of 60 requests that are all slow only the budget's share is asked twice: what the start gives and 5 %."""
    gateway, _, second = pair(["--latency", "60"], hedge={"delay": "20ms", "budget": 5})
    for _ in range(60):
        assert ask(gateway).status_code == 200
    assert second.stats()["requests"] < 60


def test_stored_responses_are_asked_once(pair):
    gateway, first, second = pair(["--latency", str(int(500 * SLOWNESS))])
    body = {"model": "mock-small", "input": "hi", "store": True}
    answer = httpx.post(gateway.url + "/v1/responses", json=body, timeout=60 * SLOWNESS, trust_env=False)
    assert answer.status_code == 200
    assert (first.stats()["requests"], second.stats()["requests"]) == (1, 0)
