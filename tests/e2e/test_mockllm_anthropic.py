# SPDX-License-Identifier: MIT
"""mockllm as Anthropic, judged by Anthropic's own client. No part of gatewire is used."""

import json

import anthropic
import pytest
from vendors import ANSWER, CLOCK, UNICODE, WEATHER, client, sse

MODEL = "claude-haiku-4-5"
TOOLS = [
    {"name": "get_weather", "description": "d", "input_schema": WEATHER},
    {"name": "get_time", "input_schema": CLOCK},
]


@pytest.fixture
def api(mock):
    with anthropic.Anthropic(base_url=mock.url, api_key="k", max_retries=0) as found:
        yield found


def say(text, **more):
    return {"model": MODEL, "max_tokens": 4096, "messages": [{"role": "user", "content": text}], **more}


def both(api, **body):
    """The message, plain and as the client puts it together from a stream."""
    plain = api.messages.create(**body)
    with api.messages.stream(**body) as stream:
        streamed = stream.get_final_message()
    return plain, streamed


def shape(message):
    """A message without what differs each time."""
    value = message.model_dump(exclude_none=True)
    value.pop("id")
    value["usage"].pop("input_tokens")  # counted from the bytes of the body
    for block in value["content"]:
        block.pop("id", None)
        block.pop("parsed_output", None)
    return value


def test_plain_and_stream_are_the_same(api):
    plain, streamed = both(api, **say("hi"))
    assert shape(plain) == shape(streamed)
    assert plain.id.startswith("msg_")
    assert plain.stop_reason == "end_turn"
    assert [block.type for block in plain.content] == ["text"]
    assert plain.usage.output_tokens == 8
    assert plain._request_id


def test_stream_events_in_their_order(mock):
    with client(mock, **{"x-api-key": "k", "anthropic-version": "2023-06-01"}) as http:
        answer = http.post("/v1/messages", json=say("[[reasoning]] [[tools:2]]", tools=TOOLS, stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [(name, json.loads(data)) for name, data in sse(answer.text)]
    assert all(name == data["type"] for name, data in events)
    names = [name for name, _ in events]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-2:] == ["message_delta", "message_stop"]
    assert names.count("ping") == 1
    starts = [data["content_block"]["type"] for name, data in events if name == "content_block_start"]
    assert starts == ["thinking", "tool_use", "tool_use"]
    open_block = None
    for name, data in events:
        if name == "content_block_start":
            assert open_block is None
            open_block = data["index"]
        elif name == "content_block_delta":
            assert data["index"] == open_block
        elif name == "content_block_stop":
            assert data["index"] == open_block
            open_block = None
    deltas = [data["delta"]["type"] for name, data in events if name == "content_block_delta"]
    assert deltas.index("signature_delta") == deltas.count("thinking_delta")
    assert "[DONE]" not in answer.text


def test_tools_and_their_results(api):
    body = say("[[tools:2]] please", tools=TOOLS)
    for message in both(api, **body):
        assert message.stop_reason == "tool_use"
        calls = [block for block in message.content if block.type == "tool_use"]
        assert [call.name for call in calls] == ["get_weather", "get_time"]
        assert len({call.id for call in calls}) == 2
        assert isinstance(calls[0].input["city"], str) and calls[1].input == {}
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "fine"} for call in calls]
    body["messages"] += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    assert api.messages.create(**body).stop_reason == "end_turn"
    body["messages"][-1]["content"] = results[:1]
    with pytest.raises(anthropic.BadRequestError, match="ids were found without `tool_result` blocks"):
        api.messages.create(**body)
    body["messages"][-1]["content"] = results + [{**results[0], "tool_use_id": "toolu_other"}]
    with pytest.raises(anthropic.BadRequestError, match="unexpected `tool_use_id`"):
        api.messages.create(**body)
    body["messages"][-1]["content"] = [{"type": "text", "text": "first"}, *results]
    with pytest.raises(anthropic.BadRequestError, match="must come first"):
        api.messages.create(**body)


def test_tool_choice(api):
    named = api.messages.create(**say("x", tools=TOOLS, tool_choice={"type": "tool", "name": "get_time"}))
    assert [block.name for block in named.content] == ["get_time"]
    none = api.messages.create(**say("[[tools:1]]", tools=TOOLS, tool_choice={"type": "none"}))
    assert none.stop_reason == "end_turn"
    one = {"type": "auto", "disable_parallel_tool_use": True}
    assert len(api.messages.create(**say("[[tools:3]]", tools=TOOLS, tool_choice=one)).content) == 1
    assert api.messages.create(**say("[[tool:get_time]]", tools=TOOLS)).content[0].name == "get_time"


def test_thinking_must_come_back_as_it_went(api):
    think = {"type": "enabled", "budget_tokens": 2048}
    body = say("[[reasoning:3]] [[redacted]] [[tools:1]]", tools=TOOLS, thinking=think)
    plain, message = both(api, **body)
    assert shape(plain) == shape(message)
    assert [block.type for block in message.content] == ["thinking", "redacted_thinking", "tool_use"]
    assert len(message.content[0].thinking) == 18 and len(message.content[0].signature) > 100
    result = {"type": "tool_result", "tool_use_id": message.content[2].id, "content": "x"}
    blocks = [block.model_dump(exclude_none=True) for block in message.content]
    body["messages"] += [{"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}]
    assert api.messages.create(**body).stop_reason == "end_turn"
    for index, member, error in ((0, "signature", "Invalid `signature`"), (0, "thinking", "Invalid `signature`"),
                                 (1, "data", "Invalid `data`")):
        good = blocks[index][member]
        blocks[index][member] = "QUJD" + good[4:]
        with pytest.raises(anthropic.BadRequestError, match=error):
            api.messages.create(**body)
        blocks[index][member] = good
    omitted = api.messages.create(**say("[[reasoning]]", thinking={"type": "enabled", "budget_tokens": 1024,
                                                                   "display": "omitted"}))
    assert omitted.content[0].thinking == "" and omitted.content[0].signature


def test_thinking_of_the_newest_models_is_bound_to_them(api):
    body = {**say("[[reasoning]]"), "model": "claude-sonnet-5-5"}
    blocks = [block.model_dump(exclude_none=True) for block in api.messages.create(**body).content]
    body["messages"] += [{"role": "assistant", "content": blocks}, {"role": "user", "content": "more"}]
    assert api.messages.create(**body)
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
        api.messages.create(**{**body, "model": "claude-opus-5-5"})


def test_refusal_filter_length_stop_empty(api):
    for order in ("[[refusal]]", "[[filter]]"):
        for message in both(api, **say(order)):
            assert message.stop_reason == "refusal" and message.content
    for message in both(api, **say("[[filter:prompt]]")):
        assert message.stop_reason == "refusal" and message.content == []
    for message in both(api, **say("[[length]]")):
        assert message.stop_reason == "max_tokens"
    for message in both(api, **{**say("x"), "max_tokens": 3}):
        assert message.stop_reason == "max_tokens" and message.usage.output_tokens == 3
    for message in both(api, **say("[[stop]]", stop_sequences=["END", "x"])):
        assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")
    for message in both(api, **say("[[empty]]")):
        assert message.content == [] and message.stop_reason == "end_turn"


def test_unicode_long_digest_and_cache(api, mock):
    for message in both(api, **say("[[unicode]]")):
        assert message.content[0].text == UNICODE
    for message in both(api, **say("[[long:1048576]]")):
        assert len(message.content[0].text) == 1048576
    digest = api.messages.create(**say("[[digest]]")).content[0].text
    last = mock.last()
    assert digest == f"received {last['body_bytes']} bytes, sha256 {last['body_sha256']}"
    for message in both(api, **say("[[cache]]")):
        usage = message.usage
        assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (40, 128, 32)


def test_structured_output(api):
    config = {"format": {"type": "json_schema", "schema": ANSWER}}
    for message in both(api, **say("x", output_config=config)):
        assert set(json.loads(message.content[0].text)) == {"answer", "count"}
    open_schema = {**ANSWER, "additionalProperties": True}
    with pytest.raises(anthropic.BadRequestError, match="additionalProperties"):
        api.messages.create(**say("x", output_config={"format": {"type": "json_schema", "schema": open_schema}}))


@pytest.mark.parametrize(("status", "kind", "name"), [
    (400, anthropic.BadRequestError, "invalid_request_error"), (401, anthropic.AuthenticationError, "authentication_error"),
    (403, anthropic.PermissionDeniedError, "permission_error"), (404, anthropic.NotFoundError, "not_found_error"),
    (429, anthropic.RateLimitError, "rate_limit_error"), (500, anthropic.InternalServerError, "api_error"),
    (529, anthropic.InternalServerError, "overloaded_error"),
])
def test_errors_by_status(api, status, kind, name):
    with pytest.raises(kind) as caught:
        api.messages.create(**say(f"[[status:{status}]] [[retry_after:7]]"))
    assert caught.value.status_code == status
    assert caught.value.body["error"]["type"] == name
    assert caught.value.body["request_id"] == caught.value.response.headers["request-id"]
    assert caught.value.response.headers["retry-after"] == "7"


def test_error_in_mid_stream(api):
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        with api.messages.stream(**say("[[error-mid-stream]]")) as stream:
            stream.until_done()


def test_credentials_and_version(mock):
    good = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    cases = [({}, 401), ({"anthropic-version": "2023-06-01"}, 401), ({"x-api-key": "k"}, 400),
             ({**good, "anthropic-version": "2024-01-01"}, 400), (good, 200),
             ({"authorization": "Bearer t", "anthropic-version": "2023-06-01"}, 200)]
    for headers, status in cases:
        with client(mock, **headers) as http:
            answer = http.post("/v1/messages", json=say("x"))
            assert answer.status_code == status, headers
            assert status == 200 or answer.json()["type"] == "error"


WRONG = [
    ({"max_tokens": None}, "max_tokens: Field required"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"messages": []}, "at least one message"),
    ({"messages": [{"role": "user", "content": ""}]}, "non-empty content"),
    ({"messages": [{"role": "user", "content": []}]}, "non-empty content"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "must be non-empty"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": " \n"}]}]}, "non-whitespace"),
    ({"messages": [{"role": "system", "content": "x"}]}, "Unexpected role"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "role: Input should be"),
    ({"messages": [{"role": "assistant", "content": "x"}]}, "first message must use"),
    ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "Yes "}]}, "trailing whitespace"),
    ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [
        {"type": "tool_use", "id": "a.b", "name": "f", "input": {}}]}]}, "should match pattern"),
    ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [
        {"type": "tool_use", "id": "a", "name": "f", "input": "{}"}]}]}, "valid dictionary"),
    ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [
        {"type": "tool_use", "id": "a", "name": "f", "input": {}}]}]}, "without `tool_result`"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "Input tag"),
    ({"model": "claude-opus-5-5", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]},
     "prefill"),
    ({"model": "claude-opus-5-5", "temperature": 0.5}, "not supported"),
    ({"model": "claude-opus-5-5", "tools": TOOLS, "tool_choice": {"type": "any"}}, "forced tool use"),
    ({"model": "claude-opus-5-5", "thinking": {"type": "disabled"}}, "thinking.type.disabled"),
    ({"model": "claude-opus-5-5", "thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking.type.enabled"),
    ({"thinking": {"type": "adaptive"}}, "adaptive"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1000}}, "1024"),
    ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, "max_tokens"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": TOOLS, "tool_choice": {"type": "any"}}, "forces tool use"),
    ({"tool_choice": {"type": "any"}}, "while providing tools"),
    ({"tools": TOOLS, "tool_choice": {"type": "required"}}, "tool_choice"),
    ({"tools": TOOLS, "tool_choice": {"type": "tool", "name": "nope"}}, "not found in provided tools"),
    ({"tools": [{"name": "a b", "input_schema": CLOCK}]}, "pattern"),
    ({"tools": [{"name": "a", "input_schema": {"properties": {}}}]}, "input_schema.type"),
    ({"temperature": 1.5}, "temperature"),
    ({"temperature": 0.5, "top_p": 0.5}, "both"),
    ({"stop_sequences": ["\n"]}, "non-whitespace"),
    ({"presence_penalty": 1}, "Extra inputs"),
    ({"anthropic_version": "bedrock-2023-05-31"}, "Extra inputs"),
    ({"system": [{"type": "text", "text": str(i), "cache_control": {"type": "ephemeral"}} for i in range(5)]}, "maximum of 4"),
]


@pytest.mark.parametrize(("more", "message"), WRONG)
def test_refuses_what_the_api_refuses(mock, more, message):
    body = {name: value for name, value in {**say("x"), **more}.items() if value is not None}
    with client(mock, **{"x-api-key": "k", "anthropic-version": "2023-06-01"}) as http:
        answer = http.post("/v1/messages", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert message in answer.json()["error"]["message"]


def test_count_models_and_prefix(api, mock):
    body = say("x")
    body.pop("max_tokens")
    assert api.messages.count_tokens(**body).input_tokens > 0
    page = api.models.list(limit=3)
    assert len(page.data) == 3 and page.has_more
    assert len(list(page)) > 3
    assert api.models.retrieve(page.data[0].id).id == page.data[0].id
    with pytest.raises(anthropic.NotFoundError):
        api.models.retrieve("nope")
    with anthropic.Anthropic(base_url=mock.url + "/anthropic", auth_token="t", max_retries=0) as other:
        assert other.messages.create(**say("[[echo]] abc")).content[0].text == "[[echo]] abc"


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_api_version_2026_knows_no_sampling(mock, name):
    for version, status in (("2023-06-01", 200), ("2026-10-21", 400)):
        with client(mock, **{"x-api-key": "k", "anthropic-version": version}) as http:
            answer = http.post("/v1/messages", json=say("x", **{name: 1}))
        assert answer.status_code == status
        assert status == 200 or f"{name}: Extra inputs are not permitted" in answer.text
