# SPDX-License-Identifier: MIT
"""Streams that go wrong behind their first byte: another deployment goes on, or the client is told in its dialect."""

import json
from concurrent.futures import ThreadPoolExecutor

import anthropic
import httpx
import openai
import pytest
from broken_provider import TEXT, Anthropic, Mistral, OpenAI, Vllm
from servers import SLOWNESS

BOUND_S = 30 * SLOWNESS
QUESTION = [{"role": "user", "content": "Count to twelve."}]


started = []  # the providers of the test that runs


def on_something():
    """The client has something of the answer: who is to die may."""
    for one in started:
        one.may_die.set()


@pytest.fixture
def provider():
    """Starts providers of the test's own: provider(Vllm, dies_after=3)."""

    def start(kind, **more):
        started.append(kind(**more))
        return started[-1]

    yield start
    for one in started:
        one.stop()
    started.clear()


def entry(one, priority, group="m", **params):
    path = "" if one.name == "anthropic" else "/v1"
    return {
        "model_name": group,
        "litellm_params": {
            "model": f"{one.name}/{one.model}", "api_base": one.url + path, "api_key": "sk-x", "priority": priority, **params,
        },
    }


def start(start_gateway, *providers, **settings):
    """A gateway with one group of `providers`, which are asked in that order."""
    entries = [entry(one, 100 - i) for i, one in enumerate(providers)]
    return start_gateway({"model_list": entries, "router": {"recover_streams": True, "strategy": "priority", **settings}})


def ask_openai(gateway, **more):
    """Text, finish reason, the chunks; the SDK raises when an error event comes."""
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key="x", max_retries=0, timeout=BOUND_S) as api:
        chunks = []
        for chunk in api.chat.completions.create(
            model="m", messages=QUESTION, stream=True, stream_options={"include_usage": True}, **more,
        ):
            chunks.append(chunk)
            on_something()
    choices = [choice for chunk in chunks for choice in chunk.choices]
    return "".join(choice.delta.content or "" for choice in choices), chunks


def ask_anthropic(gateway, **more):
    with anthropic.Anthropic(base_url=gateway.url, api_key="x", max_retries=0, timeout=BOUND_S) as api:
        with api.messages.stream(model="m", max_tokens=1000, messages=QUESTION, **more) as events:
            types = []
            for event in events:
                types.append(event.type)
                on_something()
            return events.get_final_message(), types


def raw_stream(gateway, path, body):
    text = ""
    with httpx.stream(
        "POST", gateway.url + path, json=body, timeout=BOUND_S, trust_env=False, headers={"x-api-key": "x"},
    ) as answer:
        for piece in answer.iter_text():
            text += piece
            on_something()
    assert answer.status_code == 200, text
    return text


def raw_openai(gateway, **more):
    return raw_stream(gateway, "/v1/chat/completions", {"model": "m", "stream": True, "messages": QUESTION, **more})


def metric(gateway, name):
    for line in httpx.get(gateway.metrics_url + "/metrics", trust_env=False).text.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    raise AssertionError(f"no metric {name}")


def record_of(gateway):
    """The access log's record of the request that was answered last."""
    gateway.wait_line(r'"path":"/v1/')
    records = [json.loads(line) for line in gateway.output().splitlines() if line.startswith("{") and '"path"' in line]
    return records[-1]


# ---------------------------------------------------------------- somebody goes on


@pytest.mark.parametrize("end", ["cut", "error"])
@pytest.mark.parametrize("second", [Anthropic, Vllm, Mistral])
@pytest.mark.parametrize("first", [OpenAI, Anthropic])
def test_openai_client_sees_one_stream(start_gateway, provider, first, second, end):
    """From a verbatim stream (OpenAI) and from a translated one (Anthropic)."""
    one, two = provider(first, dies_after=5, end=end), provider(second)
    gateway = start(start_gateway, one, two)
    text, chunks = ask_openai(gateway)
    assert text == TEXT
    assert len({chunk.id for chunk in chunks}) == 1
    assert len({chunk.model for chunk in chunks}) == 1
    assert len({chunk.created for chunk in chunks}) == 1
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert [delta.role for delta in deltas if delta.role] == ["assistant"]
    finishes = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert finishes == ["stop"]
    usage = chunks[-1].usage
    assert usage.completion_tokens > 20 and usage.prompt_tokens > 10  # both exchanges'
    assert len(one.requests) == len(two.requests) == 1
    assert metric(gateway, "gatewire_stream_recoveries_total") == 1
    record = record_of(gateway)
    assert (record["recoveries"], record["exchanges"], record["status"]) == (1, 2, 200)
    assert "error" not in record, record


@pytest.mark.parametrize("end", ["cut", "error"])
@pytest.mark.parametrize("second", [Anthropic, Vllm, Mistral])
@pytest.mark.parametrize("first", [OpenAI, Anthropic])
def test_anthropic_client_sees_one_message(start_gateway, provider, first, second, end):
    """From a translated stream (OpenAI) and from a verbatim one (Anthropic)."""
    one, two = provider(first, dies_after=5, end=end), provider(second)
    gateway = start(start_gateway, one, two)
    message, types = ask_anthropic(gateway)
    assert [block.text for block in message.content] == [TEXT]
    assert message.stop_reason == "end_turn"
    assert types.count("message_start") == types.count("message_stop") == types.count("message_delta") == 1
    assert types.count("content_block_start") == types.count("content_block_stop") == 1
    assert types[-1] == "message_stop"
    assert message.usage.output_tokens >= 20
    assert record_of(gateway)["recoveries"] == 1


def test_fallback_group_goes_on(start_gateway, provider):
    """Nobody else is in the group; the one that follows it can."""
    one, two = provider(OpenAI, dies_after=5), provider(Vllm)
    gateway = start_gateway({
        "model_list": [entry(one, 1), entry(two, 1, group="n")],
        "router": {"recover_streams": True, "fallbacks": {"m": ["n"]}},
    })
    assert ask_openai(gateway)[0] == TEXT


def test_twice(start_gateway, provider):
    """The one that goes on dies, too."""
    providers = [provider(OpenAI, dies_after=3), provider(Vllm, dies_after=4), provider(Anthropic)]
    gateway = start(start_gateway, *providers)
    assert ask_openai(gateway)[0] == TEXT
    assert record_of(gateway)["recoveries"] == 2
    begun = providers[2].requests[0]["messages"][-1]["content"]
    assert "".join(part["text"] for part in begun) == TEXT[:28].rstrip()


def test_not_a_third_time(start_gateway, provider):
    providers = [provider(Vllm, dies_after=2) for _ in range(4)]
    gateway = start(start_gateway, *providers)
    with pytest.raises(openai.APIError, match=r"ended|failed"):
        ask_openai(gateway)
    assert [len(one.requests) for one in providers] == [1, 1, 1, 0]
    assert "error" in record_of(gateway)


def test_refusal_of_the_second_is_no_end(start_gateway, provider):
    """It answers with an error before anything; a third goes on."""

    class Refusing(Vllm):
        def refuse_prefix(self, last, body):
            return "no"

    providers = [provider(OpenAI, dies_after=5), provider(Refusing), provider(Anthropic)]
    assert ask_openai(start(start_gateway, *providers))[0] == TEXT
    assert len(providers[1].requests) == 1


def test_limit_of_tokens_shrinks(start_gateway, provider):
    one, two = provider(OpenAI, dies_after=5), provider(Vllm)
    assert ask_openai(start(start_gateway, one, two), max_tokens=100)[0] == TEXT
    assert two.requests[0]["max_tokens"] == 95


# ---------------------------------------------------------------- nobody goes on


def assert_told(text):
    """OpenAI's error event behind whole events; no end of an answer."""
    assert text.endswith("\n\n")
    events = [part.removeprefix("data: ") for part in text.strip().split("\n\n")]
    assert "error" in json.loads(events[-1]) or (events[-1] == "[DONE]" and "error" in json.loads(events[-2])), events[-2:]
    assert not any('"finish_reason":"stop"' in event.replace(" ", "") for event in events)


TOOL = {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}]}


@pytest.mark.parametrize(
    ("first", "body"),
    [
        ({"before": [TOOL]}, {}),
        ({"before": [{"reasoning_content": "Hm."}], "dies_after": 0}, {}),
        ({}, {"n": 2}),
        ({}, {"logprobs": True}),
        ({}, {"response_format": {"type": "json_object"}}),
    ],
    ids=["tool call", "reasoning", "n", "logprobs", "json"],
)
def test_what_cannot_be_continued(start_gateway, provider, first, body):
    one, two = provider(OpenAI, **{"dies_after": 5, **first}), provider(Vllm)
    assert_told(raw_openai(start(start_gateway, one, two), **body))
    assert len(two.requests) == 0


def test_nobody_can(start_gateway, provider):
    """OpenAI's models answer anew, they do not go on."""
    one, two = provider(OpenAI, dies_after=5), provider(OpenAI)
    gateway = start(start_gateway, one, two)
    assert_told(raw_openai(gateway))
    assert len(two.requests) == 0
    assert "recoveries" not in record_of(gateway)


def test_it_is_an_option(start_gateway, provider):
    one, two = provider(OpenAI, dies_after=5), provider(Vllm)
    assert_told(raw_openai(start(start_gateway, one, two, recover_streams=False)))
    assert len(two.requests) == 0


def test_anthropic_client_is_told(start_gateway, provider):
    one, two = provider(OpenAI, dies_after=5), provider(OpenAI)
    gateway = start(start_gateway, one, two)
    text = raw_stream(gateway, "/v1/messages", {"model": "m", "max_tokens": 9, "stream": True, "messages": QUESTION})
    last = text.strip().split("\n\n")[-1]
    assert last.startswith("event: error\n")
    assert "message_stop" not in text


@pytest.mark.parametrize("kind", [OpenAI, Anthropic])
def test_who_heals_is_not_blamed(start_gateway, provider, kind):
    """Streams that begin with an error: their deployment is to blame, and the requests are recorded as served."""
    one, two = provider(kind, dies_after=0, end="error"), provider(kind)
    gateway = start(start_gateway, one, two, recover_streams=False, retry={"delay": "10ms"})
    on_something()
    for _ in range(7):
        if kind is OpenAI:
            assert ask_openai(gateway)[0] == TEXT
        else:
            assert ask_anthropic(gateway)[0].content[0].text == TEXT
    gateway.wait_line("deployment 'm#1': its circuit breaker opened")
    assert gateway.output().count("its circuit breaker opened") == 1
    assert "error_class" not in record_of(gateway)
    assert all("error_class" not in line for line in gateway.output().splitlines())


# ---------------------------------------------------------------- slow streams

SLOW = {"min_tokens_per_second": 20, "grace": "300ms", "max_delivered_tokens": 1000}


@pytest.mark.parametrize("first", [OpenAI, Anthropic])
def test_slow_stream_moves(start_gateway, provider, first):
    one, two = provider(first, dies_after=5, end="stall"), provider(Vllm)
    gateway = start(start_gateway, one, two, recover_streams=False, slow_stream=SLOW)
    assert ask_openai(gateway)[0] == TEXT
    assert one.was_cancelled.wait(BOUND_S)
    assert metric(gateway, "gatewire_slow_streams_total") == 1
    assert record_of(gateway)["recoveries"] == 1


def test_slow_stream_without_output_begins_anew(start_gateway, provider):
    one, two = provider(OpenAI, dies_after=0, end="stall"), provider(OpenAI)
    gateway = start(start_gateway, one, two, recover_streams=False, slow_stream=SLOW)
    assert ask_openai(gateway)[0] == TEXT
    assert one.was_cancelled.wait(BOUND_S)
    assert two.requests[0]["messages"] == QUESTION
    assert metric(gateway, "gatewire_slow_streams_total") == 1


@pytest.mark.parametrize("limit", [2, 1000])
def test_slow_stream_stays(start_gateway, provider, limit):
    """Nobody else can go on, or the client has too much of it already."""
    one = provider(OpenAI, dies_after=9, end="late-rest", silence=1.0)
    two = provider(Vllm if limit == 2 else OpenAI)
    slow = {**SLOW, "max_delivered_tokens": limit}
    gateway = start(start_gateway, one, two, recover_streams=False, slow_stream=slow)
    assert ask_openai(gateway)[0] == TEXT
    assert len(two.requests) == 0
    assert metric(gateway, "gatewire_slow_streams_total") == 0


def test_slow_stream_stays_without_retries(start_gateway, provider):
    """Late is better than never."""
    one, two = provider(OpenAI, dies_after=0, end="late-rest", silence=1.0), provider(OpenAI)
    gateway = start(start_gateway, one, two, recover_streams=False, slow_stream=SLOW, max_retries=0)
    assert ask_openai(gateway)[0] == TEXT
    assert len(two.requests) == 0
    assert metric(gateway, "gatewire_slow_streams_total") == 0


def test_only_slow_streams_are_moved(start_gateway, provider):
    """A group that moves slow streams does not continue broken ones."""
    one, two = provider(OpenAI, dies_after=5), provider(Vllm)
    gateway = start(start_gateway, one, two, recover_streams=False, slow_stream=SLOW)
    assert_told(raw_openai(gateway))
    assert len(two.requests) == 0


# ---------------------------------------------------------------- silence

SILENCE_S = 10.7  # a ping comes after 10


def test_pings(start_gateway, provider):
    """In the middle of a translated stream, and before its first output; then the answer may still begin anew."""
    middle = provider(OpenAI, dies_after=3, end="late-rest", silence=SILENCE_S)
    claude = provider(Anthropic, dies_after=3, end="late-rest", silence=SILENCE_S)
    before = provider(OpenAI, dies_after=0, end="late-cut", silence=SILENCE_S)
    other = provider(OpenAI)
    gateway = start_gateway({
        "model_list": [
            entry(middle, 1, "middle"), entry(claude, 1, "claude"), entry(before, 2, "before"), entry(other, 1, "before"),
        ],
        "router": {"strategy": "priority"},
    })
    requests = [
        ("/v1/messages", {"model": "middle", "max_tokens": 900, "stream": True, "messages": QUESTION}),
        ("/v1/messages", {"model": "before", "max_tokens": 900, "stream": True, "messages": QUESTION}),
        ("/v1/responses", {"model": "claude", "stream": True, "store": False, "input": "Count to twelve."}),
        ("/api/chat", {"model": "middle", "messages": QUESTION}),
    ]
    with ThreadPoolExecutor(len(requests)) as pool:
        texts = list(pool.map(lambda request: raw_stream(gateway, *request), requests))
    for text in texts[:2]:
        events = text.strip().split("\n\n")
        said = [json.loads(event.split("\ndata: ")[1]) for event in events]
        assert "".join(event["delta"].get("text", "") for event in said if event["type"] == "content_block_delta") == TEXT
        assert [event["type"] for event in said].count("message_start") == 1
        assert said[-1]["type"] == "message_stop"
    assert texts[0].count("event: ping\n") == 2  # one comes with message_start
    assert texts[1].count("event: ping\n") == 1
    assert len(other.requests) == 1
    assert texts[2].count("\n: ping\n\n") == 1 and "response.completed" in texts[2]
    lines = [json.loads(line) for line in texts[3].strip().split("\n")]  # every line is an object
    assert "".join(line["message"]["content"] for line in lines) == TEXT and lines[-1]["done"]
