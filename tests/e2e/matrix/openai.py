# SPDX-License-Identifier: MIT
"""Clients of OpenAI's chat completions and of the legacy completions."""

import json

from matrix import sse
from matrix.neutral import Answer, Call, CannotAsk


class Chat:
    name = "openai"

    def path(self, model, stream):
        return "/v1/chat/completions"

    def body(self, ask, model, stream):
        body = {"model": model, "messages": self._messages(ask), "max_tokens": ask.max_tokens}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if ask.tools:
            body["tools"] = [{"type": "function", "function": {"name": name, "description": name, "parameters": schema}}
                             for name, schema in ask.tools.items()]
        if ask.forced:
            body["tool_choice"] = {"type": "function", "function": {"name": ask.forced}}
        if ask.schema:
            body["response_format"] = {"type": "json_schema", "json_schema": {
                "name": "answer", "strict": True, "schema": ask.schema}}
        if ask.stop:
            body["stop"] = [ask.stop]
        if ask.reasons:
            body["reasoning_effort"] = "low"
        return body

    def _messages(self, ask):
        messages = [{"role": "system", "content": ask.system}] if ask.system else []
        for turn in ask.turns:
            message = {"role": turn.role, "content": self._content(turn)}
            if turn.calls:
                message["tool_calls"] = [
                    {"id": call.id, "type": "function",
                     "function": {"name": call.name, "arguments": json.dumps(call.arguments)}} for call in turn.calls]
            messages.append(message)
            messages += [{"role": "tool", "tool_call_id": call.id, "content": call.result} for call in turn.calls]
        return messages

    @staticmethod
    def _content(turn):
        url = turn.image_url or (turn.image_base64 and "data:image/png;base64," + turn.image_base64)
        if not url:
            return turn.text or None
        return [{"type": "text", "text": turn.text}, {"type": "image_url", "image_url": {"url": url}}]

    def plain(self, found):
        assert found["object"] == "chat.completion" and len(found["choices"]) == 1
        choice = found["choices"][0]
        message = choice["message"]
        assert message["role"] == "assistant"
        answer = Answer(message.get("content") or "", message.get("reasoning_content") or "", finish=choice["finish_reason"])
        for call in message.get("tool_calls") or []:
            answer.calls.append(Call(call["function"]["name"], json.loads(call["function"]["arguments"]), call["id"]))
        self._usage(found["usage"], answer)
        return answer

    @staticmethod
    def _usage(usage, answer):
        answer.usage = usage["prompt_tokens"], usage["completion_tokens"]
        details = usage.get("prompt_tokens_details") or {}
        answer.cached = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens", 0)  # the latter: DeepSeek

    def stream(self, body):
        answer = Answer()
        calls = {}
        found = sse.events(body)
        ends = [index for index, (_, data) in enumerate(found) if data == "[DONE]"]
        chunks = [json.loads(data) for _, data in found if data != "[DONE]"]
        ids = {chunk["id"] for chunk in chunks if "error" not in chunk and chunk.get("choices")}
        assert len(ids) <= 1, f"several ids: {ids}"
        for index, chunk in enumerate(chunks):
            if "error" in chunk:
                assert index == len(chunks) - 1 and not ends, "something comes behind an error"
                answer.error = chunk["error"]["message"]
                return answer
            if chunk.get("usage"):
                self._usage(chunk["usage"], answer)
            for choice in chunk["choices"]:
                self._choice(choice, answer, calls)
        assert ends == [len(found) - 1], "[DONE] must be last, and there once"
        answer.calls = [Call(name, json.loads("".join(parts)), call_id) for name, call_id, parts in calls.values()]
        return answer

    @staticmethod
    def _choice(choice, answer, calls):
        delta = choice["delta"]
        has_output = any(delta.get(name) for name in ("content", "reasoning_content", "tool_calls"))
        assert not (answer.finish and has_output), "output behind the finish reason"
        answer.text += delta.get("content") or ""
        answer.reasoning += delta.get("reasoning_content") or ""
        answer.pieces += bool(delta.get("content"))
        for part in delta.get("tool_calls") or []:
            if part["index"] not in calls:
                assert part["index"] == len(calls), "calls must be numbered in their order"
                calls[part["index"]] = (part["function"]["name"], part["id"], [])
            calls[part["index"]][2].append(part["function"].get("arguments") or "")
        answer.finish = choice.get("finish_reason") or answer.finish

    def error(self, found):
        """The message of an error answer. Providers that speak this dialect pass theirs on: Azure's has no type."""
        if "error" not in found:
            assert isinstance(found["message"], str)  # Mistral's
            return found["message"]
        assert isinstance(found["error"]["message"], str)
        return found["error"]["message"]


class Completions(Chat):
    name = "completions"

    def path(self, model, stream):
        return "/v1/completions"

    def body(self, ask, model, stream):
        if ask.tools or ask.schema or ask.reasons or ask.system or len(ask.turns) > 1:
            raise CannotAsk("a prompt is one text: no system prompt, turns, tools, schemas or reasoning")
        turn = ask.turns[0]
        if turn.image_url or turn.image_base64:
            raise CannotAsk("a prompt is one text: no images")
        body = {"model": model, "prompt": turn.text, "max_tokens": ask.max_tokens}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if ask.stop:
            body["stop"] = [ask.stop]
        return body

    def plain(self, found):
        assert found["object"] == "text_completion" and len(found["choices"]) == 1
        choice = found["choices"][0]
        answer = Answer(choice["text"], finish=choice["finish_reason"])
        self._usage(found["usage"], answer)
        return answer

    @staticmethod
    def _choice(choice, answer, calls):
        assert not (answer.finish and choice["text"]), "output behind the finish reason"
        answer.text += choice["text"]
        answer.pieces += bool(choice["text"])
        answer.finish = choice.get("finish_reason") or answer.finish
