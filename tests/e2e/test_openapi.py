# SPDX-License-Identifier: MIT
"""docs/openapi.yaml: every path answers as it says, and every path that the sources know is in it."""

import re
from pathlib import Path

import httpx
import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from servers import SLOWNESS, TOP, deployment

METHODS = ("get", "post", "put", "patch", "delete")
DOCUMENT = yaml.safe_load((TOP / "docs" / "openapi.yaml").read_text())
KEY = "sk-right"
MODEL = "mock-small"
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
WAV = {"file": ("a.wav", b"RIFF" + bytes(2000), "audio/wav")}
PNG = {"image": ("a.png", bytes(500), "image/png")}

MESSAGE = {**CHAT, "max_tokens": 50}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
CONTENT = {"content": {"parts": [{"text": "hi"}]}}

# What a good request to each inference path carries; of Google's to each method.
BODIES = {
    "/api/v1/router/strategy": {"json": {"strategy": "default"}},
    "/api/v1/router/analyze": {"json": {"prompt": "Compare two sorts."}},
    "/api/v1/router/decision": {"json": CHAT},
    "/api/v1/explain": {"json": CHAT},
    "/v1/messages": {"json": MESSAGE},
    "/v1/messages/count_tokens": {"json": MESSAGE},
    "generateContent": {"json": CONTENTS},
    "streamGenerateContent": {"json": CONTENTS},
    "countTokens": {"json": CONTENTS},
    "embedContent": {"json": CONTENT},
    "batchEmbedContents": {"json": {"requests": [{"model": f"models/{MODEL}", **CONTENT}]}},
    "/api/chat": {"json": CHAT},
    "/api/generate": {"json": {"model": MODEL, "prompt": "hi"}},
    "/api/embed": {"json": {"model": MODEL, "input": "hi"}},
    "/api/show": {"json": {"model": MODEL}},
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
TAGS = ("gateway", "routing", "inference", "stored", "pass-through", "admin")
TAGGED = {tag: [row for row in OPERATIONS if tag in row[2]["tags"]] for tag in TAGS}
POSTS = [row for row in TAGGED["routing"] if row[1] != "get"]


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
        jsonschema.Draft202012Validator({**DOCUMENT, **media["schema"]}).validate(answer.json())


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

    @pytest.mark.parametrize(("path", "method", "operation", "servers"), POSTS, ids=ids(POSTS))
    def test_questions_about_routing(self, gateway, path, method, operation, servers):
        assert servers == ["API"]
        answer = send(gateway.url, method, path, **BODIES.get(path, {}))
        assert answer.status_code == 200, answer.text
        check(answer, operation)
        wrong = send(gateway.url, method, path, content=b"[")
        assert wrong.status_code == 400, wrong.text
        check(wrong, operation)

    @pytest.mark.parametrize(("path", "method", "operation", "servers"), TAGGED["inference"], ids=ids(TAGGED["inference"]))
    def test_inference(self, gateway, path, method, operation, servers):
        assert servers == ["API"]
        target = re.sub(r"\{\w+\}", MODEL, path)
        answer = send(gateway.url, method, target, **BODIES[path.rsplit(":", 1)[-1]])
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-request-id"]
        check(answer, operation)

    @pytest.mark.parametrize(("path", "query", "body", "kind"), [
        ("/v1/chat/completions", "", {**CHAT, "stream": True}, "text/event-stream"),
        ("/v1/responses", "", {"model": MODEL, "input": "hi", "stream": True}, "text/event-stream"),
        ("/v1/messages", "", {**MESSAGE, "stream": True}, "text/event-stream"),
        ("/v1beta/models/{model}:streamGenerateContent", "?alt=sse", CONTENTS, "text/event-stream"),
        ("/v1beta/models/{model}:streamGenerateContent", "", CONTENTS, "application/json"),
        ("/api/chat", "", CHAT, "application/x-ndjson"),
        ("/api/chat", "", {**CHAT, "stream": False}, "application/json"),
        ("/api/generate", "", {"model": MODEL, "prompt": "hi", "stream": False}, "application/json"),
    ])
    def test_streams(self, gateway, path, query, body, kind):
        answer = send(gateway.url, "post", path.replace("{model}", MODEL) + query, json=body)
        assert answer.headers["content-type"].split(";")[0] == kind
        check(answer, resolve(DOCUMENT["paths"][path])["post"])

    @pytest.mark.parametrize(("path", "shape", "headers"), [
        ("/v1/models", "ModelList", {}),
        ("/v1/models", "AnthropicModelList", {"anthropic-version": "2023-06-01"}),
        ("/v1/models", "GoogleModelList", {"x-goog-api-key": "any"}),
        (f"/v1/models/{MODEL}", "Model", {}),
        (f"/v1/models/{MODEL}", "AnthropicModel", {"anthropic-version": "2023-06-01"}),
        (f"/v1/models/{MODEL}", "GoogleModel", {"x-goog-api-key": "any"}),
    ])
    def test_models_have_three_shapes(self, gateway, path, shape, headers):
        answer = send(gateway.url, "get", path, headers=headers).json()
        jsonschema.Draft202012Validator({**DOCUMENT, "$ref": f"#/components/schemas/{shape}"}).validate(answer)

    def test_stored_responses(self, start_gateway, mock):
        entry = deployment(mock, MODEL)
        entry["litellm_params"]["model"] = f"openai_like/{MODEL}"
        gateway = start_gateway({"model_list": [entry]})
        stored = send(gateway.url, "post", "/v1/responses", json={"model": MODEL, "input": "hi"}).json()
        rows = sorted(TAGGED["stored"], key=lambda row: row[1] == "delete")
        assert len(rows) >= 4
        for path, method, operation, _ in rows:
            answer = send(gateway.url, method, path.replace("{response_id}", stored["id"]))
            assert answer.status_code == (400 if path.endswith("/cancel") else 200), answer.text
            check(answer, operation)
        path, method, operation, _ = rows[0]
        gone = send(gateway.url, method, path.replace("{response_id}", stored["id"]))
        assert gone.status_code == 404
        check(gone, operation)

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
        ("/v1/messages", {"content": b"{"}, 400),
        ("/v1/messages", {"json": {**MESSAGE, "model": "mock-smal"}}, 404),
        ("/v1/messages", {"json": MESSAGE, "headers": {"origin": "http://evil.example"}}, 403),
        ("/v1beta/models/{model}:generateContent", {"json": {}}, 400),
        ("/api/chat", {"content": b"{"}, 400),
        ("/api/chat", {"json": {**CHAT, "model": "mock-smal"}}, 404),
        ("/api/show", {"json": {"model": "mock-smal"}}, 404),
    ])
    def test_refusals(self, gateway, path, arguments, status):
        answer = send(gateway.url, "post", path.replace("{model}", MODEL), **arguments)
        assert answer.status_code == status, answer.text
        check(answer, resolve(DOCUMENT["paths"][path])["post"])

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

    def test_nobody_answers_the_gateway(self, start_gateway):
        entry = {"model": f"openai/{MODEL}", "api_base": "http://127.0.0.1:1/v1", "api_key": "k"}
        gateway = start_gateway({"model_list": [{"model_name": MODEL, "litellm_params": entry}],
                                 "router_settings": {"num_retries": 0}})
        for path in ("/v1/chat/completions", "/v1/messages", "/v1beta/models/{model}:generateContent", "/api/chat"):
            answer = send(gateway.url, "post", path.replace("{model}", MODEL), **BODIES[path.rsplit(":", 1)[-1]])
            assert answer.status_code == 502, answer.text
            check(answer, resolve(DOCUMENT["paths"][path])["post"])

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
        """(path, method) of every row; a path that ends with a slash stands for all below it."""
        masks = {"GET": ["get"], "POST": ["post"], "DELETE": ["delete"], "ANY": list(METHODS), "SET": ["post", "put"]}
        for path in re.findall(r'GW_STR_INIT\("([^"]+)"\)', self.table("core/routes.c", "local_rows")):
            yield path, "get"
        for prefix, name in (("", "dialect_rows"), ("/v1", "api_rows")):
            rows = re.findall(r'GW_STR_INIT\("([^"]+)"\),\s*(\w+),\s*GW_ROUTE_\w+', self.table("core/routes.c", name))
            assert len(rows) >= 15
            for path, mask in rows:
                for method in masks[mask]:
                    yield prefix + path, method
        rows = re.findall(r'GW_STR_INIT\("([^"]+)"\),\s*(\w+),\s*GW_INSPECT_\w+', self.table("core/routes.c", "inspect_rows"))
        assert len(rows) >= 9
        for path, mask in rows:
            for method in masks[mask]:
                yield path, method

    def test_api(self):
        rows = set(self.api_rows())
        found = {}
        for path, method in self.documented("API"):
            fitting = {row for row in rows if row[1] == method and (
                path == row[0] or (row[0].endswith("/") and len(row[0]) > 1 and path.startswith(row[0])))}
            assert fitting, f"{method} {path} is not served"
            found[path, method] = fitting
        described = set().union(*found.values())
        assert sorted(rows - described) == []

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
        assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []
        references = re.findall(r"\$ref: '([^']+)'", (Path(TOP) / "docs" / "openapi.yaml").read_text())
        used = {reference.rsplit("/", 1)[1] for reference in references}
        for kind in ("schemas", "responses", "parameters", "pathItems", "headers"):
            assert set(DOCUMENT["components"][kind]) <= used
        for reference in set(references):
            resolve({"$ref": reference})
        for schema in DOCUMENT["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        names = [operation["operationId"] for _, _, operation, _ in OPERATIONS if "operationId" in operation]
        assert len(names) == len(set(names))
