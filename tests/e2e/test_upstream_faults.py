# SPDX-License-Identifier: MIT
"""Providers that fail in every way mockllm knows: what the client is told, how soon, and what it may do next."""

import base64
import json
import select
import socket
import subprocess
import threading
import time

import httpx
import pytest
from servers import SLOWNESS, Gatewire, Mockllm, RawConnection, RawUpstream, deployment

CHAT = "/v1/chat/completions"
# The limits of the gateway below; no fault may take longer than these and a little.
CONNECT_S, FIRST_BYTE_S, IDLE_S = 2 * SLOWNESS, 1 * SLOWNESS, 1 * SLOWNESS
BOUND_S = 5 * SLOWNESS
LIMITS = {
    "connect_timeout": CONNECT_S,
    "tls_timeout": CONNECT_S,
    "first_byte_timeout": FIRST_BYTE_S,
    "idle_timeout": IDLE_S,
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A mock whose faults are named by the model, as in "mock-fault=reset"."""
    server = Mockllm(tmp_path_factory.mktemp("faulty"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, faulty):
    """A gateway with short limits that passes every model name on. It must survive all faults."""
    server = Gatewire(
        tmp_path_factory.mktemp("gateway"), {"model_list": [deployment(faulty, "*", **LIMITS)]},
    )
    assert "warn config" not in server.output(), "a limit that is not known has no effect"
    yield server
    assert server.is_running(), server.output()
    assert server.stop() == 0, server.output()


def body(model, stream=False, **extra):
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}], **extra}


def raw_chat(model, stream=False, **extra):
    content = json.dumps(body(model, stream, **extra)).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


def error_of(content):
    error = json.loads(content)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["message"], str) and error["message"]
    return error


def is_usable(connection, rest=b""):
    """Does the connection serve another request, and nothing but that request's answer?"""
    assert rest == b""
    connection.send(raw_chat("mock-size=20"))
    status, _, content, rest = connection.read_response()
    assert rest == b""
    return status == 200 and len(json.loads(content)["choices"][0]["message"]["content"]) == 20


def events_of(content):
    """The data of a stream's events; the last one is complete."""
    assert content.endswith(b"\n\n"), content[-200:]
    return [part[len(b"data: "):] for part in content.split(b"\n\n") if part.startswith(b"data: ")]


# ---------------------------------------------------------------- before the answer


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("reset", 502, "upstream_error"),
        ("garbage", 502, "upstream_error"),
        ("two-lengths", 502, "upstream_error"),
        ("none-headers=70000", 502, "upstream_error"),
        ("stall", 504, "upstream_timeout"),
    ],
)
def test_failure_before_the_answer(gateway, fault, status, code, stream):
    with RawConnection(gateway) as connection:
        begin = time.monotonic()
        connection.send(raw_chat(f"mock-fault={fault}", stream))
        got, fields, content, rest = connection.read_response()
        assert time.monotonic() - begin < BOUND_S
        assert got == status, content
        assert fields["content-type"] == "application/json"
        error = error_of(content)
        assert error["code"] == code
        assert error["type"] == "server_error" or error["type"].endswith("_error")
        assert "sk-mock" not in error["message"]
        assert is_usable(connection, rest)


def test_failure_behind_the_head_of_a_stream(gateway):
    """No event was seen, so the client can still be told by a status."""
    with RawConnection(gateway) as connection:
        connection.send(raw_chat("mock-fault=reset-after-headers", True))
        status, _, content, rest = connection.read_response()
        assert status == 502, content
        assert error_of(content)["code"] == "upstream_error"
        assert is_usable(connection, rest)


def test_nobody_listens(start_gateway):
    class Nobody:
        url = "http://127.0.0.2:9"

    gateway = start_gateway({"model_list": [deployment(Nobody, "gone", **LIMITS)]})
    for stream in (False, True):
        answer = httpx.post(gateway.url + CHAT, json=body("gone", stream), timeout=BOUND_S, trust_env=False)
        assert answer.status_code == 502
        message = error_of(answer.content)["message"]
        assert "127.0.0.2:9" in message and "connect" in message and "refused" in message


def test_name_that_does_not_exist(start_gateway):
    class Nowhere:
        url = "http://no-such-host.invalid:80"

    gateway = start_gateway({"model_list": [deployment(Nowhere, "gone", **LIMITS)]})
    answer = httpx.post(gateway.url + CHAT, json=body("gone"), timeout=30 * SLOWNESS, trust_env=False)
    assert answer.status_code in (502, 504)  # 504 where the name service itself does not answer
    assert "no-such-host.invalid" in error_of(answer.content)["message"]


# ---------------------------------------------------------------- in the middle of a plain answer


BREAKS = ["reset-after-headers", "reset-after-chunks", "close-early", "half-chunk", "stall-mid"]


@pytest.mark.parametrize("fault", BREAKS)
def test_plain_answer_that_breaks_off_is_an_error(gateway, fault):
    """A short answer is held back until it is complete, so nobody sees half of it."""
    with RawConnection(gateway) as connection:
        connection.send(raw_chat(f"mock-fault={fault}-size=2000"))
        status, _, content, _ = connection.read_response()
        expected = (504, "upstream_timeout") if fault == "stall-mid" else (502, "upstream_error")
        assert (status, error_of(content)["code"]) == expected
        assert is_usable(connection)


@pytest.mark.parametrize("fault", BREAKS[1:])
def test_long_plain_answer_is_cut(gateway, fault):
    check_cut(gateway, f"mock-fault={fault}-size=400000")


def check_cut(gateway, model):
    """A client must see that the answer is not complete; it never hangs."""
    with RawConnection(gateway) as connection:
        begin = time.monotonic()
        connection.send(raw_chat(model))
        data = connection.read_all()
        assert time.monotonic() - begin < BOUND_S
        head, _, content = data.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0]
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert len(content) < length
    with RawConnection(gateway) as connection:
        assert is_usable(connection)


def test_wrong_length_does_not_reach_the_next_answer(gateway):
    """Ten bytes of the answer stand behind its announced end: they belong to nobody."""
    with RawConnection(gateway) as connection:
        for _ in range(10):
            connection.send(raw_chat("mock-fault=short-length"))
            status, _, content, rest = connection.read_response()
            assert status == 200
            with pytest.raises(json.JSONDecodeError):
                json.loads(content)
            assert is_usable(connection, rest)


# ---------------------------------------------------------------- in the middle of a stream


@pytest.mark.parametrize(
    "fault", ["reset-after-chunks", "close-early", "half-chunk", "half-chunk-then=reset", "bad-chunk", "stall-mid"],
)
def test_stream_breaks(gateway, fault):
    with RawConnection(gateway) as connection:
        begin = time.monotonic()
        connection.send(raw_chat(f"mock-fault={fault}-after=3", True))
        status, fields, content, rest = connection.read_response()
        assert time.monotonic() - begin < BOUND_S
        assert status == 200
        assert fields["content-type"].startswith("text/event-stream")
        events = events_of(content)
        assert len(events) >= 4
        for event in events[:-1]:
            assert json.loads(event)["object"] == "chat.completion.chunk"
        # The last event is the error, and nothing claims that the answer was complete.
        error = error_of(events[-1])
        assert error["code"] == ("upstream_timeout" if fault == "stall-mid" else "upstream_error")
        assert b"[DONE]" not in content
        assert is_usable(connection, rest)


def test_stream_error_of_the_provider_passes(gateway):
    with RawConnection(gateway) as connection:
        connection.send(raw_chat("mock-fault=error-mid-stream-after=3", True))
        status, _, content, rest = connection.read_response()
        assert status == 200
        assert any(b"The server had an error" in event for event in events_of(content))
        assert is_usable(connection, rest)


# ---------------------------------------------------------------- not a failure


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "knobs", ["fault=close-delimited", "interim=2", "hints=3", "close=1", "trickle=50-size=40-chunks=2", "headers=3000"],
)
def test_unusual_but_good(gateway, knobs, stream):
    with RawConnection(gateway) as connection:
        for _ in range(2):
            connection.send(raw_chat(f"mock-{knobs}", stream))
            status, _, content, rest = connection.read_response()
            assert status == 200, content
            if stream:
                assert events_of(content)[-1] == b"[DONE]"
            else:
                assert json.loads(content)["object"] == "chat.completion"
            assert rest == b""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("status", "code"), [(400, None), (402, None), (404, None), (429, None), (500, None), (503, None)])
def test_errors_of_the_provider_pass(gateway, status, code, stream):
    answer = httpx.post(
        gateway.url + CHAT, json=body(f"mock-status={status}-retry_after=7-error_message=so-it-is", stream),
        timeout=BOUND_S, trust_env=False,
    )
    assert answer.status_code == status
    assert answer.headers["retry-after"] == "7"
    assert "error" in answer.json()


@pytest.fixture
def upstream():
    server = RawUpstream()
    yield server
    server.stop()


def assert_refusal(answer, status, provider="openai"):
    error = answer.json()["error"]
    assert answer.status_code == 502, answer.text
    assert error["code"] == "upstream_credential_refused" and error["type"] == "server_error"
    assert f"'{provider}'" in error["message"] and "'*#1'" in error["message"] and str(status) in error["message"]
    assert "secret" not in answer.text
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("more", ["", "-close=1", "-trickle=50", "-headers=3000"])
def test_a_refused_credential_is_the_gateways_problem(gateway, status, more, stream):
    """Clients must not think that their own key is bad; what the provider says of ours is for the log."""
    seen = len(gateway.lines)
    with httpx.Client(timeout=BOUND_S, trust_env=False) as client:
        model = f"mock-status={status}-error_message=our-secret-plan{more}"
        assert_refusal(client.post(gateway.url + CHAT, json=body(model, stream)), status)
        assert client.post(gateway.url + CHAT, json=body("mock-size=20")).status_code == 200
    line = json.loads(gateway.wait_line(f'^.*"upstream_status":{status}.*$', first=seen).group())
    assert line["status"] == 502 and line["error_class"] == "upstream" and line["error_detail"] == "our-secret-plan"


@pytest.mark.parametrize(
    "rest",
    [
        b"content-type: application/json\r\ncontent-length: 4\r\n\r\nnull",
        b"content-type: application/json\r\ncontent-length: 10\r\n\r\n{\"err",
        b"content-type: application/json\r\ncontent-length: 400000\r\n\r\n" + b" " * 400000,
        b"content-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n",
        b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nc\r\ndata: secret\r\n",
        b"content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 6\r\n\r\nsecret",
        b"www-authenticate: Bearer secret\r\ncontent-length: 0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("path", [CHAT, "/v1/files"])
def test_refusals_of_all_shapes(start_gateway, upstream, path, rest):
    upstream.closes = True
    upstream.answer = b"HTTP/1.1 401 Unauthorized\r\n" + rest
    gateway = start_gateway({"model_list": [deployment(upstream, "*")]})
    with httpx.Client(timeout=BOUND_S, trust_env=False) as client:
        for _ in range(2):
            answer = client.post(gateway.url + path, json=body("any")) if path == CHAT else client.get(gateway.url + path)
            assert_refusal(answer, 401)
        if path != CHAT:
            assert client.head(gateway.url + path).status_code == 502


def test_a_provider_that_wants_a_key_where_there_is_none(start_gateway, upstream):
    upstream.answer = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"
    local = {"model_name": "*", "litellm_params": {"model": "ollama/x", "api_base": upstream.url + "/v1"}}
    gateway = start_gateway({"model_list": [local]})
    answer = httpx.post(gateway.url + CHAT, json=body("any"), timeout=BOUND_S, trust_env=False)
    assert_refusal(answer, 401, "ollama")
    assert "has none" in answer.text


def test_dead_kept_alive_connections_are_not_noticed(gateway, faulty):
    """The provider closes each connection a moment after its answer; no client ever learns."""
    with httpx.Client(timeout=BOUND_S, trust_env=False) as client:
        for pause_ms in (0, 1, 2, 3, 5, 8):
            for _ in range(20):
                answer = client.post(gateway.url + CHAT, json=body("mock-stale=1"))
                assert answer.status_code == 200, answer.text
                threading.Event().wait(pause_ms / 1000)


def test_failures_do_not_mix_answers(gateway):
    """Good and bad exchanges side by side: each client gets its own text."""
    faults = ["reset", "garbage", "two-lengths", "short-length", "reset-after-chunks", "close-early", "half-chunk"]
    wrong = []

    def run(number):
        with httpx.Client(timeout=30 * SLOWNESS, trust_env=False) as client:
            for step in range(25):
                text = f"client {number} step {step}"
                model = "mock-echo=1"
                if (number + step) % 3 == 0:
                    model = f"mock-fault={faults[step % len(faults)]}"
                try:
                    answer = client.post(gateway.url + CHAT, json={
                        "model": model, "stream": False, "messages": [{"role": "user", "content": text}],
                    })
                except httpx.HTTPError:
                    if model == "mock-echo=1":
                        wrong.append((text, "cut"))
                    continue
                if model != "mock-echo=1":
                    continue
                if answer.status_code != 200 or answer.json()["choices"][0]["message"]["content"] != text:
                    wrong.append((text, answer.status_code, answer.text))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---------------------------------------------------------------- clients that disappear


def wait_for(condition, timeout):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        threading.Event().wait(0.01)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(
    ("model", "stream"),
    [
        ("mock-latency=20000", False),
        ("mock-latency=20000", True),
        ("mock-tps=20-chunks=400", True),
        ("mock-fault=stall-mid-after=2-stall=20000", True),
    ],
)
def test_client_disappears(start_gateway, start_mock, model, stream, how):
    mock = start_mock()
    gateway = start_gateway({"model_list": [deployment(mock, "*")]})  # ordinary limits: they must not be what ends it
    connection = RawConnection(gateway)
    connection.send(raw_chat(model, stream))
    if model.startswith("mock-latency"):
        wait_for(lambda: mock.stats()["requests"] >= 1, BOUND_S)
    else:
        connection.read_until(b'"content":"')
    assert mock.stats()["aborted"] == 0
    if how == "reset":
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    begin = time.monotonic()
    connection.socket.close()
    wait_for(lambda: mock.stats()["aborted"] == 1, 1 * SLOWNESS)
    assert time.monotonic() - begin < 1 * SLOWNESS


# ---------------------------------------------------------------- back-pressure


def test_slow_client_does_not_fill_the_gateway(start_gateway, start_mock):
    mock = start_mock()
    gateway = start_gateway({"model_list": [deployment(mock, "*")]})
    size = 64 * 1024 * 1024
    with RawConnection(gateway) as slow:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        slow.send(raw_chat(f"mock-size={size}"))
        total = len(slow.read_until(b"\r\n\r\n"))
        # Nobody reads: what the mock could send comes to rest far below the whole.
        before, sent = -size, mock.stats()["bytes_sent"]
        while sent - before > 64 * 1024:  # the statistics themselves count too
            threading.Event().wait(0.2)
            before, sent = sent, mock.stats()["bytes_sent"]
        assert sent < size / 2
        with open(f"/proc/{gateway.pid}/status") as status:
            rss_kb = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        if SLOWNESS == 1:
            assert rss_kb < 48 * 1024
        # Others are served meanwhile, and the slow one gets all of it in the end.
        with RawConnection(gateway) as other:
            assert is_usable(other)
        while total < size and select.select([slow.socket], [], [], BOUND_S)[0]:
            part = slow.socket.recv(1 << 20)
            if not part:
                break
            total += len(part)
        assert total >= size


# ---------------------------------------------------------------- other ways to a provider


def make_certificate(folder, names):
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )
    return cert, key


class ConnectProxy:
    """An HTTP proxy that knows CONNECT only and sends every tunnel to one place."""

    def __init__(self, target, password=None):
        self.target = target
        self.password = password
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            self.requests.append(head.decode())
            wanted = b"" if self.password is None else base64.b64encode(self.password.encode())
            if wanted not in head:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._pass(client, server)

    @staticmethod
    def _pass(one, other):
        while True:
            for ready in select.select([one, other], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                (other if ready is one else one).sendall(data)


def tls_mock(start_mock, folder, names, *args):
    cert, key = make_certificate(folder, names)
    mock = start_mock("--tls-cert", cert, "--tls-key", key, "--tls-port", "0", *args)
    mock.tls_port = int(mock.wait_line(r"listening with TLS on [\d.]+:(\d+)").group(1))
    return mock, cert


def entry(name, api_base, **params):
    return {"model_name": name, "litellm_params": {"model": f"openai/{name}", "api_base": api_base, "api_key": "sk", **params}}


def ask_both(gateway, model="mock-small"):
    """A plain and a streamed question, answered well."""
    answer = httpx.post(gateway.url + CHAT, json=body(model), timeout=BOUND_S, trust_env=False)
    assert answer.status_code == 200, answer.text
    answer = httpx.post(gateway.url + CHAT, json=body(model, True), timeout=BOUND_S, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("http2", [False, True])
def test_by_proxy_from_the_environment(start_gateway, start_mock, tmp_path, http2):
    mock, cert = tls_mock(start_mock, tmp_path, "DNS:api.vendor.test", *([] if http2 else ["--no-http2"]))
    proxy = ConnectProxy(mock.tls_port, "user:pass word")
    models = [entry("mock-small", "https://api.vendor.test/v1", ssl_verify=str(cert))]
    gateway = start_gateway(
        {"model_list": models}, env={"HTTPS_PROXY": f"http://user:pass%20word@127.0.0.1:{proxy.port}"},
    )
    for _ in range(3):
        ask_both(gateway)
    assert len(proxy.requests) == 1  # the tunnel is kept
    assert proxy.requests[0].startswith("CONNECT api.vendor.test:443 HTTP/1.1\r\n")
    assert b"roxy" not in json.dumps(mock.last()["headers"]).encode()
    proxy.stop()


def test_proxy_refuses(start_gateway, start_mock, tmp_path):
    mock, cert = tls_mock(start_mock, tmp_path, "DNS:api.vendor.test")
    proxy = ConnectProxy(mock.tls_port, "user:right")
    models = [entry("mock-small", "https://api.vendor.test/v1", ssl_verify=str(cert))]
    gateway = start_gateway(
        {"model_list": models}, env={"HTTPS_PROXY": f"http://user:wrong@127.0.0.1:{proxy.port}"},
    )
    for stream in (False, True):
        answer = httpx.post(gateway.url + CHAT, json=body("mock-small", stream), timeout=BOUND_S, trust_env=False)
        assert answer.status_code == 502
        message = error_of(answer.content)["message"]
        assert "407" in message and "wrong" not in message
    proxy.stop()


def test_by_unix_socket(start_gateway, start_mock, tmp_path):
    path = tmp_path / "provider.sock"
    mock = start_mock("--unix", path)
    gateway = start_gateway({"model_list": [entry("mock-small", f"unix:{path}:/v1")]})
    for _ in range(3):
        ask_both(gateway)
    assert mock.stats()["requests"] == 6
    mock.stop()
    answer = httpx.post(gateway.url + CHAT, json=body("mock-small"), timeout=BOUND_S, trust_env=False)
    assert answer.status_code == 502
    assert str(path) in error_of(answer.content)["message"]


@pytest.mark.parametrize("way", ["alpn", "prior"])
def test_by_http2(start_gateway, start_mock, tmp_path, way):
    if way == "alpn":
        mock, cert = tls_mock(start_mock, tmp_path, "IP:127.0.0.1", "--h2-max-streams", "4")
        params = {"api_base": f"https://127.0.0.1:{mock.tls_port}/v1", "ssl_verify": str(cert)}
    else:
        mock = start_mock("--h2-max-streams", "4")
        params = {"api_base": mock.url + "/v1", "http2": "prior"}
    gateway = start_gateway({"model_list": [entry("*", **params, **LIMITS)]})
    before = mock.stats()["connections_accepted"]
    for _ in range(5):
        ask_both(gateway)
    assert mock.last()["version"] == "2.0"
    assert mock.stats()["connections_accepted"] - before - 2 <= 2  # /mock/stats comes on connections of its own
    # More at once than a connection takes.
    failures = []

    def run():
        answer = httpx.post(gateway.url + CHAT, json=body("mock-latency=100"), timeout=BOUND_S, trust_env=False)
        if answer.status_code != 200:
            failures.append(answer.text)

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    # Faults, of streams and of the connection.
    for fault, status in (("reset", 502), ("stall", 504)):
        answer = httpx.post(gateway.url + CHAT, json=body(f"mock-fault={fault}"), timeout=BOUND_S, trust_env=False)
        assert answer.status_code == status, answer.text
        error_of(answer.content)
    with RawConnection(gateway) as connection:
        connection.send(raw_chat("mock-fault=reset-after-chunks-after=3", True))
        status, _, content, rest = connection.read_response()
        assert status == 200
        assert error_of(events_of(content)[-1])["code"] == "upstream_error"
        assert is_usable(connection, rest)
    ask_both(gateway)


def test_certificate_is_verified(start_gateway, start_mock, tmp_path):
    mock, cert = tls_mock(start_mock, tmp_path, "DNS:another.test")
    base = f"https://127.0.0.1:{mock.tls_port}/v1"
    gateway = start_gateway({
        "model_list": [
            entry("not-trusted", base),
            entry("wrong-name", base, ssl_verify=str(cert)),
            entry("asked-for", base, ssl_verify=False),
        ],
    })
    for model in ("not-trusted", "wrong-name"):
        answer = httpx.post(gateway.url + CHAT, json=body(model), timeout=BOUND_S, trust_env=False)
        assert answer.status_code == 502
        assert "TLS" in error_of(answer.content)["message"]
    assert mock.stats()["requests"] == 0
    ask_both(gateway, "asked-for")


def test_tls_provider_that_is_none(start_gateway, start_mock):
    """https:// to a port that speaks plain HTTP."""
    mock = start_mock()
    gateway = start_gateway({"model_list": [entry("mock-small", f"https://127.0.0.1:{mock.port}/v1", **LIMITS)]})
    answer = httpx.post(gateway.url + CHAT, json=body("mock-small"), timeout=BOUND_S, trust_env=False)
    assert answer.status_code == 502
    assert "TLS" in error_of(answer.content)["message"]
