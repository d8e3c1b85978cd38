# SPDX-License-Identifier: MIT
"""What the file says about routing is what happens: order, weights, limits, keys, fallbacks in LiteLLM's form, reload."""

import json
import subprocess
import urllib.request

import httpx
import pytest
from servers import GATEWIRE, SLOWNESS, deployment

CHAT = "/v1/chat/completions"


def set_knobs(mock, query=""):
    request = urllib.request.Request(f"{mock.url}/mock/knobs{query}", data=b"", method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


def ask(gateway, model, **headers):
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    with httpx.Client(trust_env=False, timeout=20 * SLOWNESS) as client:
        return client.post(gateway.url + CHAT, json=body, headers=headers)


def counts(mocks):
    return [len(mock.requests()) for mock in mocks]


@pytest.fixture
def two(start_mock):
    """Two providers, for the first and the second deployment of a model."""
    return [start_mock(), start_mock()]


def entry(mock, group, **params):
    params = {"model": "openai/mock-small", "api_base": mock.url + "/v1", "api_key": "sk-mock", **params}
    return {"model_name": group, "litellm_params": {k: v for k, v in params.items() if v is not None}}


def test_lower_orders_are_asked_first_and_others_when_they_fail(two, start_gateway):
    first, second = two
    gateway = start_gateway({"router": {}, "model_list": [entry(second, "m", order=2), entry(first, "m", order=1)]})
    for _ in range(4):
        assert ask(gateway, "m").status_code == 200
    assert counts(two) == [4, 0]
    set_knobs(first, "?status=503")
    assert ask(gateway, "m").status_code == 200
    assert counts(two) == [5, 1]


def test_weights_are_shares(two, start_gateway):
    gateway = start_gateway({"router": {}, "model_list": [entry(two[0], "m", weight=0.75), entry(two[1], "m", weight=0.25)]})
    for _ in range(16):
        assert ask(gateway, "m").status_code == 200
    small = two[1].stats()["requests"]
    assert 3 <= small <= 5 and two[0].stats()["requests"] == 16 - small


def test_a_deployment_that_reached_its_limit_is_left_out(two, start_gateway):
    gateway = start_gateway({"router": {}, "model_list": [entry(two[0], "m", rpm=2, priority=9), entry(two[1], "m")]})
    for _ in range(5):
        assert ask(gateway, "m").status_code == 200
    assert counts(two) == [2, 3]


def test_the_keys_of_a_deployment_take_turns(start_mock, start_gateway):
    mock = start_mock()
    gateway = start_gateway({"router": {}, "model_list": [entry(mock, "m", api_key=None, api_keys=["sk-a", "sk-b", "sk-c"])]})
    for _ in range(6):
        assert ask(gateway, "m").status_code == 200
    seen = [dict(request["headers"])["authorization"] for request in mock.requests()]
    assert {key: seen.count(key) for key in set(seen)} == {"Bearer sk-a": 2, "Bearer sk-b": 2, "Bearer sk-c": 2}


@pytest.mark.parametrize("section", ["router", "router_settings", "litellm_settings"])
def test_fallbacks_in_litellms_form(section, two, start_gateway):
    first, second = two
    set_knobs(first, "?status=500")
    models = [entry(first, "a"), entry(second, "b"), entry(first, "c")]
    settings = {"fallbacks": [{"a": ["b"]}], "num_retries": 0}
    gateway = start_gateway({"router": {}, "model_list": models, section: settings})
    assert ask(gateway, "a").status_code == 200
    assert counts(two) == [1, 1]
    assert ask(gateway, "c").status_code >= 500
    assert counts(two) == [2, 1]


def test_default_fallbacks_and_failover_off(two, start_gateway):
    first, second = two
    set_knobs(first, "?status=500")
    config = {
        "model_list": [entry(first, "a"), entry(second, "b"), entry(first, "c")],
        "router": {"default_fallbacks": ["b"], "max_retries": 0},
        "model_groups": {"c": {"failover": False}},
    }
    gateway = start_gateway(config)
    assert ask(gateway, "a").status_code == 200
    assert ask(gateway, "c").status_code >= 500
    assert counts(two) == [2, 1]


def test_retries_of_the_environment_of_all_and_of_one_model(start_mock, start_gateway):
    mock = start_mock("--status", "500")
    config = {
        "model_list": [deployment(mock, "mock-small"), deployment(mock, "mock-large"), entry(mock, "c", num_retries=2)],
        "router": {"max_retries": 5, "retry": {"delay": "1ms"}, "circuit_breaker": False},
        "model_groups": {"mock-large": {"max_retries": 0}},
    }
    gateway = start_gateway(config, env={"MAX_RETRIES": "1"})
    for model, attempts in (("mock-small", 2), ("mock-large", 1), ("c", 3)):
        mock.reset()
        assert ask(gateway, model).status_code >= 500
        assert len(mock.requests()) == attempts, model


def test_the_breaker_opens_after_the_configured_failures(start_mock, start_gateway):
    mock = start_mock("--status", "500")
    config = {
        "model_list": [entry(mock, "m", circuit_breaker={"threshold": 2, "cooldown": "5m"})],
        "router_settings": {"num_retries": 0, "allowed_fails": 7},
    }
    gateway = start_gateway(config)
    for _ in range(5):
        assert ask(gateway, "m").status_code >= 500
    assert len(mock.requests()) == 2


def test_a_reload_changes_the_order(two, start_gateway):
    gateway = start_gateway({"router": {}, "model_list": [entry(two[0], "m", priority=2), entry(two[1], "m", priority=1)]})
    assert ask(gateway, "m").status_code == 200
    assert counts(two) == [1, 0]
    config = json.loads(gateway.config_path.read_text())
    config["model_list"][1]["litellm_params"]["priority"] = 3
    gateway.config_path.write_text(json.dumps(config))
    assert httpx.post(gateway.admin_url + "/api/v1/reload", trust_env=False, timeout=30 * SLOWNESS).status_code == 200
    assert ask(gateway, "m").status_code == 200
    assert counts(two) == [1, 1]


def test_check_names_every_mistake_with_its_line(tmp_path):
    path = tmp_path / "gatewire.yaml"
    path.write_text(
        "router:\n"
        "  strategy: lest_busy\n"
        "  fallbacks:\n"
        "    a: [b]\n"
        "    b: [a, zz]\n"
        "  retry: {budget: 120%}\n"
        "model_list:\n"
        "- {model_name: a, litellm_params: {model: gatewire/demo}}\n"
        "- {model_name: b, litellm_params: {model: gatewire/demo}}\n"
        "- {model_name: c, litellm_params: {model: gatewire/demo, weight: 0}}\n"
    )
    result = subprocess.run([GATEWIRE, "check", path], capture_output=True, text=True, check=False,
                            timeout=20 * SLOWNESS)
    assert result.returncode == 1
    lines = (result.stdout + result.stderr).splitlines()
    found = [line.removeprefix(f"{path}:").split(": ")[:3] for line in lines]
    assert found[:5] == [
        ["2", "error", "router.strategy"],
        ["4", "warning", "router.fallbacks.a"],
        ["5", "error", "router.fallbacks.b[1]"],
        ["6", "error", "router.retry.budget"],
        ["10", "error", "model_list[2].litellm_params.weight"],
    ], lines
    assert "a -> b -> a" in lines[1]
