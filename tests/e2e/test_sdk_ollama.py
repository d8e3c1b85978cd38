# SPDX-License-Identifier: MIT
"""Ollama's own client for Python, unmodified, over OpenAI, Anthropic and Gemini."""

import asyncio
import json

import ollama
import pytest
from vendors import ANSWER, MODELS, UNICODE, WEATHER

each_model = pytest.mark.parametrize("model", MODELS)
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": WEATHER}}


@pytest.fixture
def api(vendors):
    return ollama.Client(host=vendors.url)


def says(text):
    return [{"role": "user", "content": text}]


@each_model
def test_chat_plain_and_streamed(api, model):
    assert api.chat(model, says("[[unicode]]")).message.content == UNICODE
    plain = api.chat(model, says("[[text:Gr\u00fc\u00dfe, \u4e16\u754c]]"))
    parts = list(api.chat(model, says("[[text:Gr\u00fc\u00dfe, \u4e16\u754c]]"), stream=True))
    assert plain.message.content == "".join(part.message.content or "" for part in parts) == "Gr\u00fc\u00dfe, \u4e16\u754c"
    for last in (plain, parts[-1]):
        assert last.done and last.done_reason == "stop" and last.model == model
        assert last.prompt_eval_count > 0 and last.eval_count > 0
    assert not any(part.done for part in parts[:-1])


@each_model
def test_generate(api, model):
    assert api.generate(model, "[[text:abc]]", system="Be brief.").response == "abc"
    parts = list(api.generate(model, "[[text:abc]]", stream=True))
    assert "".join(part.response for part in parts) == "abc" and parts[-1].done


@each_model
@pytest.mark.parametrize("is_stream", [False, True], ids=["plain", "stream"])
def test_tools_and_their_results(api, model, is_stream):
    answer = api.chat(model, says("[[tools:1]] weather"), tools=[TOOL], stream=is_stream)
    parts = list(answer) if is_stream else [answer]
    calls = [call for part in parts for call in part.message.tool_calls or []]
    assert [call.function.name for call in calls] == ["get_weather"]
    assert isinstance(calls[0].function.arguments["city"], str)
    history = [
        *says("[[tools:1]] weather"),
        {"role": "assistant", "content": "", "tool_calls": [call.model_dump() for call in calls]},
        {"role": "tool", "tool_name": "get_weather", "content": "sunny"},
    ]
    assert api.chat(model, history, tools=[TOOL]).message.content


@each_model
def test_json_schema(api, model):
    assert set(json.loads(api.chat(model, says("Answer"), format=ANSWER).message.content)) == {"answer", "count"}


@pytest.mark.parametrize("model", ["v-openai", "v-gemini"])
def test_embed(api, model):
    answer = api.embed(model, ["a", "b"])
    assert len(answer.embeddings) == 2 and all(len(found) > 3 for found in answer.embeddings)


@each_model
def test_async(vendors, model):
    async def run():
        text = ""
        async for part in await ollama.AsyncClient(host=vendors.url).chat(model, says("[[text:abc]]"), stream=True):
            text += part.message.content or ""
        return text

    assert asyncio.run(run()) == "abc"


def test_list_and_show(api):
    assert set(MODELS) <= {model.model for model in api.list().models}
    shown = api.show("m-anthropic")
    assert {"completion", "tools", "vision", "thinking"} <= set(shown.capabilities)
    assert shown.modelinfo["gatewire.context_length"] >= 200000
    with pytest.raises(ollama.ResponseError) as caught:
        api.show("no-such-model")
    assert caught.value.status_code == 404


@each_model
@pytest.mark.parametrize("status", [400, 429, 500])
def test_errors(api, model, status):
    with pytest.raises(ollama.ResponseError) as caught:
        api.chat(model, says(f"[[status:{status}]]"))
    assert caught.value.status_code == status and caught.value.error


@each_model
def test_an_error_in_mid_stream_is_an_error(api, model):
    with pytest.raises(ollama.ResponseError):
        list(api.chat(model, says("[[error-mid-stream]] [[after:2]] [[chunks:9]]"), stream=True))
