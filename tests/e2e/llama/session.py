# SPDX-License-Identifier: MIT
"""LlamaIndex's integrations against a gateway; run by the interpreter of .venv-llama (see test_llama_index.py).

    session.py URL          writes {"client/model/check": "" or what went wrong} as one JSON object
"""

import json
import sys
import traceback

from google.genai import types
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.google_genai import GoogleGenAI
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

URL = sys.argv[1]
MODELS = ("m-openai", "m-anthropic", "m-gemini")
# LlamaIndex knows the models of Anthropic and OpenAI by name: these stand for the same three vendors.
CLAUDES = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")
GPTS = ("gpt-4.1", "gpt-4o", "gpt-4o-mini")


class Event(BaseModel):
    """Something that happens."""

    name: str
    day: int


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


def openai_like(model):
    options = {"is_chat_model": True, "is_function_calling_model": True, "context_window": 100000}
    return OpenAILike(model=model, api_base=URL + "/v1", api_key="k", max_retries=0, **options)


def google(model):
    options = types.HttpOptions(base_url=URL, retry_options=types.HttpRetryOptions(attempts=1))
    return GoogleGenAI(model=model, api_key="k", http_options=options, max_retries=0)


CLIENTS = {
    "openai_like": (openai_like, MODELS),
    "openai": (lambda name: OpenAI(model=name, api_base=URL + "/v1", api_key="k", max_retries=0), GPTS),
    "responses": (lambda name: OpenAIResponses(model=name, api_base=URL + "/v1", api_key="k", max_retries=0), GPTS),
    "anthropic": (lambda name: Anthropic(model=name, base_url=URL, api_key="k", max_retries=0), CLAUDES),
    "google": (google, MODELS),
}


def check_chat(llm):
    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content="Be short."),
        ChatMessage(role=MessageRole.USER, content="[[text:abc]]"),
    ]
    answer = llm.chat(messages)
    assert answer.message.content == "abc", answer


def check_complete(llm):
    assert llm.complete("[[text:abc]]").text == "abc"


def check_stream(llm):
    parts = list(llm.stream_chat([ChatMessage(role=MessageRole.USER, content="[[text:abcdef]]")]))
    assert parts[-1].message.content == "abcdef" and len(parts) > 2, parts


def check_tools(llm):
    tool = FunctionTool.from_defaults(get_weather)
    question = ChatMessage(role=MessageRole.USER, content="[[tools:1]] Weather?")
    answer = llm.chat_with_tools([tool], chat_history=[question])
    calls = llm.get_tool_calls_from_response(answer)
    assert [call.tool_name for call in calls] == ["get_weather"], answer
    result = ChatMessage(
        role=MessageRole.TOOL,
        content=get_weather(**calls[0].tool_kwargs),
        additional_kwargs={"tool_call_id": calls[0].tool_id, "name": "get_weather"},
    )
    again = llm.chat_with_tools([tool], chat_history=[question, answer.message, result])
    assert again.message.content, again


def check_structured(llm):
    answer = llm.as_structured_llm(Event).chat([ChatMessage(role=MessageRole.USER, content="[[tools:1]] An event")])
    assert isinstance(answer.raw, Event), answer


CHECKS = (check_chat, check_complete, check_stream, check_tools, check_structured)


def run(found, name, check, *args):
    try:
        check(*args)
        found[name] = ""
    except Exception:
        found[name] = traceback.format_exc(limit=-4)


def check_new(check, make, name):
    check(make(name))


def main():
    found = {}
    for client, (make, names) in CLIENTS.items():
        for model, name in zip(MODELS, names, strict=True):
            for check in CHECKS:
                run(found, f"{client}/{model}/{check.__name__[6:]}", check_new, check, make, name)
    vectors = OpenAIEmbedding(model_name="v-openai", api_base=URL + "/v1", api_key="k", max_retries=0)
    run(found, "openai/v-openai/vectors", lambda: vectors.get_text_embedding_batch(["a", "b"]))
    json.dump(found, sys.stdout)


main()
