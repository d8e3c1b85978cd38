# SPDX-License-Identifier: MIT
"""TLS towards clients and towards providers: versions, ALPN, reload of certificates, verification, resumption."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import threading

import httpx
import pytest
from servers import SLOWNESS, Gatewire, Mockllm, RawConnection, RawUpstream, deployment, wait_until

CHAT = "/v1/chat/completions"
MODEL = "mock-small"
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
TIMEOUT_S = 20 * SLOWNESS


def sent_bytes(server):
    """What the gateway has sent to clients so far."""
    page = httpx.get(server.metrics_url + "/metrics", trust_env=False).text
    return int(re.search(r"(?m)^gatewire_downstream_sent_bytes_total (\d+)$", page).group(1))


def raw_chat(**extra):
    content = json.dumps({**BODY, **extra}).encode()
    return f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content


class TlsConnection(RawConnection):
    """A RawConnection inside TLS."""

    def __init__(self, server, context, session=None):
        super().__init__(server)
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost", session=session)

    def chat(self):
        """One request and its answer, on a connection that stays open."""
        assert self.send(raw_chat())
        status, _, body, rest = self.read_response()
        assert (status, rest) == (200, b"")
        return json.loads(body)

    def subject(self):
        return dict(item[0] for item in self.socket.getpeercert()["subject"])["commonName"]


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue("gateway")


@pytest.fixture(scope="module")
def secure(tmp_path_factory, mock, pair):
    """A gateway whose API speaks TLS. It must survive all tests."""
    server = Gatewire(
        tmp_path_factory.mktemp("secure"),
        {"server": {"tls": {"cert_file": str(pair.cert), "key_file": str(pair.key)}}, "model_list": [deployment(mock, MODEL)]},
    )
    assert server.scheme == "https"
    yield server
    assert server.is_running(), server.output()
    assert server.stop() == 0, server.output()


@pytest.fixture
def context(authority):
    return authority.client_context()


def only(context, version):
    context.minimum_version = context.maximum_version = version
    return context


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class TestDownstream:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_versions(self, secure, context, version):
        with TlsConnection(secure, only(context, version)) as connection:
            assert connection.socket.version() == version.name.replace("_", ".")
            assert connection.chat()["object"] == "chat.completion"
            assert connection.chat()["object"] == "chat.completion"

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
    def test_old_versions_are_refused(self, secure, context):
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            TlsConnection(secure, context)

    @pytest.mark.parametrize(
        ("offered", "chosen"),
        [(["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["h2"], "h2"), ([], None)],
    )
    def test_alpn(self, secure, context, offered, chosen):
        if offered:
            context.set_alpn_protocols(offered)
        with TlsConnection(secure, context) as connection:
            assert connection.socket.selected_alpn_protocol() == chosen
            if chosen != "h2":
                assert connection.chat()["object"] == "chat.completion"

    def test_alpn_without_a_common_protocol_is_refused(self, secure, context):
        context.set_alpn_protocols(["spdy/3"])
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            TlsConnection(secure, context)

    @pytest.mark.parametrize("http2", [False, True])
    @pytest.mark.parametrize("version", VERSIONS)
    def test_plain_and_streamed_answers(self, secure, context, version, http2):
        with httpx.Client(verify=only(context, version), http2=http2, trust_env=False, timeout=TIMEOUT_S) as client:
            answer = client.post(secure.url + CHAT, json=BODY)
            assert answer.status_code == 200
            assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            answer = client.post(secure.url + CHAT, json={**BODY, "stream": True})
            assert answer.text.endswith("data: [DONE]\n\n")

    @pytest.mark.parametrize("http2", [False, True])
    def test_large_bodies_both_ways(self, secure, mock, context, http2):
        text = "lorem ipsum " * 250_000
        body = {"model": MODEL, "messages": [{"role": "user", "content": text}]}
        with httpx.Client(verify=context, http2=http2, trust_env=False, timeout=TIMEOUT_S) as client:
            answer = client.post(secure.url + CHAT, json=body, headers={"x-mock-echo": "1"})
        assert answer.status_code == 200
        assert answer.json()["choices"][0]["message"]["content"] == text

    @pytest.mark.parametrize("version", VERSIONS)
    def test_sessions_are_resumed(self, secure, context, version):
        only(context, version)
        with TlsConnection(secure, context) as first:
            assert not first.socket.session_reused
            first.chat()  # brings the tickets of TLS 1.3
            session = first.socket.session
        with TlsConnection(secure, context, session) as second:
            assert second.socket.session_reused
            second.chat()

    def test_plain_http_on_the_port_ends(self, secure, context):
        with RawConnection(secure) as connection:
            connection.send(raw_chat())
            assert b"HTTP/1.1 200" not in connection.read_all()
        with TlsConnection(secure, context) as connection:
            connection.chat()

    def test_garbage_on_the_port_ends(self, secure, context):
        for data in (b"\x00" * 64, b"\x16\x03\x01\xff\xff" + b"\x01" * 100, b"\x80\x2e\x01\x03\x01" + b"\x00" * 60):
            with RawConnection(secure) as connection:
                connection.send(data)
                connection.end_sending()
                connection.read_all()
        with TlsConnection(secure, context) as connection:
            connection.chat()

    def test_a_silent_client_is_not_waited_for(self, start_gateway, mock, pair):
        server = start_gateway({
            "server": {"tls": {"cert_file": str(pair.cert), "key_file": str(pair.key)}, "header_timeout": f"{SLOWNESS}s"},
            "model_list": [deployment(mock, MODEL)],
        })
        with RawConnection(server) as connection:
            assert connection.read_all() == b""

    def test_a_slow_reader_gets_all(self, secure, context):
        with TlsConnection(secure, context) as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            text = "0123456789" * 200_000
            before = sent_bytes(secure)
            content = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": text}]}).encode()
            head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nx-mock-echo: 1\r\ncontent-length: {len(content)}\r\n\r\n"
            assert connection.send(head.encode() + content)
            # Nobody reads until the answer has begun to fill what lies between.
            wait_until(lambda: sent_bytes(secure) > before)
            status, _, body, _ = connection.read_response()
            assert status == 200
            assert json.loads(body)["choices"][0]["message"]["content"] == text


class TestReload:
    @pytest.fixture
    def files(self, tmp_path, authority):
        """Where a gateway's certificate is, and a function that replaces it by another one's."""
        cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

        def put(name):
            made = authority.issue(name)
            # Key first: between the two the pair does not fit, and a reload then must change nothing.
            shutil.copy(made.key, key)
            shutil.copy(made.cert, cert)

        put("first")
        return cert, key, put

    @pytest.fixture
    def server(self, start_gateway, mock, files):
        cert, key, _ = files
        return start_gateway({
            "server": {"tls": {"cert_file": str(cert), "key_file": str(key)}}, "model_list": [deployment(mock, MODEL)],
        })

    @staticmethod
    def subject_of(server, context):
        with TlsConnection(server, context) as connection:
            return connection.subject()

    def test_a_new_certificate_is_used_and_no_connection_dropped(self, server, files, context):
        with TlsConnection(server, context) as old:
            assert old.subject() == "first"
            old.chat()
            files[2]("second")
            os.kill(server.pid, signal.SIGHUP)
            wait_until(lambda: self.subject_of(server, context) == "second")
            old.chat()
            old.chat()

    def test_sessions_of_the_old_certificate_do_no_harm(self, server, files, context):
        with TlsConnection(server, context) as first:
            first.chat()
            session = first.socket.session
        files[2]("second")
        os.kill(server.pid, signal.SIGHUP)
        wait_until(lambda: self.subject_of(server, context) == "second")
        with TlsConnection(server, context, session) as second:
            second.chat()

    @pytest.mark.parametrize("damage", ["missing", "garbage", "foreign key"])
    def test_a_bad_certificate_changes_nothing(self, server, files, context, authority, damage):
        cert, key, _ = files
        if damage == "missing":
            cert.unlink()
        elif damage == "garbage":
            cert.write_text("this is no certificate\n")
        else:
            shutil.copy(authority.issue("foreign").key, key)
        seen = len(server.lines)
        os.kill(server.pid, signal.SIGHUP)
        server.wait_line(rf"(error|warn) .*({cert}|{key})", first=seen)
        assert self.subject_of(server, context) == "first"
        assert server.is_running()

    def test_no_request_fails_while_certificates_change(self, server, files, context):
        failures, counts = [], [0, 0]
        stop = threading.Event()

        def ask(index, keep):
            client = httpx.Client(verify=context, trust_env=False, timeout=TIMEOUT_S)
            while not stop.is_set():
                try:
                    answer = client.post(server.url + CHAT, json=BODY)
                    if answer.status_code != 200:
                        failures.append(answer.text)
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                counts[index] += 1
                if not keep:
                    client.close()
                    client = httpx.Client(verify=context, trust_env=False, timeout=TIMEOUT_S)
            client.close()

        threads = [threading.Thread(target=ask, args=(0, True)), threading.Thread(target=ask, args=(1, False))]
        for thread in threads:
            thread.start()
        for number in range(4):
            before = list(counts)
            files[2](f"number-{number}")
            os.kill(server.pid, signal.SIGHUP)
            wait_until(lambda name=f"number-{number}": self.subject_of(server, context) == name)
            wait_until(lambda before=before: all(now > then for now, then in zip(counts, before, strict=True)))
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []


class TlsUpstream(RawUpstream):
    """A RawUpstream inside TLS that notes names and resumptions.

    With `says_goodbye` it closes as TLS wants it, else it just cuts.
    """

    def __init__(self, pair, version=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.cert, pair.key)
        self.context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        if version:
            only(self.context, version)
        self.names, self.resumed = [], []
        self.says_goodbye = True
        super().__init__()
        self.url = self.url.replace("http://", "https://")

    def _serve(self, connection):
        try:
            inside = self.context.wrap_socket(connection, server_side=True)
        except OSError:
            return
        self.resumed.append(inside.session_reused)
        super()._serve(_Unwrapping(inside) if self.says_goodbye else inside)


class _Unwrapping:
    """A TLS socket that sends close_notify when it is left."""

    def __init__(self, inside):
        self._inside = inside
        self.recv, self.sendall = inside.recv, inside.sendall

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._inside.settimeout(TIMEOUT_S)
            self._inside.unwrap()
        except OSError:
            pass
        self._inside.close()


ANSWER = json.dumps({
    "id": "x", "object": "chat.completion", "created": 1, "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}).encode()
WITH_LENGTH = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n" + ANSWER


@pytest.fixture
def tls_upstream(authority):
    """Makes providers whose every byte a test chooses, inside TLS."""
    servers = []

    def start(names="DNS:localhost,IP:127.0.0.1", version=None, **kind):
        pair = authority.issue(f"upstream-{len(servers)}", names, **kind)
        servers.append(TlsUpstream(pair, version))
        servers[-1].answer = WITH_LENGTH
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def towards(url, **params):
    """A configuration with one deployment, reached by TLS."""
    entry = {"model": f"openai/{MODEL}", "api_base": url + "/v1", "api_key": "sk-secret-of-the-provider", **params}
    return {"model_list": [{"model_name": MODEL, "litellm_params": entry}]}


def ask(gateway):
    return httpx.post(gateway.url + CHAT, json=BODY, timeout=TIMEOUT_S, trust_env=False)


def refusal(gateway):
    """The text of the 502 that the gateway answers with."""
    answer = ask(gateway)
    assert answer.status_code == 502, answer.text
    assert "sk-secret" not in answer.text
    return answer.json()["error"]["message"]


class TestVerification:
    @pytest.mark.parametrize(
        ("kind", "host", "text"),
        [
            ({"self_signed": True}, "localhost", "self-signed certificate (subject CN=upstream-0)"),
            ({"expired": True}, "localhost", "certificate has expired (subject CN=upstream-0, expired 20"),
            ({"names": "DNS:o.test"}, "localhost", "hostname mismatch: asked for localhost, the certificate is for o.test"),
            ({"names": "DNS:localhost"}, "127.0.0.1", "address mismatch: asked for 127.0.0.1, the certificate is for localhost"),
        ],
    )
    def test_bad_certificates_are_refused_with_the_reason(self, start_gateway, tls_upstream, authority, kind, host, text):
        upstream = tls_upstream(**kind)
        gateway = start_gateway(towards(f"https://{host}:{upstream.port}", ca_file=str(authority.ca_file)))
        message = refusal(gateway)
        assert text in message
        assert f"{host}:{upstream.port}" in message
        assert upstream.requests == []

    def test_an_unknown_authority_is_refused(self, start_gateway, tls_upstream):
        """Without ca_file only the system's authorities count, and ours is none of them."""
        upstream = tls_upstream()
        assert "issuer is not trusted" in refusal(start_gateway(towards(upstream.url)))
        assert upstream.requests == []

    def test_a_server_without_tls_is_told(self, start_gateway, mock):
        message = refusal(start_gateway(towards(mock.url.replace("http://", "https://"))))
        assert "speaks no TLS" in message

    @pytest.mark.parametrize("where", ["ca_file", "ssl_verify", "upstream", "SSL_CERT_FILE"])
    def test_an_own_authority(self, start_gateway, tls_upstream, authority, where):
        upstream = tls_upstream()
        env = {}
        if where == "upstream":
            config = {**towards(upstream.url), "upstream": {"ca_file": str(authority.ca_file)}}
        elif where == "SSL_CERT_FILE":
            config, env = towards(upstream.url), {"SSL_CERT_FILE": str(authority.ca_file)}
        else:
            config = towards(upstream.url, **{where: str(authority.ca_file)})
        gateway = start_gateway(config, env=env)
        assert ask(gateway).status_code == 200
        assert len(upstream.requests) == 1

    @pytest.mark.parametrize("params", [{"insecure": True}, {"ssl_verify": False}])
    def test_everything_is_trusted_when_asked_for(self, start_gateway, tls_upstream, params):
        upstream = tls_upstream(names="DNS:other.test", self_signed=True)
        assert ask(start_gateway(towards(upstream.url, **params))).status_code == 200
        assert len(upstream.requests) == 1

    def test_insecure_is_for_its_own_deployment_only(self, start_gateway, tls_upstream):
        loose, strict = tls_upstream(self_signed=True), tls_upstream(self_signed=True)
        config = towards(loose.url, insecure=True)
        config["model_list"] += [{**towards(strict.url)["model_list"][0], "model_name": "strict"}]
        gateway = start_gateway(config)
        assert ask(gateway).status_code == 200
        answer = httpx.post(gateway.url + CHAT, json={**BODY, "model": "strict"}, timeout=TIMEOUT_S, trust_env=False)
        assert answer.status_code == 502
        assert "self-signed" in answer.text
        assert strict.requests == []


class TestManyWorkers:
    def test_contexts_are_shared(self, start_gateway, authority, tmp_path, pair):
        """Several workers handshake at once on both sides, with fresh connections, while the configuration changes."""
        made = authority.issue("shared-mock")
        server = Mockllm(tmp_path, "--tls-port", "0", "--tls-cert", str(made.cert), "--tls-key", str(made.key))
        try:
            port = server.wait_line(r"listening with TLS on [\d.]+:(\d+)").group(1)
            config = towards(f"https://localhost:{port}", http2="off")
            config["server"] = {"workers": 4, "tls": {"cert_file": str(pair.cert), "key_file": str(pair.key)}}
            # One connection an answer: each request handshakes with the provider.
            config["model_list"][0]["litellm_params"]["extra_headers"] = {"x-mock-close": "1"}
            gateway = start_gateway(config, env={"SSL_CERT_FILE": str(authority.ca_file)})
            context = authority.client_context()
            answers = []

            def run():
                for _ in range(15):
                    with TlsConnection(gateway, context) as connection:
                        answers.append(connection.chat()["object"])

            threads = [threading.Thread(target=run) for _ in range(6)]
            for thread in threads:
                thread.start()
            for count in (10, 30, 50):
                wait_until(lambda count=count: len(answers) >= count)
                os.kill(gateway.pid, signal.SIGHUP)
            for thread in threads:
                thread.join()
            assert answers == ["chat.completion"] * 90
        finally:
            server.stop()


class TestUpstream:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_connections_are_kept_and_sessions_resumed(self, start_gateway, tls_upstream, authority, version):
        upstream = tls_upstream(version=version)
        gateway = start_gateway(towards(f"https://localhost:{upstream.port}", ca_file=str(authority.ca_file)))
        assert ask(gateway).status_code == 200
        assert ask(gateway).status_code == 200
        assert upstream.resumed == [False]  # one connection so far
        upstream.closes = True
        for _ in range(4):
            assert ask(gateway).status_code == 200
        assert upstream.resumed[1:] == [True] * (len(upstream.resumed) - 1)
        assert len(upstream.resumed) >= 4
        assert set(upstream.names) == {"localhost"}

    def test_an_address_is_not_sent_as_server_name(self, start_gateway, tls_upstream, authority):
        upstream = tls_upstream()
        gateway = start_gateway(towards(upstream.url, ca_file=str(authority.ca_file)))
        assert ask(gateway).status_code == 200
        assert upstream.names == [None]

    def test_a_cut_is_not_taken_for_the_end(self, start_gateway, tls_upstream, authority):
        """Without close_notify, whoever sits on the path could have cut a body that ends with the connection."""
        upstream = tls_upstream()
        upstream.answer, upstream.closes = UNTIL_CLOSE, True
        gateway = start_gateway(towards(upstream.url, ca_file=str(authority.ca_file)))
        assert ask(gateway).json()["choices"][0]["message"]["content"] == "ok"
        upstream.says_goodbye = False
        try:
            answer = ask(gateway)
        except httpx.RemoteProtocolError:
            return  # the answer had begun: it was cut for the client too
        assert answer.status_code == 502, answer.text

    @pytest.mark.parametrize(("http2", "version"), [("auto", "2.0"), ("off", "1.1")])
    def test_alpn(self, start_gateway, authority, tmp_path, http2, version):
        pair = authority.issue("mock")
        server = Mockllm(tmp_path, "--tls-port", "0", "--tls-cert", str(pair.cert), "--tls-key", str(pair.key))
        try:
            port = server.wait_line(r"listening with TLS on [\d.]+:(\d+)").group(1)
            gateway = start_gateway(towards(f"https://localhost:{port}", ca_file=str(authority.ca_file), http2=http2))
            assert ask(gateway).status_code == 200
            assert server.last()["version"] == version
            answer = httpx.post(gateway.url + CHAT, json={**BODY, "stream": True}, timeout=TIMEOUT_S, trust_env=False)
            assert answer.text.endswith("data: [DONE]\n\n")
        finally:
            server.stop()

    def test_handshake_that_never_ends(self, start_gateway):
        listener = socket.create_server(("127.0.0.1", 0))
        try:
            url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            gateway = start_gateway({**towards(url), "upstream": {"tls_timeout": f"{SLOWNESS}s"}})
            answer = ask(gateway)
            assert answer.status_code == 504
            assert "TLS handshake" in answer.json()["error"]["message"]
        finally:
            listener.close()
