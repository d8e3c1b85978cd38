# SPDX-License-Identifier: MIT
"""Clients of Ollama's /api/chat."""

import json

from matrix.neutral import Answer, Call, CannotAsk


class Ollama:
    name = "ollama"

    def path(self, model, stream):
        return "/api/chat"

    def body(self, ask, model, stream):
        if ask.forced:
            raise CannotAsk("Ollama has no tool_choice")
        options = {"num_predict": ask.max_tokens}
        body = {"model": model, "messages": self._messages(ask), "stream": stream, "options": options}
        if ask.tools:
            body["tools"] = [{"type": "function", "function": {"name": name, "description": name, "parameters": schema}}
                             for name, schema in ask.tools.items()]
        if ask.schema:
            body["format"] = ask.schema
        if ask.stop:
            options["stop"] = [ask.stop]
        if ask.reasons:
            body["think"] = True
        return body

    def _messages(self, ask):
        messages = [{"role": "system", "content": ask.system}] if ask.system else []
        for turn in ask.turns:
            if turn.image_url:
                raise CannotAsk("Ollama's images are base64")
            message = {"role": turn.role, "content": turn.text}
            if turn.image_base64:
                message["images"] = [turn.image_base64]
            if turn.calls:
                message["tool_calls"] = [{"function": {"name": call.name, "arguments": call.arguments}} for call in turn.calls]
            messages.append(message)
            messages += [{"role": "tool", "tool_name": call.name, "content": call.result} for call in turn.calls]
        return messages

    def plain(self, found):
        answer = Answer()
        self._line(found, answer)
        assert answer.finish
        return answer

    def _line(self, line, answer):
        assert not answer.finish, "something behind done"
        assert line["model"] and line["created_at"].endswith("Z")
        message = line["message"]
        assert message["role"] == "assistant"
        answer.text += message["content"]
        answer.pieces += bool(message["content"])
        answer.reasoning += message.get("thinking") or ""
        for call in message.get("tool_calls") or []:
            function = call["function"]
            answer.calls.append(Call(function["name"], function["arguments"], call.get("id", "")))
        if line["done"]:
            answer.finish = "tool_calls" if answer.calls else line["done_reason"]
            answer.usage = line.get("prompt_eval_count", 0), line.get("eval_count", 0)

    def stream(self, body):
        answer = Answer()
        assert body.endswith(b"\n")
        lines = [json.loads(line) for line in body.split(b"\n")[:-1]]
        for index, line in enumerate(lines):
            if "error" in line:
                assert index == len(lines) - 1
                answer.error = self.error(line)
                return answer
            self._line(line, answer)
        assert answer.finish, "no line is done"
        return answer

    def error(self, found):
        assert isinstance(found["error"], str)
        return found["error"]
