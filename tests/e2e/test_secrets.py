# SPDX-License-Identifier: MIT
"""Secrets stay where they belong: ours go to the provider and nowhere else, clients' go nowhere at all."""

import base64
import json
import resource
import subprocess
import urllib.error
import urllib.request

import pytest
from servers import GATEWIRE, RawConnection, clean_environment, deployment

OURS = "sk-ours-5ecret5ecret5ecret"
KEY = "gw-key-0f-the-gateway-9z"
WRONG = "sk-client-wr0ng-key-77"
QUERY = "query-5ecret-value"
BODY = "the-prompt-is-private-too"
COOKIE = "session-c00kie-value"
SECRETS = (OURS, KEY, WRONG, QUERY, BODY, COOKIE)


def assert_nothing_told(text, where, secrets=SECRETS):
    for secret in secrets:
        for form in (secret, base64.b64encode(secret.encode()).decode(), secret[4:]):
            assert form not in text, f"{secret!r} is told by {where}: ...{text[max(0, text.find(form) - 200):][:400]}"


def fetch(url, method="GET", key=None):
    request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def post(path, body, *fields):
    head = [b"POST " + path + b" HTTP/1.1", b"Host: gateway", b"Content-Type: application/json",
            b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def requests():
    """Requests that succeed and fail in every stage, each with secrets in all places that hold some."""
    chat = json.dumps({"model": "mock-small", "messages": [{"role": "user", "content": BODY}]}).encode()
    good = b"Authorization: Bearer " + KEY.encode()
    carriers = [b"Authorization: Bearer %s", b"x-api-key: %s", b"api-key: %s", b"Authorization: Basic %s", b"authorization: %s"]
    yield post(b"/v1/chat/completions?key=" + QUERY.encode(), chat, good, b"Cookie: " + COOKIE.encode())
    for carrier in carriers:
        yield post(b"/v1/chat/completions?api_key=" + QUERY.encode(), chat, carrier % WRONG.encode())
    yield post(b"/v1/nowhere?key=" + QUERY.encode(), chat, good)
    yield post(b"/v1/chat/completions", chat.replace(b"mock-small", b"unknown"), good)
    yield post(b"/v1/chat/completions", chat[:-4], good)
    yield post(b"/v1/chat/completions", chat.replace(b'"user"', b'"user\xff"'), good)
    streamed = chat.replace(b'"messages"', b'"stream":true,"messages"')
    for fault in (b"reset", b"garbage", b"reset-after-chunks", b"close-early"):
        yield post(b"/v1/chat/completions", chat, good, b"x-mock-fault: " + fault)
        yield post(b"/v1/chat/completions", streamed, good, b"x-mock-fault: " + fault)
    for status in (400, 401, 403, 429, 500):
        yield post(b"/v1/chat/completions", chat, good, b"x-mock-status: %d" % status)
    yield b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer " + WRONG.encode() + b"\r\nBad Name: x\r\n\r\n"
    yield post(b"/v1/files?x=" + QUERY.encode(), b"x" * 70000, good)


@pytest.mark.parametrize("level", ["info", "debug"])
def test_nothing_tells_a_secret(start_gateway, start_mock, level):
    mock = start_mock()
    dead = {"model_name": "dead", "litellm_params": {"model": "openai/x", "api_base": "http://127.0.0.1:1/v1", "api_key": OURS}}
    config = {"model_list": [deployment(mock, api_key=OURS), dead], "logging": {"level": level}}
    gateway = start_gateway(config, env={"API_KEY": KEY})
    assert "unknown key" not in gateway.output(), "the level is part of the trial"
    for request in requests():
        with RawConnection(gateway) as client:
            client.send(request.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n", 1))
            answer = client.read_all().decode("latin-1")
            assert_nothing_told(answer, f"the answer to {request[:80]}", (OURS, KEY, WRONG, QUERY, COOKIE))
    with RawConnection(gateway) as client:
        body = json.dumps({"model": "dead", "messages": [{"role": "user", "content": BODY}]}).encode()
        client.send(post(b"/v1/chat/completions", body, b"x-api-key: " + KEY.encode()))
        status, _, answer, _ = client.read_response()
        assert status == 502
        assert_nothing_told(answer.decode(), "the answer about a dead provider")
    pages = [("/metrics", "GET"), ("/api/v1/status", "GET"), ("/api/v1/reload", "POST"), ("/", "GET"), ("/api/v1/status", "POST")]
    for path, method in pages:
        for key in (KEY, WRONG, None):
            assert_nothing_told(fetch(gateway.admin_url + path, method, key), f"{method} {path}")
    assert_nothing_told(fetch(gateway.metrics_url + "/metrics"), "/metrics")
    # The provider got ours, and nothing of the client's.
    seen = json.dumps(mock.requests())
    assert OURS in seen
    assert_nothing_told(seen, "what the provider saw", (KEY, WRONG, COOKIE))
    assert gateway.stop() == 0
    assert '"status":401' in gateway.output() and '"status":200' in gateway.output(), "the access log is what is on trial"
    assert_nothing_told(gateway.output(), "the logs")


@pytest.mark.parametrize("filler", [0, 200, 220, 224])
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_provider_that_quotes_the_key_it_was_sent(start_gateway, start_mock, status, filler):
    """In a refusal of the key nothing of its message reaches a client. Other messages are not ours to change, but the log is;
    also where the message is cut in the middle of the key."""
    mock = start_mock()
    gateway = start_gateway({"model_list": [deployment(mock, api_key=OURS)]})
    # Some vendors refuse a key with 400; their words tell.
    words = "A quota is used up for key" if status == 400 else "Incorrect API key provided"
    message = "x" * filler + f" {words}: {OURS}."
    chat = json.dumps({"model": "mock-small", "messages": [{"role": "user", "content": "hi"}]}).encode()
    with RawConnection(gateway) as client:
        fault = [b"x-mock-status: %d" % status, b"x-mock-error-message: " + message.encode()]
        client.send(post(b"/v1/chat/completions", chat, *fault))
        told, _, answer, _ = client.read_response()
    if status == 400:
        assert told == 400 and OURS in answer.decode(), "the mock quotes the key"
    else:
        assert told == 502
        assert_nothing_told(answer.decode(), "the answer", (OURS, OURS[:8], words))
    assert gateway.stop() == 0
    line = next(json.loads(line) for line in gateway.lines if '"upstream_status"' in line)
    assert line["upstream_status"] == status and line["status"] == told
    text = line["error" if status == 400 else "error_detail"]
    assert f"{words}: ***" in text if filler == 0 else "xxx" in text
    assert_nothing_told(gateway.output(), "the logs", (OURS, OURS[:8]))


def test_a_wrong_configuration_does_not_quote_its_keys(tmp_path):
    """Errors name the place; `check` prints no value that may be a key."""
    config = tmp_path / "gatewire.yaml"
    config.write_text(json.dumps({
        "model_list": [{"model_name": "a", "litellm_params": {"model": "openai/a", "api_key": [OURS], "api_base": 7}}],
        "general_settings": {"master_key": {"x": KEY}},
    }))
    result = subprocess.run([GATEWIRE, "check", str(config)], capture_output=True, text=True, env=clean_environment(), timeout=60)
    assert result.returncode == 1, result
    assert_nothing_told(result.stdout + result.stderr, "gatewire check")


def test_the_command_line_and_the_environment_of_a_successor_hold_no_key_of_the_file(start_gateway, start_mock):
    gateway = start_gateway({"model_list": [deployment(start_mock(), api_key=OURS)]})
    with open(f"/proc/{gateway.pid}/cmdline", "rb") as file:
        assert OURS.encode() not in file.read()
    with open(f"/proc/{gateway.pid}/environ", "rb") as file:
        assert OURS.encode() not in file.read()


def test_no_core_dump_would_hold_them(start_gateway):
    """Also where the shell that starts the gateway allows dumps."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard == 0:
        pytest.skip("this machine allows no core dumps anyway")
    gateway = start_gateway({}, command=["/bin/sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh"])
    assert resource.prlimit(gateway.pid, resource.RLIMIT_CORE) == (0, hard)
