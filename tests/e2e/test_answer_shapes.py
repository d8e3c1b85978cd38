# SPDX-License-Identifier: MIT
"""What clients read before the body: shapes and types of answers that are not the provider's own."""

import json

import httpx
import pytest
from matrix import providers
from servers import SLOWNESS

ASK = {"model": "m-vertex_ai-claude", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def http(start_mock, start_gateway):
    mock = start_mock(*providers.MOCK_ARGS)
    config = {"model_list": providers.model_list(mock), "router_settings": {"num_retries": 0}}
    with httpx.Client(base_url=start_gateway(config).url, timeout=20 * SLOWNESS, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(("status", "kind"), [(404, "not_found_error"), (429, "rate_limit_error")])
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_googles_front_end_are_anthropics(http, status, kind, stream):
    """Quota and unknown models of Claude on Vertex AI are told by Google, in a shape of its own."""
    body = {**ASK, "stream": stream, "messages": [{"role": "user", "content": f"[[status:{status}]]"}]}
    answer = http.post("/v1/messages", json=body, headers={"anthropic-version": "2023-06-01"})
    assert answer.status_code == status, answer.text
    found = answer.json()
    assert found["type"] == "error" and found["error"]["type"] == kind and found["error"]["message"], found


def test_anthropics_own_errors_stay_as_they_are(http):
    body = {**ASK, "messages": [{"role": "user", "content": "[[status:400]]"}]}
    answer = http.post("/v1/messages", json=body, headers={"anthropic-version": "2023-06-01"})
    assert answer.status_code == 400 and answer.json()["type"] == "error"


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
def test_a_stream_that_is_one_array_is_json(http, provider):
    """Gemini's clients without alt=sse."""
    path = f"/v1beta/models/{providers.model_of(provider)}:streamGenerateContent"
    answer = http.post(path, json={"contents": [{"role": "user", "parts": [{"text": "[[text:abc]]"}]}]})
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    parts = [part for chunk in json.loads(answer.content) for part in chunk["candidates"][0]["content"].get("parts", [])]
    assert "".join(part["text"] for part in parts) == "abc"
