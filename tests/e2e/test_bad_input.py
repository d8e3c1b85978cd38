# SPDX-License-Identifier: MIT
"""What a client can get wrong, and what it is told."""

import json

import httpx
import pytest
from servers import deployment

CHAT = "/v1/chat/completions"


def send(gateway, body, path=CHAT, method="POST", **headers):
    return httpx.request(method, gateway.url + path, content=body, headers=headers, timeout=30, trust_env=False)


def error_of(answer):
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"{", "line 1"),
        (b'{"model":"mock-small",\n "messages":[}', "line 2, column 14"),
        (b"{'model':1}", "double quotes"),
        (b'{"model":"mock-small"} x', "end of the text"),
        (b'{"model":"mock-\xff"}', "UTF-8"),
        (b'{"model":"mock-small","messages":"\xc3"}', "UTF-8"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nests more than 256"),
        (b'{"model":"a","model":"b"}', "stands twice"),
        (b'{"model":"a","mod\\u0065l":"b"}', "stands twice"),
    ],
)
def test_not_json(gateway, body, part):
    answer = send(gateway, body)
    assert answer.status_code == 400
    assert part in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("member", "value"),
    [("model", 5), ("stream", "yes"), ("messages", {}), ("stream_options", []), ("max_tokens", "many"), ("tools", {}),
     ("temperature", "hot")],
)
def test_wrong_types_name_the_parameter(gateway, member, value):
    body = {"model": "mock-small", "messages": [], member: value}
    answer = send(gateway, json.dumps(body).encode())
    assert answer.status_code == 400
    assert error_of(answer)["param"] == member


def test_missing_model(gateway):
    answer = send(gateway, b'{"messages":[]}')
    assert answer.status_code == 400
    assert error_of(answer)["param"] == "model"


def test_unknown_model(gateway):
    answer = send(gateway, b'{"model":"mock-smll","messages":[]}')
    assert answer.status_code == 404
    error = error_of(answer)
    assert error["code"] == "model_not_found"
    assert "mock-small" in error["message"]


def test_model_name_with_control_bytes_does_no_harm(gateway):
    answer = send(gateway, b'{"model":"a\\r\\nx-evil: 1\\u0000","messages":[]}')
    assert answer.status_code == 404
    assert "x-evil" not in answer.headers


def test_unknown_path_and_wrong_method(gateway):
    answer = send(gateway, b"", path="/v1/nothing", method="GET")
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "unknown_url"
    answer = send(gateway, b"", path=CHAT, method="PUT")
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert error_of(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/v1/files/../models", "/v1/files/%2e%2e/x", "/v1/files/./x"])
def test_paths_cannot_climb(gateway, mock, path):
    from servers import RawConnection

    mock.reset()
    with RawConnection(gateway) as connection:
        connection.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        status, _, _, _ = connection.read_response()
    assert status == 400
    assert mock.stats()["requests"] == 0 if "requests" in mock.stats() else True


def test_body_over_the_limit(start_gateway, mock):
    gateway = start_gateway({"model_list": [deployment(mock)], "server": {"max_body_size": "64kb"}})
    answer = send(gateway, b"x" * 70000)
    assert answer.status_code == 413
    assert "65536" in error_of(answer)["message"]

    def chunks():
        for _ in range(20):
            yield b"y" * 5000

    assert send(gateway, chunks()).status_code == 413


def test_cors(gateway):
    page = "http://localhost:3000"
    answer = send(gateway, b"", method="OPTIONS", Origin=page, **{"Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204


def test_open_mode_refuses_pages_of_other_sites(gateway):
    answer = send(gateway, b'{"model":"gatewire/demo","messages":[]}', Origin="https://evil.example")
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "origin_not_allowed"


def test_cors_names_sites(start_gateway, mock):
    gateway = start_gateway({"model_list": [deployment(mock)], "cors": {"allowed_origins": ["https://app.example"]}})
    answer = send(gateway, b"", path="/v1/models", method="GET", Origin="https://app.example")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"


def test_head(gateway):
    answer = send(gateway, b"", path="/v1/models", method="HEAD")
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 10


@pytest.mark.parametrize(("size", "count"), [(300_000, 1), (10, 180)])
def test_more_fields_than_a_provider_is_sent(start_gateway, mock, size, count):
    """It is the client's request that is too large, whatever the gateway adds; the gateway has memory enough."""
    extra = {f"x-extra-{number}": "1" for number in range(100)}
    limits = {"max_header_size": "1mb"}
    gateway = start_gateway({"model_list": [deployment(mock, extra_headers=extra)], "server": limits})
    body = b'{"model":"mock-small","messages":[{"role":"user","content":"hi"}]}'
    fields = {f"x-field-{number}": "v" * size for number in range(count)}
    with httpx.Client(trust_env=False) as client:
        answer = client.post(gateway.url + "/v1/chat/completions", content=body, headers=fields)
        assert answer.status_code == 431, answer.text
        assert error_of(answer)["code"] == "invalid_header"
        assert "retry-after" not in answer.headers
        assert client.post(gateway.url + "/v1/chat/completions", content=body).status_code == 200
