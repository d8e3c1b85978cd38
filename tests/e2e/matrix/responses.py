# SPDX-License-Identifier: MIT
"""Clients of OpenAI's Responses."""

import json

from matrix import sse
from matrix.neutral import Answer, Call, CannotAsk

ENDS = ("response.completed", "response.incomplete", "response.failed")


class Responses:
    name = "responses"

    def path(self, model, stream):
        return "/v1/responses"

    def body(self, ask, model, stream):
        if ask.stop:
            raise CannotAsk("Responses has no stop sequences")
        body = {"model": model, "input": self._items(ask), "max_output_tokens": ask.max_tokens, "store": False}
        if stream:
            body["stream"] = True
        if ask.system:
            body["instructions"] = ask.system
        if ask.tools:
            body["tools"] = [{"type": "function", "name": name, "description": name, "parameters": schema, "strict": False}
                             for name, schema in ask.tools.items()]
        if ask.forced:
            body["tool_choice"] = {"type": "function", "name": ask.forced}
        if ask.schema:
            body["text"] = {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": ask.schema}}
        if ask.reasons:
            body["reasoning"] = {"effort": "low", "summary": "auto"}
        return body

    def _items(self, ask):
        items = []
        for turn in ask.turns:
            kind = "output_text" if turn.role == "assistant" else "input_text"
            parts = [{"type": kind, "text": turn.text}] if turn.text else []
            url = turn.image_url or (turn.image_base64 and "data:image/png;base64," + turn.image_base64)
            if url:
                parts.append({"type": "input_image", "detail": "auto", "image_url": url})
            if parts:
                items.append({"type": "message", "role": turn.role, "content": parts})
            items += [{"type": "function_call", "call_id": call.id, "name": call.name,
                       "arguments": json.dumps(call.arguments)} for call in turn.calls]
            items += [{"type": "function_call_output", "call_id": call.id, "output": call.result} for call in turn.calls]
        return items

    def plain(self, found):
        assert found["object"] == "response" and found["id"].startswith("resp")
        answer = Answer()
        if found["status"] == "failed":
            answer.error = found["error"]["message"]
            return answer
        for item in found["output"]:
            self._item(item, answer)
        answer.finish = self._finish(found, answer)
        usage = found["usage"]
        answer.usage = usage["input_tokens"], usage["output_tokens"]
        answer.cached = usage["input_tokens_details"]["cached_tokens"]
        return answer

    @staticmethod
    def _item(item, answer):
        if item["type"] == "message":
            answer.text += "".join(part.get("text", "") for part in item["content"])
        elif item["type"] == "reasoning":
            parts = (item.get("summary") or []) + (item.get("content") or [])
            answer.reasoning += "".join(part["text"] for part in parts)
        elif item["type"] == "function_call":
            answer.calls.append(Call(item["name"], json.loads(item["arguments"]), item["call_id"]))

    @staticmethod
    def _finish(found, answer):
        if found["status"] == "incomplete":
            reason = found["incomplete_details"]["reason"]
            return {"max_output_tokens": "length", "content_filter": "content_filter"}[reason]
        assert found["status"] == "completed", found
        return "tool_calls" if answer.calls else "stop"

    def stream(self, body):
        found = sse.objects(body)
        if found and found[-1][0] is None and "error" in found[-1][1]:
            return Answer(error=self.error(found[-1][1]))  # a provider's that speaks Responses, as it came
        for number, (name, event) in enumerate(found):
            assert name == event["type"], (name, event)
            assert event["sequence_number"] == number, (number, event)
        if found and found[-1][0] == "error":
            return Answer(error=found[-1][1].get("message") or found[-1][1]["error"]["message"])
        names = [name for name, _ in found]
        assert names[0] == "response.created" and names[-1] in ENDS, names
        assert not any(name in ENDS for name in names[:-1])
        text, pieces = self._deltas(found[:-1], closed=names[-1] != "response.failed")
        answer = self.plain(found[-1][1]["response"])
        if not answer.error:
            assert text == answer.text, "the deltas and the whole differ"
        answer.text, answer.pieces = text, pieces
        return answer

    @staticmethod
    def _deltas(found, closed):
        """Every item and part begins, ends once, and holds what its deltas said."""
        text, pieces, items, arguments = "", 0, {}, {}
        for name, event in found:
            index = event.get("output_index")
            if name == "response.output_item.added":
                assert index == len(items)
                items[index] = "open"
            elif name == "response.output_item.done":
                assert items[index] == "open"
                items[index] = "done"
                if event["item"]["type"] == "function_call":
                    assert event["item"]["arguments"] == arguments.get(index, "")
            elif name == "response.output_text.delta":
                assert items[index] == "open"
                text, pieces = text + event["delta"], pieces + 1
            elif name == "response.function_call_arguments.delta":
                assert items[index] == "open"
                arguments[index] = arguments.get(index, "") + event["delta"]
        assert not closed or all(state == "done" for state in items.values()), items
        return text, pieces

    def error(self, found):
        assert isinstance(found["error"]["message"], str)
        return found["error"]["message"]
