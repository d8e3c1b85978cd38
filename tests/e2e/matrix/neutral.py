# SPDX-License-Identifier: MIT
"""What a client asks and gets, whatever it speaks: the drivers translate to and from these."""

from dataclasses import dataclass, field


class CannotAsk(Exception):
    """The dialect has no way to say it; the text is the reason."""


@dataclass
class Call:
    """A tool call, or what a tool answered to it."""

    name: str
    arguments: dict
    id: str = "call_a1b2c3d4e"
    result: str = ""


@dataclass
class Turn:
    """What user or assistant said; with `calls` an assistant's calls, and the tools' results behind them."""

    role: str
    text: str = ""
    calls: list = field(default_factory=list)
    image_url: str = ""
    image_base64: str = ""


@dataclass
class Ask:
    turns: list
    system: str = ""
    tools: dict = field(default_factory=dict)
    forced: str = ""
    schema: dict = None
    stop: str = ""
    max_tokens: int = 4000
    reasons: bool = False


@dataclass
class Answer:
    """`finish` is stop, length, tool_calls or content_filter; `pieces` counts the deltas of a stream."""

    text: str = ""
    reasoning: str = ""
    calls: list = field(default_factory=list)
    finish: str = ""
    usage: tuple = None
    cached: int = 0
    error: str = ""
    pieces: int = 0


def said(text, **more):
    """An Ask of one turn."""
    return Ask([Turn("user", text)], **more)
