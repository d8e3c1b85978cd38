# SPDX-License-Identifier: MIT
"""The scenarios: what is asked, and what must come back. Each is a function of a Cell."""

import json
import re
import time

from matrix.neutral import Ask, Call, CannotAsk, Turn, said
from servers import SLOWNESS
from vendors import ANSWER, CLOCK, UNICODE, WEATHER

TOOLS = {"get_weather": WEATHER, "get_time": CLOCK}
PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
IMAGE_URL = "https://example.com/cat.png"

ALL = {}


def scenario(title):
    def keep(function):
        ALL[title] = function
        return function
    return keep


def expect(found, **members):
    for name, value in members.items():
        assert getattr(found, name) == value, f"{name} is {getattr(found, name)!r}, not {value!r}: {str(found)[:400]}"


@scenario("plain")
def plain(cell):
    found = cell.plain(said("Say it. [[text:hello]]"))
    expect(found, text="hello", finish="stop", calls=[], reasoning="")
    assert found.usage[0] > 0 and found.usage[1] > 0, found.usage


@scenario("stream")
def stream(cell):
    found = cell.stream(said("Say it. [[long:300]] [[chunks:10]]"))
    expect(found, finish="stop", calls=[], reasoning="")
    assert len(found.text) == 300 and found.pieces > 3, found
    assert found.usage[0] > 0 and found.usage[1] > 0, found.usage


@scenario("system prompt")
def system(cell):
    for found in cell.both(said("[[text:yes]]", system="Be a \"pirate\" \u4e16")):
        expect(found, text="yes")
        body = json.loads(cell.upstream())
        own = [message for message in body.get("messages", []) if message["role"] in ("system", "developer")]
        place = body.get("system") or body.get("systemInstruction") or body.get("instructions") or own
        assert 'Be a "pirate" \u4e16' in strings(place), place


@scenario("multi-turn")
def multi_turn(cell):
    turns = [Turn("user", "first-u"), Turn("assistant", "first-a"), Turn("user", "second-u"), Turn("assistant", "second-a"),
             Turn("user", "third-u [[text:ok]]")]
    for found in cell.both(Ask(turns)):
        expect(found, text="ok", finish="stop")
        places = [cell.upstream().find(turn.text.encode()) for turn in turns]
        assert -1 not in places and places == sorted(places), places


@scenario("one tool call")
def one_tool(cell):
    for found in cell.both(said("[[tool:get_weather]]", tools=TOOLS)):
        expect(found, finish="tool_calls")
        assert [call.name for call in found.calls] == ["get_weather"] and isinstance(found.calls[0].arguments["city"], str)


@scenario("parallel tool calls")
def parallel_tools(cell):
    for found in cell.both(said("[[tools:4]]", tools=TOOLS)):
        expect(found, finish="tool_calls")
        assert [call.name for call in found.calls] == ["get_weather", "get_time"] * 2, found.calls
        ids = {call.id for call in found.calls}
        assert len(ids) == 4 or ids == {""}, ids


@scenario("tool results")
def tool_results(cell):
    """The model's own calls come back with results, as a client would send them."""
    first = said("[[tools:2]] [[text:never]]", tools=TOOLS)
    calls = cell.plain(first).calls
    given = [Call(call.name, call.arguments, call.id, f"result {index} \u4e16") for index, call in enumerate(calls)]
    turns = [Turn("user", "What now?"), Turn("assistant", calls=given)]
    for found in cell.both(Ask(turns, tools=TOOLS)):
        expect(found, finish="stop", calls=[])
        assert found.text
        sent = strings(json.loads(cell.upstream()))
        assert all(any(call.result in text for text in sent) for call in given), sent


@scenario("forced tool")
def forced_tool(cell):
    """OpenAI ends a call it was told to make with "stop"."""
    for found in cell.both(said("hello", tools=TOOLS, forced="get_time")):
        assert found.finish in ("tool_calls", "stop")
        assert [call.name for call in found.calls] == ["get_time"]


@scenario("image by URL")
def image_url(cell):
    for found in cell.both(Ask([Turn("user", "[[text:a cat]]", image_url=IMAGE_URL)])):
        expect(found, text="a cat")
        assert IMAGE_URL.encode() in cell.upstream()


@scenario("image as base64")
def image_base64(cell):
    for found in cell.both(Ask([Turn("user", "[[text:a dot]]", image_base64=PIXEL)])):
        expect(found, text="a dot")
        assert PIXEL.encode() in cell.upstream() and b"png" in cell.upstream()


@scenario("JSON schema output")
def schema(cell):
    for found in cell.both(said("hello", schema=ANSWER)):
        expect(found, finish="stop")
        value = json.loads(found.text)
        assert {"answer", "count"} <= set(value) and isinstance(value["count"], int), value
        assert set(value) == {"answer", "count"} or cell.warnings, value  # DeepSeek: JSON, but not by the schema


@scenario("reasoning")
def reasoning(cell):
    for found in cell.both(said("[[reasoning:5]] [[text:so]]", reasons=True)):
        expect(found, text="so", finish="stop")
        assert found.reasoning, found


@scenario("stop sequence")
def stop(cell):
    for found in cell.both(said("[[stop]] [[long:200]]", stop="STOP!")):
        expect(found, finish="stop")
        assert b"STOP!" in cell.upstream()


@scenario("max tokens hit")
def max_tokens(cell):
    for found in cell.both(said("[[length]]", max_tokens=1234)):
        expect(found, finish="length")
        assert re.search(rb"\b1234\b", cell.upstream())


@scenario("content filter")
def content_filter(cell):
    if cell.provider == "cohere":
        raise CannotAsk("Cohere tells no such end")
    for found in cell.both(said("[[filter]]")):
        expect(found, finish="content_filter")


@scenario("usage with cache")
def cache(cell):
    for found in cell.both(said("[[cache]] [[text:x]]")):
        assert found.usage[0] == 200, found.usage
        assert found.cached == (128 if cell.tells_cache() else 0), found.cached


@scenario("429")
def limited(cell):
    for answer in cell.errors("[[status:429]] [[retry_after:7]]"):
        assert answer.status_code == 429, answer.text
        assert answer.headers.get("retry-after") == ("7" if cell.tells_retry_after() else None), answer.headers


@scenario("500")
def broken(cell):
    for answer in cell.errors("[[status:500]]"):
        assert answer.status_code in (500, 502), answer.text


@scenario("401")
def refused(cell):
    """The gateway's credential is meant, not the client's key."""
    for answer in cell.errors("[[status:401]]"):
        assert answer.status_code == 502 and "credential" in answer.text, answer.text


@scenario("overload")
def overloaded(cell):
    """529 is Anthropic's own, at the provider and for its clients."""
    status = 529 if cell.provider in ("anthropic", "vertex_ai claude") else 503
    for answer in cell.errors(f"[[status:{status}]]"):
        assert answer.status_code in (503, 529 if cell.driver.name == "anthropic" else status), answer.text


@scenario("error in mid-stream")
def error_mid_stream(cell):
    found = cell.stream(said("[[error-mid-stream]] [[chunks:20]]"))
    assert found.error, found


@scenario("client cancels")
def cancel(cell):
    before = cell.mock.stats()["aborted"]
    with cell.open_stream(said("[[chunks:400]] [[tps:20]]")) as answer:
        assert next(answer.iter_raw())
    deadline = time.monotonic() + 10 * SLOWNESS
    while cell.mock.stats()["aborted"] == before:
        assert time.monotonic() < deadline, "the provider still writes"
        time.sleep(0.01)


@scenario("unicode cut anywhere")
def unicode(cell):
    for found in cell.both(said("[[unicode]] [[trickle:20]] [[chunks:3]]")):
        expect(found, text=UNICODE, finish="stop")


@scenario("empty answer")
def empty(cell):
    for found in cell.both(said("[[empty]]")):
        expect(found, text="", finish="stop", calls=[], error="")


@scenario("answer of 1 MB")
def long(cell):
    for found in cell.both(said("[[long:1048576]]")):
        expect(found, finish="stop")
        assert len(found.text) == 1048576


def strings(value):
    """Every text inside a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in inner for text in strings(item)]
