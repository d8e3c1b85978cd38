# SPDX-License-Identifier: MIT
"""`gatewire explain`: what a provider would be sent, without asking anybody."""

import json
import subprocess

import pytest
from servers import GATEWIRE

CHAT = {
    "model": "some-model",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
    "seed": 7,
}


def explain(*args, body=CHAT):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return subprocess.run([GATEWIRE, "explain", *args, "-"], input=text, capture_output=True, timeout=20, check=False)


def sent(result):
    """The JSON between the head and the notes."""
    text = result.stdout.decode()
    return json.loads(text[text.index("\n\n{") : text.rindex("}") + 1])


def test_a_translation_is_shown_with_its_notes():
    result = explain("--provider", "anthropic")
    assert result.returncode == 0, result.stderr
    out = result.stdout.decode()
    assert "Translated from openai" in out and "POST https://api.anthropic.com/v1/messages" in out
    assert "dropped  seed" in out
    body = sent(result)
    assert body["model"] == "some-model" and body["messages"][0]["role"] == "user"
    assert "authorization" not in out and "x-api-key" not in out


def test_the_clients_bytes_are_shown_where_they_travel_as_they_are():
    text = b'{ "model" : "some-model",\n "messages":[{"role":"user","content":"\\u00e9"}] }'
    result = explain("--provider", "openai", body=text)
    assert result.returncode == 0, result.stderr
    assert text in result.stdout


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini", "bedrock", "vertex_ai", "groq", "mistral"])
@pytest.mark.parametrize("dialect", ["openai", "anthropic", "responses", "ollama", "completions"])
def test_every_pair_says_something(dialect, provider):
    bodies = {
        "openai": CHAT,
        "anthropic": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]},
        "responses": {"model": "m", "input": "Hello"},
        "ollama": {"model": "m", "messages": [{"role": "user", "content": "Hello"}]},
        "completions": {"model": "m", "prompt": "Hello"},
    }
    result = explain("--dialect", dialect, "--provider", provider, body=bodies[dialect])
    assert result.returncode == 0, result.stderr
    assert b"Hello" in result.stdout and b"POST " in result.stdout


def test_a_refusal_is_told():
    result = explain("--provider", "anthropic", body={**CHAT, "n": 3})
    assert result.returncode == 1 and b"'n'" in result.stderr
    assert explain("--provider", "anthropic", "--drop-params", body={**CHAT, "n": 3}).returncode == 0
    assert explain("--provider", "anthropic", body=b"{").returncode == 1


@pytest.mark.parametrize(
    ("args", "word"),
    [
        ((), b"--provider is missing"),
        (("--provider", "nobody"), b"unknown provider: nobody"),
        (("--provider", "openai", "--dialect", "latin"), b"unknown dialect: latin"),
        (("--provider", "openai", "--dialect", "gemini"), b"--model is missing"),
        (("--provider", "openai", "a", "b"), b"one FILE"),
    ],
)
def test_a_wrong_command_line(args, word):
    result = explain(*args)
    assert result.returncode == 2 and word in result.stderr and b"Usage:" in result.stderr
