# SPDX-License-Identifier: MIT
"""mockllm as Google (its own API and Vertex), judged by Google's own client. No part of gatewire is used."""

import json

import anthropic
import pytest
from google import genai
from google.auth.credentials import Credentials
from google.genai import errors, types
from vendors import ANSWER, CLOCK, UNICODE, WEATHER, client, sse

MODEL = "gemini-3.8-flash"
TOOL = {"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema": WEATHER}, {"name": "get_time"}]}
KEY = {"x-goog-api-key": "k"}


class Token(Credentials):
    """Credentials that are there already."""

    def __init__(self):
        super().__init__()
        self.token = "ya29.test"

    def refresh(self, request):
        raise AssertionError("the token does not expire")


@pytest.fixture(params=["gemini", "vertex"])
def api(mock, request):
    options = types.HttpOptions(base_url=mock.url, retry_options=types.HttpRetryOptions(attempts=1))
    if request.param == "gemini":
        return genai.Client(api_key="k", http_options=options)
    return genai.Client(vertexai=True, project="p", location="global", credentials=Token(), http_options=options)


def config(**more):
    return types.GenerateContentConfig(automatic_function_calling={"disable": True}, **more)


def generate(api, text, model=MODEL, **more):
    return api.models.generate_content(model=model, contents=text, config=config(**more))


def stream(api, text, model=MODEL, **more):
    return list(api.models.generate_content_stream(model=model, contents=text, config=config(**more)))


def parts(chunks):
    return [part for chunk in chunks for part in (chunk.candidates[0].content.parts if chunk.candidates else [])]


def text_of(chunks, thought=None):
    return "".join(part.text for part in parts(chunks) if part.text and part.thought == thought)


def test_plain_and_stream(api):
    plain, chunks = generate(api, "hi"), stream(api, "hi")
    assert plain.text == text_of(chunks)
    assert plain.candidates[0].finish_reason == chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    usage = chunks[-1].usage_metadata
    assert usage.candidates_token_count == 8
    assert usage.total_token_count == usage.prompt_token_count + 8
    counts = [chunk.usage_metadata.candidates_token_count for chunk in chunks]
    assert counts == [*range(1, 9), 8]
    assert {chunk.response_id for chunk in chunks} == {chunks[0].response_id}


def test_stream_forms(mock):
    body = {"contents": [{"parts": [{"text": "[[unicode]]"}]}]}
    path = f"/v1beta/models/{MODEL}:streamGenerateContent"
    with client(mock, **KEY) as http:
        events = http.post(path + "?alt=sse", json=body)
        array = http.post(path, json=body)
    assert events.headers["content-type"] == "text/event-stream"
    assert events.content.endswith(b"}\r\n\r\n") and b"[DONE]" not in events.content
    assert all(block.startswith("data: ") for block in events.text.split("\r\n\r\n")[:-1])
    for chunks in ([json.loads(data) for _, data in sse(events.text)], array.json()):
        texts = [part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
        assert "".join(texts) == UNICODE
    assert array.headers["content-type"].startswith("application/json")


def test_tools_and_their_results(api):
    question = types.Content(role="user", parts=[types.Part(text="[[tools:2]]")])
    plain = generate(api, [question], tools=[TOOL])
    chunks = stream(api, [question], tools=[TOOL])
    for found in (plain.candidates[0].content.parts, [part for part in parts(chunks) if part.function_call]):
        assert [part.function_call.name for part in found] == ["get_weather", "get_time"]
        assert found[0].thought_signature and not found[1].thought_signature
        assert isinstance(found[0].function_call.args["city"], str)
    assert plain.candidates[0].finish_reason == types.FinishReason.STOP
    turn = plain.candidates[0].content
    results = [types.Part.from_function_response(name=name, response={"output": "x"}) for name in ("get_weather", "get_time")]
    talk = [question, turn, types.Content(role="user", parts=results)]
    assert generate(api, talk, tools=[TOOL]).text
    with pytest.raises(errors.ClientError, match="number of function response parts"):
        generate(api, [question, turn, types.Content(role="user", parts=results[:1])], tools=[TOOL])
    results[1].function_response.name = "other"
    with pytest.raises(errors.ClientError, match="no function call of that name"):
        generate(api, talk, tools=[TOOL])


def test_signatures_are_required_and_checked(api):
    def talk(signature):
        call = types.Part(function_call=types.FunctionCall(name="get_time", args={}), thought_signature=signature)
        result = types.Part.from_function_response(name="get_time", response={"output": "x"})
        return [types.Content(role="user", parts=[types.Part(text="[[tool:get_time]]")]),
                types.Content(role="model", parts=[call]), types.Content(role="user", parts=[result])]

    call = generate(api, "[[tool:get_time]]", tools=[TOOL]).candidates[0].content.parts[0]
    assert generate(api, talk(call.thought_signature), tools=[TOOL]).text
    with pytest.raises(errors.ClientError, match="missing a thought_signature"):
        generate(api, talk(None), tools=[TOOL])
    with pytest.raises(errors.ClientError, match="Corrupted thought signature"):
        generate(api, talk(b"made up"), tools=[TOOL])
    assert generate(api, talk(None), model="gemini-2.5-flash", tools=[TOOL]).text
    older = [*talk(None), types.Content(role="model", parts=[types.Part(text="fine")]),
             types.Content(role="user", parts=[types.Part(text="more")])]
    assert generate(api, older, tools=[TOOL]).text


def test_signature_sentinel(mock):
    call = {"functionCall": {"name": "get_time", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"}
    result = {"functionResponse": {"name": "get_time", "response": {"output": "x"}}}
    contents = [SAID, {"role": "model", "parts": [call]}, {"role": "user", "parts": [result]}]
    with client(mock, **KEY) as http:
        assert http.post(f"/v1beta/models/{MODEL}:generateContent", json={"contents": contents}).status_code == 200


def test_tool_config(api):
    def mode(**more):
        return {"function_calling_config": more}

    assert generate(api, "x", tools=[TOOL], tool_config=mode(mode="ANY")).function_calls
    named = generate(api, "x", tools=[TOOL], tool_config=mode(mode="ANY", allowed_function_names=["get_time"]))
    assert [call.name for call in named.function_calls] == ["get_time"]
    assert not generate(api, "[[tools:1]]", tools=[TOOL], tool_config=mode(mode="NONE")).function_calls
    with pytest.raises(errors.ClientError, match="not declared"):
        generate(api, "x", tools=[TOOL], tool_config=mode(mode="ANY", allowed_function_names=["nope"]))


def test_reasoning_filter_length_stop_empty(api):
    chunks = stream(api, "[[reasoning:3]]", thinking_config={"include_thoughts": True})
    assert len(text_of(chunks, thought=True)) == 18 and text_of(chunks)
    usage = chunks[-1].usage_metadata
    assert (usage.thoughts_token_count, usage.candidates_token_count) == (3, 8)
    assert usage.total_token_count == usage.prompt_token_count + 11
    assert generate(api, "[[reasoning:3]]").candidates[0].content.parts[0].thought
    hidden = generate(api, "[[reasoning:3]]", thinking_config={"include_thoughts": False})
    assert hidden.usage_metadata.thoughts_token_count == 3 and not hidden.candidates[0].content.parts[0].thought
    for order, reason in (("[[filter]]", "SAFETY"), ("[[length]]", "MAX_TOKENS"), ("[[stop]]", "STOP")):
        assert generate(api, order).candidates[0].finish_reason.value == reason
        assert stream(api, order)[-1].candidates[0].finish_reason.value == reason
    for found in (generate(api, "[[filter:prompt]]"), stream(api, "[[filter:prompt]]")[-1]):
        assert not found.candidates and found.prompt_feedback.block_reason.value == "PROHIBITED_CONTENT"
    assert generate(api, "[[empty]]").text == "" and text_of(stream(api, "[[empty]]")) == ""
    assert generate(api, "[[empty]] [[length]]").candidates[0].content.parts is None
    assert generate(api, "x", max_output_tokens=3).usage_metadata.candidates_token_count == 3


def test_unicode_long_cache_json(api):
    assert generate(api, "[[unicode]]").text == UNICODE
    assert len(text_of(stream(api, "[[long:1048576]]"))) == 1048576
    usage = generate(api, "[[cache]]").usage_metadata
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (200, 128)
    found = generate(api, "x", response_mime_type="application/json", response_json_schema=ANSWER)
    assert set(json.loads(found.text)) == {"answer", "count"}
    with pytest.raises(errors.ClientError, match="response_mime_type"):
        generate(api, "x", response_json_schema=ANSWER)


@pytest.mark.parametrize(("status", "name"), [
    (400, "INVALID_ARGUMENT"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (429, "RESOURCE_EXHAUSTED"),
    (500, "INTERNAL"), (503, "UNAVAILABLE"),
])
def test_errors_by_status(api, status, name):
    for call in (generate, stream):
        with pytest.raises(errors.APIError) as caught:
            call(api, f"[[status:{status}]]")
        assert (caught.value.code, caught.value.status) == (status, name)
        details = caught.value.details["error"].get("details", [])
        assert ("40s" in str(details)) is False
    with pytest.raises(errors.APIError) as caught:
        generate(api, f"[[status:{status}]] [[retry_after:40]]")
    retry = caught.value.details["error"]["details"][0]
    assert retry == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "40s"}


def test_error_in_mid_stream(api):
    with pytest.raises(errors.APIError) as caught:
        stream(api, "[[error-mid-stream]]")
    assert caught.value.code == 503


def test_array_errors(mock):
    path = f"/v1beta/models/{MODEL}:streamGenerateContent"
    with client(mock, **KEY) as http:
        refused = http.post(path, json={"contents": []})
        broken = http.post(path, json={"contents": [{"parts": [{"text": "[[error-mid-stream]]"}]}]})
    assert refused.status_code == 400 and refused.json()[0]["error"]["status"] == "INVALID_ARGUMENT"
    assert broken.json()[-1]["error"]["code"] == 503


def test_credentials(mock):
    body = {"contents": [{"parts": [{"text": "x"}]}]}
    own = f"/v1beta/models/{MODEL}:generateContent"
    vertex = f"/v1/projects/p/locations/global/publishers/google/models/{MODEL}:generateContent"
    with client(mock) as http:
        assert http.post(own, json=body).status_code == 403
        assert http.post(own + "?key=k", json=body).status_code == 200
        assert http.post(vertex, json=body, headers=KEY).json()["error"]["status"] == "UNAUTHENTICATED"
        assert http.post(vertex, json=body, headers={"authorization": "Bearer t"}).status_code == 200


CALL = {"functionCall": {"name": "get_time", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"}
SAID = {"role": "user", "parts": [{"text": "x"}]}
WRONG = [
    ({"contents": None}, "contents is not specified"),
    ({"messages": []}, 'Unknown name "messages"'),
    ({"labels": {}}, 'Unknown name "labels"'),
    ({"generationConfig": {"max_tokens": 1}}, 'Unknown name "max_tokens"'),
    ({"generationConfig": {"maxOutputTokens": 0}}, "must be positive"),
    ({"generationConfig": {"temperature": 2.5}}, "temperature"),
    ({"generationConfig": {"candidateCount": 2}}, "Multiple candidates"),
    ({"generationConfig": {"stopSequences": list("abcdef")}}, "at most 5"),
    ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "low"}}}, "only one of"),
    ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "valid role"),
    ({"contents": [{"role": "user", "parts": []}]}, "must not be empty"),
    ({"contents": [{"role": "user", "parts": [{}]}]}, "must have one initialized field"),
    ({"contents": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]}, 'Unknown name "type"'),
    ({"contents": [SAID, {"role": "model", "parts": [{"functionCall": {"name": "f", "args": "{}"}}]}]}, "args must be an object"),
    ({"contents": [SAID, {"role": "model", "parts": [CALL]}]}, "number of function response parts"),
    ({"contents": [SAID, {"role": "model", "parts": [CALL]}, SAID]}, "number of function response parts"),
    ({"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}]}, "immediately after"),
    ({"contents": [SAID, {"role": "model", "parts": [CALL]}, {"role": "user", "parts": [
        {"functionResponse": {"name": "get_time", "response": "text"}}]}]}, "response must be an object"),
    ({"tools": [{"type": "function"}]}, 'Unknown name "type"'),
    ({"tools": [{"functionDeclarations": [{"name": "1x"}]}]}, "Invalid function name"),
    ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": WEATHER}]}]}, 'Unknown name "additionalProperties"'),
    ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {}}}]}]}, "non-empty"),
    ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {}, "parametersJsonSchema": CLOCK}]}]}, "only one of"),
    ({"tools": [TOOL], "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["get_time"]}}}, "ANY"),
    ({"systemInstruction": {"parts": []}}, "system_instruction"),
]


@pytest.mark.parametrize(("more", "message"), WRONG)
def test_refuses_what_the_api_refuses(mock, more, message):
    body = {name: value for name, value in {"contents": [SAID], **more}.items() if value is not None}
    with client(mock, **KEY) as http:
        answer = http.post(f"/v1beta/models/{MODEL}:generateContent", json=body)
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["error"]["message"]


def test_snake_case_is_taken(mock):
    body = {"contents": [SAID], "generation_config": {"max_output_tokens": 2}, "system_instruction": {"parts": [{"text": "x"}]}}
    with client(mock, **KEY) as http:
        answer = http.post(f"/v1beta/models/{MODEL}:generateContent", json=body)
    assert answer.json()["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_count_embed_models(mock):
    api = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=mock.url))
    assert api.models.count_tokens(model=MODEL, contents="x").total_tokens > 0
    one = api.models.embed_content(model="gemini-embedding-001", contents=["a"], config={"output_dimensionality": 64})
    two = api.models.embed_content(model="gemini-embedding-001", contents=["a", "b"], config={"output_dimensionality": 64})
    assert one.embeddings[0].values == two.embeddings[0].values != two.embeddings[1].values
    assert len(one.embeddings[0].values) == 64
    page = api.models.list(config={"page_size": 3})
    assert len(page.page) == 3 and len(list(page)) > 3
    with client(mock, authorization="Bearer t") as http:
        path = "/v1/projects/p/locations/l/publishers/google/models/text-embedding-005:predict"
        found = http.post(path, json={"instances": [{"content": "a"}], "parameters": {"outputDimensionality": 8}}).json()
    assert len(found["predictions"][0]["embeddings"]["values"]) == 8


def test_claude_on_vertex(mock):
    options = {"region": "global", "project_id": "p", "access_token": "t", "base_url": mock.url + "/v1", "max_retries": 0}
    with anthropic.AnthropicVertex(**options) as api:
        body = {"model": "claude-haiku-4-5@20251001", "max_tokens": 64, "messages": [{"role": "user", "content": "x"}]}
        message = api.messages.create(**body)
        assert message.model == body["model"]
        with api.messages.stream(**body) as events:
            assert events.get_final_message().content[0].text == message.content[0].text
        body["messages"][0]["content"] = [{"type": "image", "source": {"type": "url", "url": "https://x/"}}]
        with pytest.raises(anthropic.BadRequestError, match="URL sources"):
            api.messages.create(**body)
        body["messages"][0]["content"] = "[[status:429]]"
        with pytest.raises(anthropic.RateLimitError) as caught:
            api.messages.create(**body)
        assert caught.value.body["error"]["status"] == "RESOURCE_EXHAUSTED"
    path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-haiku-4-5:rawPredict"
    body = {"max_tokens": 8, "messages": [{"role": "user", "content": "x"}]}
    with client(mock, authorization="Bearer t") as http:
        assert "anthropic_version" in http.post(path, json=body).json()["error"]["message"]
        body["anthropic_version"] = "vertex-2023-10-16"
        assert http.post(path, json=body).status_code == 200
        assert "model" in http.post(path, json={**body, "model": "x"}).json()["error"]["message"]
