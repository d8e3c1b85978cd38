# SPDX-License-Identifier: MIT
"""Clients of Anthropic's Messages."""

import json

from matrix import sse
from matrix.neutral import Answer, Call

FINISH = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls", "refusal": "content_filter",
}


class Messages:
    name = "anthropic"

    def path(self, model, stream):
        return "/v1/messages"

    def body(self, ask, model, stream):
        body = {"model": model, "max_tokens": ask.max_tokens, "messages": self._messages(ask)}
        if stream:
            body["stream"] = True
        if ask.system:
            body["system"] = ask.system
        if ask.tools:
            body["tools"] = [{"name": name, "description": name, "input_schema": schema} for name, schema in ask.tools.items()]
        if ask.forced:
            body["tool_choice"] = {"type": "tool", "name": ask.forced}
        if ask.schema:
            body["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
        if ask.stop:
            body["stop_sequences"] = [ask.stop]
        if ask.reasons:
            body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        return body

    def _messages(self, ask):
        messages = []
        for turn in ask.turns:
            blocks = self._source(turn) + ([{"type": "text", "text": turn.text}] if turn.text else [])
            blocks += [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in turn.calls]
            messages.append({"role": turn.role, "content": blocks})
            if turn.calls:
                messages.append({"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": call.id, "content": call.result} for call in turn.calls]})
        return messages

    @staticmethod
    def _source(turn):
        if turn.image_url:
            return [{"type": "image", "source": {"type": "url", "url": turn.image_url}}]
        if turn.image_base64:
            return [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": turn.image_base64}}]
        return []

    def plain(self, found):
        assert found["type"] == "message" and found["role"] == "assistant" and found["id"]
        answer = Answer(finish=FINISH[found["stop_reason"]])
        for block in found["content"]:
            if block["type"] == "text":
                answer.text += block["text"]
            elif block["type"] == "thinking":
                assert isinstance(block["signature"], str)
                answer.reasoning += block["thinking"]
            elif block["type"] == "tool_use":
                answer.calls.append(Call(block["name"], block["input"], block["id"]))
        self._usage(found["usage"], answer)
        return answer

    @staticmethod
    def _usage(usage, answer):
        """Input counts what no cache knew; the neutral number counts all."""
        read = usage.get("cache_read_input_tokens") or 0
        written = usage.get("cache_creation_input_tokens") or 0
        answer.usage = usage["input_tokens"] + read + written, usage["output_tokens"]
        answer.cached = read

    def stream(self, body):
        answer = Answer()
        state = {"usage": {}, "block": None, "next": 0, "last": None}
        for name, event in sse.objects(body):
            assert name == event["type"], (name, event)
            assert state["last"] != "message_stop", "something behind message_stop"
            if name == "error":
                answer.error = event["error"]["message"]
                assert event["error"]["type"]
                state["last"] = "message_stop"
                continue
            getattr(self, "_" + name)(event, answer, state)
            state["last"] = name
        assert state["last"] == "message_stop", "the stream does not end with message_stop"
        if not answer.error:
            self._usage(state["usage"], answer)
        return answer

    def _ping(self, event, answer, state):
        assert event == {"type": "ping"}

    def _message_start(self, event, answer, state):
        assert state["last"] is None
        message = event["message"]
        assert message["content"] == [] and message["stop_reason"] is None and message["role"] == "assistant"
        state["usage"].update(message["usage"])

    def _content_block_start(self, event, answer, state):
        assert state["block"] is None and event["index"] == state["next"]
        state["block"], state["arguments"] = event["content_block"], ""
        state["next"] += 1
        if state["block"]["type"] == "tool_use":
            assert state["block"]["input"] == {}

    def _content_block_delta(self, event, answer, state):
        assert event["index"] == state["next"] - 1 and state["block"] is not None
        delta, kind = event["delta"], state["block"]["type"]
        if delta["type"] == "text_delta":
            assert kind == "text"
            answer.text += delta["text"]
            answer.pieces += 1
        elif delta["type"] == "thinking_delta":
            assert kind == "thinking"
            answer.reasoning += delta["thinking"]
        elif delta["type"] == "input_json_delta":
            assert kind == "tool_use"
            state["arguments"] += delta["partial_json"]
        else:
            assert delta["type"] in ("signature_delta", "citations_delta"), delta

    def _content_block_stop(self, event, answer, state):
        assert event["index"] == state["next"] - 1
        block, state["block"] = state["block"], None
        if block["type"] == "tool_use":
            answer.calls.append(Call(block["name"], json.loads(state["arguments"] or "{}"), block["id"]))

    def _message_delta(self, event, answer, state):
        assert state["block"] is None
        answer.finish = FINISH[event["delta"]["stop_reason"]]
        state["usage"].update({name: count for name, count in event["usage"].items() if count is not None})

    def _message_stop(self, event, answer, state):
        assert state["last"] in ("message_delta", "ping") and answer.finish

    def error(self, found):
        """Claude on Vertex speaks this dialect, but Google's front end refuses in its own shape, which is passed on."""
        assert (found["type"] == "error" and found["error"]["type"]) if "type" in found else found["error"]["status"]
        return found["error"]["message"]
