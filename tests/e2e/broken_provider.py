# SPDX-License-Identifier: MIT
"""Providers that say one known text, and break off where a test wants it. Whoever is asked to go on with an answer
is strict about how: as the vendor it stands for."""

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

WORDS = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve.".split(" ")
TEXT = " ".join(WORDS)


def pieces_behind(prefix):
    """The rest of TEXT in pieces, as a model's tokens come."""
    rest = TEXT[len(prefix):]
    return [rest[i:i + 4] for i in range(0, len(rest), 4)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        provider = self.server.provider
        with provider.lock:
            provider.requests.append(body)
        try:
            provider.answer(self, body)
        except (BrokenPipeError, ConnectionResetError):
            provider.was_cancelled.set()
        self.close_connection = True

    def send_error_json(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()

    def event(self, data, name=None):
        head = f"event: {name}\n" if name else ""
        self.wfile.write(f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode())
        self.wfile.flush()


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Provider:
    """Says TEXT, or what is left of it, and after `dies_after` pieces does what `end` says: "cut" (the connection),
    "error" (the vendor's error event), "stall" (nothing more until the client leaves), "late-cut", "late-rest" (after
    `silence` seconds)."""

    def __init__(self, dies_after=None, end="cut", before=(), silence=0.0):
        self.silence = silence
        self.dies_after = dies_after
        self.end = end
        self.before = before
        self.may_die = threading.Event()  # the client has something of the answer
        self.requests = []
        self.lock = threading.Lock()
        self.was_cancelled = threading.Event()
        self.stopped = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.provider = self
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def prefix_of(self, handler, body):
        """What the answer is to begin behind; None after an error was sent."""
        last = body["messages"][-1]
        if last["role"] != "assistant":
            return ""
        refusal = self.refuse_prefix(last, body)
        content = last["content"]
        text = content if isinstance(content, str) else "".join(part["text"] for part in content)
        if refusal is None and (not TEXT.startswith(text) or text != text.rstrip()):
            refusal = f"not a beginning of the text: {text!r}"
        if refusal is not None:
            handler.send_error_json(400, {"type": "error", "error": {"type": "invalid_request_error", "message": refusal}})
            return None
        return text

    def answer(self, handler, body):
        prefix = self.prefix_of(handler, body)
        if prefix is None:
            return
        handler.begin()
        self.start(handler)
        for number, piece in enumerate(self.pieces(prefix)):
            if number == self.dies_after and not self.goes_on(handler):
                return
            self.say(handler, piece)
        self.finish(handler)

    def pieces(self, prefix):
        return pieces_behind(prefix)

    def goes_on(self, handler):
        if self.end == "stall":
            if handler.connection.recv(1) == b"":  # until the gateway leaves
                self.was_cancelled.set()
        elif self.end.startswith("late-"):
            self.stopped.wait(self.silence)
        else:
            assert self.may_die.wait(20)
        if self.end == "error":
            self.say_error(handler)
        return self.end == "late-rest"


class OpenAI(Provider):
    """Chat completions. It does not go on with an answer: a last message of the assistant's is refused."""

    name = "openai"
    model = "gpt-4o-mini"

    def refuse_prefix(self, last, body):
        return "the last message must be the user's"

    def chunk(self, delta, finish=None):
        return {
            "id": "chatcmpl-first", "object": "chat.completion.chunk", "created": 1795000000, "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }

    def start(self, handler):
        handler.event(self.chunk({"role": "assistant", "content": ""}))
        for delta in self.before:
            handler.event(self.chunk(delta))

    def say(self, handler, piece):
        handler.event(self.chunk({"content": piece}))

    def say_error(self, handler):
        handler.event({"error": {"message": "The server had an error", "type": "server_error", "param": None, "code": None}})

    def finish(self, handler):
        handler.event(self.chunk({}, "stop"))
        usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
        handler.event({**self.chunk({}), "choices": [], "usage": usage})
        handler.event("[DONE]")


class Vllm(OpenAI):
    name = "hosted_vllm"
    model = "qwen"

    def refuse_prefix(self, last, body):
        if body.get("continue_final_message") is not True or body.get("add_generation_prompt") is not False:
            return "continue_final_message is missing"
        return None


class Mistral(OpenAI):
    """Repeats the prefix."""

    name = "mistral"
    model = "mistral-small-latest"

    def refuse_prefix(self, last, body):
        return None if last.get("prefix") is True else "Expected last role User or Tool (or Assistant with prefix True)"

    def pieces(self, prefix):
        return pieces_behind("")


class Anthropic(Provider):
    name = "anthropic"
    model = "claude-haiku-4-5"

    def refuse_prefix(self, last, body):
        return "Thinking and a prefill cannot be combined" if "thinking" in body else None

    def start(self, handler):
        message = {
            "id": "msg_first", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1},
        }
        handler.event({"type": "message_start", "message": message}, "message_start")
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        handler.event(block, "content_block_start")

    def say(self, handler, piece):
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        handler.event(delta, "content_block_delta")

    def say_error(self, handler):
        handler.event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")

    def finish(self, handler):
        handler.event({"type": "content_block_stop", "index": 0}, "content_block_stop")
        end = {"stop_reason": "end_turn", "stop_sequence": None}
        delta = {"type": "message_delta", "delta": end, "usage": {"output_tokens": 20}}
        handler.event(delta, "message_delta")
        handler.event({"type": "message_stop"}, "message_stop")
