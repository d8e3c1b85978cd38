# SPDX-License-Identifier: MIT
"""What providers' prompt caches see: the client's own bytes where dialect and provider are the same, and prefixes that
stay as they are, turn after turn, where they are translated."""

import json

import pytest
from matrix import cell as cells
from matrix import providers
from matrix.neutral import Ask, Call, Turn
from servers import Mockllm
from vendors import CLOCK, WEATHER

# Spacing, escapes and number forms that no serialiser would produce again.
ODD = {
    "openai": b' {"messages" : [{"content":"h\\u0069 \\/ x","role":"user"}],"temperature":1.0e0,\r\n"model": "NAME", "x":[ ] }\n',
    "completions": b'{ "prompt":"h\\u0069 \\/", "temperature" : 0.10e1,"model":"NAME" }',
    "responses": b' {"input" : "h\\u0069 \\/ x" ,"temperature":1.0e0,\t"model":"NAME","store":false }\n',
    "anthropic": (
        b'{"max_tokens" : 100, "temperature":1.0e0, '
        b'"messages":[ {"content":"h\\u0069 \\/","role":"user"}],\r\n "model":"NAME" } '
    ),
    "gemini": (
        b' {"contents" : [{"parts":[{"text":"h\\u0069 \\/ x"} ],"role":"user"}],'
        b'"generationConfig":{"temperature":1.0e0}}\n'
    ),
}
SAME = [("openai", "openai"), ("openai", "groq"), ("openai", "vllm"), ("completions", "openai"), ("responses", "openai"),
        ("anthropic", "anthropic"), ("gemini", "gemini"), ("gemini", "vertex_ai gemini")]


@pytest.fixture(scope="module")
def bytes_mock(tmp_path_factory):
    server = Mockllm(tmp_path_factory.mktemp("bytes-mock"), *providers.MOCK_ARGS)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def http(tmp_path_factory, bytes_mock):
    with cells.client_of_all(tmp_path_factory.mktemp("bytes-gateway"), bytes_mock) as found:
        yield found


@pytest.mark.parametrize(("dialect", "provider"), SAME)
def test_only_the_model_name_changes(http, bytes_mock, dialect, provider):
    model = providers.model_of(provider)
    body = ODD[dialect].replace(b"NAME", model.encode())
    answer = http.post(cells.DIALECTS[dialect].path(model, False), content=body, headers={
        "content-type": "application/json", "anthropic-version": "2023-06-01"})
    assert answer.status_code == 200, answer.text
    sent = bytes_mock.last_body()
    upstream = json.loads(sent).get("model", "").encode()
    assert upstream or dialect == "gemini"
    assert sent == ODD[dialect].replace(b"NAME", upstream)


def conversation(turns):
    found = []
    for turn in range(turns):
        calls = [Call("get_weather", {"city": f"\u4e16 \"{turn}\"", "days": turn + 1}, f"call{turn:05}", "sunny\n\u00e9")]
        found += [Turn("user", f"question {turn} \u00e9 \\ \"x\""), Turn("assistant", calls=calls),
                  Turn("assistant", f"answer {turn}")]
    return [*found, Turn("user", "and now?")]


def messages_of(sent):
    """The upstream body up to the end of its last message, without the bracket that closes the list."""
    for name in (b'"messages":[', b'"contents":[', b'"input":['):
        if name in sent:
            begin = sent.index(name) + len(name)
            text, end = sent[begin:].decode(), 0
            while text[end] != "]":
                _, end = json.JSONDecoder().raw_decode(text, end + (text[end] == ","))
            return sent[:begin] + text[:end].encode(), begin
    raise AssertionError(sent[:300])


@pytest.mark.parametrize("provider", providers.NAMES)
@pytest.mark.parametrize("dialect", [name for name in cells.DIALECTS if name != "completions"])
def test_turns_share_their_prefix(http, bytes_mock, dialect, provider):
    """Turn n+1's upstream bytes begin with turn n's message bytes."""
    driver = cells.DIALECTS[dialect]
    model = providers.model_of(provider)
    before = b""
    for turns in range(1, 5):
        ask = Ask(conversation(turns), system="Be brief \u00e9", tools={"get_weather": WEATHER, "get_time": CLOCK})
        http.post(driver.path(model, True), json=driver.body(ask, model, True), headers={"anthropic-version": "2023-06-01"})
        sent, begin = messages_of(bytes_mock.last_body())
        assert sent.startswith(before), (before[-200:], sent[:len(before)][-200:])
        assert len(before) < len(sent)
        # The last question of this turn is another one in the next: all before it must stay.
        before = sent[:sent.rindex(b"and now?")]
        before = before[:before.rindex(b"answer")]
        assert len(before) > begin
