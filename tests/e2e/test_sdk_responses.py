# SPDX-License-Identifier: MIT
"""OpenAI's Responses API by the official SDK, unmodified, over OpenAI, Anthropic and Gemini."""

import asyncio

import openai
import pytest
from pydantic import BaseModel
from vendors import CLOCK, MODELS, UNICODE, WEATHER

each_model = pytest.mark.parametrize("model", MODELS)
TOOLS = [
    {"type": "function", "name": "get_weather", "description": "Weather", "parameters": WEATHER, "strict": False},
    {"type": "function", "name": "get_time", "description": "The time", "parameters": CLOCK, "strict": False},
]


@pytest.fixture
def api(vendors):
    with openai.OpenAI(base_url=vendors.url + "/v1", api_key="k", max_retries=0) as found:
        yield found


def stream(api, **request):
    """The SDK's own assembly of a streamed response, and the types of the events it was made of."""
    with api.responses.stream(**request) as events:
        types = [event.type for event in events]
        return events.get_final_response(), types


@each_model
def test_plain_and_streamed(api, model):
    plain = api.responses.create(model=model, input="[[unicode]]", instructions="Be brief.")
    streamed, types = stream(api, model=model, input="[[unicode]]", instructions="Be brief.")
    assert plain.output_text == streamed.output_text == UNICODE
    for response in (plain, streamed):
        assert (response.object, response.status) == ("response", "completed")
        assert response.usage.input_tokens > 0 and response.usage.output_tokens > 0
    assert types[0] == "response.created" and types[-1] == "response.completed"
    for name in ("response.output_item.added", "response.content_part.added", "response.output_text.done"):
        assert name in types


@each_model
@pytest.mark.parametrize("is_stream", [False, True], ids=["plain", "stream"])
def test_parallel_functions_and_their_outputs(api, model, is_stream):
    question = [{"role": "user", "content": "[[tools:2]] Weather and time?"}]
    request = {"model": model, "input": question, "tools": TOOLS}
    response = stream(api, **request)[0] if is_stream else api.responses.create(**request)
    calls = [item for item in response.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["get_weather", "get_time"]
    outputs = [{"type": "function_call_output", "call_id": call.call_id, "output": "fine"} for call in calls]
    said = [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]
    history = [*question, *said, *outputs]
    assert api.responses.create(model=model, input=history, tools=TOOLS).output_text


@each_model
def test_a_custom_tool(api, model):
    tools = [{"type": "custom", "name": "run", "description": "Runs a script"}]
    response, types = stream(api, model=model, input="[[tools:1]] run", tools=tools)
    calls = [item for item in response.output if item.type == "custom_tool_call"]
    assert [call.name for call in calls] == ["run"] and isinstance(calls[0].input, str)
    assert "response.custom_tool_call_input.done" in types


@each_model
def test_structured_output(api, model):
    class Event(BaseModel):
        name: str
        day: int

    assert isinstance(api.responses.parse(model=model, input="An event", text_format=Event).output_parsed, Event)


@each_model
def test_cut_short(api, model):
    response = api.responses.create(model=model, input="[[length]]")
    assert response.status == "incomplete" and response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize("model", ["m-anthropic", "m-gemini"])
def test_reasoning_comes_back_and_goes_on(api, model):
    request = {"model": model, "reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
    question = {"role": "user", "content": "[[reasoning]] hi"}
    response, types = stream(api, input=[question], **request)
    thoughts = [item for item in response.output if item.type == "reasoning"]
    assert thoughts and thoughts[0].summary[0].text and response.output_text
    assert "response.reasoning_summary_text.delta" in types
    history = [question, *[item.model_dump(exclude_none=True) for item in response.output]]
    again = api.responses.create(input=[*history, {"role": "user", "content": "[[text:on]]"}], **request)
    assert again.output_text == "on"


@each_model
def test_async(vendors, model):
    async def run():
        async with openai.AsyncOpenAI(base_url=vendors.url + "/v1", api_key="k", max_retries=0) as api:
            text = ""
            async for event in await api.responses.create(model=model, input="[[text:abc]]", stream=True):
                if event.type == "response.output_text.delta":
                    text += event.delta
            return text

    assert asyncio.run(run()) == "abc"


@each_model
@pytest.mark.parametrize(("status", "error"), [
    (400, openai.BadRequestError), (429, openai.RateLimitError), (500, openai.InternalServerError),
])
def test_errors(api, model, status, error):
    with pytest.raises(error):
        api.responses.create(model=model, input=f"[[status:{status}]]")


@each_model
def test_an_error_in_mid_stream_is_told(api, model):
    types = set()
    try:
        for event in api.responses.create(model=model, input="[[error-mid-stream]] [[after:2]] [[chunks:9]]", stream=True):
            types.add(event.type)
    except openai.APIError:
        types.add("error")
    assert types & {"error", "response.failed"} and "response.completed" not in types
