# SPDX-License-Identifier: MIT
"""The official OpenAI Python SDK against the gateway, unmodified: only base_url differs."""

import asyncio
import base64
import json

import openai
import pytest
from pydantic import BaseModel
from servers import deployment

MODEL = "mock-small"
HELLO = [{"role": "user", "content": "Say hello."}]
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}


@pytest.fixture
def client(gateway, mock):
    mock.reset()
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key="sk-client", max_retries=0) as client:
        yield client


def with_mock(**knobs):
    """Headers that tell the mock how to answer."""
    return {f"x-mock-{name.replace('_', '-')}": str(value) for name, value in knobs.items()}


class TestChat:
    def test_plain(self, client):
        answer = client.chat.completions.create(model=MODEL, messages=HELLO)
        assert answer.object == "chat.completion"
        assert answer.choices[0].message.role == "assistant"
        assert answer.choices[0].message.content
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens

    def test_request_id_is_returned(self, client):
        answer = client.chat.completions.with_raw_response.create(
            model=MODEL, messages=HELLO, extra_headers={"x-request-id": "my-id-1"}
        )
        assert answer.headers["x-request-id"] == "my-id-1"
        made = client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
        assert made.headers["x-request-id"].startswith("req_")

    def test_stream(self, client):
        chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert all(chunk.choices for chunk in chunks), "the usage chunk was asked for by the gateway, not by this client"

    def test_stream_with_usage(self, client):
        options = {"include_usage": True}
        chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True, stream_options=options))
        assert chunks[-1].choices == []
        assert chunks[-1].usage.total_tokens > 0

    def test_stream_equals_plain(self, client):
        knobs = with_mock(size=2000, chunks=50)
        plain = client.chat.completions.create(model=MODEL, messages=HELLO, extra_headers=knobs)
        stream = client.chat.completions.create(model=MODEL, messages=HELLO, extra_headers=knobs, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        assert text == plain.choices[0].message.content

    def test_many_choices_and_logprobs(self, client):
        answer = client.chat.completions.create(model=MODEL, messages=HELLO, n=3, logprobs=True, top_logprobs=2)
        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        assert answer.choices[0].logprobs.content

    def test_tool_call_and_result(self, client):
        first = client.chat.completions.create(
            model=MODEL, messages=HELLO, tools=[WEATHER_TOOL], tool_choice="required"
        )
        call = first.choices[0].message.tool_calls[0]
        assert call.function.name == "get_weather"
        assert set(json.loads(call.function.arguments)) >= {"city", "days"}
        assert first.choices[0].finish_reason == "tool_calls"
        messages = [
            *HELLO,
            first.choices[0].message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
        ]
        second = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER_TOOL])
        assert second.choices[0].message.content

    def test_parallel_tool_calls_streamed(self, client):
        stream = client.chat.completions.create(
            model=MODEL, messages=HELLO, tools=[WEATHER_TOOL], stream=True, extra_headers=with_mock(tools=2)
        )
        calls = {}
        for chunk in stream:
            for part in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
                name, arguments = calls.get(part.index, ("", ""))
                calls[part.index] = (name + (part.function.name or ""), arguments + (part.function.arguments or ""))
        assert sorted(calls) == [0, 1]
        for name, arguments in calls.values():
            assert name == "get_weather"
            json.loads(arguments)

    def test_structured_output(self, client):
        class Event(BaseModel):
            name: str
            day: int

        answer = client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Event)
        assert isinstance(answer.choices[0].message.parsed, Event)

    def test_image_input_arrives(self, client, mock):
        image = "data:image/png;base64," + base64.b64encode(bytes(range(256))).decode()
        content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": image}}]
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
        assert json.loads(mock.last_body())["messages"][0]["content"] == content

    def test_unknown_fields_and_headers_arrive(self, client, mock):
        client.chat.completions.create(
            model=MODEL, messages=HELLO, extra_body={"made_up": {"deep": [1, 2]}},
            extra_headers={"OpenAI-Beta": "thing=v9", "OpenAI-Organization": "org-1", "X-Custom": "kept"},
        )
        headers = dict(mock.last()["headers"])
        assert json.loads(mock.last_body())["made_up"] == {"deep": [1, 2]}
        assert headers["openai-beta"] == "thing=v9"
        assert headers["openai-organization"] == "org-1"
        assert headers["x-custom"] == "kept"

    def test_client_credentials_stay_here(self, client, mock):
        client.chat.completions.create(
            model=MODEL, messages=HELLO, extra_headers={"x-api-key": "sk-secret", "Cookie": "session=1"}
        )
        headers = dict(mock.last()["headers"])
        assert headers["authorization"] == "Bearer sk-mock"
        assert "x-api-key" not in headers
        assert "cookie" not in headers
        assert "sk-client" not in json.dumps(mock.last())


class TestErrors:
    def test_unknown_model_names_close_ones(self, client):
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="mock-smal", messages=HELLO)
        assert caught.value.code == "model_not_found"
        assert "mock-small" in str(caught.value)

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, openai.BadRequestError), (402, openai.APIStatusError), (404, openai.NotFoundError),
            (409, openai.ConflictError), (422, openai.UnprocessableEntityError),
            (429, openai.RateLimitError), (500, openai.InternalServerError), (503, openai.InternalServerError),
        ],
    )
    def test_provider_errors_pass_through(self, client, status, kind):
        with pytest.raises(kind) as caught:
            client.chat.completions.create(model=MODEL, messages=HELLO, extra_headers=with_mock(status=status))
        assert caught.value.status_code == status
        assert caught.value.body["message"]

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_credential_of_ours_is_no_authentication_error(self, client, status):
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model=MODEL, messages=HELLO, extra_headers=with_mock(status=status))
        assert caught.value.status_code == 502
        assert caught.value.code == "upstream_credential_refused"

    def test_retry_after_passes_through(self, client):
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(
                model=MODEL, messages=HELLO, extra_headers=with_mock(status=429, retry_after=7)
            )
        assert caught.value.response.headers["retry-after"] == "7"

    def test_the_sdk_retries(self, gateway, mock):
        mock.reset()
        client = openai.OpenAI(base_url=gateway.url + "/v1", api_key="k", max_retries=2)
        knobs = with_mock(status=500, times=1, key="sdk-retry")
        answer = client.chat.completions.create(model=MODEL, messages=HELLO, extra_headers=knobs)
        assert answer.choices[0].message.content
        assert len(mock.requests()) == 2

    def test_the_sdk_times_out_and_the_gateway_lives(self, client):
        slow = client.with_options(timeout=0.3)
        with pytest.raises(openai.APITimeoutError):
            slow.chat.completions.create(model=MODEL, messages=HELLO, extra_headers=with_mock(latency=60000))
        assert client.chat.completions.create(model=MODEL, messages=HELLO).choices

    def test_error_inside_a_stream(self, client):
        stream = client.chat.completions.create(
            model=MODEL, messages=HELLO, stream=True, extra_headers=with_mock(fault="error-mid-stream", after=3)
        )
        with pytest.raises(openai.APIError):
            list(stream)

    def test_broken_stream_becomes_an_error(self, client):
        stream = client.chat.completions.create(
            model=MODEL, messages=HELLO, stream=True, extra_headers=with_mock(fault="reset-after-chunks", after=3)
        )
        with pytest.raises(openai.APIError) as caught:
            list(stream)
        assert "provider" in str(caught.value)


class TestOtherEndpoints:
    def test_models(self, client):
        names = [model.id for model in client.models.list()]
        assert MODEL in names
        assert "gatewire/demo" in names
        assert client.models.retrieve(MODEL).id == MODEL
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("no-such-model")

    @pytest.mark.parametrize("encoding", ["float", "base64"])
    def test_embeddings(self, client, encoding):
        answer = client.embeddings.create(model=MODEL, input=["a", "b"], encoding_format=encoding)
        assert [item.index for item in answer.data] == [0, 1]
        assert answer.usage.prompt_tokens > 0

    def test_legacy_completions(self, client):
        assert client.completions.create(model=MODEL, prompt="Once").choices[0].text
        stream = client.completions.create(model=MODEL, prompt="Once", stream=True)
        assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices)

    def test_responses(self, client):
        answer = client.responses.create(model=MODEL, input="Hello")
        assert answer.output_text
        events = list(client.responses.create(model=MODEL, input="Hello", stream=True))
        assert events[0].type == "response.created"
        assert events[-1].type == "response.completed"
        assert events[-1].response.usage.total_tokens > 0

    def test_moderations(self, client):
        assert client.moderations.create(model=MODEL, input="hi").results

    def test_files(self, client):
        content = b'{"custom_id":"1"}\n' * 1000
        made = client.files.create(file=("batch.jsonl", content), purpose="batch")
        assert client.files.retrieve(made.id).bytes == len(content)
        assert client.files.content(made.id).read() == content
        assert made.id in [item.id for item in client.files.list()]
        assert client.files.delete(made.id).deleted

    def test_large_file_is_streamed_through(self, client):
        content = bytes(8 * 1024 * 1024)
        made = client.files.create(file=("big.bin", content), purpose="user_data")
        assert made.bytes == len(content)
        client.files.delete(made.id)

    def test_batches(self, client):
        made = client.files.create(file=("batch.jsonl", b"{}"), purpose="batch")
        batch = client.batches.create(
            input_file_id=made.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        assert client.batches.retrieve(batch.id).id == batch.id
        assert client.batches.cancel(batch.id).id == batch.id

    def test_speech(self, client):
        audio = client.audio.speech.create(model=MODEL, voice="alloy", input="Hello").read()
        assert len(audio) > 100

    def test_transcription(self, client):
        answer = client.audio.transcriptions.create(model=MODEL, file=("a.wav", b"RIFF" + bytes(4000)))
        assert answer.text

    def test_images(self, client):
        answer = client.images.generate(model=MODEL, prompt="a cat")
        assert base64.b64decode(answer.data[0].b64_json)

    def test_fine_tuning_and_vector_stores(self, client):
        assert client.vector_stores.create(name="mine").id
        assert client.fine_tuning.jobs.list() is not None


class TestPrefixes:
    @pytest.mark.parametrize("prefix", ["/v1", "/openai/v1", ""])
    def test_same_surface(self, gateway, prefix):
        client = openai.OpenAI(base_url=gateway.url + prefix, api_key="k", max_retries=0)
        assert client.chat.completions.create(model=MODEL, messages=HELLO).choices[0].message.content

    def test_azure_client(self, gateway):
        client = openai.AzureOpenAI(
            azure_endpoint=gateway.url, api_key="k", api_version="2024-10-21", azure_deployment=MODEL, max_retries=0
        )
        assert client.chat.completions.create(model="ignored", messages=HELLO).choices[0].message.content

    def test_responses_shape_sent_to_chat(self, gateway, mock):
        client = openai.OpenAI(base_url=gateway.url + "/v1", api_key="k", max_retries=0)
        answer = client.post("/chat/completions", body={"model": MODEL, "input": "Hello"}, cast_to=object)
        assert answer["object"] == "response"
        assert mock.last()["target"] == "/v1/responses"


class TestAsync:
    def test_many_at_once(self, gateway):
        async def run():
            async with openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key="k", max_retries=0) as client:

                async def one(number):
                    knobs = with_mock(echo=1, chunks=20)
                    messages = [{"role": "user", "content": f"question {number} " * 20}]
                    stream = await client.chat.completions.create(
                        model=MODEL, messages=messages, stream=True, extra_headers=knobs
                    )
                    parts = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
                    return "".join(parts) == messages[0]["content"]

                return await asyncio.gather(*(one(number) for number in range(40)))

        assert all(asyncio.run(run()))


class TestKeys:
    @pytest.fixture
    def closed(self, start_gateway, mock):
        return start_gateway({"model_list": [deployment(mock, MODEL)]}, env={"API_KEY": "sk-right"})

    def test_right_key(self, closed):
        client = openai.OpenAI(base_url=closed.url + "/v1", api_key="sk-right", max_retries=0)
        assert client.models.list().data

    def test_wrong_key(self, closed):
        client = openai.OpenAI(base_url=closed.url + "/v1", api_key="sk-wrong", max_retries=0)
        with pytest.raises(openai.AuthenticationError) as caught:
            client.chat.completions.create(model=MODEL, messages=HELLO)
        assert caught.value.code == "invalid_api_key"
        assert "sk-right" not in closed.output()
        assert "sk-wrong" not in closed.output()
