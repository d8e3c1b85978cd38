# SPDX-License-Identifier: MIT
"""Byte-exact forwarding: vendors' prompt caches match on bytes, so nothing but what must change may change."""

import json
import random

import httpx
import pytest
from servers import deployment

# Spacing, key order, escapes and number forms that no serialiser would produce again.
ODD_BODIES = [
    b'{"model":"mock-small","messages":[{"role":"user","content":"hi"}]}',
    b' {\n\t"messages" : [ {"content":"h\\u0069 \\/ \\ud83d\\ude00","role":"user"} ] ,"temperature": 1.0e0,\r\n'
    b'"model" :  "mock-small" , "big":12345678901234567890123.10, "x":[] }  \n',
    b'{"messages":[{"role":"user","content":"say \\"model\\": \\"other\\""}],"nested":{"model":"keep-me"},'
    b'"model":"mock-small","stop":null}',
    '{"model":"mock-small","messages":[{"role":"user","content":"äöü \u2028 漢字 😀"}],"n":1}'.encode(),
]


def post(gateway, body, path="/v1/chat/completions", **headers):
    return httpx.post(gateway.url + path, content=body, headers={"content-type": "application/json", **headers},
                      timeout=30, trust_env=False)


@pytest.mark.parametrize("body", ODD_BODIES)
def test_same_model_name_changes_nothing(gateway, mock, body):
    mock.reset()
    assert post(gateway, body).status_code == 200
    assert mock.last_body() == body


@pytest.fixture(scope="module")
def renaming(tmp_path_factory, mock):
    """A gateway whose public name differs from the provider's."""
    from servers import Gatewire

    entry = deployment(mock, "upstream-name")
    entry["model_name"] = "mock-small"
    server = Gatewire(tmp_path_factory.mktemp("renaming"), {"model_list": [entry]})
    yield server
    assert server.stop() == 0, server.output()


@pytest.mark.parametrize("body", ODD_BODIES)
def test_only_the_model_name_changes(renaming, mock, body):
    mock.reset()
    assert post(renaming, body).status_code == 200
    name = json.loads(body)["model"].encode()
    position = body.rindex(b'"' + name + b'"')
    expected = body[:position] + b'"upstream-name"' + body[position + len(name) + 2:]
    assert mock.last_body() == expected


def test_stream_options_are_added_behind_everything(gateway, mock):
    mock.reset()
    body = b'{ "model":"mock-small", "messages":[{"role":"user","content":"hi"}], "stream": true }'
    assert post(gateway, body).status_code == 200
    sent = mock.last_body()
    assert sent.startswith(body[: body.rindex(b"true") + 4])
    assert json.loads(sent) == {**json.loads(body), "stream_options": {"include_usage": True}}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (b"null", b'{"include_usage":true}'),
        (b"{}", b'{"include_usage":true}'),
        (b'{ "include_usage" : false , "x":1}', b'{ "include_usage" : true , "x":1}'),
        (b'{"x":1}', b'{"x":1,"include_usage":true}'),
        (b'{"include_usage": true}', b'{"include_usage": true}'),
    ],
)
def test_stream_options_of_the_client_are_patched(gateway, mock, options, expected):
    mock.reset()
    body = b'{"model":"mock-small","stream":true,"stream_options":%s,"messages":[]}'
    post(gateway, body % options)
    assert mock.last_body() == body % expected


def test_turns_share_their_prefix(gateway, mock):
    """Turn n+1's upstream bytes begin with turn n's messages."""
    mock.reset()
    rng = random.Random(7)
    messages = [{"role": "system", "content": "be brief"}]
    previous = b""
    for turn in range(5):
        messages.append({"role": "user", "content": "".join(rng.choice("abc \n\"\\é😀") for _ in range(200))})
        body = json.dumps({"model": "mock-small", "messages": messages, "stream": True}).encode()
        assert post(gateway, body).status_code == 200
        sent = mock.last_body()
        assert sent.startswith(previous)
        previous = sent[: sent.rindex(b"]")]
        messages.append({"role": "assistant", "content": f"answer {turn}"})


def test_multipart_model_is_patched_and_nothing_else(renaming, mock):
    mock.reset()
    form = (b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n\r\nmock-small\r\n'
            b'--XyZ\r\nContent-Disposition: form-data; name="model"\r\n\r\nmock-small\r\n--XyZ--\r\n')
    answer = httpx.post(renaming.url + "/v1/audio/transcriptions", content=form, timeout=30, trust_env=False,
                        headers={"content-type": "multipart/form-data; boundary=XyZ"})
    assert answer.status_code == 200
    assert mock.last_body() == form.replace(b'; name="model"\r\n\r\nmock-small', b'; name="model"\r\n\r\nupstream-name')


def test_answers_come_back_byte_for_byte(gateway, mock):
    knobs = {"x-mock-chunks": "30", "x-mock-size": "3000"}
    body = (b'{"model":"mock-small","stream":true,"stream_options":{"include_usage":true},'
            b'"messages":[{"role":"user","content":"hi"}]}')
    through = post(gateway, body, **knobs)
    direct = httpx.post(mock.url + "/v1/chat/completions", content=body, headers=knobs, timeout=30, trust_env=False)

    def without_ids(text):
        events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
        for event in events:
            for member in ("id", "created", "system_fingerprint"):
                event.pop(member, None)
        return events

    assert without_ids(through.text) == without_ids(direct.text)
    assert through.text.endswith("data: [DONE]\n\n")
