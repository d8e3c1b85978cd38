# SPDX-License-Identifier: MIT
"""Waiting for a deployment with room: bounded, in order, with an honest answer for those who are sent away."""

import asyncio
import time

import httpx
from servers import SLOWNESS, deployment, metric

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


# ---------------------------------------------------------------- where time decides, not the end of an exchange

TOKENS_PER_S = 1000


def metered(start_gateway, mock):
    """A gateway whose deployment has TOKENS_PER_S, and none of its minute's left: someone who takes long has them."""
    models = [deployment(mock, "mock-small", tpm=TOKENS_PER_S * 60)]
    router = {"max_retries": 0, "queue": {"max_waiting": 20, "timeout": f"{30 * SLOWNESS}s"}}
    return start_gateway({"model_list": models, "router": router})


async def ask_for(client, tokens, latency_s=0.0, priority="normal"):
    body = {"model": "mock-small", "max_tokens": tokens, "messages": [{"role": "user", "content": "hi"}]}
    fields = {"x-mock-latency": str(int(latency_s * 1000)), "x-gatewire-priority": priority}
    return await client.post(CHAT, json=body, headers=fields)


async def until(condition):
    """Polls state that a server shows, while the loop's own tasks go on."""
    async with asyncio.timeout(20 * SLOWNESS):
        while not condition():
            await asyncio.sleep(0.01)


async def use_up(client, mock):
    task = asyncio.create_task(ask_for(client, TOKENS_PER_S * 60 - 100, 15 * SLOWNESS))
    await until(lambda: mock.stats()["requests"] > 0)
    return task


async def until_one_waits(gateway):
    """Beside the long one, which is at the provider."""
    await until(lambda: metric(gateway, "gatewire_requests_in_flight") == 2)


def test_the_second_in_line_knows_when(start_gateway, mock):
    """Nobody ends while two wait: the second is served when there are tokens for it, not at the end of its patience."""
    mock.reset()
    gateway = metered(start_gateway, mock)

    async def scene():
        async with httpx.AsyncClient(base_url=gateway.url, timeout=60 * SLOWNESS, trust_env=False) as client:
            long = [await use_up(client, mock)]
            long.append(asyncio.create_task(ask_for(client, 600, 15 * SLOWNESS)))
            await until_one_waits(gateway)  # for 0.5 s
            begin = time.monotonic()
            answer = await ask_for(client, 600)
            for task in long:
                task.cancel()
            return answer, time.monotonic() - begin

    answer, took = asyncio.run(scene())
    assert answer.status_code == 200
    assert 0.7 < took < 6 * SLOWNESS


def test_timers_do_not_overtake(start_gateway, mock):
    mock.reset()
    gateway = metered(start_gateway, mock)
    done = []

    async def one(client, priority):
        assert (await ask_for(client, 600, priority=priority)).status_code == 200
        done.append(priority)

    async def scene():
        async with httpx.AsyncClient(base_url=gateway.url, timeout=60 * SLOWNESS, trust_env=False) as client:
            long = await use_up(client, mock)
            tasks = [asyncio.create_task(one(client, "low"))]
            await until_one_waits(gateway)
            tasks.append(asyncio.create_task(one(client, "high")))
            await asyncio.gather(*tasks)
            long.cancel()

    asyncio.run(scene())
    assert done == ["high", "low"]
