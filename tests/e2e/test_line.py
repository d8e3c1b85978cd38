# SPDX-License-Identifier: MIT
"""Waiting for a deployment with room: bounded, in order, with an honest answer for those who are sent away."""

import asyncio

import httpx
from servers import SLOWNESS, deployment

CHAT = "/v1/chat/completions"
LATENCY_MS = 150


def busy(start_gateway, mock, **queue):
    """A gateway with one deployment that takes one request at a time."""
    models = [deployment(mock, "mock-small", max_parallel_requests=1)]
    return start_gateway({"model_list": models, "router": {"max_retries": 0, "queue": queue}})


async def ask(client, number, priority="normal"):
    body = {"model": "mock-small", "messages": [{"role": "user", "content": f"[[echo]] {number}"}]}
    answer = await client.post(CHAT, json=body, headers={"x-gatewire-priority": priority})
    return number, answer


async def crowd(gateway, priorities):
    """All ask at once, in order; what comes back, in the order it came."""
    done = []

    async def one(client, number, priority):
        done.append(await ask(client, number, priority))

    limits = httpx.Timeout(30 * SLOWNESS)
    async with httpx.AsyncClient(base_url=gateway.url, timeout=limits, trust_env=False) as client:
        await asyncio.gather(*[one(client, number, priority) for number, priority in enumerate(priorities)])
    return done


def test_all_wait_their_turn(start_gateway, start_mock):
    mock = start_mock("--latency", str(LATENCY_MS))
    gateway = busy(start_gateway, mock, max_waiting=20, timeout="20s")
    done = asyncio.run(crowd(gateway, ["normal"] * 8))
    assert [answer.status_code for _, answer in done] == [200] * 8
    assert all(str(number) in answer.json()["choices"][0]["message"]["content"] for number, answer in done)
    assert mock.stats()["requests"] == 8


def test_high_priority_goes_first(start_gateway, start_mock):
    mock = start_mock("--latency", str(LATENCY_MS))
    gateway = busy(start_gateway, mock, max_waiting=20, timeout="20s")
    done = asyncio.run(crowd(gateway, ["low"] * 5 + ["high"] * 3))
    assert [answer.status_code for _, answer in done] == [200] * 8
    # One of the low ones was under way already; two of them may have been before the high ones came.
    last_two = [number for number, _ in done][-2:]
    assert all(number < 5 for number in last_two), [number for number, _ in done]


def test_full_line_sends_away(start_gateway, start_mock):
    mock = start_mock("--latency", str(LATENCY_MS))
    gateway = busy(start_gateway, mock, max_waiting=2, timeout="20s")
    done = asyncio.run(crowd(gateway, ["high"] * 8))
    away = [answer for _, answer in done if answer.status_code != 200]
    assert len(away) == 5
    for answer in away:
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "no_deployment_available"
        assert int(answer.headers["retry-after"]) >= 1


def test_nobody_waits_without_a_line(start_gateway, start_mock):
    mock = start_mock("--latency", str(LATENCY_MS))
    gateway = busy(start_gateway, mock, max_waiting=0)
    done = asyncio.run(crowd(gateway, ["normal"] * 4))
    assert sorted(answer.status_code for _, answer in done) == [200, 503, 503, 503]


def test_wait_has_an_end(start_gateway, start_mock):
    mock = start_mock("--latency", str(int(3000 * SLOWNESS)))
    gateway = busy(start_gateway, mock, max_waiting=5, timeout="300ms")
    done = asyncio.run(crowd(gateway, ["normal"] * 3))
    assert sorted(answer.status_code for _, answer in done) == [200, 503, 503]
