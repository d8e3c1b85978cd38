# SPDX-License-Identifier: MIT
"""Anthropic's own SDK for Python, unmodified, over Anthropic, OpenAI and Gemini."""

import asyncio

import anthropic
import pytest
from pydantic import BaseModel
from vendors import CLOCK, MODELS, UNICODE, WEATHER

TOOLS = [
    {"name": "get_weather", "description": "Weather of a city", "input_schema": WEATHER},
    {"name": "get_time", "description": "The time", "input_schema": CLOCK},
]
each_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture
def api(vendors):
    with anthropic.Anthropic(base_url=vendors.url, api_key="k", max_retries=0) as found:
        yield found


def ask(api, model, text, **more):
    return api.messages.create(model=model, max_tokens=2000, messages=[{"role": "user", "content": text}], **more)


def stream(api, model, text, **more):
    """The SDK's own assembly of a streamed answer, and the types of the events it was made of."""
    with api.messages.stream(model=model, max_tokens=2000, messages=[{"role": "user", "content": text}], **more) as events:
        types = [event.type for event in events]
        return events.get_final_message(), types


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


@each_model
def test_plain_and_streamed_are_the_same_message(api, model):
    plain = ask(api, model, "[[text:Guten Tag]]", system="Be brief.")
    streamed, types = stream(api, model, "[[text:Guten Tag]]", system="Be brief.")
    assert text_of(plain) == text_of(streamed) == "Guten Tag"
    for message in (plain, streamed):
        assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
        assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0
        assert message.id
    assert types[0] == "message_start" and types[-1] == "message_stop"
    assert types.count("content_block_start") == types.count("content_block_stop") == 1


@each_model
def test_text_stream_helper_and_hard_text(api, model):
    with api.messages.stream(model=model, max_tokens=2000, messages=[{"role": "user", "content": "[[unicode]]"}]) as events:
        assert "".join(events.text_stream) == UNICODE
    assert text_of(ask(api, model, "[[unicode]]")) == UNICODE


@each_model
def test_async(vendors, model):
    async def run():
        async with anthropic.AsyncAnthropic(base_url=vendors.url, api_key="k", max_retries=0) as api:
            messages = [{"role": "user", "content": "[[text:abc]]"}]
            plain = await api.messages.create(model=model, max_tokens=99, messages=messages)
            async with api.messages.stream(model=model, max_tokens=99, messages=messages) as events:
                streamed = await events.get_final_text()
            return text_of(plain), streamed

    assert asyncio.run(run()) == ("abc", "abc")


@each_model
@pytest.mark.parametrize("how", [ask, lambda *args, **more: stream(*args, **more)[0]], ids=["plain", "stream"])
def test_parallel_tools_and_their_results(api, model, how):
    question = "[[tools:2]] Weather and time?"
    message = how(api, model, question, tools=TOOLS)
    calls = [block for block in message.content if block.type == "tool_use"]
    assert message.stop_reason == "tool_use"
    assert [call.name for call in calls] == ["get_weather", "get_time"]
    assert isinstance(calls[0].input["city"], str) and calls[1].input == {}
    assert len({call.id for call in calls}) == 2
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": f"result {at}"} for at, call in enumerate(calls)]
    answer = api.messages.create(
        model=model, max_tokens=500, tools=TOOLS,
        messages=[
            {"role": "user", "content": question},
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [*results, {"type": "text", "text": "[[text:It is late]]"}]},
        ],
    )
    assert text_of(answer) == "It is late" and answer.stop_reason == "end_turn"


@each_model
def test_a_forced_tool(api, model):
    message = ask(api, model, "hi", tools=TOOLS, tool_choice={"type": "tool", "name": "get_weather"})
    assert [block.name for block in message.content if block.type == "tool_use"] == ["get_weather"]


@each_model
def test_the_tool_runner_goes_on_until_there_is_an_answer(api, model):
    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """Weather of a city.

        Args:
            city: its name
        """
        return f"sunny in {city}"

    runner = api.beta.messages.tool_runner(
        model=model, max_tokens=500, tools=[get_weather], thread=False,
        messages=[{"role": "user", "content": "[[tools:1]] weather?"}],
    )
    messages = list(runner)
    assert len(messages) == 2 and messages[0].stop_reason == "tool_use" and messages[1].stop_reason == "end_turn"


@pytest.mark.parametrize("model", ["m-openai", "m-gemini"])
def test_a_thread_that_anthropic_keeps_cannot_go_on_elsewhere(api, model):
    thread = {"type": "continue", "previous_message_id": "msg_1"}
    with pytest.raises(anthropic.BadRequestError, match="thread"):
        ask(api, model, "go on", extra_body={"thread": thread})


@each_model
def test_thinking(api, model):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    plain = ask(api, model, "[[reasoning]] hi", thinking=thinking)
    streamed, types = stream(api, model, "[[reasoning]] hi", thinking=thinking)
    if model == "m-openai":  # chat completions tell no thoughts
        assert text_of(plain) and text_of(streamed)
        return
    for message in (plain, streamed):
        assert message.content[0].type == "thinking" and message.content[0].thinking
        assert text_of(message)
    assert "thinking" in types
    again = api.messages.create(
        model=model, max_tokens=2000, thinking=thinking,
        messages=[
            {"role": "user", "content": "[[reasoning]] hi"},
            {"role": "assistant", "content": plain.content},
            {"role": "user", "content": "[[text:on]] Go on."},
        ],
    )
    assert text_of(again) == "on"


@each_model
def test_structured_output(api, model):
    class Event(BaseModel):
        name: str
        day: int

    message = api.messages.parse(
        model=model, max_tokens=500, messages=[{"role": "user", "content": "An event"}], output_format=Event
    )
    assert isinstance(message.parsed_output, Event)


@each_model
def test_stop_reasons(api, model):
    assert ask(api, model, "[[length]]").stop_reason == "max_tokens"
    stopped = ask(api, model, "[[stop]]", stop_sequences=["END"])
    assert stopped.stop_reason in ("stop_sequence", "end_turn")
    assert "END" not in text_of(stopped)


@pytest.mark.parametrize("model", ["m-anthropic", "m-gemini"])
def test_count_tokens(api, model):
    counted = api.messages.count_tokens(model=model, messages=[{"role": "user", "content": "Hello there"}], tools=TOOLS)
    assert counted.input_tokens > 0


@each_model
@pytest.mark.parametrize(("status", "error"), [
    (400, anthropic.BadRequestError), (404, anthropic.NotFoundError), (429, anthropic.RateLimitError),
    (500, anthropic.InternalServerError),
])
def test_errors(api, model, status, error):
    with pytest.raises(error) as caught:
        ask(api, model, f"[[status:{status}]]")
    assert caught.value.body["type"] == "error" and caught.value.body["error"]["type"]
    assert caught.value.request_id


@each_model
def test_retry_after_is_told(api, model):
    with pytest.raises(anthropic.RateLimitError) as caught:
        ask(api, model, "[[status:429]] [[retry_after:7]]")
    assert caught.value.response.headers["retry-after"] == "7"


@each_model
def test_the_sdk_retries(vendors, mock, model):
    mock.reset()
    with anthropic.Anthropic(base_url=vendors.url, api_key="k", max_retries=2) as patient:
        message = ask(patient, model, f"[[status:500]] [[times:1]] [[key:retry-{model}]] [[text:abc]]")
    assert text_of(message) == "abc"
    assert mock.stats()["requests"] == 2


@each_model
def test_an_error_in_mid_stream_is_an_error(api, model):
    with pytest.raises(anthropic.APIError):
        stream(api, model, "[[error-mid-stream]] [[after:2]] [[chunks:9]]")


def test_an_unknown_model_is_not_found(api):
    with pytest.raises(anthropic.NotFoundError):
        ask(api, "no-such-model", "hi")


def test_models(vendors):
    for url in (vendors.url, vendors.url + "/anthropic"):
        with anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as api:
            listed = {model.id: model for model in api.models.list(limit=2)}
            assert set(MODELS) <= set(listed)
            assert listed["m-anthropic"].type == "model" and listed["m-anthropic"].created_at.year > 2000
            assert listed["m-anthropic"].max_input_tokens >= 200000
            assert api.models.retrieve("m-gemini").id == "m-gemini"
            with pytest.raises(anthropic.NotFoundError):
                api.models.retrieve("no-such-model")
