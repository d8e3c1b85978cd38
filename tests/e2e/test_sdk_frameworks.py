# SPDX-License-Identifier: MIT
"""LangChain's integrations of Anthropic, Google and OpenAI's Responses, unmodified, over three vendors."""

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from vendors import MODELS


class Event(BaseModel):
    """Something that happens."""

    name: str
    day: int


@tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


@pytest.fixture(params=["anthropic", "google", "openai", "responses"])
def make(vendors, request):
    def build(model):
        if request.param == "anthropic":
            return ChatAnthropic(model=model, base_url=vendors.url, api_key="k", max_retries=0, max_tokens=500)
        if request.param == "google":  # its other transport is gRPC, to Google's own ports
            options = {"api_endpoint": vendors.url}
            return ChatGoogleGenerativeAI(
                model=model, client_options=options, transport="rest", google_api_key="k", max_retries=1
            )
        is_responses = request.param == "responses"
        return ChatOpenAI(
            model=model, base_url=vendors.url + "/v1", api_key="k", max_retries=0, use_responses_api=is_responses
        )

    return build


@pytest.mark.parametrize("model", MODELS)
def test_invoke_stream_and_tools(make, model):
    chat = make(model)
    answer = chat.invoke("[[text:abc]]")
    assert answer.text == "abc" and answer.usage_metadata["total_tokens"] > 0
    assert "".join(part.text for part in chat.stream("[[text:abc]]")) == "abc"
    question = HumanMessage("[[tools:1]] weather")
    called = chat.bind_tools([get_weather]).invoke([question])
    assert [call["name"] for call in called.tool_calls] == ["get_weather"]
    result = ToolMessage(get_weather.invoke(called.tool_calls[0]["args"]), tool_call_id=called.tool_calls[0]["id"])
    assert chat.bind_tools([get_weather]).invoke([question, called, result]).text


@pytest.mark.parametrize("model", MODELS)
def test_structured_output(make, model):
    # Google's integration forces its tool only on models whose names it knows: the mock is told to call it.
    assert isinstance(make(model).with_structured_output(Event).invoke("[[tools:1]] An event"), Event)
