# SPDX-License-Identifier: MIT
"""What request smuggling is made of, sent to a running gateway: refused, the connection closed, nothing forwarded.

The parser's own table (tests/unit/http/h1_smuggling_test.c) is longer; here the whole path is on trial: that the answer
arrives although more bytes were on their way, that it is the only one, and that no part of what was refused reaches
the provider, neither as this request nor as the next one.
"""

import json

import pytest
from servers import SLOWNESS, Gatewire, RawConnection, RawUpstream, deployment, parse_head

pytestmark = pytest.mark.timeout(60 * SLOWNESS)

CHAT = json.dumps({"model": "mock-small", "messages": [{"role": "user", "content": "hello"}]}).encode()
HIDDEN_BODY = json.dumps({"model": "mock-large", "messages": [{"role": "user", "content": "smuggled"}]}).encode()
SIZE = str(len(CHAT)).encode()


def request(*fields, line=b"POST /v1/chat/completions HTTP/1.1", host=b"Host: gateway", body=b""):
    head = [line, *([host] if host else []), b"Content-Type: application/json", *fields]
    return b"".join(part + b"\r\n" for part in head) + b"\r\n" + body


def chunked(body, *fields):
    return request(b"Transfer-Encoding: chunked", *fields, body=body)


def get(line=b"GET /v1/models HTTP/1.1", *fields, host=b"Host: gateway"):
    return request(*fields, line=line, host=host)


# A whole request of its own. Behind most of the cases below stands one: it must never be seen as a request.
HIDDEN = request(b"Content-Length: " + str(len(HIDDEN_BODY)).encode(), body=HIDDEN_BODY)
CHUNKS = b"%x\r\n" % len(CHAT) + CHAT + b"\r\n0\r\n\r\n"
LENGTH = b"Content-Length: " + SIZE

REFUSED = {
    # Content-Length
    "same length twice": (request(LENGTH, LENGTH, body=CHAT), 400),
    "two lengths, the first holds": (request(LENGTH, b"Content-Length: 0", body=CHAT), 400),
    "two lengths, the second holds": (request(b"Content-Length: 0", LENGTH, body=CHAT), 400),
    "list of lengths": (request(LENGTH + b", " + SIZE, body=CHAT), 400),
    "list of lengths without blank": (request(LENGTH + b"," + SIZE, body=CHAT), 400),
    "signed length": (request(b"Content-Length: +" + SIZE, body=CHAT), 400),
    "negative length": (request(b"Content-Length: -1", body=CHAT), 400),
    "hexadecimal length": (request(b"Content-Length: 0x10", body=CHAT), 400),
    "empty length": (request(b"Content-Length:", body=CHAT), 400),
    "length with a blank inside": (request(b"Content-Length: 1 0", body=CHAT), 400),
    "length with a fraction": (request(b"Content-Length: 10.0", body=CHAT), 400),
    "length beyond 64 bits": (request(b"Content-Length: 18446744073709551617", body=CHAT), 400),
    "length of all ones": (request(b"Content-Length: 18446744073709551615", body=CHAT), 400),
    "length behind a vertical tab": (request(b"Content-Length: \x0b" + SIZE, body=CHAT), 400),
    "blank before the colon of a length": (request(b"Content-Length : " + SIZE, body=CHAT), 400),
    # Transfer-Encoding
    "length, then chunked (CL.TE)": (request(LENGTH, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    "chunked, then length (TE.CL)": (chunked(CHUNKS, b"Content-Length: 4"), 400),
    "chunked twice (TE.TE)": (chunked(CHUNKS, b"Transfer-Encoding: chunked"), 501),
    "chunked, then another coding": (chunked(CHUNKS, b"Transfer-Encoding: x"), 501),
    "another coding, then chunked": (request(b"Transfer-Encoding: x", b"Transfer-Encoding: chunked", body=CHUNKS), 501),
    "identity": (request(b"Transfer-Encoding: identity", body=CHAT), 501),
    "list that ends with chunked": (request(b"Transfer-Encoding: gzip, chunked", body=CHUNKS), 501),
    "list that begins with chunked": (request(b"Transfer-Encoding: chunked, identity", body=CHUNKS), 501),
    "chunked twice in a list": (request(b"Transfer-Encoding: chunked, chunked", body=CHUNKS), 501),
    "almost chunked": (request(b"Transfer-Encoding: xchunked", body=CHUNKS), 501),
    "quoted chunked": (request(b'Transfer-Encoding: "chunked"', body=CHUNKS), 501),
    "chunked with a parameter": (request(b"Transfer-Encoding: chunked;a=b", body=CHUNKS), 501),
    "empty coding": (request(b"Transfer-Encoding:", body=CHUNKS), 501),
    "blank before the colon of a coding": (request(b"Transfer-Encoding : chunked", body=CHUNKS), 400),
    "chunked behind a vertical tab": (request(b"Transfer-Encoding: \x0bchunked", body=CHUNKS), 400),
    "chunked behind a NUL": (request(b"Transfer-Encoding: \0chunked", body=CHUNKS), 400),
    "folded chunked": (request(b"Transfer-Encoding:\r\n chunked", body=CHUNKS), 400),
    "chunked behind a bare LF": (request(LENGTH, b"X: y\nTransfer-Encoding: chunked", body=CHUNKS), 400),
    "chunked behind a bare CR": (request(LENGTH, b"X: y\rTransfer-Encoding: chunked", body=CHUNKS), 400),
    "chunked in HTTP/1.0": (
        request(b"Transfer-Encoding: chunked", line=b"POST /v1/chat/completions HTTP/1.0", body=CHUNKS), 400),
    # lines, names and values
    "LF only": (get().replace(b"\r\n", b"\n"), 400),
    "LF after the request line": (get().replace(b"\r\n", b"\n", 1), 400),
    "LF for the blank line": (get()[:-2] + b"\n", 400),
    "CR in a value": (get(b"GET /v1/models HTTP/1.1", b"X: a\rb"), 400),
    "NUL in a value": (get(b"GET /v1/models HTTP/1.1", b"X: a\0b"), 400),
    "escape in a value": (get(b"GET /v1/models HTTP/1.1", b"X: \x1b[2J"), 400),
    "folded field": (get(b"GET /v1/models HTTP/1.1", b"X: a\r\n b"), 400),
    "field folded by a tab": (get(b"GET /v1/models HTTP/1.1", b"X: a\r\n\tb"), 400),
    "blank before the first field": (get(host=b" Host: gateway"), 400),
    "blank in a name": (get(b"GET /v1/models HTTP/1.1", b"X Y: a"), 400),
    "name without colon": (get(b"GET /v1/models HTTP/1.1", b"X"), 400),
    "colon without name": (get(b"GET /v1/models HTTP/1.1", b": a"), 400),
    "NUL in a name": (get(b"GET /v1/models HTTP/1.1", b"X\0: a"), 400),
    "name beyond ASCII": (get(b"GET /v1/models HTTP/1.1", b"X\xc3\xa4: a"), 400),
    # Host
    "no Host": (get(host=b""), 400),
    "two Hosts": (get(b"GET /v1/models HTTP/1.1", b"Host: other"), 400),
    "Host with a path": (get(host=b"Host: gateway/x"), 400),
    "Host with a user": (get(host=b"Host: a@gateway"), 400),
    "Host with a blank": (get(host=b"Host: gateway other"), 400),
    "list of Hosts": (get(host=b"Host: gateway, other"), 400),
    "Host with a bad port": (get(host=b"Host: gateway:80a"), 400),
    # request line
    "two blanks": (get(b"GET  /v1/models HTTP/1.1"), 400),
    "tab for a blank": (get(b"GET\t/v1/models\tHTTP/1.1"), 400),
    "blank in the target": (get(b"GET /v1/mod els HTTP/1.1"), 400),
    "request line within a request line": (get(b"GET /v1/models HTTP/1.1 GET /v1/models HTTP/1.1"), 400),
    "blank behind the version": (get(b"GET /v1/models HTTP/1.1 "), 400),
    "NUL in the target": (get(b"GET /v1/mod\0els HTTP/1.1"), 400),
    "fragment": (get(b"GET /v1/models#x HTTP/1.1"), 400),
    "backslash": (get(b"GET /v1\\models HTTP/1.1"), 400),
    "cut escape": (get(b"GET /v1/models%2 HTTP/1.1"), 400),
    "bytes beyond ASCII": (get(b"GET /v1/m\xc3\xb6dels HTTP/1.1"), 400),
    "relative target": (get(b"GET v1/models HTTP/1.1"), 400),
    "asterisk for GET": (get(b"GET * HTTP/1.1"), 400),
    "absolute target with a user": (get(b"GET http://a@gateway/v1/models HTTP/1.1"), 400),
    "absolute target of another scheme": (get(b"GET ftp://gateway/v1/models HTTP/1.1"), 400),
    "no version": (get(b"GET /v1/models"), 400),
    "RTSP": (get(b"GET /v1/models RTSP/1.0"), 400),
    "lower-case version": (get(b"GET /v1/models http/1.1"), 400),
    "HTTP/0.9": (get(b"GET /v1/models HTTP/0.9"), 505),
    "HTTP/1.2": (get(b"GET /v1/models HTTP/1.2"), 505),
    "HTTP/3.0": (get(b"GET /v1/models HTTP/3.0"), 505),
    "unknown method": (get(b"SMUGGLE /v1/models HTTP/1.1"), 501),
    "lower-case method": (get(b"get /v1/models HTTP/1.1"), 501),
    "LF before the request": (b"\n" + get(), 400),
    "CR before the request": (b"\r" + get(), 400),
    "many empty lines before the request": (b"\r\n" * 20 + get(), 400),
    "binary": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    # chunks
    "size that is none": (chunked(b"xyz\r\n" + CHAT), 400),
    "size with 0x": (chunked(b"0x" + CHUNKS), 400),
    "signed size": (chunked(b"+" + CHUNKS), 400),
    "negative size": (chunked(b"-1\r\n" + CHAT), 400),
    "blank before a size": (chunked(b" " + CHUNKS), 400),
    "blank behind a size": (chunked(CHUNKS.replace(b"\r\n", b" \r\n", 1)), 400),
    "LF behind a size": (chunked(CHUNKS.replace(b"\r\n", b"\n", 1)), 400),
    "CR behind a size": (chunked(CHUNKS.replace(b"\r\n", b"\r", 1)), 400),
    "size beyond 64 bits": (chunked(b"10000000000000010\r\n" + CHAT), 400),
    "chunk longer than its size": (chunked(b"1\r\n" + CHAT + b"\r\n0\r\n\r\n"), 400),
    "LF behind a chunk": (chunked(b"2\r\n{}\n0\r\n\r\n"), 400),
    "LF behind the last size": (chunked(CHUNKS[:-4] + b"\n\r\n"), 400),
    "LF for the last line": (chunked(CHUNKS[:-2] + b"\n"), 400),
    "LF in an extension": (chunked(b"2;a\nb\r\n{}\r\n0\r\n\r\n"), 400),
    "NUL in an extension": (chunked(b"2;a=\0\r\n{}\r\n0\r\n\r\n"), 400),
    "huge extension": (chunked(b"2;" + b"a" * 10000 + b"\r\n{}\r\n0\r\n\r\n"), 400),
    "many zeros before a size": (chunked(b"0" * 10000 + b"2\r\n{}\r\n0\r\n\r\n"), 400),
    # trailers
    "length as trailer": (chunked(CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n"), 400),
    "coding as trailer": (chunked(CHUNKS[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"), 400),
    "Host as trailer": (chunked(CHUNKS[:-2] + b"Host: other\r\n\r\n"), 400),
    "credential as trailer": (chunked(CHUNKS[:-2] + b"Authorization: Bearer x\r\n\r\n"), 400),
    "folded trailer": (chunked(CHUNKS[:-2] + b"X: y\r\n z\r\n\r\n"), 400),
    "LF behind a trailer": (chunked(CHUNKS[:-2] + b"X: y\n\r\n"), 400),
    "huge trailer": (chunked(CHUNKS[:-2] + b"X: " + b"y" * 10000 + b"\r\n\r\n"), 400),
    # limits
    "header too large": (get(b"GET /v1/models HTTP/1.1", b"X: " + b"y" * 70000), 431),
    "request line too large": (get(b"GET /" + b"y" * 70000 + b" HTTP/1.1"), 431),
    "too many fields": (get(b"GET /v1/models HTTP/1.1", *[b"X: y"] * 300), 431),
    "name without end": (b"GET / HTTP/1.1\r\n" + b"x" * 70000, 431),
}


def send_slowly(connection, data):
    """Byte by byte, so that every state of the parser sees the end of a read; large data in larger parts."""
    step = 1 if len(data) < 2000 else 997
    for at in range(0, len(data), step):
        if not connection.send(data[at:at + step]):
            return


@pytest.mark.parametrize("way", ["whole", "slowly"])
@pytest.mark.parametrize("name", REFUSED)
def test_refused(gateway, mock, name, way):
    data, want = REFUSED[name]
    before = mock.stats()["requests"]
    with RawConnection(gateway) as connection:
        if way == "whole":
            connection.send(data + HIDDEN)
        else:
            send_slowly(connection, data + HIDDEN)
        answer = connection.read_all()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, fields = parse_head(head)
    assert status == want
    assert fields["connection"] == "close"
    assert len(body) == int(fields["content-length"]), "more than one answer"
    error = json.loads(body)["error"]
    assert error["message"] and error["type"]
    assert mock.stats()["requests"] == before, mock.last()


CUT = {
    "in the request line": b"POST /v1/chat/com",
    "in the header": request(LENGTH)[:-10],
    "in the body": request(LENGTH, body=CHAT[:-5]),
    "before the body": request(LENGTH),
    "in a size": chunked(CHUNKS[:1]),
    "in a chunk": chunked(CHUNKS[:20]),
    "behind the last chunk": chunked(CHUNKS[:-2]),
}


@pytest.mark.parametrize("name", CUT)
def test_cut_short(gateway, mock, name):
    """A client that ends in the middle of a message has asked for nothing."""
    before = mock.stats()["requests"]
    with RawConnection(gateway) as connection:
        connection.send(CUT[name])
        connection.end_sending()
        answer = connection.read_all()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert mock.stats()["requests"] == before


STREAMED = request(b"Transfer-Encoding: chunked", line=b"POST /v1/files HTTP/1.1", body=b"5\r\nhello\r\n").replace(
    b"application/json", b"multipart/form-data; boundary=x")


@pytest.mark.parametrize("end", [b"XX\r\n", b"5\nhello\r\n0\r\n\r\n", b"0\r\nContent-Length: 9\r\n\r\n"])
def test_bad_chunk_in_an_upload_that_is_passed_on(gateway, mock, end):
    """Its beginning may be on its way to the provider: there it must not look complete."""
    before = mock.stats()["requests"]
    with RawConnection(gateway) as connection:
        connection.send(STREAMED)
        connection.send(end + HIDDEN)
        answer = connection.read_all()
    status, fields = parse_head(answer.partition(b"\r\n\r\n")[0])
    assert status == 400 and fields["connection"] == "close"
    assert mock.stats()["requests"] == before


def test_slow_headers(start_gateway):
    """A client that never finishes its header is told so after the header timeout, however busy it keeps us."""
    gateway = start_gateway({"server": {"header_timeout": "300ms"}})
    with RawConnection(gateway) as silent, RawConnection(gateway) as busy:
        silent.send(b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\n")
        busy.socket.settimeout(0.02)
        answer = b""
        while not answer:
            try:
                busy.send(b"X")
                answer = busy.socket.recv(65536)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert silent.read_all().startswith(b"HTTP/1.1 408 ")


# ---- what must keep working ----


def test_pipelined(gateway, mock):
    """Several requests at once are answered in order, one each, whatever frames them."""
    before = mock.stats()["requests"]
    sent = b"".join([
        request(LENGTH, body=CHAT),
        b"\r\n",
        HIDDEN,
        chunked(CHUNKS.replace(b"\r\n", b";a=b\r\n", 1)[:-2] + b"X: y\r\n\r\n"),
        get(),
        request(LENGTH, b"Connection: close", body=CHAT),
    ])
    with RawConnection(gateway) as connection:
        connection.send(sent)
        rest, models = b"", []
        for _ in range(5):
            status, fields, body, rest = connection.read_response(rest)
            assert status == 200
            models.append(json.loads(body).get("model"))
        assert fields["connection"] == "close"
        assert rest + connection.read_all() == b""
    assert models == ["mock-small", "mock-large", "mock-small", None, "mock-small"]
    assert mock.stats()["requests"] == before + 4


def test_what_follows_close_is_not_read(gateway, mock):
    before = mock.stats()["requests"]
    with RawConnection(gateway) as connection:
        connection.send(request(LENGTH, b"Connection: close", body=CHAT) + HIDDEN)
        status, fields, body, rest = connection.read_response()
        assert rest + connection.read_all() == b""
    assert status == 200 and fields["connection"] == "close"
    assert json.loads(body)["model"] == "mock-small"
    assert mock.stats()["requests"] == before + 1


def test_body_that_looks_like_a_request(gateway, mock):
    """The bytes of a body are a body, also when the request is answered without it."""
    before = mock.stats()["requests"]
    with RawConnection(gateway) as connection:
        connection.send(request(b"Content-Length: %d" % len(HIDDEN), line=b"POST /nowhere HTTP/1.1", body=HIDDEN) + get())
        status, fields, _, rest = connection.read_response()
        assert status == 404
        if fields.get("connection") != "close":
            status, _, body, _ = connection.read_response(rest)
            assert status == 200 and json.loads(body)["object"] == "list"
    assert mock.stats()["requests"] == before


def test_the_good_neighbours(gateway):
    """Next of kin of refused cases that are right: an empty line first, absolute targets, HTTP/1.0, upgrades."""
    good = [
        b"\r\n" + get(),
        get(b"GET http://other/v1/models HTTP/1.1"),
        get(b"GET /v1/models HTTP/1.1", b"Connection: upgrade, http2-settings", b"Upgrade: h2c", b"HTTP2-Settings: AAAA"),
        get(b"GET /v1/models?a[]=b|c HTTP/1.1", b"X:", b"Y:  \xc3\xa4\t "),
        get(b"GET /v1/models HTTP/1.0", b"Connection: keep-alive"),
        get(b"GET /v1/models HTTP/1.0", host=b""),
    ]
    with RawConnection(gateway) as connection:
        for data in good:
            connection.send(data)
            status, fields, body, rest = connection.read_response()
            assert status == 200 and json.loads(body)["object"] == "list" and rest == b"", data
        assert fields["connection"] == "close"
        assert connection.read_all() == b""


def test_what_belongs_to_the_connection_stays_on_it(gateway, mock):
    hop = [
        b"Connection: keep-alive, X-Hop, Keep-Alive", b"X-Hop: 1", b"Keep-Alive: timeout=5", b"TE: trailers",
        b"Trailer: X", b"Proxy-Authorization: Basic YTpi", b"Proxy-Connection: keep-alive", b"Upgrade: h2c",
        b"HTTP2-Settings: AAAA", b"X-Second: 1", b"Connection: close-not", b"Connection: X-Second,X-Third", b"X-Third: 1",
        b"X-End: 1",
    ]
    with RawConnection(gateway) as connection:
        connection.send(request(LENGTH, *hop, body=CHAT))
        assert connection.read_response()[0] == 200
    seen = json.dumps(mock.last()["headers"]).lower()
    assert "x-end" in seen
    for name in ("x-hop", "x-second", "x-third", "keep-alive", '"te"', "trailer", "proxy-", "upgrade", "http2-settings"):
        assert name not in seen, seen


# ---- the other side: a provider that lies about where its answers end ----


def answer(*fields, body=b'{"object":"chat.completion","choices":[]}', line=b"HTTP/1.1 200 OK"):
    head = [line, b"Content-Type: application/json", *fields]
    return b"".join(part + b"\r\n" for part in head) + b"\r\n" + body


POISON = answer(b"Content-Length: 8", body=b"poisoned")

BAD_ANSWERS = {
    "two lengths": answer(b"Content-Length: 2", b"Content-Length: 3", body=b"{}"),
    "same length twice": answer(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"),
    "length and chunks": answer(b"Content-Length: 2", b"Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\n\r\n"),
    "unknown coding": answer(b"Transfer-Encoding: gzip", body=b"{}"),
    "coding in HTTP/1.0": answer(b"Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\n\r\n", line=b"HTTP/1.0 200 OK"),
    "LF only": answer(b"Content-Length: 2", body=b"{}").replace(b"\r\n", b"\n"),
    "folded field": answer(b"Content-Length: 2", b"X: y\r\n z", body=b"{}"),
    "NUL in a value": answer(b"Content-Length: 2", b"X: \0", body=b"{}"),
    "CR in a value": answer(b"Content-Length: 2", b"X: a\rSet-Cookie: b", body=b"{}"),
    "blank before a colon": answer(b"Content-Length : 2", body=b"{}"),
    "status that is none": answer(b"Content-Length: 2", body=b"{}", line=b"HTTP/1.1 2x0 OK"),
    "status beyond HTTP": answer(b"Content-Length: 2", body=b"{}", line=b"HTTP/1.1 999 OK"),
    "not HTTP": b"hello\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "endless interim answers": b"HTTP/1.1 102 Processing\r\n\r\n" * 100,
    "header too large": answer(b"X: " + b"y" * 70000, b"Content-Length: 2", body=b"{}"),
}


@pytest.fixture(scope="module")
def upstream():
    server = RawUpstream()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def exposed(tmp_path_factory, upstream):
    """A gateway in front of `upstream`."""
    config = {"model_list": [deployment(upstream)], "router_settings": {"num_retries": 0}}
    server = Gatewire(tmp_path_factory.mktemp("exposed"), config)
    yield server
    assert server.is_running(), server.output()
    assert server.stop() == 0, server.output()


def ask(connection):
    connection.send(request(LENGTH, body=CHAT))
    status, fields, body, rest = connection.read_response()
    assert rest == b""
    return status, fields, body


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_bad_answer(exposed, upstream, name):
    """It becomes a 502 with an error object; the client's connection and the next answer are untouched."""
    with RawConnection(exposed) as connection:
        upstream.answer = BAD_ANSWERS[name] + POISON
        status, _, body = ask(connection)
        assert status == 502 and b"poison" not in body
        assert json.loads(body)["error"]["message"]
        upstream.answer = answer(b"Content-Length: 13", body=b'{"choices":1}')
        status, _, body = ask(connection)
        assert (status, body) == (200, b'{"choices":1}')


STRAY = {
    "a second answer": answer(b"Content-Length: 13", body=b'{"choices":1}') + POISON,
    "a second answer behind chunks": answer(b"Transfer-Encoding: chunked", body=b'd\r\n{"choices":1}\r\n0\r\n\r\n') + POISON,
    "an empty line": answer(b"Content-Length: 13", body=b'{"choices":1}') + b"\r\n",
    "more body than announced": answer(b"Content-Length: 13", body=b'{"choices":1}{"choices":2}'),
}


@pytest.mark.parametrize("name", STRAY)
def test_bytes_behind_an_answer(exposed, upstream, name):
    """They are nobody's answer: the connection they came on is not used again."""
    with RawConnection(exposed) as connection:
        upstream.answer = STRAY[name]
        assert ask(connection)[::2] == (200, b'{"choices":1}')
        connections = upstream.connections
        upstream.answer = answer(b"Content-Length: 13", body=b'{"choices":3}')
        assert ask(connection)[::2] == (200, b'{"choices":3}')
        assert upstream.connections == connections + 1
