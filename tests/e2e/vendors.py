# SPDX-License-Identifier: MIT
"""What the tests of mockllm's vendors and of vendors' SDKs share: texts, tools and models that all of them use."""

import httpx
from servers import SLOWNESS

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
    "additionalProperties": False,
}
CLOCK = {"type": "object", "properties": {}, "additionalProperties": False}
ANSWER = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["answer", "count"],
    "additionalProperties": False,
}
# What [[unicode]] answers: scripts, combining marks, a joined emoji, escapes, line ends, a control character.
UNICODE = (
    'Gr\u00fc\u00dfe, \u4e16\u754c! \u0634\u0643\u0631\u0627 e\u0301 \U0001f469\u200d\U0001f680 '
    '"quoted" back\\slash </script> \u2028 tab\there\r\nnew line \x01 end'
)

# One model of each vendor whose API is its own, as clients ask for it.
MODELS = ("m-openai", "m-anthropic", "m-gemini")


def three_vendors(mock):
    """The model_list behind MODELS, and one for vectors."""
    rows = {
        "m-openai": {"model": "openai/gpt-4.1", "api_base": mock.url + "/v1"},
        "m-anthropic": {"model": "anthropic/claude-sonnet-4-5", "api_base": mock.url + "/anthropic"},
        "m-gemini": {"model": "gemini/gemini-2.5-flash", "api_base": mock.url + "/gemini/v1beta"},
        "v-openai": {"model": "openai/text-embedding-3-small", "api_base": mock.url + "/v1"},
        "v-gemini": {"model": "gemini/gemini-embedding-001", "api_base": mock.url + "/gemini/v1beta"},
    }
    return [{"model_name": name, "litellm_params": {**row, "api_key": "sk-mock"}} for name, row in rows.items()]


def client(mock, **headers):
    """An HTTP client for a running mock that asks nobody else."""
    return httpx.Client(base_url=mock.url, headers=headers, timeout=20 * SLOWNESS, trust_env=False)


def sse(text):
    """The events of a stream as (name, data)."""
    found = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in fields:
            found.append((fields.get("event"), fields["data"]))
    return found
