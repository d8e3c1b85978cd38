# SPDX-License-Identifier: MIT
"""Copies of requests for another model, whose answers nobody sees."""

import time

import httpx
import pytest
from servers import SLOWNESS, deployment, wait_until

CHAT = "/v1/chat/completions"
SLOW_MS = int(20_000 * SLOWNESS)


@pytest.fixture
def mirrored(start_gateway, start_mock):
    def start(shadow_args=(), percent=100):
        mock, shadow = start_mock(), start_mock(*shadow_args)
        models = [deployment(mock, "mock-small"), {**deployment(shadow, "mock-large"), "model_name": "shadow"}]
        config = {
            "model_list": models,
            "router": {"max_retries": 0},
            "model_groups": {"mock-small": {"mirror": {"model": "shadow", "percent": percent}}},
        }
        return start_gateway(config), mock, shadow

    return start


def ask(gateway, **fields):
    body = {"model": "mock-small", "messages": [{"role": "user", "content": "[[echo]] hello"}], **fields}
    return httpx.post(gateway.url + CHAT, json=body, timeout=30 * SLOWNESS, trust_env=False)


@pytest.mark.parametrize("stream", [False, True])
def test_both_are_asked_and_one_is_heard(mirrored, stream):
    gateway, mock, shadow = mirrored()
    for _ in range(5):
        answer = ask(gateway, stream=stream)
        assert answer.status_code == 200 and answer.headers["x-gatewire-deployment"] == "mock-small#1"
    wait_until(lambda: shadow.stats()["requests"] == 5)
    assert mock.stats()["requests"] == 5


def test_a_slow_or_broken_mirror_costs_nothing(mirrored):
    gateway, _, shadow = mirrored(["--latency", str(SLOW_MS)])
    begin = time.monotonic()
    assert ask(gateway).status_code == 200
    assert time.monotonic() - begin < SLOW_MS / 2000
    wait_until(lambda: shadow.stats()["requests"] == 1)
    shadow.stop()
    assert ask(gateway).status_code == 200
    assert gateway.stop() == 0, gateway.output()  # while copies are on their way


def test_share(mirrored):
    gateway, mock, shadow = mirrored(percent=30)
    for _ in range(100):
        assert ask(gateway).status_code == 200
    wait_until(lambda: shadow.stats()["requests"] > 0)
    assert mock.stats()["requests"] == 100 and 5 < shadow.stats()["requests"] < 70


def test_copies_have_a_bound(mirrored):
    """A mirror that stands still: 64 MiB of copies are under way, and no more are made."""
    gateway, mock, shadow = mirrored(["--latency", str(SLOW_MS)])
    body = {"model": "mock-small", "messages": [{"role": "user", "content": "x" * 8_000_000}]}
    for _ in range(12):
        assert httpx.post(gateway.url + CHAT, json=body, timeout=30 * SLOWNESS, trust_env=False).status_code == 200
    wait_until(lambda: shadow.stats()["requests"] == 8)
    assert ask(gateway).status_code == 200
    wait_until(lambda: shadow.stats()["requests"] == 9)  # a small one still fits
    assert mock.stats()["requests"] == 13
