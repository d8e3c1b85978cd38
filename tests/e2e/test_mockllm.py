# SPDX-License-Identifier: MIT
"""mockllm against OpenAI's own schema, and its faults against what they promise.

The other tests trust the mock; this one does not. It uses no part of gatewire.
"""

import base64
import contextlib
import hashlib
import json
import math
import os
import queue
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT.parent / "shared" / "data" / "openai-openapi.json"
CHAT = "/v1/chat/completions"
START_TIMEOUT_S = 20
# Longest wait for something that is certain to come.
SOON_S = 20


def find_mockllm():
    """The program of the build under test."""
    build = Path(os.environ.get("GW_BUILD_DIR", ROOT / "build"))
    program = build / "bench" / "mockllm"
    if not program.is_file():
        pytest.skip(f"{program} is not built")
    return program


class Mock:
    """A running mockllm and how to talk to it."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [find_mockllm(), "--port", "0", *args], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )
        lines = queue.Queue()
        threading.Thread(target=self.read_lines, args=(lines,), daemon=True).start()
        self.lines = [lines.get(timeout=START_TIMEOUT_S)]
        wanted = 1 + ("--tls-port" in args) + ("--unix" in args)
        while len(self.lines) < wanted:
            self.lines.append(lines.get(timeout=START_TIMEOUT_S))
        self.port = int(self.lines[0].rsplit(":", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def read_lines(self, lines):
        for line in self.process.stdout:
            lines.put(line.strip())

    def stop(self):
        self.process.terminate()
        self.process.wait(SOON_S)
        self.process.stdout.close()

    def client(self, http2=False):
        return httpx.Client(base_url=self.url, http1=not http2, http2=http2, timeout=SOON_S)

    def post(self, path, body, http2=False, **headers):
        with self.client(http2) as client:
            return client.post(path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def get(self, path):
        with self.client() as client:
            return client.get(path)

    def chat(self, model="m", http2=False, headers=None, **more):
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        with self.client(http2) as client:
            return client.post(CHAT, json=body, headers=headers)

    def stats(self):
        return self.get("/mock/stats").json()

    def raw(self, data, wait=True):
        """Sends bytes on a fresh connection and returns all that comes until the end, and how it ended."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SOON_S) as sock:
            sock.sendall(data)
            return read_all(sock) if wait else b""

    def raw_chat(self, model, stream=False, headers=""):
        return self.raw(chat_bytes(model, stream, headers + "connection: close\r\n"))


def chat_bytes(model, stream=False, headers=""):
    """A chat request as HTTP/1.1 bytes."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream})
    return (
        f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()


def read_all(sock):
    """All bytes until the end; a reset is noted at their end."""
    data = b""
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                return data
            data += piece
    except ConnectionResetError:
        return data + b"<reset>"


def read_then_silence(sock, count):
    """All bytes until |count| content chunks are there; then nothing may follow, and the connection stays open."""
    data = b""
    while data.count(b'"delta":{"content":"') < count:
        data += sock.recv(65536)
    sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        while True:
            data += sock.recv(65536)
    return data


def events(text):
    """The data of all events; [DONE] stays a string."""
    found = []
    for block in text.split("\n\n"):
        lines = [line[6:] for line in block.split("\n") if line.startswith("data: ")]
        if lines:
            found.append("[DONE]" if lines[0] == "[DONE]" else json.loads(lines[0]))
    return found


@pytest.fixture(scope="module")
def mock():
    running = Mock("--threads", "2")
    yield running
    running.stop()


@pytest.fixture
def own_mock():
    """One for this test alone, where counters matter."""
    running = Mock()
    yield running
    running.stop()


# ---------------------------------------------------------------- schema


def translate(schema):
    """OpenAPI 3.0's nullable, which the document still uses in places, in JSON Schema's words."""
    if isinstance(schema, list):
        return [translate(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: translate(value) for key, value in schema.items() if key not in ("nullable", "discriminator")}
    if schema.get("nullable") is True:
        return {"anyOf": [result, {"type": "null"}]}
    return result


@pytest.fixture(scope="session")
def validate():
    """Checks a value against a component schema of OpenAI's document."""
    jsonschema = pytest.importorskip("jsonschema")
    if not OPENAPI.is_file():
        pytest.skip(f"{OPENAPI} is not here")
    document = translate(json.loads(OPENAPI.read_text()))

    def check(name, value):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(value)

    return check


WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 3},
        "days": {"type": "integer", "minimum": 2, "maximum": 5},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "days", "unit"],
    "additionalProperties": False,
}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER, "strict": True}},
    {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}},
]
FLAT_TOOLS = [{"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": True}]


def check_instance(schema, text):
    """The text is JSON that satisfies the schema."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))


@pytest.mark.parametrize("http2", [False, True])
def test_chat_plain(mock, validate, http2):
    answer = mock.chat("mock-size=1000-prompt_tokens=7-completion_tokens=5-cached_tokens=3", http2)
    assert answer.status_code == 200
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    value = answer.json()
    validate("CreateChatCompletionResponse", value)
    assert len(value["choices"][0]["message"]["content"]) == 1000
    assert value["choices"][0]["finish_reason"] == "stop"
    assert value["usage"]["total_tokens"] == 12
    assert value["usage"]["prompt_tokens_details"]["cached_tokens"] == 3


@pytest.mark.parametrize(
    "more",
    [
        {"n": 3},
        {"logprobs": True, "top_logprobs": 2},
        {"tools": TOOLS, "tool_choice": "required"},
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "get_time"}}},
        {"response_format": {"type": "json_object"}},
        {"max_tokens": 2},
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_chat_variants_fit_the_schema(mock, validate, more, stream):
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    answer = mock.chat("m", **more, **options)
    assert answer.status_code == 200
    if not stream:
        validate("CreateChatCompletionResponse", answer.json())
        assert len(answer.json()["choices"]) == more.get("n", 1)
        return
    found = events(answer.text)
    assert found[-1] == "[DONE]"
    for chunk in found[:-1]:
        validate("CreateChatCompletionStreamResponse", chunk)
    assert {choice["index"] for chunk in found[:-1] for choice in chunk["choices"]} == set(range(more.get("n", 1)))


def test_chat_stream(mock, validate):
    answer = mock.chat("mock-chunks=5-size=100", stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = events(answer.text)
    for chunk in found[:-1]:
        validate("CreateChatCompletionStreamResponse", chunk)
    assert found[-1] == "[DONE]"
    usage = found[-2]
    assert usage["choices"] == [] and usage["usage"]["completion_tokens"] > 0
    assert all(chunk["usage"] is None for chunk in found[:-2])
    assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    deltas = [chunk["choices"][0]["delta"]["content"] for chunk in found[1:-3]]
    assert len(deltas) == 5
    assert "".join(deltas) == mock.chat("mock-size=100").json()["choices"][0]["message"]["content"]
    assert found[-3]["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert len({chunk["id"] for chunk in found[:-1]}) == 1


def test_chat_stream_without_usage_and_obfuscation(mock):
    options = {"include_obfuscation": False}
    found = events(mock.chat("m", stream=True, stream_options=options).text)
    assert not any("usage" in chunk or "obfuscation" in chunk for chunk in found[:-1])
    found = events(mock.chat("mock-usage=0", stream=True, stream_options={"include_usage": True}).text)
    assert not any(chunk.get("usage") for chunk in found[:-1])


@pytest.mark.parametrize("stream", [False, True])
def test_chat_tool_calls(mock, stream):
    answer = mock.chat("mock-tools=2", tools=TOOLS, stream=stream)
    if not stream:
        choice = answer.json()["choices"][0]
        calls = choice["message"]["tool_calls"]
        assert choice["message"]["content"] is None
        finish = choice["finish_reason"]
    else:
        calls, finish = {}, None
        for chunk in events(answer.text)[:-1]:
            choice = chunk["choices"][0]
            finish = choice["finish_reason"] or finish
            for part in choice["delta"].get("tool_calls", []):
                call = calls.setdefault(part["index"], {"id": part.get("id"), "function": {"name": "", "arguments": ""}})
                for key, value in part["function"].items():
                    call["function"][key] += value
        calls = [calls[index] for index in sorted(calls)]
    assert finish == "tool_calls"
    assert [call["function"]["name"] for call in calls] == ["get_weather", "get_time"]
    assert len({call["id"] for call in calls}) == 2
    check_instance(WEATHER, calls[0]["function"]["arguments"])


def test_chat_tools_only_when_asked(mock):
    assert mock.chat("m", tools=TOOLS).json()["choices"][0]["finish_reason"] == "stop"
    named = {"type": "function", "function": {"name": "get_time"}}
    choice = mock.chat("m", tools=TOOLS, tool_choice=named).json()["choices"][0]
    assert choice["finish_reason"] == "stop" and choice["message"]["tool_calls"][0]["function"]["name"] == "get_time"
    one = mock.chat("mock-tools=3", tools=TOOLS, parallel_tool_calls=False).json()["choices"][0]
    assert len(one["message"]["tool_calls"]) == 1
    answered = [{"role": "user", "content": "hi"}, {"role": "tool", "tool_call_id": "x", "content": "1"}]
    done = mock.post(CHAT, {"model": "mock-tools=1", "messages": answered, "tools": TOOLS}).json()
    assert done["choices"][0]["finish_reason"] == "stop"


SCHEMAS = [
    WEATHER,
    {"type": "object", "properties": {"list": {"type": "array", "minItems": 2, "items": {"type": "number", "minimum": 9}}},
     "required": ["list"]},
    {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "required": ["next"]},
    {"type": "object", "properties": {"x": {"$ref": "#/$defs/point"}}, "required": ["x"],
     "$defs": {"point": {"type": "object", "properties": {"at": {"type": ["integer", "null"], "multipleOf": 4},
                                                          "kind": {"const": "point"}}, "required": ["at", "kind"]}}},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]},
               {"type": "object", "properties": {"b": {"type": "string", "format": "uuid"}}, "required": ["b"]}]},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_chat_structured_output(mock, schema):
    wanted = {"type": "json_schema", "json_schema": {"name": "out", "schema": schema, "strict": True}}
    plain = mock.chat("m", response_format=wanted).json()["choices"][0]["message"]["content"]
    check_instance(schema, plain)
    found = events(mock.chat("m", response_format=wanted, stream=True).text)
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in found[:-1]) == plain


def test_chat_refusal_reasoning_text_and_echo(mock, validate):
    value = mock.chat("mock-refusal=1").json()
    validate("CreateChatCompletionResponse", value)
    assert value["choices"][0]["message"]["content"] is None and value["choices"][0]["message"]["refusal"]
    found = events(mock.chat("mock-refusal=1", stream=True).text)
    assert "".join(chunk["choices"][0]["delta"].get("refusal") or "" for chunk in found[:-1]).startswith("I'm sorry")
    found = events(mock.chat("mock-reasoning=3", stream=True).text)
    assert sum("reasoning_content" in chunk["choices"][0]["delta"] for chunk in found[:-1]) == 3
    text = 'she said "no\u2028" \u00e9\U0001f600\n'
    echo = [{"role": "user", "content": text}]
    for stream in (False, True):
        answer = mock.post(CHAT, {"model": "mock-echo=1", "messages": echo, "stream": stream})
        if stream:
            got = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in events(answer.text)[:-1])
        else:
            got = answer.json()["choices"][0]["message"]["content"]
        assert got == text
    assert mock.chat(headers={"x-mock-text": "42"}).json()["choices"][0]["message"]["content"] == "42"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "user", "content": "x"}]}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m", "messages": [{}], "stream_options": {"include_usage": True}}, "stream_options"),
        ({"model": "m", "messages": [{}], "tool_choice": "auto"}, "tool_choice"),
        ({"model": "mock-no_such_key=1", "messages": [{}]}, "model"),
    ],
)
def test_chat_refuses_wrong_requests(mock, validate, body, param):
    answer = mock.post(CHAT, body)
    assert answer.status_code == 400
    validate("ErrorResponse", answer.json())
    assert answer.json()["error"]["param"] == param


def test_invalid_json_and_unknown_paths(mock, validate):
    with mock.client() as client:
        for answer, status in [
            (client.post(CHAT, content=b"{nonsense"), 400),
            (client.post("/v1/no/such/path", json={}), 404),
            (client.get(CHAT), 405),
            (client.get("/v1/models/unheard-of"), 404),
        ]:
            assert answer.status_code == status
            validate("ErrorResponse", answer.json())


def test_models_and_prefixes(mock, validate):
    with mock.client() as client:
        models = client.get("/v1/models").json()
        validate("ListModelsResponse", models)
        validate("Model", client.get("/v1/models/" + models["data"][0]["id"]).json())
        for path in ("/models", "/openai/v1/models"):
            assert client.get(path).json() == models
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
        path = "/openai/deployments/mine/chat/completions?api-version=2025-01-01"
        azure = client.post(path, json=body, headers={"api-key": "k"})
        assert azure.status_code == 200


def test_completions(mock, validate):
    body = {"model": "mock-chunks=3", "prompt": ["a", "b"], "n": 2}
    value = mock.post("/v1/completions", body).json()
    validate("CreateCompletionResponse", value)
    assert [choice["index"] for choice in value["choices"]] == [0, 1, 2, 3]
    body = {"model": "mock-chunks=3", "prompt": "a", "stream": True, "stream_options": {"include_usage": True}}
    found = events(mock.post("/v1/completions", body).text)
    assert found[-1] == "[DONE]"
    assert "".join(chunk["choices"][0]["text"] for chunk in found[:-2]) == value["choices"][0]["text"]
    assert found[-2]["usage"]["completion_tokens"] == 3


def test_embeddings(mock, validate):
    body = {"model": "e", "input": ["one", "two", "one"], "dimensions": 16}
    value = mock.post("/v1/embeddings", body).json()
    validate("CreateEmbeddingResponse", value)
    vectors = [row["embedding"] for row in value["data"]]
    assert [len(vector) for vector in vectors] == [16] * 3
    assert vectors[0] == vectors[2] != vectors[1]
    assert math.isclose(sum(x * x for x in vectors[0]), 1, rel_tol=1e-5)
    packed = mock.post("/v1/embeddings", {**body, "encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert struct.unpack("<16f", base64.b64decode(packed)) == pytest.approx(vectors[0])
    tokens = mock.post("/v1/embeddings", {"model": "e", "input": [1, 2, 3]}).json()
    assert len(tokens["data"]) == 1 and len(tokens["data"][0]["embedding"]) == 1536
    assert mock.post("/v1/embeddings", {"model": "e", "input": []}).status_code == 400


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("mock-chunks=4", {}),
        ("mock-chunks=4-reasoning=2", {"reasoning": {"effort": "low", "summary": "auto"}}),
        ("mock-refusal=1", {}),
        ("m", {"tools": FLAT_TOOLS, "tool_choice": "required"}),
        ("mock-tools=2", {"tools": FLAT_TOOLS}),
        ("m", {"tools": [{"type": "custom", "name": "shell", "format": {"type": "text"}}], "tool_choice": "required"}),
        ("m", {"text": {"format": {"type": "json_schema", "name": "w", "schema": WEATHER, "strict": True}}}),
        ("mock-chunks=40", {"max_output_tokens": 16}),
    ],
)
def test_responses(mock, validate, model, more):
    body = {"model": model, "input": "hi", **more}
    plain = mock.post("/v1/responses", body).json()
    validate("Response", plain)
    found = events(mock.post("/v1/responses", {**body, "stream": True}).text)
    for event in found:
        if event.get("response", {}).get("usage", 0) is None:
            del event["response"]["usage"]  # OpenAI sends null until the end; its document forgets that
        validate("ResponseStreamEvent", event)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert [event["type"] for event in found[:2]] == ["response.created", "response.in_progress"]
    last = found[-1]
    assert last["type"] == ("response.incomplete" if "max_output_tokens" in more else "response.completed")
    strip = ("id", "call_id")
    same = [{key: value for key, value in item.items() if key not in strip} for item in last["response"]["output"]]
    assert same == [{key: value for key, value in item.items() if key not in strip} for item in plain["output"]]
    text = "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    done = [event["text"] for event in found if event["type"] == "response.output_text.done"]
    assert done in ([text], [])
    arguments = "".join(event["delta"] for event in found if event["type"] == "response.function_call_arguments.delta")
    calls = [item["arguments"] for item in plain["output"] if item["type"] == "function_call"]
    assert arguments == "".join(calls)
    for call in calls:
        check_instance(WEATHER, call)


def test_responses_event_names_match(mock):
    text = mock.post("/v1/responses", {"model": "m", "input": "hi", "stream": True}).text
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        assert name == "event: " + json.loads(data[6:])["type"]


def test_stored_responses(mock, validate):
    with mock.client() as client:
        made = client.post("/v1/responses", json={"model": "m", "input": "hi"}).json()
        path = "/v1/responses/" + made["id"]
        assert client.get(path).json() == made
        validate("ResponseItemList", client.get(path + "/input_items").json())
        assert client.post(path + "/cancel").json()["status"] == "cancelled"
        assert client.delete(path).json()["deleted"] is True
        assert client.get(path).status_code == 404
        tokens = client.post("/v1/responses/input_tokens", json={"model": "m", "input": "hi"}).json()
        validate("TokenCountsResource", tokens)


def test_files_and_batches(mock, validate):
    lines = [
        {"custom_id": f"c{i}", "method": "POST", "url": CHAT, "body": {"model": "m", "messages": []}} for i in range(3)
    ]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    with mock.client() as client:
        upload = {"files": {"file": ("in.jsonl", content)}, "data": {"purpose": "batch"}}
        made = client.post("/v1/files", **upload).json()
        validate("OpenAIFile", made)
        assert made["bytes"] == len(content) and made["filename"] == "in.jsonl"
        assert client.get(f"/v1/files/{made['id']}").json() == made
        assert client.get(f"/v1/files/{made['id']}/content").content == content
        listed = client.get("/v1/files").json()
        validate("ListFilesResponse", listed)
        assert made in listed["data"]
        order = {"input_file_id": made["id"], "endpoint": CHAT, "completion_window": "24h"}
        batch = client.post("/v1/batches", json=order).json()
        validate("Batch", batch)
        assert batch["status"] == "validating"
        done = client.get(f"/v1/batches/{batch['id']}").json()
        validate("Batch", done)
        assert done["status"] == "completed" and done["request_counts"] == {"total": 3, "completed": 3, "failed": 0}
        output = client.get(f"/v1/files/{done['output_file_id']}/content").text.splitlines()
        assert [json.loads(line)["custom_id"] for line in output] == ["c0", "c1", "c2"]
        validate("CreateChatCompletionResponse", json.loads(output[0])["response"]["body"])
        validate("ListBatchesResponse", client.get("/v1/batches").json())
        assert client.post(f"/v1/batches/{batch['id']}/cancel").json()["status"] == "cancelled"
        removed = client.delete(f"/v1/files/{made['id']}").json()
        validate("DeleteFileResponse", removed)
        assert client.get(f"/v1/files/{made['id']}/content").status_code == 404


def test_binary_upload_comes_back_unchanged(mock):
    content = bytes(range(256)) * 4096 + b"\r\n--not-the-boundary--\r\n"
    with mock.client() as client:
        made = client.post("/v1/files", files={"file": ("x.bin", content)}, data={"purpose": "user_data"}).json()
        assert client.get(f"/v1/files/{made['id']}/content").content == content


def test_uploads(mock, validate):
    with mock.client() as client:
        order = {"purpose": "batch", "filename": "f", "bytes": 3, "mime_type": "text/plain"}
        made = client.post("/v1/uploads", json=order).json()
        validate("Upload", made)
        part = client.post(f"/v1/uploads/{made['id']}/parts", files={"data": b"abc"}).json()
        validate("UploadPart", part)
        assert client.post(f"/v1/uploads/{made['id']}/complete", json={"part_ids": []}).json()["status"] == "completed"


def test_audio(mock, validate):
    with mock.client() as client:
        order = {"model": "mock-size=5000", "input": "x", "voice": "alloy", "response_format": "wav"}
        speech = client.post("/v1/audio/speech", json=order)
        assert speech.headers["content-type"] == "audio/wav" and len(speech.content) == 5000
        assert client.post("/v1/audio/speech", json=order).content == speech.content
        found = events(client.post("/v1/audio/speech", json={**order, "stream_format": "sse"}).text)
        for event in found:
            validate("CreateSpeechResponseStreamEvent", event)
        assert b"".join(base64.b64decode(event["audio"]) for event in found[:-1]) == speech.content
        sent = {"files": {"file": ("a.wav", speech.content)}}
        plain = client.post("/v1/audio/transcriptions", data={"model": "whisper-1"}, **sent).json()
        validate("CreateTranscriptionResponseJson", plain)
        assert plain["text"] == "The file a.wav has 5000 bytes."
        verbose = {"model": "whisper-1", "response_format": "verbose_json"}
        validate("CreateTranscriptionResponseVerboseJson", client.post("/v1/audio/transcriptions", data=verbose, **sent).json())
        for form, begin in [("text", "The file"), ("srt", "1\n"), ("vtt", "WEBVTT")]:
            data = {"model": "whisper-1", "response_format": form}
            assert client.post("/v1/audio/translations", data=data, **sent).text.startswith(begin)
        data = {"model": "whisper-1", "stream": "true"}
        found = events(client.post("/v1/audio/transcriptions", data=data, **sent).text)
        for event in found:
            validate("CreateTranscriptionResponseStreamEvent", event)
        assert "".join(event["delta"] for event in found[:-1]) == found[-1]["text"] == plain["text"]


def test_images(mock, validate):
    with mock.client() as client:
        value = client.post("/v1/images/generations", json={"model": "gpt-image-1", "prompt": "x", "n": 2}).json()
        validate("ImagesResponse", value)
        assert len(value["data"]) == 2
        assert base64.b64decode(value["data"][0]["b64_json"]).startswith(b"\x89PNG")
        order = {"model": "gpt-image-1", "prompt": "x", "stream": True, "partial_images": 2}
        found = events(client.post("/v1/images/generations", json=order).text)
        assert len(found) == 3
        for event in found:
            validate("ImageGenStreamEvent", event)
        edit = client.post("/v1/images/edits", files={"image": b"png"}, data={"prompt": "x", "n": "3"}).json()
        validate("ImagesResponse", edit)
        assert len(edit["data"]) == 3


def test_moderations(mock, validate):
    value = mock.post("/v1/moderations", {"input": ["hello", "some violence"]}).json()
    validate("CreateModerationResponse", value)
    assert [result["flagged"] for result in value["results"]] == [False, True]


def test_fine_tuning(mock, validate):
    with mock.client() as client:
        made = client.post("/v1/fine_tuning/jobs", json={"model": "m", "training_file": "file-1"}).json()
        validate("FineTuningJob", made)
        path = "/v1/fine_tuning/jobs/" + made["id"]
        assert client.get(path).json() == made
        for event in client.get(path + "/events").json()["data"]:
            validate("FineTuningJobEvent", event)
        validate("ListPaginatedFineTuningJobsResponse", client.get("/v1/fine_tuning/jobs").json())
        assert client.post(path + "/cancel").json()["status"] == "cancelled"


def test_vector_stores(mock, validate):
    with mock.client() as client:
        made = client.post("/v1/vector_stores", json={"name": "mine"}).json()
        validate("VectorStoreObject", made)
        path = "/v1/vector_stores/" + made["id"]
        assert client.post(path, json={"name": "renamed"}).json()["name"] == "renamed"
        validate("ListVectorStoresResponse", client.get("/v1/vector_stores").json())
        validate("VectorStoreFileObject", client.post(path + "/files", json={"file_id": "file-1"}).json())
        assert client.get(path + "/files/file-1").json()["status"] == "completed"
        assert len(client.get(path + "/files").json()["data"]) == 1
        validate("VectorStoreSearchResultsPage", client.post(path + "/search", json={"query": "q"}).json())
        assert client.delete(path + "/files/file-1").json()["deleted"] is True
        validate("DeleteVectorStoreResponse", client.delete(path).json())
        assert client.get(path).status_code == 404


def test_assistants(mock, validate):
    with mock.client() as client:
        made = client.post("/v1/assistants", json={"model": "m", "name": "a"}).json()
        validate("AssistantObject", made)
        path = "/v1/assistants/" + made["id"]
        assert client.post(path, json={"name": "b"}).json()["name"] == "b"
        thread = client.post("/v1/threads", json={}).json()
        validate("ThreadObject", thread)
        path = "/v1/threads/" + thread["id"]
        validate("MessageObject", client.post(path + "/messages", json={"role": "user", "content": "hi"}).json())
        run = client.post(path + "/runs", json={"assistant_id": made["id"]}).json()
        validate("RunObject", run)
        assert client.get(f"{path}/runs/{run['id']}").json()["status"] == "completed"
        messages = client.get(path + "/messages").json()["data"]
        assert [message["role"] for message in messages] == ["assistant", "user"]
        validate("DeleteAssistantResponse", client.delete("/v1/assistants/" + made["id"]).json())


# ---------------------------------------------------------------- protocol


def test_http1_keep_alive_and_pipelining(mock):
    many = 50
    request = chat_bytes("m") * many
    with socket.create_connection(("127.0.0.1", mock.port), timeout=SOON_S) as sock:
        sock.sendall(request)
        sock.sendall(chat_bytes("m", headers="connection: close\r\n"))
        data = read_all(sock)
    assert data.count(b"HTTP/1.1 200 OK\r\n") == many + 1
    assert data.count(b'"object":"chat.completion"') == many + 1


def test_http1_one_byte_at_a_time(mock):
    data = chat_bytes("m", headers="connection: close\r\n")
    with socket.create_connection(("127.0.0.1", mock.port), timeout=SOON_S) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            sock.sendall(data[i : i + 1])
        assert read_all(sock).startswith(b"HTTP/1.1 200 OK\r\n")


def test_http1_chunked_request_and_expect(mock):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in body) + b"0\r\n\r\n"
    assert b" 200 OK\r\n" in mock.raw(head + b"transfer-encoding: chunked\r\n\r\n" + chunks)
    with socket.create_connection(("127.0.0.1", mock.port), timeout=SOON_S) as sock:
        sock.sendall(head + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body))
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert read_all(sock).startswith(b"HTTP/1.1 200 OK\r\n")


def test_http1_malformed_request_is_refused(mock):
    assert mock.raw(b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    both = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    assert mock.raw(both).startswith(b"HTTP/1.1 400 ")


def test_http10_and_head(mock):
    old = mock.raw(chat_bytes("m", stream=True).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert b"transfer-encoding" not in old and old.endswith(b"data: [DONE]\n\n")
    head = mock.raw(b"HEAD /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"content-length: " in head and head.endswith(b"\r\n\r\n")


def test_http2_many_streams_on_one_connection(mock):
    connection = pytest.importorskip("h2.connection").H2Connection()
    bodies = {}
    with socket.create_connection(("127.0.0.1", mock.port), timeout=SOON_S) as sock:
        connection.initiate_connection()
        for i in range(30):
            stream = connection.get_next_available_stream_id()
            connection.send_headers(stream, [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", CHAT)])
            message = {"role": "user", "content": f"stream number {i:06} of many"}
            body = {"model": "mock-echo=1-tps=200-chunks=20", "stream": True, "messages": [message]}
            connection.send_data(stream, json.dumps(body).encode(), end_stream=True)
            bodies[stream] = b""
        open_streams = set(bodies)
        while open_streams:
            sock.sendall(connection.data_to_send())
            for event in connection.receive_data(sock.recv(65536)):
                if type(event).__name__ == "DataReceived":
                    bodies[event.stream_id] += event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif type(event).__name__ == "StreamEnded":
                    open_streams.remove(event.stream_id)
    for i, body in enumerate(bodies.values()):
        deltas = [chunk["choices"][0]["delta"].get("content", "") for chunk in events(body.decode())[:-1]]
        assert "".join(deltas) == f"stream number {i:06} of many"
        assert len(deltas) == 22


def test_large_bodies_both_ways(mock):
    size = 20_000_000
    for http2 in (False, True):
        body = {"model": f"mock-size={size}", "messages": [{"role": "user", "content": "x" * size}]}
        answer = mock.post(CHAT, body, http2)
        assert len(answer.json()["choices"][0]["message"]["content"]) == size


def test_tls_alpn_unix_socket_key_and_models(tmp_path, validate):
    cert, key, path = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "mock.sock"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )
    mock = Mock("--tls-port", "0", "--tls-cert", cert, "--tls-key", key, "--unix", path, "--api-key", "secret",
                "--models", "one,two")
    try:
        tls = f"https://127.0.0.1:{mock.lines[1].rsplit(':', 1)[1]}/v1/models"
        context = ssl.create_default_context(cafile=cert)
        good = {"authorization": "Bearer secret"}
        for http2 in (False, True):
            with httpx.Client(verify=context, http1=not http2, http2=http2, timeout=SOON_S) as client:
                answer = client.get(tls, headers=good)
                assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
                assert [model["id"] for model in answer.json()["data"]] == ["one", "two"]
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=SOON_S) as client:
            assert client.get("http://x/v1/models", headers={"api-key": "secret"}).status_code == 200
            refused = client.get("http://x/v1/models", headers={"authorization": "Bearer wrong"})
            assert refused.status_code == 401
            validate("ErrorResponse", refused.json())
    finally:
        mock.stop()
    assert not path.exists()


def test_sigterm_ends_at_once():
    mock = Mock()
    with socket.create_connection(("127.0.0.1", mock.port), timeout=SOON_S) as sock:
        sock.sendall(chat_bytes("mock-fault=stall"))
        mock.process.terminate()
        assert mock.process.wait(SOON_S) == 0
        assert read_all(sock) in (b"", b"<reset>")


def test_help_names_everything():
    text = subprocess.run([find_mockllm(), "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("--tls-cert", "retry_after", "reset-after-headers", "/mock/stats"):
        assert word in text
    wrong = subprocess.run([find_mockllm(), "--no-such-flag", "1"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "--no-such-flag" in wrong.stderr


# ---------------------------------------------------------------- timing


def test_latency_and_pace(mock):
    begin = time.monotonic()
    mock.chat("mock-latency=200")
    assert time.monotonic() - begin >= 0.2
    begin = time.monotonic()
    found = events(mock.chat("mock-tps=50-chunks=10-first=100-latency=50-stamp=1", stream=True).text)
    stamps = [int(chunk["choices"][0]["delta"]["content"][1:17]) / 1e6 for chunk in found[1:11]]
    for i, stamp in enumerate(stamps):  # late on a busy machine, but never early
        assert stamp - begin >= 0.15 + i / 50 - 1e-5


def test_stamp(mock):
    found = events(mock.chat("mock-stamp=1-chunks=3", stream=True).text)
    for chunk in found[1:4]:
        content = chunk["choices"][0]["delta"]["content"]
        assert content[0] == content[17] == "@"
        assert abs(time.monotonic() - int(content[1:17]) / 1e6) < 60


# ---------------------------------------------------------------- faults, HTTP/1.1


def test_fault_status(mock, validate):
    for status in (400, 401, 403, 404, 408, 409, 413, 418, 429, 500, 502, 503, 504, 529):
        for answer in (mock.chat(f"mock-status={status}"), mock.chat(headers={"x-mock-status": str(status)})):
            assert answer.status_code == status
            validate("ErrorResponse", answer.json())
    answer = mock.chat("mock-status=429-retry_after=7-error_code=insufficient_quota", stream=True)
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["error"]["code"] == "insufficient_quota"
    assert mock.chat("mock-status=429").headers["retry-after"] == "1"
    assert "retry-after" not in mock.chat("mock-status=500").headers


def test_fault_reset(mock):
    assert mock.raw_chat("mock-fault=reset") == b"<reset>"


def test_fault_reset_after_headers(mock):
    data = mock.raw_chat("mock-fault=reset-after-headers", stream=True)
    assert data.startswith(b"HTTP/1.1 200 OK\r\n") and data.endswith(b"\r\n\r\n<reset>")


@pytest.mark.parametrize("after", [0, 1, 3])
def test_fault_reset_after_chunks(mock, after):
    data = mock.raw_chat(f"mock-fault=reset-after-chunks-after={after}", stream=True)
    assert data.endswith(b"<reset>") and b"[DONE]" not in data
    assert data.count(b'"delta":{"content":') == after


def test_fault_close_early(mock):
    data = mock.raw_chat("mock-fault=close-early-size=1000")
    head, body = data.split(b"\r\n\r\n", 1)
    announced = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    assert len(body) == announced // 2
    stream = mock.raw_chat("mock-fault=close-early", stream=True)
    assert not stream.endswith(b"<reset>") and not stream.endswith(b"0\r\n\r\n")
    assert stream.count(b'"delta":{"content":') == 2


def test_fault_stall(own_mock):
    with socket.create_connection(("127.0.0.1", own_mock.port), timeout=0.3) as sock:
        sock.sendall(chat_bytes("mock-fault=stall"))
        with pytest.raises(TimeoutError):
            sock.recv(1)
    begin = time.monotonic()
    assert own_mock.chat("mock-fault=stall-stall=200").status_code == 200
    assert time.monotonic() - begin >= 0.2


def test_fault_stall_mid(mock):
    with socket.create_connection(("127.0.0.1", mock.port), timeout=SOON_S) as sock:
        sock.sendall(chat_bytes("mock-fault=stall-mid", stream=True))
        data = read_then_silence(sock, 2)
    assert data.count(b'"delta":{"content":"') == 2
    for stream in (False, True):
        text = mock.chat("mock-fault=stall-mid-stall=100", stream=stream).text
        assert text.endswith("data: [DONE]\n\n") if stream else json.loads(text)


@pytest.mark.parametrize(("then", "end"), [("close", b""), ("reset", b"<reset>")])
def test_fault_half_chunk(mock, then, end):
    data = mock.raw_chat(f"mock-fault=half-chunk-then={then}", stream=True)
    assert data.endswith(b"<reset>") == (end == b"<reset>")
    data = data.removesuffix(b"<reset>")
    size, rest = data.rsplit(b"\r\n", 1)[0].rsplit(b"\r\n", 1)[1], data.rsplit(b"\r\n", 1)[1]
    assert len(rest) == int(size, 16) // 2
    assert not rest.endswith(b"\n\n")


def test_fault_half_chunk_stall(mock):
    with socket.create_connection(("127.0.0.1", mock.port), timeout=SOON_S) as sock:
        sock.sendall(chat_bytes("mock-fault=half-chunk-then=stall", stream=True))
        data = read_then_silence(sock, 2)
    assert not data.endswith(b"\n\n\r\n")


def test_fault_garbage(mock):
    data = mock.raw_chat("mock-fault=garbage")
    assert data and not data.startswith(b"HTTP/")
    text = mock.raw_chat("mock-fault=garbage-sse", stream=True)
    assert b'"content":\xff\n\n' in text and text.count(b'"delta":{"content":"') == 8 and b"[DONE]" in text


def test_fault_short_length(mock):
    head, body = mock.raw_chat("mock-fault=short-length").split(b"\r\n\r\n", 1)
    announced = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    assert len(body) == announced + 10


def test_fault_error_mid_stream(mock, validate):
    found = events(mock.chat("mock-fault=error-mid-stream-after=3", stream=True).text)
    assert "[DONE]" not in found and len(found) == 5
    validate("ErrorResponse", found[-1])


def test_fault_streams_without_their_end(mock):
    assert mock.chat("mock-fault=empty-stream", stream=True).content == b""
    found = events(mock.chat("mock-fault=no-done", stream=True).text)
    assert found[-1]["choices"][0]["finish_reason"] == "stop"


def test_fault_framing(mock):
    data = mock.raw(chat_bytes("mock-fault=close-delimited"))
    assert b"content-length" not in data and b"transfer-encoding" not in data and b"connection: close" in data
    assert b"\r\nzz;no=number\r\n" in mock.raw_chat("mock-fault=bad-chunk", stream=True)
    data = mock.raw_chat("mock-fault=two-lengths")
    assert b"content-length: " in data and b"transfer-encoding: chunked" in data


def test_fault_no_read(own_mock):
    body = b"x" * 50_000_000
    with socket.create_connection(("127.0.0.1", own_mock.port), timeout=0.5) as sock:
        sock.sendall(b"POST %s HTTP/1.1\r\nhost: x\r\nx-mock-fault: no-read\r\ncontent-length: %d\r\n\r\n"
                     % (CHAT.encode(), len(body)))
        with pytest.raises(TimeoutError):
            sock.sendall(body)


def test_huge_headers_interim_answers_and_trickle(mock):
    answer = mock.raw_chat("mock-headers=50000")
    assert len(answer.split(b"\r\n\r\n")[0]) > 50000
    data = mock.raw_chat("mock-interim=2-hints=1")
    assert data.count(b"HTTP/1.1 100 Continue\r\n\r\n") == 2
    assert data.count(b"HTTP/1.1 103 Early Hints\r\n") == 1
    assert data.count(b"HTTP/1.1 200 OK\r\n") == 1
    plain = mock.chat("mock-trickle=5")
    assert plain.json()["choices"]
    begin = time.monotonic()
    size = len(mock.raw_chat("mock-trickle=100"))
    assert time.monotonic() - begin >= size * 100 / 1e6


def test_close_announced_and_not(mock):
    data = mock.raw(chat_bytes("mock-close=1"))
    assert b"connection: close\r\n" in data
    data = mock.raw(chat_bytes("mock-stale=1"))
    assert b"connection: close\r\n" not in data and data.count(b"HTTP/1.1 200 OK") == 1
    with socket.create_connection(("127.0.0.1", mock.port), timeout=SOON_S) as sock:
        sock.sendall(chat_bytes("m"))
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 OK")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_times_every_and_key(own_mock):
    def statuses(model, count):
        return [own_mock.chat(model).status_code for _ in range(count)]

    assert statuses("mock-status=500-times=2", 4) == [500, 500, 200, 200]
    assert statuses("mock-status=500-times=2-key=b", 3) == [500, 500, 200]
    assert statuses("mock-status=503-every=3", 6) == [200, 200, 503, 200, 200, 503]
    own_mock.post("/mock/reset", {})
    assert statuses("mock-status=500-times=2", 3) == [500, 500, 200]


def test_headers_win_over_model_over_flags():
    mock = Mock("--status", "500", "--retry-after", "9")
    try:
        assert mock.chat("m").status_code == 500
        assert mock.chat("m").headers["retry-after"] == "9"
        assert mock.chat("mock-status=404").status_code == 404
        assert mock.chat("mock-status=404", headers={"X-Mock-Status": "0"}).status_code == 200
    finally:
        mock.stop()


def test_keys_change_while_it_runs():
    mock = Mock("--retry-after", "9")
    try:
        assert mock.post("/mock/knobs?status=503&error-message=later", {}).status_code == 200
        answer = mock.chat("m")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "9")
        assert answer.json()["error"]["message"] == "later"
        assert mock.chat("mock-status=404").status_code == 404  # the model name still wins
        assert mock.post("/mock/knobs?status=429&nonsense=1", {}).status_code == 400
        assert mock.chat("m").status_code == 503
        assert mock.post("/mock/knobs?status=429&retry-after=0&bare=1", {}).status_code == 200
        assert "retry-after" not in mock.chat("m").headers
        assert mock.post("/mock/knobs", {}).status_code == 200
        assert mock.chat("m").status_code == 200
    finally:
        mock.stop()


# ---------------------------------------------------------------- faults, HTTP/2


@pytest.mark.parametrize("fault", ["reset", "reset-after-headers", "reset-after-chunks", "half-chunk-then=reset"])
def test_http2_reset_ends_the_stream_only(mock, fault):
    with mock.client(http2=True) as client:
        body = {"model": f"mock-fault={fault}", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(CHAT, json=body)
        assert client.post(CHAT, json={**body, "model": "m"}).status_code == 200


@pytest.mark.parametrize("fault", ["close-early", "garbage", "bad-chunk"])
def test_http2_close_ends_the_connection(mock, fault):
    with mock.client(http2=True) as client:
        body = {"model": f"mock-fault={fault}", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        with pytest.raises(httpx.TransportError):
            client.post(CHAT, json=body)


def test_http2_faults_inside_a_good_stream(mock):
    found = events(mock.chat("mock-fault=error-mid-stream", http2=True, stream=True).text)
    assert "error" in found[-1]
    assert mock.chat("mock-fault=empty-stream", http2=True, stream=True).content == b""
    assert mock.chat("mock-interim=1-hints=1", http2=True).status_code == 200
    assert mock.chat("mock-status=429", http2=True).headers["retry-after"] == "1"


# ---------------------------------------------------------------- what it saw


def test_last_request_byte_for_byte(own_mock):
    body = b'{ "model" : "m",\n "messages":[{"role":"user","content":"\\u00e9\xc3\xa9"}], "x":1.50e+3 }'
    head = f"POST {CHAT}?a=b%20c HTTP/1.1\r\nHost: x\r\nX-CamelCase:  spaced \r\nx-twice: 1\r\nx-twice: 2\r\n".encode()
    own_mock.raw(head + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    last = own_mock.get("/mock/last").json()
    assert last["method"] == "POST" and last["version"] == "1.1"
    assert last["target"] == CHAT + "?a=b%20c"
    assert ["X-CamelCase", "spaced"] in last["headers"]
    assert [value for name, value in last["headers"] if name == "x-twice"] == ["1", "2"]
    assert base64.b64decode(last["body_base64"]) == body
    assert last["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert own_mock.get("/mock/last/body").content == body


def test_last_request_larger_than_kept(own_mock):
    content = b"x" * 10_000_000
    with own_mock.client() as client:
        client.post("/v1/files", content=content)
    last = own_mock.get("/mock/last").json()
    assert last["body_bytes"] == len(content) and last["body_base64"] is None
    assert last["body_sha256"] == hashlib.sha256(content).hexdigest()


def test_stats_requests_and_reset(own_mock):
    for i in range(20):
        own_mock.chat(f"m{i}")
    own_mock.get("/v1/models")
    stats = own_mock.stats()
    assert stats["by_path"] == {"/chat/completions": 20, "/models": 1}
    assert stats["requests"] == 21
    kept = own_mock.get("/mock/requests").json()
    assert len(kept) == 16 and kept[0]["target"] == "/v1/models"
    assert [json.loads(base64.b64decode(row["body_base64"]))["model"] for row in kept[1:]] == [
        f"m{i}" for i in range(19, 4, -1)
    ]
    own_mock.post("/mock/reset", {})
    assert own_mock.stats()["requests"] == 0 and own_mock.get("/mock/last").json() is None


@pytest.mark.parametrize("http2", [False, True])
def test_aborted_by_client(own_mock, http2):
    with own_mock.client(http2) as client:
        body = {"model": "mock-tps=20-chunks=1000", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        with client.stream("POST", CHAT, json=body) as answer:
            next(answer.iter_bytes())
    deadline = time.monotonic() + SOON_S
    while own_mock.stats()["aborted"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    seen = own_mock.stats()["aborts"][0]
    assert seen["path"] == CHAT and seen["stage"] == "body" and seen["chunks"] < 1000


def test_connections_are_counted(own_mock):
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.create_connection(("127.0.0.1", own_mock.port))) for _ in range(5)]
        for sock in socks:
            sock.sendall(chat_bytes("m"))
            assert sock.recv(65536)
        assert own_mock.stats()["connections_open"] == 6
    deadline = time.monotonic() + SOON_S
    while own_mock.stats()["connections_open"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---------------------------------------------------------------- loadgen: what it counts is what happened


def loadgen(mock, *args):
    """One run of loadgen against the mock. Returns its JSON; the exit code must agree with it."""
    program = find_mockllm().with_name("loadgen")
    done = subprocess.run(
        [program, "--port", str(mock.port), "--duration-ms", "300", "--warmup-ms", "50", *args],
        capture_output=True, text=True, timeout=60,
    )
    result = json.loads(done.stdout)
    assert done.returncode == (1 if result["errors"] > 0 or result["all_calls"] == 0 else 0)
    return result


@pytest.mark.parametrize("more", [(), ("--http2", "--streams", "4")])
def test_loadgen_counts_what_the_mock_saw(own_mock, more):
    result = loadgen(own_mock, "--connections", "8", "--body-bytes", "1300", *more)
    assert result["errors"] == 0
    assert result["all_calls"] == own_mock.stats()["requests"] > result["calls"] > 0
    assert own_mock.get("/mock/last").json()["body_bytes"] == 1300


@pytest.mark.parametrize("more", [("--connections", "20"), ("--connections", "2", "--http2", "--streams", "10")])
def test_loadgen_streams(own_mock, more):
    args = ("--mode", "stream", "--model", "mock-chunks=30-tps=300-stamp=1", "--expect-chunks", "30", "--repeat", "2")
    result = loadgen(own_mock, *args, *more)
    assert result["errors"] == 0 and result["all_calls"] == 40 and result["chunks"] == 1200
    assert result["most_open"] == 20 == own_mock.stats()["requests"] // 2
    assert result["chunk_transit_us"]["count"] == 1200 and result["chunk_gap_us"]["count"] == 1160


@pytest.mark.parametrize(
    ("fault", "stream", "kind"),
    [
        ("reset", False, "closed"),
        ("close-early", False, "closed"),
        ("short-length", False, "protocol"),
        ("garbage", False, "protocol"),
        ("empty-stream", False, "length"),
        ("reset-after-chunks", True, "closed"),
        ("close-early", True, "closed"),
        ("no-done", True, "no_done"),
        ("empty-stream", True, "no_done"),
        ("garbage-sse", True, "protocol"),
        ("bad-chunk", True, "protocol"),
    ],
)
def test_loadgen_sees_every_fault(own_mock, fault, stream, kind):
    mode = ("--mode", "stream") if stream else ("--expect-bytes", "100000")
    if not stream and kind == "length":
        mode = ("--expect-bytes", "7")
    result = loadgen(own_mock, "--connections", "2", "--model", f"mock-fault={fault}", *mode)
    assert result["errors_by_kind"][kind] > 0
    assert result["all_calls"] == 0


def test_loadgen_sees_wrong_answers(own_mock):
    assert loadgen(own_mock, "--model", "mock-status=500")["errors_by_kind"]["status"] > 0
    few = loadgen(own_mock, "--mode", "stream", "--model", "mock-chunks=9", "--expect-chunks", "10", "--connections", "3")
    assert few["errors_by_kind"]["chunks"] == 3
    stalled = loadgen(own_mock, "--model", "mock-fault=stall", "--timeout-ms", "200", "--connections", "3",
                      "--duration-ms", "1500")
    assert stalled["errors_by_kind"]["timeout"] > 0
    own_mock.post("/mock/reset", {})
    mixed = loadgen(own_mock, "--mode", "stream", "--connections", "4", "--model", "mock-fault=no-done-every=2")
    assert mixed["all_calls"] == 2 and mixed["errors_by_kind"]["no_done"] == 2


def test_loadgen_measures_a_process(own_mock):
    streams = ("--mode", "stream", "--model", "mock-chunks=30-tps=300-stamp=1", "--connections", "20", "--expect-chunks", "30")
    result = loadgen(own_mock, *streams, "--watch-pid", str(own_mock.process.pid))
    assert 0 < result["measured"]["cpu_ns"] < 10**9
    assert result["measured"]["rss_bytes"] > 10**6
