# SPDX-License-Identifier: MIT
"""mockllm as Mistral, DeepSeek and xAI: what they do differently from OpenAI. No part of gatewire is used."""

import json
import re

import pytest
from vendors import CLOCK, UNICODE, client, sse

PATHS = {"mistral": "/mistral/v1/chat/completions", "deepseek": "/deepseek/chat/completions", "xai": "/xai/v1/chat/completions"}
TOOLS = [{"type": "function", "function": {"name": "get_time", "parameters": CLOCK}}]


@pytest.fixture
def http(mock):
    with client(mock, authorization="Bearer k") as found:
        yield found


def say(text, **more):
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def chunks(answer):
    assert answer.status_code == 200, answer.text
    assert sse(answer.text)[-1][1] == "[DONE]"
    return [json.loads(data) for _, data in sse(answer.text)[:-1]]


@pytest.mark.parametrize("path", PATHS.values())
def test_text_and_calls(http, path):
    message = http.post(path, json=say("[[unicode]]")).json()["choices"][0]["message"]
    assert message["content"] == UNICODE
    found = chunks(http.post(path, json=say("[[unicode]]", stream=True)))
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in found if chunk["choices"]) == UNICODE
    call = http.post(path, json=say("[[tools:1]]", tools=TOOLS)).json()["choices"][0]
    assert call["finish_reason"] == "tool_calls" and call["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
    found = chunks(http.post(path, json=say("[[tools:2]]", tools=TOOLS, stream=True)))
    whole = [chunk["choices"][0]["delta"]["tool_calls"] for chunk in found
             if chunk["choices"] and "tool_calls" in chunk["choices"][0]["delta"]]
    assert len(whole) == 1 and [call["function"]["arguments"] for call in whole[0]] == ["{}", "{}"]


def test_mistral(http):
    path = PATHS["mistral"]
    answer = http.post(path, json=say("[[reasoning:2]]")).json()
    content = answer["choices"][0]["message"]["content"]
    assert [part["type"] for part in content] == ["thinking", "text"] and content[0]["thinking"][0]["type"] == "text"
    found = chunks(http.post(path, json=say("x", stream=True)))
    assert found[-1]["usage"]["total_tokens"] and found[-1]["choices"][0]["finish_reason"] == "stop"
    refused = http.post(path, json=say("x", logit_bias={}))
    assert refused.status_code == 422 and "Extra inputs" in refused.json()["detail"][0]["msg"]
    body = say("[[tools:1]]", tools=TOOLS)
    call = http.post(path, json=body).json()["choices"][0]["message"]
    assert re.fullmatch("[a-zA-Z0-9]{9}", call["tool_calls"][0]["id"])
    body["messages"] += [call, {"role": "tool", "tool_call_id": call["tool_calls"][0]["id"], "content": "x"}]
    assert http.post(path, json=body).status_code == 200
    order = http.post(path, json={**body, "messages": [*body["messages"], {"role": "user", "content": "x"}]})
    assert order.json()["code"] == "3230"
    body["messages"][-1]["tool_call_id"] = "call_1"
    assert http.post(path, json=body).json()["code"] == "3280"


def test_deepseek(http):
    path = PATHS["deepseek"]
    raw = http.post(path, json=say("[[reasoning:2]] [[cache]]"))
    assert raw.content.startswith(b"\n\n\n{")
    assert len(raw.json()["choices"][0]["message"]["reasoning_content"]) == 12
    usage = raw.json()["usage"]
    assert (usage["prompt_cache_hit_tokens"], usage["prompt_cache_miss_tokens"]) == (128, 72)
    stream = http.post(path, json=say("[[reasoning:2]]", stream=True))
    assert stream.text.startswith(": keep-alive\n\n")
    found = chunks(stream)
    assert found[1]["choices"][0]["delta"]["content"] is None and found[-1]["usage"]
    call = {"id": "a", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    turn = {"role": "assistant", "content": "", "tool_calls": [call]}
    body = say("x")
    body["messages"] += [turn, {"role": "tool", "tool_call_id": "a", "content": "x"}]
    assert "reasoning_content" in http.post(path, json=body).json()["error"]["message"]
    assert http.post(path, json={**body, "thinking": {"type": "disabled"}}).status_code == 200
    turn["reasoning_content"] = "because"
    assert http.post(path, json=body).status_code == 200


def test_xai(http, start_mock):
    path = PATHS["xai"]
    usage = http.post(path, json=say("[[reasoning:5]]")).json()["usage"]
    assert (usage["completion_tokens"], usage["completion_tokens_details"]["reasoning_tokens"]) == (8, 5)
    assert usage["total_tokens"] == usage["prompt_tokens"] + 13
    found = chunks(http.post(path, json=say("x", stream=True)))
    assert found[-1]["choices"] == [] and found[-1]["usage"] and "finish_reason" not in found[0]["choices"][0]
    refused = http.post(path, json=say("x", stop=["a"]))
    assert refused.status_code == 400 and refused.json()["code"] == "invalid-argument"
    strict = start_mock("--api-key", "right")
    with client(strict, authorization="Bearer wrong") as other:
        assert other.post(path, json=say("x")).status_code == 400
    with client(strict) as other:
        assert other.post(path, json=say("x")).status_code == 401


@pytest.mark.parametrize(("vendor", "shape"), [("mistral", "message"), ("deepseek", "error"), ("xai", "error")])
def test_errors(http, vendor, shape):
    for status in (400, 429, 500):
        answer = http.post(PATHS[vendor], json=say(f"[[status:{status}]]"))
        assert answer.status_code == status and shape in answer.json()


@pytest.mark.parametrize("wrong", [[[1, 2]], [{"text": "x"}], [None], 5, {"a": 1}])
@pytest.mark.parametrize(("path", "body", "name"), [
    ("/v1/messages", {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}, "stop_sequences"),
    ("/v1beta/models/m:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}, "generationConfig.stopSequences"),
    ("/model/m/converse", {"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "inferenceConfig.stopSequences"),
    ("/v2/chat", say("x"), "stop_sequences"), ("/v1/chat/completions", say("x"), "stop"),
])
def test_wrong_types_do_no_harm(mock, path, body, name, wrong):
    """Lists and objects have a length, too, which is not that of a string."""
    keys = {"x-api-key": "k", "anthropic-version": "2023-06-01", "x-goog-api-key": "k", "authorization": "Bearer k"}
    outer, _, inner = name.rpartition(".")
    more = {outer: {inner: wrong}} if outer else {inner: wrong}
    with client(mock, **keys) as http:
        assert http.post(path, json={**body, **more}).status_code in (200, 400)
        assert http.post(path, json=body).status_code == 200
