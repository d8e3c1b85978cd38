# SPDX-License-Identifier: MIT
"""Who is answered: hosts and pages in open mode, and the fields that carry a key."""

import httpx
import pytest
from servers import RawConnection, deployment

KEY = "sk-access"
CHAT = {"model": "gatewire/demo", "messages": [{"role": "user", "content": "hi"}]}
# What a page reads that made its own name lead to this machine: the browser sends that name, and no Origin with a GET.
REBOUND = {"host": "rebound.evil.example:8080"}


def get(url, **headers):
    return httpx.get(url, headers=headers, timeout=30, trust_env=False)


class TestHosts:
    def test_a_made_up_name_is_refused(self, gateway):
        for path in ("/v1/models", "/v1/files", "/health", "/nowhere"):
            answer = get(gateway.url + path, **REBOUND)
            assert answer.status_code == 403, path
            assert answer.json()["error"]["code"] == "host_not_allowed"
            assert "API_KEY" in answer.json()["error"]["message"]
            assert "server.allowed_hosts" in answer.json()["error"]["message"]

    def test_so_is_a_post(self, gateway):
        answer = httpx.post(gateway.url + "/v1/chat/completions", json=CHAT, headers=REBOUND, trust_env=False)
        assert answer.status_code == 403

    def test_so_it_is_over_http2(self, gateway):
        with httpx.Client(http1=False, http2=True, trust_env=False) as client:
            assert client.get(gateway.url + "/v1/models", headers=REBOUND).status_code == 403
            assert client.get(gateway.url + "/v1/models").status_code == 200

    def test_so_it_is_in_the_target(self, gateway):
        with RawConnection(gateway) as connection:
            connection.send(b"GET http://evil.example/v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            assert connection.read_response()[0] == 403

    def test_admin_and_metrics(self, gateway):
        for url in (gateway.admin_url + "/api/v1/status", gateway.admin_url + "/metrics", gateway.metrics_url + "/metrics"):
            answer = get(url, **REBOUND)
            assert answer.status_code == 403, url
            assert "server.allowed_hosts" in answer.json()["error"]["message"]
            assert get(url, host="gatewire:9090").status_code == 200

    @pytest.mark.parametrize("host", ["127.0.0.1", "[::1]:8080", "localhost:8080", "app.localhost", "gatewire:8080",
                                      "host.docker.internal:8080"])
    def test_names_that_no_site_has(self, gateway, host):
        assert get(gateway.url + "/v1/models", host=host).status_code == 200

    def test_clients_without_a_host(self, gateway):
        with RawConnection(gateway) as connection:
            connection.send(b"GET /v1/models HTTP/1.0\r\n\r\n")
            assert b" 200 " in connection.read_all().split(b"\r\n")[0]

    def test_named_hosts(self, start_gateway, mock):
        server = {"allowed_hosts": ["gw.example.com", "other.example.com"]}
        gateway = start_gateway({"model_list": [deployment(mock)], "server": server})
        assert get(gateway.url + "/v1/models", host="gw.example.com").status_code == 200
        assert get(gateway.admin_url + "/api/v1/status", host="Other.example.com:8081").status_code == 200
        assert get(gateway.url + "/v1/models", **REBOUND).status_code == 403

    def test_a_key_makes_hosts_unimportant(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock)]}, env={"API_KEY": KEY})
        assert get(gateway.url + "/v1/models", **REBOUND).status_code == 401
        assert get(gateway.url + "/v1/models", authorization=f"Bearer {KEY}", **REBOUND).status_code == 200


class TestKeys:
    @pytest.mark.parametrize("header", [{"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"},
                                        {"authorization": f"BEARER  {KEY}"}, {"x-api-key": KEY}, {"api-key": KEY}])
    def test_each_field_opens_both_ports(self, start_gateway, mock, header):
        gateway = start_gateway({"model_list": [deployment(mock)]}, env={"API_KEY": KEY})
        assert get(gateway.url + "/v1/models", **header).status_code == 200
        assert get(gateway.admin_url + "/api/v1/status", **header).status_code == 200

    @pytest.mark.parametrize("header", [{}, {"authorization": f"Basic {KEY}"}, {"authorization": KEY},
                                        {"x-api-key": KEY + "x"}, {"api-key": KEY[:-1]}])
    def test_nothing_else_does(self, start_gateway, mock, header):
        gateway = start_gateway({"model_list": [deployment(mock)]}, env={"API_KEY": KEY})
        assert get(gateway.url + "/v1/models", **header).status_code == 401
        assert get(gateway.admin_url + "/api/v1/status", **header).status_code == 401


class TestMethods:
    @pytest.mark.parametrize(("method", "path", "allow"), [
        ("POST", "/metrics", "GET, HEAD"), ("PUT", "/api/v1/status", "GET, HEAD"), ("GET", "/api/v1/reload", "POST"),
        ("HEAD", "/api/v1/reload", "POST"), ("DELETE", "/", "GET, HEAD"),
    ])
    def test_admin_pages_say_what_they_allow(self, gateway, method, path, allow):
        answer = httpx.request(method, gateway.admin_url + path, timeout=30, trust_env=False)
        assert answer.status_code == 405
        assert answer.headers["allow"] == allow


class TestPaths:
    """No path leaves the part of the provider's API that its route stands for, however a server behind it may read it."""

    @pytest.mark.parametrize("tail", [
        "..", ".", "../models", "./x", "%2e%2e/models", ".%2E/models", "%2e", "x/..", "x/%2e%2e", "..%2fmodels", "..%2Fmodels",
        "x%2f..%2f..%2fmodels", "%2e%2e%2fmodels", "x%2F%2e%2E", "..%5cmodels", "..%5Cmodels", "x%5c..", "x%5c%2e%2e%5cmodels",
        "%2f..", "..;/models", "..;a=b/models", "%2e%2e%3b/models", "x/.;y",
    ])
    def test_dot_segments(self, gateway, mock, tail):
        mock.reset()
        with RawConnection(gateway) as connection:
            connection.send(f"GET /v1/files/{tail} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            status, _, body, _ = connection.read_response()
        assert status == 400
        assert b"invalid_url" in body
        assert mock.stats()["requests"] == 0

    @pytest.mark.parametrize(
        "tail",
        ["...", "..a", "a..", ".a", "a.b", "a%2fb", "a%2e%2eb", "a;..", "a;b/c", "%252e%252e", "..%252f", "a%00"],
    )
    def test_others_pass_as_they_are(self, gateway, mock, tail):
        mock.reset()
        with RawConnection(gateway) as connection:
            connection.send(f"GET /v1/files/{tail} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            connection.read_response()
        assert mock.last()["target"] == f"/v1/files/{tail}"
