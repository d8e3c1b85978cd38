# SPDX-License-Identifier: MIT
"""mockllm as AWS Bedrock, judged by botocore: signatures, event stream frames, shapes. No part of gatewire is used."""

import json

import anthropic
import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError
from vendors import ANSWER, CLOCK, UNICODE, WEATHER, client

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5"
TOOLS = {"tools": [
    {"toolSpec": {"name": "get_weather", "description": "d", "inputSchema": {"json": WEATHER}}},
    {"toolSpec": {"name": "get_time", "inputSchema": {"json": CLOCK}}},
]}


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    from servers import Mockllm

    server = Mockllm(tmp_path_factory.mktemp("aws"), "--aws-secret", SECRET)
    yield server
    server.stop()


def runtime(server, secret=SECRET, **more):
    config = Config(retries={"total_max_attempts": 1}, proxies={}, **more)
    return boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=server.url, config=config,
                        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key=secret)


@pytest.fixture(scope="module")
def api(signed):
    return runtime(signed)


def say(text, **more):
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": text}]}], **more}


def streamed(api, **body):
    """A stream put together to the shape of a plain answer."""
    content, found, open_block = [], {}, {}
    for event in api.converse_stream(**body)["stream"]:
        (name, value), = event.items()
        found.setdefault("events", []).append(name)
        if name == "contentBlockStart":
            open_block = {"toolUse": {**value["start"]["toolUse"], "input": ""}}
        elif name == "contentBlockDelta":
            delta = value["delta"]
            if "text" in delta:
                open_block["text"] = open_block.get("text", "") + delta["text"]
            elif "toolUse" in delta:
                open_block["toolUse"]["input"] += delta["toolUse"]["input"]
            elif "redactedContent" in delta["reasoningContent"]:
                open_block["reasoningContent"] = delta["reasoningContent"]
            else:
                text = open_block.setdefault("reasoningContent", {"reasoningText": {}})["reasoningText"]
                for key, part in delta["reasoningContent"].items():
                    text[key] = text.get(key, "") + part
        elif name == "contentBlockStop":
            if "toolUse" in open_block:
                open_block["toolUse"]["input"] = json.loads(open_block["toolUse"]["input"] or "{}")
            content.append(open_block)
            open_block = {}
        elif name == "messageStop":
            found["stopReason"] = value["stopReason"]
        elif name == "metadata":
            found["usage"] = value["usage"]
    return {**found, "output": {"message": {"role": "assistant", "content": content}}}


def both(api, **body):
    return api.converse(**body), streamed(api, **body)


def content(answer):
    return answer["output"]["message"]["content"]


def test_plain_and_stream_are_the_same(api):
    plain, stream = both(api, **say("hi"))
    assert content(plain) == content(stream)
    assert plain["stopReason"] == stream["stopReason"] == "end_turn"
    assert plain["usage"] == stream["usage"] and plain["usage"]["outputTokens"] == 8
    assert stream["events"][0] == "messageStart" and stream["events"][-2:] == ["messageStop", "metadata"]
    assert "contentBlockStart" not in stream["events"]


def test_frames_with_their_checksums_and_padding(signed):
    with client(signed, authorization="Bearer k") as http:
        answer = http.post("/model/m/converse-stream", json={"messages": say("[[unicode]]")["messages"]})
    assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
    buffer = EventStreamBuffer()
    buffer.add_data(answer.content)
    frames = list(buffer)  # checks both checksums of each
    assert len({len(json.loads(frame.payload)["p"]) for frame in frames}) > 3
    assert list(frames[0].headers) == [":event-type", ":content-type", ":message-type"]
    texts = [json.loads(frame.payload).get("delta", {}).get("text", "") for frame in frames]
    assert "".join(texts) == UNICODE


def test_tools_and_their_results(api):
    body = say("[[tools:2]]", toolConfig=TOOLS)
    for answer in both(api, **body):
        assert answer["stopReason"] == "tool_use"
        calls = [block["toolUse"] for block in content(answer)]
        assert [call["name"] for call in calls] == ["get_weather", "get_time"]
        assert isinstance(calls[0]["input"]["city"], str) and calls[1]["input"] == {}
    results = [{"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "x"}]}} for call in calls]
    body["messages"] += [answer["output"]["message"], {"role": "user", "content": results}]
    assert api.converse(**body)["stopReason"] == "end_turn"
    with pytest.raises(ClientError, match="toolConfig field must be defined"):
        api.converse(**{name: value for name, value in body.items() if name != "toolConfig"})
    body["messages"][-1]["content"] = results[:1]
    with pytest.raises(ClientError, match="Expected toolResult blocks"):
        api.converse(**body)
    extra = {"toolResult": {"toolUseId": "other", "content": [{"text": "x"}]}}
    body["messages"][-1]["content"] = [*results, extra]
    with pytest.raises(ClientError, match="exceeds the number"):
        api.converse(**body)
    named = api.converse(**say("x", toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "get_time"}}}))
    assert [block["toolUse"]["name"] for block in content(named)] == ["get_time"]
    assert api.converse(**say("x", toolConfig={**TOOLS, "toolChoice": {"any": {}}}))["stopReason"] == "tool_use"


def test_reasoning_must_come_back_as_it_went(api):
    body = say("[[reasoning:3]] [[redacted]] [[tools:1]]", toolConfig=TOOLS)
    plain, answer = both(api, **body)
    assert content(plain)[:2] == content(answer)[:2]
    call = content(answer)[2]["toolUse"]
    result = {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"json": {"a": 1}}], "status": "success"}}
    body["messages"] += [answer["output"]["message"], {"role": "user", "content": [result]}]
    assert api.converse(**body)["stopReason"] == "end_turn"
    content(answer)[0]["reasoningContent"]["reasoningText"]["signature"] = "made up"
    with pytest.raises(ClientError, match="signature"):
        api.converse(**body)


def test_filter_length_stop_empty_cache_json_long(api):
    for order, reason in (("[[filter]]", "content_filtered"), ("[[filter:prompt]]", "guardrail_intervened"),
                          ("[[length]]", "max_tokens")):
        assert [answer["stopReason"] for answer in both(api, **say(order))] == [reason] * 2
    stop = say("[[stop]]", inferenceConfig={"stopSequences": ["END"]})
    assert [answer["stopReason"] for answer in both(api, **stop)] == ["stop_sequence"] * 2
    assert [content(answer) for answer in both(api, **say("[[empty]]"))] == [[], []]
    for answer in both(api, **say("[[cache]]")):
        usage = answer["usage"]
        assert (usage["inputTokens"], usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (40, 128, 32)
    schema = {"structure": {"jsonSchema": {"schema": json.dumps(ANSWER), "name": "a"}}, "type": "json_schema"}
    for answer in both(api, **say("x", outputConfig={"textFormat": schema})):
        assert set(json.loads(content(answer)[0]["text"])) == {"answer", "count"}
    for answer in both(api, **say("[[long:262144]]")):
        assert len(content(answer)[0]["text"]) == 262144
    for answer in both(api, **say("[[unicode]]")):
        assert content(answer)[0]["text"] == UNICODE


@pytest.mark.parametrize(("status", "name"), [
    (400, "ValidationException"), (403, "AccessDeniedException"), (404, "ResourceNotFoundException"),
    (429, "ThrottlingException"), (500, "InternalServerException"), (503, "ServiceUnavailableException"),
])
def test_errors_by_status(api, status, name):
    for call in (api.converse, api.converse_stream):
        with pytest.raises(ClientError) as caught:
            call(**say(f"[[status:{status}]]"))
        assert caught.value.response["Error"]["Code"] == name
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_error_in_mid_stream(api):
    with pytest.raises(EventStreamError) as caught:
        streamed(api, **say("[[error-mid-stream]]"))
    assert caught.value.response["Error"]["Code"] == "modelStreamErrorException"


def test_signatures_are_checked(signed):
    assert runtime(signed).converse(**say("x"))
    assert runtime(signed).converse(**{**say("x"), "modelId": ARN})
    assert signed.last()["target"].count("%2F") == 1
    with pytest.raises(ClientError) as caught:
        runtime(signed, secret="wrong").converse(**say("x"))
    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"
    with client(signed) as http:
        answer = http.post("/model/m/converse", json={})
        assert answer.status_code == 403 and "Missing Authentication Token" in answer.text


def sign(server, body, service="bedrock", region="eu-west-1"):
    request = AWSRequest("POST", server.url + "/model/m/converse", data=body, headers={"content-type": "application/json"})
    SigV4Auth(Credentials("AKIDEXAMPLE", SECRET), service, region).add_auth(request)
    return dict(request.headers)


def test_changed_bytes_and_other_services_are_refused(signed):
    body = json.dumps({"messages": say("x")["messages"]})
    with client(signed) as http:
        headers = sign(signed, body)
        assert http.post("/model/m/converse", content=body, headers=headers).status_code == 200
        assert http.post("/model/m/converse", content=body + " ", headers=headers).status_code == 403
        assert http.post("/model/n/converse", content=body, headers=headers).status_code == 403
        refused = http.post("/model/m/converse", content=body, headers=sign(signed, body, service="sts"))
        assert refused.status_code == 403 and "correct service" in refused.text


def test_clock_skew(signed):
    body = json.dumps({"messages": say("x")["messages"]})
    with client(signed) as http:
        headers = {**sign(signed, body), "x-mock-clock-ahead": "310"}
        answer = http.post("/model/m/converse", content=body, headers=headers)
        assert answer.status_code == 403 and "Signature expired" in answer.json()["message"]
        assert answer.headers["x-amzn-errortype"].startswith("InvalidSignatureException:")
        headers["x-mock-clock-ahead"] = "200"
        assert http.post("/model/m/converse", content=body, headers=headers).status_code == 200


WRONG = [
    ({"messages": []}, "messages field is required"),
    ({"messages": [{"role": "assistant", "content": [{"text": "x"}]}]}, "must start with a user"),
    ({"messages": [{"role": "user", "content": [{"text": "x"}]}] * 2}, "alternate"),
    ({"messages": [{"role": "user", "content": "x"}]}, "content field"),
    ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "blank"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, "extraneous key [type]"),
    ({"messages": [{"role": "user", "content": [{"image": {"format": "jpg", "source": {"bytes": "QQ=="}}}]}]}, "enum"),
    ({"messages": [{"role": "user", "content": [{"text": "x"}, {"document": {
        "format": "pdf", "name": "a.pdf", "source": {"bytes": "QQ=="}}}]}]}, "file name"),
    ({"messages": [{"role": "user", "content": [{"document": {
        "format": "pdf", "name": "a", "source": {"bytes": "QQ=="}}}]}]}, "must contain a text block"),
    ({"system": "x"}, "list of blocks"),
    ({"system": [{"text": ""}]}, "blank"),
    ({"max_tokens": 5}, "extraneous key [max_tokens]"),
    ({"inferenceConfig": {"maxTokens": 0}}, "maxTokens"),
    ({"inferenceConfig": {"temperature": 1.5}}, "temperature"),
    ({"inferenceConfig": {"top_p": 1}}, "extraneous key [top_p]"),
    ({"toolConfig": {"tools": []}}, "toolConfig.tools"),
    ({"toolConfig": {"tools": [{"toolSpec": {"name": "a.b", "inputSchema": {"json": CLOCK}}}]}}, "name"),
    ({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "description": "", "inputSchema": {"json": CLOCK}}}]}}, "description"),
    ({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "inputSchema": CLOCK}}]}}, "inputSchema.json.type"),
    ({"toolConfig": {**TOOLS, "toolChoice": {"none": {}}}}, "extraneous key [none]"),
    ({"toolConfig": {**TOOLS, "toolChoice": {"tool": {"name": "b"}}}}, "not in toolConfig.tools"),
]


@pytest.mark.parametrize(("more", "message"), WRONG)
def test_refuses_what_the_api_refuses(signed, more, message):
    with client(signed, authorization="Bearer k") as http:
        answer = http.post("/model/m/converse", json={"messages": say("x")["messages"], **more})
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["message"]


def test_claude_by_invoke(signed):
    options = {"aws_region": "us-east-1", "aws_access_key": "AKIDEXAMPLE", "aws_secret_key": SECRET,
               "base_url": signed.url, "max_retries": 0}
    with anthropic.AnthropicBedrock(**options) as api:
        body = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}
        plain = api.messages.create(**body)
        with api.messages.stream(**body) as events:
            assert events.get_final_message().content[0].text == plain.content[0].text
        body["messages"][0]["content"] = "[[status:429]]"
        with pytest.raises(anthropic.RateLimitError):
            api.messages.create(**body)


def test_count_tokens(api):
    request = {"converse": {"messages": say("x")["messages"]}}
    assert api.count_tokens(modelId=MODEL, input=request)["inputTokens"] > 0
