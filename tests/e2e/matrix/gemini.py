# SPDX-License-Identifier: MIT
"""Clients of Gemini's generateContent."""

from matrix import sse
from matrix.neutral import Answer, Call

BLOCKED = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "RECITATION", "SPII")


class Gemini:
    name = "gemini"

    def path(self, model, stream):
        return f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")

    def body(self, ask, model, stream):
        config = {"maxOutputTokens": ask.max_tokens}
        body = {"contents": self._contents(ask), "generationConfig": config}
        if ask.system:
            body["systemInstruction"] = {"parts": [{"text": ask.system}]}
        if ask.tools:
            body["tools"] = [{"functionDeclarations": [
                {"name": name, "description": name, "parametersJsonSchema": schema} for name, schema in ask.tools.items()]}]
        if ask.forced:
            body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [ask.forced]}}
        if ask.schema:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": ask.schema}
        if ask.stop:
            config["stopSequences"] = [ask.stop]
        if ask.reasons:
            config["thinkingConfig"] = {"includeThoughts": True, "thinkingBudget": 1024}
        return body

    def _contents(self, ask):
        contents = []
        for turn in ask.turns:
            parts = [{"text": turn.text}] if turn.text else []
            if turn.image_url:
                parts.append({"fileData": {"mimeType": "image/png", "fileUri": turn.image_url}})
            if turn.image_base64:
                parts.append({"inlineData": {"mimeType": "image/png", "data": turn.image_base64}})
            parts += [{"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}} for call in turn.calls]
            contents.append({"role": "model" if turn.role == "assistant" else "user", "parts": parts})
            if turn.calls:
                contents.append({"role": "user", "parts": [{"functionResponse": {
                    "id": call.id, "name": call.name, "response": {"output": call.result}}} for call in turn.calls]})
        return contents

    def plain(self, found):
        answer = Answer()
        self._read(found, answer)
        assert answer.finish and answer.usage, found
        return answer

    def _read(self, found, answer):
        if "usageMetadata" in found:
            usage = found["usageMetadata"]
            answer.usage = (usage.get("promptTokenCount", 0),
                            usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0))
            answer.cached = usage.get("cachedContentTokenCount", 0)
        if (found.get("promptFeedback") or {}).get("blockReason"):
            answer.finish = "content_filter"
        for candidate in found.get("candidates", []):
            assert not answer.finish, "something behind the finish reason"
            for part in (candidate.get("content") or {}).get("parts") or []:
                self._part(part, answer)
            reason = candidate.get("finishReason")
            if reason:
                answer.finish = self._finish(reason, answer)

    @staticmethod
    def _finish(reason, answer):
        if reason in BLOCKED:
            return "content_filter"
        if answer.calls:
            return "tool_calls"
        return {"STOP": "stop", "MAX_TOKENS": "length"}[reason]

    @staticmethod
    def _part(part, answer):
        if "functionCall" in part:
            call = part["functionCall"]
            answer.calls.append(Call(call["name"], call.get("args", {}), call.get("id", "")))
        elif part.get("thought"):
            answer.reasoning += part.get("text", "")
        else:
            answer.text += part.get("text", "")
            answer.pieces += bool(part.get("text"))

    def stream(self, body):
        answer = Answer()
        found = self._objects(body)
        for index, (name, event) in enumerate(found):
            assert name is None
            if "error" in event:
                assert index == len(found) - 1, "something behind an error"
                answer.error = self.error(event)
                return answer
            self._read(event, answer)
        assert answer.finish and answer.usage, body[-300:]
        return answer

    @staticmethod
    def _objects(body):
        """Google sends an error in mid-stream bare, without "data:"."""
        import json

        position = body.rfind(b"\n\n{")
        position = position if position >= 0 else body.rfind(b"\r\n{")
        if position >= 0 and b'"error"' in body[position:]:
            return sse.objects(body[:position].rstrip() + b"\n\n") + [(None, json.loads(body[position:]))]
        return sse.objects(body)

    def error(self, found):
        error = found["error"]
        assert isinstance(error["code"], int) and isinstance(error["status"], str)
        return error["message"]
