# SPDX-License-Identifier: MIT
"""docs/openapi.yaml: every path answers as it says, and every path that the sources know is in it."""

import re
from pathlib import Path

import httpx
import jsonschema
import pytest
import yaml
from servers import SLOWNESS, TOP, deployment

METHODS = ("get", "post", "put", "patch", "delete")
DOCUMENT = yaml.safe_load((TOP / "docs" / "openapi.yaml").read_text())
KEY = "sk-right"
MODEL = "mock-small"
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
WAV = {"file": ("a.wav", b"RIFF" + bytes(2000), "audio/wav")}
PNG = {"image": ("a.png", bytes(500), "image/png")}

# What a good request to each inference path carries.
BODIES = {
    "/v1/chat/completions": {"json": CHAT},
    "/v1/completions": {"json": {"model": MODEL, "prompt": "hi"}},
    "/v1/responses": {"json": {"model": MODEL, "input": "hi"}},
    "/v1/embeddings": {"json": {"model": MODEL, "input": "hi"}},
    "/v1/moderations": {"json": {"model": MODEL, "input": "hi"}},
    "/v1/images/generations": {"json": {"model": MODEL, "prompt": "a cat"}},
    "/v1/images/edits": {"files": PNG, "data": {"model": MODEL, "prompt": "a hat"}},
    "/v1/images/variations": {"files": PNG, "data": {"model": MODEL}},
    "/v1/audio/speech": {"json": {"model": MODEL, "input": "hi", "voice": "alloy"}},
    "/v1/audio/transcriptions": {"files": WAV, "data": {"model": MODEL}},
    "/v1/audio/translations": {"files": WAV, "data": {"model": MODEL}},
}


def resolve(node):
    while isinstance(node, dict) and "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operations():
    """(path, method, the operation, names of the listeners that serve it)"""
    for path, item in DOCUMENT["paths"].items():
        found = resolve(item)
        servers = [server["description"] for server in found.get("servers", DOCUMENT["servers"])]
        for method in METHODS:
            if method in found:
                yield path, method, found[method], servers


OPERATIONS = list(operations())
TAGGED = {tag: [row for row in OPERATIONS if tag in row[2]["tags"]] for tag in ("gateway", "inference", "pass-through", "admin")}


def ids(rows):
    return [f"{method} {path}" for path, method, _, _ in rows]


def check(answer, operation):
    """The status is documented, and so are content type and shape of what came with it."""
    responses = operation["responses"]
    response = resolve(responses.get(str(answer.status_code), responses.get("default")))
    assert response, f"{answer.status_code} is not documented: {answer.text}"
    content = response.get("content", {})
    kind = answer.headers.get("content-type", "").split(";")[0]
    media = next((content[name] for name in (kind, kind.split("/")[0] + "/*", "*/*") if name in content), None)
    assert media is not None, f"{kind} is not documented for {answer.status_code}"
    if kind == "application/json":
        schema = {**DOCUMENT, **media["schema"]} if "$ref" in media["schema"] else media["schema"]
        jsonschema.Draft202012Validator(schema).validate(answer.json())


@pytest.fixture(scope="module")
def base_urls(gateway):
    return {"API": gateway.url, "admin": gateway.admin_url, "metrics": gateway.metrics_url}


def send(url, method, path, **arguments):
    return httpx.request(method.upper(), url + path, timeout=30 * SLOWNESS, trust_env=False, **arguments)


class TestAnswers:
    @pytest.mark.parametrize(("path", "method", "operation", "servers"), TAGGED["gateway"] + TAGGED["admin"],
                             ids=ids(TAGGED["gateway"] + TAGGED["admin"]))
    def test_own_pages(self, base_urls, path, method, operation, servers):
        for server in servers:
            answer = send(base_urls[server], method, path.replace("{model}", MODEL))
            assert answer.status_code == 200, f"{server}: {answer.text}"
            check(answer, operation)

    @pytest.mark.parametrize(("path", "method", "operation", "servers"), TAGGED["inference"], ids=ids(TAGGED["inference"]))
    def test_inference(self, gateway, path, method, operation, servers):
        assert servers == ["API"]
        answer = send(gateway.url, method, path, **BODIES[path])
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-request-id"]
        check(answer, operation)

    def test_streams(self, gateway):
        operation = resolve(DOCUMENT["paths"]["/v1/chat/completions"])["post"]
        answer = send(gateway.url, "post", "/v1/chat/completions", json={**CHAT, "stream": True})
        assert answer.headers["content-type"].startswith("text/event-stream")
        check(answer, operation)

    @pytest.mark.parametrize(("path", "method", "operation", "servers"), TAGGED["pass-through"], ids=ids(TAGGED["pass-through"]))
    def test_pass_through_reaches_the_provider(self, gateway, mock, path, method, operation, servers):
        assert servers == ["API"]
        target = re.sub(r"\{\w+\}", "x1", path)
        mock.reset()
        answer = send(gateway.url, method, target)
        assert mock.last()["target"] == target
        assert mock.last()["method"] == method.upper()
        assert answer.headers["x-request-id"]
        check(answer, operation)


class TestErrors:
    """The documented refusals of one operation of each kind."""

    @pytest.mark.parametrize(("path", "arguments", "status"), [
        ("/v1/chat/completions", {"content": b"{"}, 400),
        ("/v1/chat/completions", {"json": {}}, 400),
        ("/v1/chat/completions", {"json": {**CHAT, "messages": "hi"}}, 400),
        ("/v1/chat/completions", {"json": {**CHAT, "model": "mock-smal"}}, 404),
        ("/v1/audio/transcriptions", {"files": WAV}, 400),
        ("/v1/chat/completions", {"json": CHAT, "headers": {"origin": "http://evil.example"}}, 403),
        ("/v1/chat/completions", {"json": CHAT, "headers": {"x-mock-fault": "garbage"}}, 502),
    ])
    def test_refusals(self, gateway, path, arguments, status):
        answer = send(gateway.url, "post", path, **arguments)
        assert answer.status_code == status, answer.text
        check(answer, DOCUMENT["paths"][path]["post"])

    def test_limits_and_times(self, start_gateway, mock):
        gateway = start_gateway({
            "server": {"max_body_size": "4k"}, "upstream": {"first_byte_timeout": "500ms"},
            "model_list": [deployment(mock, MODEL)],
        })
        operation = DOCUMENT["paths"]["/v1/chat/completions"]["post"]
        large = send(gateway.url, "post", "/v1/chat/completions", content=b" " * 5000)
        slow = send(gateway.url, "post", "/v1/chat/completions", json=CHAT, headers={"x-mock-fault": "stall"})
        assert (large.status_code, slow.status_code) == (413, 504)
        check(large, operation)
        check(slow, operation)

    def test_closed_gateway(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, MODEL)]}, env={"API_KEY": KEY})
        urls = {"API": gateway.url, "admin": gateway.admin_url, "metrics": gateway.metrics_url}
        for path, method, operation, servers in OPERATIONS:
            is_open = operation.get("security") == []
            for server in servers:
                answer = send(urls[server], method, re.sub(r"\{\w+\}", MODEL, path))
                assert (answer.status_code == 401) != is_open, f"{server} {method} {path}: {answer.status_code}"
                check(answer, operation)

    @pytest.mark.parametrize("header", [{"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}, {"api-key": KEY}])
    def test_each_documented_key_opens(self, start_gateway, mock, header):
        gateway = start_gateway({"model_list": [deployment(mock, MODEL)]}, env={"API_KEY": KEY})
        assert send(gateway.url, "get", "/v1/models", headers=header).status_code == 200
        schemes = DOCUMENT["components"]["securitySchemes"]
        for requirement in DOCUMENT["paths"]["/api/v1/status"]["get"]["security"]:
            if any(schemes[name].get("name", "authorization") in header for name in requirement):
                assert send(gateway.admin_url, "get", "/api/v1/status", headers=header).status_code == 200

    def test_refused_reload(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, MODEL)]})
        operation = DOCUMENT["paths"]["/api/v1/reload"]["post"]
        gateway.config_path.write_text("server: {port: many}")
        refused = send(gateway.admin_url, "post", "/api/v1/reload")
        assert refused.status_code == 422
        check(refused, operation)
        foreign = send(gateway.admin_url, "post", "/api/v1/reload", headers={"origin": "http://evil.example"})
        assert foreign.status_code == 403
        check(foreign, operation)


class TestCompleteness:
    """The tables of the sources against the document, in both directions."""

    @staticmethod
    def documented(server):
        return {(path, method) for path, method, _, servers in OPERATIONS if server in servers}

    @staticmethod
    def table(file, name):
        text = (TOP / "src" / file).read_text()
        return re.search(rf"\b{name}\[\] = \{{(.*?)\n\}};", text, re.DOTALL).group(1)

    def api_rows(self):
        masks = {"GET": ["get"], "POST": ["post"], "DELETE": ["delete"], "ANY": list(METHODS)}
        for path, mask in re.findall(r'GW_STR_INIT\("([^"]+)"\), (\w+), GW_ROUTE_\w+', self.table("core/routes.c", "api_rows")):
            tail = "" if not path.endswith("/") else "{model}" if path == "/models/" else "{path}"
            for method in masks[mask]:
                yield f"/v1{path}{tail}", method

    def test_api(self):
        own = {(path, "get") for path in re.findall(r'GW_STR_INIT\("([^"]+)"\)', self.table("core/routes.c", "local_rows"))}
        assert len(own) >= 5
        assert self.documented("API") == own | set(self.api_rows())

    def test_admin_and_metrics(self):
        rows = re.findall(r'GW_STR_INIT\("([^"]+)"\),\s*(ADMIN \| METRICS|ADMIN|METRICS),\s*GW_METHOD_(\w+)',
                          self.table("admin/admin.c", "pages"))
        assert len(rows) >= 8
        for server, mark in (("admin", "ADMIN"), ("metrics", "METRICS")):
            assert self.documented(server) == {(path, method.lower()) for path, sites, method in rows if mark in sites}

    def test_version(self):
        version = re.search(r"version: '([^']+)'", (TOP / "meson.build").read_text()).group(1)
        assert DOCUMENT["info"]["version"] == version

    def test_document_is_sound(self):
        references = re.findall(r"\$ref: '([^']+)'", (Path(TOP) / "docs" / "openapi.yaml").read_text())
        for reference in set(references):
            resolve({"$ref": reference})
        for schema in DOCUMENT["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        names = [operation["operationId"] for _, _, operation, _ in OPERATIONS if "operationId" in operation]
        assert len(names) == len(set(names))
