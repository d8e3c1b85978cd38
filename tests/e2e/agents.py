# SPDX-License-Identifier: MIT
"""Coding agents as they talk to their vendors: whole sessions of several turns, built from the vendors' public pages.

An agent makes a request, takes the answer apart, keeps it as the real one does, and goes on. Words that begin with
`mark-` stand wherever something could get lost on the way.
"""

import json

from matrix import sse

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PATCH_GRAMMAR = 'start: "*** Begin Patch" LF line+ "*** End Patch"\nline: /.+/ LF\n%import common.LF'


def schema(name, **properties):
    """A tool's parameters as the tools' own generators write them."""
    fields = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": properties}
    return {**fields, "required": [name], "additionalProperties": False}


COMMAND = schema("command", command={"type": "string", "description": "mark-command \u2014 what to run"},
                 timeout={"type": "integer", "minimum": 1})
PATH = schema("path", path={"type": "string"}, limit={"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None})


class ClaudeCode:
    """Messages: blocks of system, breakpoints of the cache that move on, signed thinking, parallel calls."""

    name = "claude-code"
    headers = {
        "authorization": "Bearer k", "anthropic-version": "2023-06-01", "x-app": "cli",
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27",
        "user-agent": "claude-cli/2.1.0 (external, cli)", "x-claude-code-session-id": "6f1c", "x-stainless-lang": "js",
    }
    path = "/v1/messages?beta=true"
    # What only Anthropic's API has; elsewhere it must be named in the warning.
    only_native = ("context_management",)

    has_images = True

    def __init__(self):
        self.messages = []
        self.calls = []
        self.thinking = []  # signatures of the last answer

    def ask(self, text):
        reminder = {"type": "text", "text": f"<system-reminder>\nmark-reminder-{len(self.messages)}\n</system-reminder>\n"}
        self.messages.append({"role": "user", "content": [reminder, {"type": "text", "text": text}]})

    def give_results(self):
        blocks = []
        for number, call in enumerate(self.calls):
            text = f"mark-result-{call['id']} \u00e9\t\"x\"\n"
            content = [{"type": "text", "text": text}] if number else text
            blocks.append({"type": "tool_result", "tool_use_id": call["id"], "content": content, "is_error": number == 1})
        if len(self.calls) == 1 and self.has_images:
            source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
            blocks[0]["content"] = [{"type": "text", "text": blocks[0]["content"]}, {"type": "image", "source": source}]
        self.messages.append({"role": "user", "content": blocks})

    def body(self, model):
        messages = json.loads(json.dumps(self.messages))
        for message in [turn for turn in messages if turn["role"] == "user"][-2:]:
            message["content"][-1]["cache_control"] = {"type": "ephemeral"}
        tools = [
            {"name": "Bash", "description": "mark-bash \u2014 runs a command", "input_schema": COMMAND},
            {"name": "Read", "description": "mark-read", "input_schema": PATH},
            {"name": "TodoWrite", "description": "mark-todo", "input_schema": schema(
                "todos", todos={"type": "array", "items": {"type": "object", "properties": {"content": {"type": "string"}},
                                                           "required": ["content"], "additionalProperties": False}})},
        ]
        system = [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.0; cc_entrypoint=cli;"},
            {"type": "text", "text": "mark-identity", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "mark-instructions\n# Tone \u00e9", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ]
        return {
            "model": model, "messages": messages, "system": system, "tools": tools, "max_tokens": 32000, "stream": True,
            "metadata": {"user_id": json.dumps({"device_id": "d" * 64, "session_id": "s" * 36})},
            "thinking": {"type": "enabled", "budget_tokens": 4096},
            "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        }

    def read(self, body):
        """The answer's blocks, kept as they came."""
        blocks = []
        for name, event in sse.objects(body):
            assert name == event["type"] and name != "error", event
            if name == "content_block_start":
                blocks.append(dict(event["content_block"], text_of_json=""))
            elif name == "content_block_delta":
                self._add(blocks[-1], event["delta"])
        assert name == "message_stop"
        for block in blocks:
            text = block.pop("text_of_json")
            if block["type"] == "tool_use":
                block["input"] = json.loads(text or "{}")
        self.messages.append({"role": "assistant", "content": blocks})
        self.calls = [block for block in blocks if block["type"] == "tool_use"]
        self.thinking = [block["signature"] for block in blocks if block["type"] == "thinking"]
        return [call["name"] for call in self.calls]

    @staticmethod
    def _add(block, delta):
        for name, member in (("text", "text"), ("thinking", "thinking"), ("signature", "signature"),
                             ("partial_json", "text_of_json")):
            block[member] = block.get(member, "") + delta[name] if name in delta else block.get(member, "")
        if block["type"] != "text":
            block.pop("text")
        if block["type"] != "thinking":
            block.pop("thinking", None)
            block.pop("signature", None)


class Codex:
    """Responses: nothing stored, reasoning that comes back sealed, free-text tools and tools in namespaces."""

    name = "codex"
    headers = {
        "authorization": "Bearer k", "accept": "text/event-stream", "originator": "codex_cli_rs", "session-id": "6f1c",
        "user-agent": "codex_cli_rs/0.99.0 (Debian 13; x86_64)", "version": "0.99.0",
    }
    path = "/v1/responses"
    only_native = ("tools[]",)  # the search that the vendor's servers do

    def __init__(self, lite=False):
        self.lite = lite
        self.items = []
        self.calls = []
        self.thinking = []
        if lite:  # tools and instructions as items of the conversation
            self.items += [{"type": "additional_tools", "role": "developer", "tools": self.tools()},
                           self._message("developer", "mark-instructions")]
        self.items.append(self._message("developer", "<permissions>\nmark-permissions\n</permissions>"))

    @staticmethod
    def _message(role, text):
        return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}

    @staticmethod
    def tools():
        docs = {"type": "function", "name": "search", "description": "mark-search", "parameters": PATH, "strict": False}
        return [
            {"type": "function", "name": "exec_command", "description": "mark-exec", "strict": False, "parameters": COMMAND},
            {"type": "custom", "name": "apply_patch", "description": "mark-patch",
             "format": {"type": "grammar", "syntax": "lark", "definition": PATCH_GRAMMAR}},
            {"type": "namespace", "name": "mcp__docs", "description": "mark-namespace", "tools": [docs]},
            {"type": "web_search", "external_web_access": False},
        ]

    def ask(self, text):
        self.items.append(self._message("user", text))

    def give_results(self):
        for call in self.calls:
            text = f"mark-result-{call['call_id']} \u00e9\t\"x\"\n"
            kind = call["type"] + "_output"
            output = text if kind == "custom_tool_call_output" else [{"type": "input_text", "text": text}]
            self.items.append({"type": kind, "call_id": call["call_id"], "output": output})

    def body(self, model):
        body = {
            "model": model, "input": self.items, "tool_choice": "auto", "parallel_tool_calls": True, "store": False,
            "stream": True, "reasoning": {"effort": "medium", "summary": "auto"}, "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": "6f1c", "text": {"verbosity": "medium"}, "client_metadata": {"session": "6f1c"},
        }
        return body if self.lite else {**body, "instructions": "mark-instructions", "tools": self.tools()}

    def read(self, body):
        """The items as they were when they were done; ids are not sent back."""
        items = []
        for name, event in sse.objects(body):
            assert name == event["type"] and name not in ("error", "response.failed"), event
            if name == "response.output_item.done":
                item = dict(event["item"])
                item.pop("id", None)
                item.pop("status", None)
                items.append(item)
        assert name == "response.completed" and event["response"]["usage"]["output_tokens"] > 0, event
        self.items += items
        self.calls = [item for item in items if item["type"] in ("function_call", "custom_tool_call")]
        self.thinking = [item["encrypted_content"] for item in items if item.get("encrypted_content")]
        for call in self.calls:
            assert call["type"] == "custom_tool_call" or json.loads(call["arguments"]) is not None
            assert call["type"] == "function_call" or isinstance(call["input"], str)
        return [".".join(filter(None, (call.get("namespace"), call["name"]))) for call in self.calls]
