# SPDX-License-Identifier: MIT
"""Odd turns in the life of one request: early answers, answers that stop, streams without their usual end, long names."""

import json
import socket
import threading

import pytest
from servers import RawConnection, deployment, parse_head

CHAT = b'{"model":"mock-small","messages":[{"role":"user","content":"hi"}]}'
STREAM = b'{"model":"mock-small","stream":true,"messages":[{"role":"user","content":"hi"}]}'


class Provider:
    """A provider whose whole connection is the test's: `serve(connection)` runs for each one."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.listener.getsockname()
        self.url = f"http://{self.host}:{self.port}"
        self.serve = serve
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        with connection:
            try:
                self.serve(connection)
            except OSError:
                pass

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def read_request(connection):
    """Head and body of a request with a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise OSError
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    _, _, rest = head.lower().partition(b"content-length: ")
    length = int(rest.partition(b"\r\n")[0]) if rest else 0
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            raise OSError
        body += part
    return head, body


@pytest.fixture
def provider():
    """Makes providers: provider(serve)."""
    made = []

    def make(serve):
        made.append(Provider(serve))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def post(path, body, *fields):
    head = [b"POST " + path + b" HTTP/1.1", b"Host: gateway", b"Content-Type: application/json",
            b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


CHUNKED_UPLOAD = (b"POST /v1/files HTTP/1.1\r\nHost: gateway\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


# ---- answers that come before the upload is complete ----


def test_upload_grows_too_large_behind_an_early_answer(start_gateway, provider):
    """The answer has begun, so there is no second one to give: it is cut, and the gateway lives on."""

    def serve(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        while connection.recv(65536):
            pass

    upstream = provider(serve)
    gateway = start_gateway({"model_list": [deployment(upstream)], "server": {"max_body_size": "200KB"}})
    with RawConnection(gateway) as client:
        client.send(CHUNKED_UPLOAD + chunk(b"a" * 1000))
        answer = client.read_until(b"\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 200 ")
        for _ in range(100):
            if not client.send(chunk(b"a" * 10000)):
                break
        client.end_sending()
        assert b"HTTP/1.1 " not in client.read_all()
    assert gateway.is_running(), gateway.output()
    with RawConnection(gateway) as client:
        client.send(b"GET /health HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
        assert client.read_all().startswith(b"HTTP/1.1 200 ")


def test_upload_that_is_refused_early(start_gateway, provider):
    """A provider that answers 413 and closes while the upload runs: the client gets that answer."""

    def serve(connection):
        connection.recv(1000)
        body = b'{"error":{"message":"too large for me"}}'
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    upstream = provider(serve)
    gateway = start_gateway({"model_list": [deployment(upstream)]})
    with RawConnection(gateway) as client:
        client.send(CHUNKED_UPLOAD)
        for _ in range(20):
            if not client.send(chunk(b"a" * 10000)):
                break
        status, _, body, _ = client.read_response()
        assert status == 413 and json.loads(body)["error"]["message"] == "too large for me"


# ---- the end of a stream ----

EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\n\n'


def streamed(gateway, path=b"/v1/chat/completions", body=STREAM):
    with RawConnection(gateway) as client:
        client.send(post(path, body))
        status, fields, answer, rest = client.read_response()
        assert rest == b""
        return status, fields, answer


ENDS = {
    "usual": (EVENT + b"data: [DONE]\n\n", EVENT + b"data: [DONE]\n\n"),
    "no blank line": (EVENT + b"data: [DONE]\n", EVENT + b"data: [DONE]\n"),
    "no line end": (EVENT + b"data: [DONE]", EVENT + b"data: [DONE]"),
    "CR only": (EVENT + b"data: [DONE]\r", EVENT + b"data: [DONE]\r"),
    "usage without its blank line": (EVENT + b"data: [DONE]\n\n" + USAGE[:-2], EVENT + b"data: [DONE]\n\n"),
    "bare error line": (EVENT + b'{"error":{"message":"x"}}', EVENT + b'{"error":{"message":"x"}}'),
}


@pytest.mark.parametrize("name", ENDS)
def test_stream_ends_as_the_provider_ended_it(start_gateway, provider, name):
    sent, wanted = ENDS[name]

    def serve(connection):
        while True:
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                               + chunk(sent) + b"0\r\n\r\n")

    gateway = start_gateway({"model_list": [deployment(provider(serve))]})
    status, _, answer = streamed(gateway)
    assert (status, answer) == (200, wanted)


@pytest.mark.parametrize("rest", [b"", EVENT[:20], EVENT[:-2], b": ping"])
def test_stream_that_stops_gets_an_error_event_of_its_own(start_gateway, provider, rest):
    """Half an event is not shown, and the error event is one that a client's parser sees."""

    def serve(connection):
        while True:
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                               + chunk(EVENT + rest) + b"0\r\n\r\n")

    gateway = start_gateway({"model_list": [deployment(provider(serve))]})
    status, _, answer = streamed(gateway)
    assert status == 200 and answer.startswith(EVENT)
    error = answer[len(EVENT):]
    assert error.startswith(b"data: ") and error.endswith(b"\n\n")
    assert json.loads(error[6:])["error"]["code"] == "upstream_error"


OTHER_STREAMS = {
    "transcription": (b"/v1/audio/transcriptions",
                      b'data: {"type":"transcript.text.delta","delta":"a"}\n\n'
                      b'data: {"type":"transcript.text.done","text":"a"}\n\n'),
    "speech": (b"/v1/audio/speech",
               b'data: {"type":"speech.audio.delta","audio":"AA=="}\n\ndata: {"type":"speech.audio.done"}\n\n'),
    "image": (b"/v1/images/generations",
              b'event: image_generation.completed\ndata: {"type":"image_generation.completed","b64_json":"AA=="}\n\n'),
    "anything": (b"/v1/embeddings", b"data: {}\n\n"),
}


@pytest.mark.parametrize("name", OTHER_STREAMS)
def test_streams_that_end_without_done(start_gateway, provider, name):
    """Only chat, completions and responses have an end that is known; others are complete when they end."""
    path, sent = OTHER_STREAMS[name]

    def serve(connection):
        while True:
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                               + chunk(sent) + b"0\r\n\r\n")

    gateway = start_gateway({"model_list": [deployment(provider(serve))]})
    if name == "transcription":
        form = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nmock-small\r\n--b--\r\n'
        request = post(path, form).replace(b"application/json", b"multipart/form-data; boundary=b")
    else:
        request = post(path, STREAM)
    with RawConnection(gateway) as client:
        client.send(request)
        status, _, answer, _ = client.read_response()
    assert (status, answer) == (200, sent)


def test_connection_lost_behind_done(start_gateway, provider):
    """A stream that said [DONE] is complete, whatever becomes of the connection afterwards."""

    def serve(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                           + chunk(EVENT + b"data: [DONE]\n\n"))

    gateway = start_gateway({"model_list": [deployment(provider(serve))]})
    status, _, answer = streamed(gateway)
    assert (status, answer) == (200, EVENT + b"data: [DONE]\n\n")


# ---- plain answers that stop ----


def test_plain_answer_that_stops_is_seen_as_cut(start_gateway, provider):
    def serve(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                           + chunk(b'{"choices":"' + b"x" * 100_000))

    gateway = start_gateway({"model_list": [deployment(provider(serve))]})
    with RawConnection(gateway) as client:
        client.send(post(b"/v1/chat/completions", CHAT))
        answer = client.read_all()
    assert answer.startswith(b"HTTP/1.1 200 ") and not answer.endswith(b"0\r\n\r\n")


# ---- names that are long ----

LONG = {
    "path": (b"GET", b"/v1/" + b"y" * 60000, 404),
    "model": (b"GET", b"/v1/models/" + b"y" * 60000, 404),
    "deployment": (b"POST", b"/openai/deployments/" + b"y" * 60000 + b"/chat/completions", 400),
}


@pytest.mark.parametrize("name", LONG)
def test_long_names_are_answered_with_whole_errors(gateway, name):
    method, path, want = LONG[name]
    with RawConnection(gateway) as client:
        client.send(method + b" " + path + b" HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 15\r\nConnection: close\r\n\r\n" + b'{"messages":[]}')
        head, _, body = client.read_all().partition(b"\r\n\r\n")
    status, _ = parse_head(head)
    assert status == want
    message = json.loads(body)["error"]["message"]
    assert message and len(message) < 2000


def test_two_models_in_a_form_are_refused(gateway, mock):
    """The provider might take the one that was not looked at."""
    part = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%s\r\n'
    before = mock.stats()["requests"]
    form = part % b"mock-small" + part % b"other" + b"--b--\r\n"
    with RawConnection(gateway) as client:
        client.send(post(b"/v1/audio/transcriptions", form).replace(b"application/json", b"multipart/form-data; boundary=b"))
        assert client.read_response()[0] == 400
    assert mock.stats()["requests"] == before
