# SPDX-License-Identifier: MIT
"""What every cell is expected to be: it works, but for the rows below, each with its reason.

A row's last text must be part of what the gateway says (the warning, the refusal), or of why it cannot be asked.
"""

from matrix import scenarios
from matrix.cell import DIALECTS, REFUSED, UNASKED, WARNED, WORKS
from matrix.providers import NAMES

ALL = None
VENDORS = tuple(name for name in NAMES if name not in ("openai", "azure", "vllm"))
TRANSLATED = ("responses", "anthropic", "gemini", "ollama")
ERRORS = ("429", "500", "401", "overload", "client cancels")
ASKED = tuple(title for title in scenarios.ALL if title not in ERRORS)

# dialects, providers, scenarios, mark, reason; the last row that fits decides.
ROWS = [
    (("completions",), VENDORS, ASKED, WARNED, "sent as a message of the user"),
    (("completions",), ALL, ("system prompt", "multi-turn", "one tool call", "parallel tool calls", "tool results",
                             "forced tool", "JSON schema output", "reasoning"), UNASKED, "a prompt is one text"),
    (("completions",), ALL, ("image by URL", "image as base64"), UNASKED, "a prompt is one text: no images"),
    (ALL, ("cohere",), ("content filter",), UNASKED, "Cohere tells no such end"),
    (("responses",), ALL, ("stop sequence",), UNASKED, "Responses has no stop sequences"),
    (("ollama",), ALL, ("forced tool",), UNASKED, "Ollama has no tool_choice"),
    (("ollama",), ALL, ("image by URL",), UNASKED, "Ollama's images are base64"),
    (("openai", "responses", "anthropic", "gemini"), ("bedrock", "vertex_ai claude"), ("image by URL",), REFUSED, "image"),
    (("openai",), ("mistral",), ("reasoning",), REFUSED, "the provider says: "),
    (("openai",), ("deepseek",), ("JSON schema output",), REFUSED, "the provider says: "),
    (("openai",), ("deepseek",), ("tool results",), REFUSED, "reasoning_content"),
    (("anthropic", "gemini", "ollama"), ("deepseek",), ("JSON schema output",), WARNED, "response_format"),
    (("anthropic", "gemini", "ollama"), ("openai", "azure", "groq"), ("reasoning",), WARNED, "this model takes none"),
    (("openai", *TRANSLATED), ("cohere",), ("reasoning",), WARNED, "The model does not reason"),
    (TRANSLATED, ("mistral",), ("reasoning",), WARNED, "changed to the nearest effort"),
    (("ollama",), ("deepseek",), ("reasoning",), WARNED, "changed to the nearest effort"),
    (("ollama",), ("anthropic", "vertex_ai claude"), ("reasoning",), WARNED, "leaves less room for thinking"),
]


def expected(dialect, provider, title):
    """The mark of a cell and the reason that goes with it."""
    found = WORKS, ""
    for dialects, providers, titles, mark, reason in ROWS:
        fits = (dialects is ALL or dialect in dialects) and (providers is ALL or provider in providers)
        if fits and title in titles:
            found = mark, reason
    return found


def markdown():
    """The matrix as docs/providers.md has it: a table per dialect."""
    lines = []
    for dialect in DIALECTS:
        lines += [f"### {dialect}", "", "| | " + " | ".join(NAMES) + " |", "|---|" + ":-:|" * len(NAMES)]
        lines += [f"| {title} | " + " | ".join(expected(dialect, name, title)[0] for name in NAMES) + " |"
                  for title in scenarios.ALL]
        lines.append("")
    lines += ["### Why", "", "| clients | providers | scenarios | | reason |", "|---|---|---|:-:|---|"]
    for dialects, providers, titles, mark, reason in ROWS:
        what = "all but errors" if titles is ASKED else ", ".join(titles)
        who = "all" if dialects is ALL else ", ".join(dialects)
        where = "all" if providers is ALL else ", ".join(providers)
        lines.append(f"| {who} | {where} | {what} | {mark} | {reason.strip(': ')} |")
    return "\n".join(lines) + "\n"
