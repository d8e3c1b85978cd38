# SPDX-License-Identifier: MIT
"""mockllm as Azure OpenAI, judged by OpenAI's client for Azure. No part of gatewire is used."""

import json

import openai
import pytest
from vendors import UNICODE, client, sse

VERSION = "2024-10-21"


@pytest.fixture
def api(mock):
    with openai.AzureOpenAI(azure_endpoint=mock.url, api_key="k", api_version=VERSION, max_retries=0) as found:
        yield found


def say(text, **more):
    return {"model": "my-deployment", "messages": [{"role": "user", "content": text}], **more}


def test_plain_and_stream(api, mock):
    plain = api.chat.completions.create(**say("[[unicode]]"))
    assert mock.last()["target"] == f"/openai/deployments/my-deployment/chat/completions?api-version={VERSION}"
    assert plain.choices[0].message.content == UNICODE
    assert plain.model == "gpt-mock-2026-01-01"
    assert plain.model_extra["prompt_filter_results"][0]["content_filter_results"]["hate"] == {
        "filtered": False, "severity": "safe"}
    assert plain.choices[0].model_extra["content_filter_results"]
    chunks = list(api.chat.completions.create(**say("[[unicode]]", stream=True)))
    assert chunks[0].choices == [] and chunks[0].id == "" and chunks[0].model_extra["prompt_filter_results"]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == UNICODE


def test_first_event(mock):
    with client(mock, **{"api-key": "k"}) as http:
        answer = http.post(f"/openai/deployments/d/chat/completions?api-version={VERSION}", json=say("x", stream=True))
    events = [json.loads(data) for _, data in sse(answer.text) if data != "[DONE]"]
    first = events[0]
    assert {name: first[name] for name in ("choices", "created", "id", "model", "object")} == {
        "choices": [], "created": 0, "id": "", "model": "", "object": ""}
    assert all(event["choices"][0]["content_filter_results"] == {} for event in events[1:])


def test_content_filter(api):
    with pytest.raises(openai.BadRequestError) as caught:
        api.chat.completions.create(**say("[[filter:prompt]]"))
    error = caught.value.body
    assert (error["code"], error["param"], error["status"]) == ("content_filter", "prompt", 400)
    assert error["innererror"]["content_filter_result"]["jailbreak"]["filtered"]
    cut = api.chat.completions.create(**say("[[filter]]")).choices[0]
    assert cut.finish_reason == "content_filter" and cut.model_extra["content_filter_results"]["violence"]["filtered"]


def test_addresses_and_credentials(mock):
    classic = "/openai/deployments/d/chat/completions"
    cases = [
        (classic + "?api-version=2024-10-21", {}, 401), (classic, {"api-key": "k"}, 404),
        (classic + "?api-version=v1", {"api-key": "k"}, 404),
        (classic + "?api-version=2025-04-01-preview", {"api-key": "k"}, 200),
        (classic + "?api-version=2024-10-21", {"authorization": "Bearer t"}, 200),
        ("/openai/v1/chat/completions", {"api-key": "k"}, 200), ("/azure/openai/v1/chat/completions", {}, 401),
        ("/azure" + classic + "?api-version=2024-10-21", {"api-key": "k"}, 200),
    ]
    for path, headers, status in cases:
        with client(mock, **headers) as http:
            assert http.post(path, json=say("x")).status_code == status, (path, headers)


def test_v1(mock):
    with openai.OpenAI(base_url=mock.url + "/azure/openai/v1", api_key="k", max_retries=0) as api:
        assert api.chat.completions.create(**say("x")).model == "gpt-mock-2026-01-01"
        assert api.embeddings.create(model="d", input="x").data[0].embedding


@pytest.mark.parametrize(("status", "code"), [
    (401, "401"), (404, "DeploymentNotFound"), (429, "429"), (500, "InternalServerError"),
])
def test_errors(api, status, code):
    with pytest.raises(openai.APIStatusError) as caught:
        api.chat.completions.create(**say(f"[[status:{status}]] [[retry_after:3]]"))
    assert caught.value.status_code == status
    assert caught.value.body["code"] == code and "type" not in caught.value.body
    assert caught.value.response.headers["retry-after-ms"] == "3000"
