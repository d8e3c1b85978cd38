# SPDX-License-Identifier: MIT
"""What the tests of mockllm's vendors share: texts and tools that all of them use."""

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
