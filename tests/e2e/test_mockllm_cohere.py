# SPDX-License-Identifier: MIT
"""mockllm as Cohere. Plain HTTP: the forms are those of Cohere's OpenAPI document. No part of gatewire is used."""

import base64
import json
import struct

import pytest
from vendors import ANSWER, CLOCK, UNICODE, WEATHER, client, sse

TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "d", "parameters": WEATHER}},
         {"type": "function", "function": {"name": "get_time", "parameters": CLOCK}}]


@pytest.fixture
def http(mock):
    with client(mock, authorization="Bearer k") as found:
        yield found


def say(text, **more):
    return {"model": "command-a", "messages": [{"role": "user", "content": text}], **more}


def plain(http, **body):
    answer = http.post("/v2/chat", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def streamed(http, **body):
    """A stream put together to the shape of a plain answer."""
    answer = http.post("/v2/chat", json={**body, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    content, calls, found = [], [], {"message": {"role": "assistant"}}
    for name, data in sse(answer.text):
        event = json.loads(data)
        assert event["type"] == name
        message = event.get("delta", {}).get("message", {})
        if name == "message-start":
            found["id"] = event["id"]
        elif name == "content-start":
            content.append(dict(message["content"]))
        elif name == "content-delta":
            for key, text in message["content"].items():
                content[event["index"]][key] += text
        elif name == "tool-plan-delta":
            found["message"]["tool_plan"] = found["message"].get("tool_plan", "") + message["tool_plan"]
        elif name == "tool-call-start":
            calls.append(message["tool_calls"])
        elif name == "tool-call-delta":
            calls[event["index"]]["function"]["arguments"] += message["tool_calls"]["function"]["arguments"]
        elif name == "message-end":
            found.update(event["delta"])
    for call in calls:
        call["function"]["arguments"] = call["function"]["arguments"] or "{}"
    found["message"].update({"tool_calls": calls} if calls else {}, **({"content": content} if content else {}))
    return found


def both(http, **body):
    return plain(http, **body), streamed(http, **body)


def without_ids(answer):
    value = json.loads(json.dumps(answer))
    value.pop("id")
    value["usage"].pop("tokens"), value["usage"].pop("billed_units")
    for call in value["message"].get("tool_calls", []):
        call.pop("id")
    return value


@pytest.mark.parametrize("order", [
    "hi", "[[tools:2]]", "[[reasoning]]", "[[unicode]]", "[[empty]]", "[[length]]", "[[long:100000]]",
])
def test_plain_and_stream_are_the_same(http, order):
    one, other = both(http, **say(order, tools=TOOLS))
    assert without_ids(one) == without_ids(other)


def test_answers(http):
    answer = plain(http, **say("[[unicode]]"))
    assert answer["message"]["content"] == [{"type": "text", "text": UNICODE}] and answer["finish_reason"] == "COMPLETE"
    answer = plain(http, **say("[[reasoning:2]]"))
    assert [part["type"] for part in answer["message"]["content"]] == ["thinking", "text"]
    assert plain(http, **say("x", max_tokens=2))["finish_reason"] == "MAX_TOKENS"
    assert plain(http, **say("[[stop]]", stop_sequences=["END"]))["finish_reason"] == "STOP_SEQUENCE"
    usage = plain(http, **say("[[cache]]"))["usage"]
    assert (usage["tokens"]["input_tokens"], usage["cached_tokens"]) == (200, 128)
    shaped = plain(http, **say("x", response_format={"type": "json_object", "json_schema": ANSWER}))
    assert set(json.loads(shaped["message"]["content"][0]["text"])) == {"answer", "count"}


def test_tools_and_their_results(http):
    body = say("[[tools:2]]", tools=TOOLS)
    answer = plain(http, **body)
    assert answer["finish_reason"] == "TOOL_CALL" and answer["message"]["tool_plan"]
    calls = answer["message"]["tool_calls"]
    body["messages"] += [answer["message"], *({"role": "tool", "tool_call_id": call["id"], "content": "x"} for call in calls)]
    assert plain(http, **body)["finish_reason"] == "COMPLETE"
    body["messages"][-1]["tool_call_id"] = "other"
    assert "not found in previous tool calls" in http.post("/v2/chat", json=body).json()["message"]
    assert plain(http, **say("x", tools=TOOLS, tool_choice="REQUIRED"))["finish_reason"] == "TOOL_CALL"
    assert plain(http, **say("[[tools:1]]", tools=TOOLS, tool_choice="NONE"))["finish_reason"] == "COMPLETE"


@pytest.mark.parametrize(("more", "status", "message"), [
    ({"messages": []}, 400, "required"), ({"max_completion_tokens": 1}, 422, "unknown field"),
    ({"top_p": 1}, 422, "unknown field"),
    ({"temperature": 1.5}, 400, "temperature"), ({"p": 1}, 400, "p must be"), ({"presence_penalty": -1}, 400, "penalties"),
    ({"tool_choice": "required", "tools": TOOLS}, 400, "tool_choice"), ({"tool_choice": "REQUIRED"}, 400, "needs tools"),
    ({"tools": [{"type": "function", "function": {"name": "a-b"}}]}, 400, "tool names"),
    ({"response_format": {"type": "json_schema"}}, 400, "response_format"),
    ({"response_format": {"type": "json_object"}, "tools": TOOLS}, 400, "not supported with tools"),
    ({"messages": [{"role": "developer", "content": "x"}]}, 400, "role"),
    ({"messages": [{"role": "user", "content": ""}]}, 400, "empty"),
    ({"messages": [{"role": "assistant"}]}, 400, "content or tool_calls"),
])
def test_refuses_what_the_api_refuses(http, more, status, message):
    answer = http.post("/v2/chat", json={**say("x"), **more})
    assert answer.status_code == status and message in answer.json()["message"]
    assert set(answer.json()) == {"id", "message"}


def test_errors_and_credentials(http, mock):
    for status in (400, 401, 404, 429, 498, 500):
        assert http.post("/v2/chat", json=say(f"[[status:{status}]]")).status_code == status
    assert http.post("/v2/chat", json=say("[[filter:prompt]]")).status_code == 498
    broken = sse(http.post("/v2/chat", json=say("[[error-mid-stream]]", stream=True)).text)
    assert json.loads(broken[-1][1])["delta"]["error"]
    with client(mock) as other:
        assert other.post("/v2/chat", json=say("x")).status_code == 401


def test_embed_rerank_models(http):
    body = {"model": "embed-v4.0", "texts": ["a", "b"], "input_type": "search_document", "output_dimension": 16}
    floats = http.post("/v2/embed", json={**body, "embedding_types": ["float"]}).json()
    coded = http.post("/v2/embed", json={**body, "embedding_types": ["base64"]}).json()
    assert floats["texts"] == ["a", "b"] and len(floats["embeddings"]["float"][1]) == 16
    vector = struct.unpack("<16f", base64.b64decode(coded["embeddings"]["base64"][0]))
    assert vector == pytest.approx(floats["embeddings"]["float"][0])
    body.pop("input_type")
    assert "input_type" in http.post("/v2/embed", json=body).json()["message"]
    ranked = http.post("/v2/rerank", json={"model": "rerank-v4", "query": "x", "documents": ["a", "b", "c"], "top_n": 2}).json()
    assert [result["index"] for result in ranked["results"]] == [0, 1]
    assert http.get("/cohere/v1/models").json()["models"][0]["name"]
