# SPDX-License-Identifier: MIT
"""Sessions of coding agents (agents.py) over every provider: nothing is lost in silence, a turn's bytes begin with those
of the turn before, signatures come back as they were."""

import json
import re

import pytest
from agents import ClaudeCode, Codex
from matrix import cell as cells
from matrix import providers
from servers import Mockllm
from test_matrix_bytes import messages_of

AGENTS = {"claude-code": ClaudeCode, "codex": Codex, "codex-lite": lambda: Codex(lite=True)}
RESPONSES = ("openai", "azure", "deepseek", "groq", "vllm")
NATIVE = {"claude-code": ("anthropic", "vertex_ai claude"), "codex": RESPONSES, "codex-lite": RESPONSES}
CLAUDES = ("anthropic", "vertex_ai claude", "bedrock")
# Results of tools are text here, and nothing else may stand in their place: an image in one is refused.
TEXT_RESULTS = ("cohere", "mistral")


@pytest.fixture(scope="module")
def agents_mock(tmp_path_factory):
    server = Mockllm(tmp_path_factory.mktemp("agents-mock"), *providers.MOCK_ARGS)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def http(tmp_path_factory, agents_mock):
    with cells.client_of_all(tmp_path_factory.mktemp("agents-gateway"), agents_mock) as found:
        yield found


def strings(value):
    """All texts in a JSON value, names of members too, also in JSON inside a text."""
    if isinstance(value, dict):
        return " ".join(strings(part) for item in value.items() for part in item)
    if isinstance(value, list):
        return " ".join(strings(part) for part in value)
    return value if isinstance(value, str) else ""


def marks(value):
    return set(re.findall(r"mark-[A-Za-z0-9_-]+", strings(value)))


class Session:
    def __init__(self, http, mock, agent, provider):
        self.http, self.mock, self.provider = http, mock, provider
        self.kind, self.agent = agent, AGENTS[agent]()
        self.agent.has_images = provider not in TEXT_RESULTS
        self.before = b""
        self.warnings = ""

    @property
    def is_native(self):
        return self.provider in NATIVE[self.kind]

    def turn(self):
        body = self.agent.body(providers.model_of(self.provider))
        answer = self.http.post(self.agent.path, json=body, headers=self.agent.headers)
        assert answer.status_code == 200, answer.text
        sent = self.mock.last_body()
        lost = marks(body) - marks(json.loads(sent))
        self.warnings = answer.headers.get("x-gatewire-warning", "")
        assert not lost, (lost, self.warnings)
        for name in self.agent.only_native:
            assert self.is_native or name in self.warnings, (name, self.warnings)
        self._check_prefix(sent)
        return sent, self.agent.read(answer.content)

    def _check_prefix(self, sent):
        """But where marks for the cache travel on: they move from turn to turn."""
        if self.kind == "claude-code" and self.provider in CLAUDES:
            return
        text, _ = messages_of(sent)
        assert text.startswith(self.before), (self.before[-300:], text[:len(self.before)][-300:])
        self.before = text


@pytest.mark.parametrize("provider", providers.NAMES)
@pytest.mark.parametrize("agent", AGENTS)
def test_session(http, agents_mock, agent, provider):
    session = Session(http, agents_mock, agent, provider)
    talk = session.agent
    talk.ask("mark-task Mend it. [[tools:3]] [[reasoning:4]]")
    _, called = session.turn()
    expected = ["Bash", "Read", "TodoWrite"] if agent == "claude-code" else ["exec_command", "apply_patch", "mcp__docs.search"]
    assert called == expected
    signatures = talk.thinking
    talk.give_results()
    sent, called = session.turn()
    assert called == []
    check_signatures(session, signatures, sent)
    talk.ask("mark-next Once more. [[tools:1]] [[reasoning:2]]")
    sent, called = session.turn()
    assert called == expected[:1]
    signatures += talk.thinking
    talk.give_results()
    sent, called = session.turn()
    assert called == []
    check_signatures(session, signatures, sent)


def check_signatures(session, signatures, sent):
    if session.kind == "claude-code" and session.provider in CLAUDES:
        assert signatures
        assert all(signature.encode() in sent for signature in signatures)
    elif session.provider in CLAUDES:
        assert signatures and (b'"signature":' in sent)
    assert session.is_native or b"gatewire." not in sent


# The mock's signatures of Bedrock and of the Messages API are not each other's.
@pytest.mark.parametrize("provider", [name for name in providers.NAMES if name not in ("anthropic", "bedrock")])
def test_on_to_anthropic(http, agents_mock, provider):
    """What another vendor thought is no reason for Anthropic to refuse the rest of the session."""
    session = Session(http, agents_mock, "claude-code", provider)
    session.agent.ask("mark-task Mend it. [[tools:2]] [[reasoning:4]]")
    session.turn()
    session.agent.give_results()
    session.provider = "anthropic"
    sent, _ = session.turn()
    assert b"gatewire." not in sent and b'"signature":""' not in sent
    assert provider in CLAUDES or b'"type":"thinking"' not in sent
    session.agent.ask("mark-next [[reasoning:4]]")
    session.turn()
    assert session.agent.thinking


@pytest.mark.parametrize("provider", providers.NAMES)
def test_count_tokens(http, agents_mock, provider):
    session = Session(http, agents_mock, "claude-code", provider)
    session.agent.ask("mark-task")
    body = session.agent.body(providers.model_of(provider))
    del body["max_tokens"], body["stream"]
    answer = http.post("/v1/messages/count_tokens?beta=true", json=body, headers=session.agent.headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["input_tokens"] > 20
