# SPDX-License-Identifier: MIT
"""LangChain's OpenAI integration against the gateway, unmodified."""

import asyncio

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

MODEL = "mock-small"


@pytest.fixture
def chat(gateway):
    return ChatOpenAI(model=MODEL, base_url=gateway.url + "/v1", api_key="k", max_retries=0)


def test_invoke(chat):
    answer = chat.invoke("Hello")
    assert answer.content
    assert answer.usage_metadata["total_tokens"] > 0


def test_stream(chat):
    parts = list(chat.stream("Hello"))
    assert len(parts) > 2
    assert "".join(part.content for part in parts)


def test_async(chat):
    assert asyncio.run(chat.ainvoke("Hello")).content


def test_tools(chat):
    @tool
    def get_weather(city: str) -> str:
        """Weather of a city."""
        return f"sunny in {city}"

    answer = chat.bind_tools([get_weather], tool_choice="required").invoke("Weather in Paris?")
    assert answer.tool_calls[0]["name"] == "get_weather"


def test_structured_output(chat):
    class Event(BaseModel):
        name: str
        day: int

    assert isinstance(chat.with_structured_output(Event, method="json_schema").invoke("An event"), Event)


def test_embeddings(gateway):
    embeddings = OpenAIEmbeddings(
        model=MODEL, base_url=gateway.url + "/v1", api_key="k", check_embedding_ctx_length=False
    )
    assert len(embeddings.embed_documents(["a", "b"])) == 2
