# SPDX-License-Identifier: MIT
"""Google's own SDK for Python, unmodified, over Gemini, OpenAI and Anthropic."""

import asyncio

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel
from vendors import MODELS, UNICODE, WEATHER

each_model = pytest.mark.parametrize("model", MODELS)
TOOL = {"function_declarations": [
    {"name": "get_weather", "description": "Weather", "parameters_json_schema": WEATHER},
    {"name": "get_time", "description": "The time"},
]}


class Event(BaseModel):
    name: str
    day: int


@pytest.fixture
def api(vendors):
    options = types.HttpOptions(base_url=vendors.url, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key="k", http_options=options)


def config(**more):
    return types.GenerateContentConfig(automatic_function_calling={"disable": True}, **more)


def stream(api, model, text, **more):
    return list(api.models.generate_content_stream(model=model, contents=text, config=config(**more)))


def text_of(chunks):
    return "".join(chunk.text or "" for chunk in chunks)


@each_model
def test_generate_and_stream(api, model):
    plain = api.models.generate_content(model=model, contents="[[text:Guten Tag]]", config=config(system_instruction="Brief."))
    chunks = stream(api, model, "[[text:Guten Tag]]", system_instruction="Brief.")
    assert plain.text == text_of(chunks) == "Guten Tag"
    assert plain.candidates[0].finish_reason == chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    for usage in (plain.usage_metadata, chunks[-1].usage_metadata):
        assert usage.prompt_token_count > 0 and usage.candidates_token_count > 0
        assert usage.total_token_count >= usage.prompt_token_count + usage.candidates_token_count


@each_model
def test_hard_text(api, model):
    assert text_of(stream(api, model, "[[unicode]]")) == UNICODE
    assert api.models.generate_content(model=model, contents="[[unicode]]").text == UNICODE


@each_model
def test_async(api, model):
    async def run():
        plain = await api.aio.models.generate_content(model=model, contents="[[text:abc]]")
        text = ""
        async for chunk in await api.aio.models.generate_content_stream(model=model, contents="[[text:abc]]"):
            text += chunk.text or ""
        return plain.text, text

    assert asyncio.run(run()) == ("abc", "abc")


@each_model
def test_chat_keeps_its_history(api, mock, model):
    chat = api.chats.create(model=model)
    assert chat.send_message("[[text:one]]").text == "one"
    assert "".join(chunk.text or "" for chunk in chat.send_message_stream("[[text:two]]")) == "two"
    assert b"one" in mock.last_body()
    assert [content.role for content in chat.get_history()][:3] == ["user", "model", "user"]


@each_model
def test_parallel_function_calls_and_their_answers(api, model):
    asked = types.Content(role="user", parts=[types.Part(text="[[tools:2]] Weather and time?")])
    for answer in (
        api.models.generate_content(model=model, contents=[asked], config=config(tools=[TOOL])),
        stream(api, model, [asked], tools=[TOOL]),
    ):
        chunks = answer if isinstance(answer, list) else [answer]
        parts = [part for chunk in chunks for part in (chunk.candidates[0].content.parts or [])]
        calls = [part.function_call for part in parts if part.function_call]
        assert [call.name for call in calls] == ["get_weather", "get_time"]
        assert isinstance(calls[0].args["city"], str)
        results = [types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"r": at}))
                   for at, call in enumerate(calls)]
        contents = [asked, types.Content(role="model", parts=parts), types.Content(role="user", parts=results)]
        assert api.models.generate_content(model=model, contents=contents, config=config(tools=[TOOL])).text


@each_model
def test_automatic_function_calling(api, model):
    asked = []

    def get_weather(city: str) -> str:
        """Weather of a city."""
        asked.append(city)
        return "sunny"

    answer = api.models.generate_content(
        model=model, contents="[[tools:1]] Weather?", config=types.GenerateContentConfig(tools=[get_weather])
    )
    assert len(asked) == 1 and answer.text


@each_model
def test_a_forced_function(api, model):
    forced = {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["get_weather"]}}
    answer = api.models.generate_content(model=model, contents="hi", config=config(tools=[TOOL], tool_config=forced))
    assert [call.name for call in answer.function_calls] == ["get_weather"]


@each_model
def test_json_schema(api, model):
    answer = api.models.generate_content(
        model=model, contents="An event",
        config=config(response_mime_type="application/json", response_json_schema=Event.model_json_schema()),
    )
    assert Event.model_validate_json(answer.text)


@pytest.mark.parametrize("model", ["v-gemini", "v-openai"])
def test_embeddings(api, model):
    contents = [types.Content(parts=[types.Part(text=text)]) for text in ("a", "b")]
    answer = api.models.embed_content(model=model, contents=contents)
    assert len(answer.embeddings) == 2
    assert all(len(found.values) > 3 for found in answer.embeddings)


@pytest.mark.parametrize("model", ["m-gemini", "m-anthropic"])
def test_count_tokens(api, model):
    assert api.models.count_tokens(model=model, contents="Hello there").total_tokens > 0


def test_models(api):
    listed = {model.name: model for model in api.models.list()}
    assert {f"models/{name}" for name in MODELS} <= set(listed)
    assert "generateContent" in listed["models/m-gemini"].supported_actions
    assert "embedContent" in listed["models/v-gemini"].supported_actions
    assert listed["models/m-gemini"].input_token_limit > 100000
    assert api.models.get(model="m-anthropic").name == "models/m-anthropic"
    with pytest.raises(errors.ClientError, match="NOT_FOUND"):
        api.models.get(model="no-such-model")


@each_model
@pytest.mark.parametrize(("status", "error", "name"), [
    (400, errors.ClientError, "INVALID_ARGUMENT"), (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
    (500, errors.ServerError, "INTERNAL"),
])
def test_errors(api, model, status, error, name):
    with pytest.raises(error) as caught:
        api.models.generate_content(model=model, contents=f"[[status:{status}]]")
    assert (caught.value.code, caught.value.status) == (status, name)


@each_model
def test_the_sdk_retries(vendors, mock, model):
    mock.reset()
    retry = types.HttpRetryOptions(attempts=3, initial_delay=0.01, max_delay=0.02)
    patient = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=vendors.url, retry_options=retry))
    text = f"[[status:500]] [[times:1]] [[key:genai-{model}]] [[text:abc]]"
    assert patient.models.generate_content(model=model, contents=text).text == "abc"
    assert mock.stats()["requests"] == 2
