# SPDX-License-Identifier: MIT
"""Our signatures are botocore's: an independent judge over random requests, and over one of each kind that is special."""

import datetime
import os
import random
import subprocess
from pathlib import Path
from unittest import mock

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("GW_BUILD_DIR", TOP / "build"))

SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"


def ours(requests):
    """The Authorization fields that our signer makes."""

    def value(text):
        raw = text if isinstance(text, bytes) else str(text).encode()
        return str(len(raw)).encode() + b":" + raw

    parts = []
    for r in requests:
        names = ("access", "secret", "token", "region", "service", "method", "target", "host")
        parts += [value(r[name]) for name in names]
        parts += [value(r["now"] * 1000 + 7), value(len(r["fields"]))]
        for name, field in r["fields"]:
            parts += [value(name), value(field)]
        parts.append(value(r["body"]))
    program = BUILD / "tests" / "unit" / "provider" / "sigv4_cases"
    done = subprocess.run([str(program)], input=b"".join(parts), capture_output=True, check=True, timeout=60)
    return done.stdout.decode().splitlines()


def botocores(r):
    """The same by botocore, at the given time."""
    now = datetime.datetime.fromtimestamp(r["now"], datetime.UTC)
    request = AWSRequest(method=r["method"], url=f"https://{r['host']}{r['target']}", data=r["body"], headers=dict(r["fields"]))
    credentials = Credentials(r["access"], r["secret"], r["token"] or None)
    with mock.patch.object(auth, "get_current_datetime", return_value=now.replace(tzinfo=None)):
        signer = auth.SigV4Auth(credentials, r["service"], r["region"])
        signer.add_auth(request)
    assert request.context["timestamp"] == now.strftime("%Y%m%dT%H%M%SZ")
    return request.headers["Authorization"]


def text(rng, alphabet, low, high):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def escaped(rng, low, high):
    """A path segment or a part of a query as a client escapes it."""
    pieces = []
    for _ in range(rng.randint(low, high)):
        pieces.append(rng.choice([rng.choice(SAFE), f"%{rng.randint(0, 255):02X}", rng.choice(":@!$'()*,")]))
    return "".join(pieces)


def random_request(rng):
    segments = [rng.choice(["", ".", "..", escaped(rng, 1, 20), escaped(rng, 1, 20)]) for _ in range(rng.randint(0, 5))]
    target = "/" + "/".join(segments)
    while target.startswith("//"):
        target = target[1:]  # a URL with two slashes there names another host
    if rng.random() < 0.3:
        parts = [escaped(rng, 1, 6) + rng.choice(["", "=" + escaped(rng, 0, 6)]) for _ in range(rng.randint(1, 6))]
        target += "?" + "&".join(parts)
    fields = [("content-type", rng.choice(["application/json", "  application/json ", "text/plain;  charset=utf-8"]))]
    for n in range(rng.randint(0, 3)):
        fields.append((f"x-amz-meta-{text(rng, SAFE[:26], 1, 6)}{n}", text(rng, SAFE + "  \t", 1, 30) + "x"))
    rng.shuffle(fields)
    return {
        "access": text(rng, SAFE[26:62], 16, 20),
        "secret": text(rng, SAFE + "/+", 1, 64),
        "token": rng.choice(["", text(rng, SAFE + "/+=", 1, 900)]),
        "region": rng.choice(["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]),
        "service": rng.choice(["bedrock", "sts", "bedrock-mantle"]),
        "method": rng.choice(["POST", "GET", "PUT"]),
        "target": target,
        "host": rng.choice(["bedrock-runtime.us-east-1.amazonaws.com", "sts.amazonaws.com", "127.0.0.1:8443"]),
        "now": rng.randint(0, 4102444800),
        "fields": fields,
        "body": rng.randbytes(rng.choice([0, 1, 55, 56, 63, 64, 65, 1000, 70000])),
    }


EXAMPLE = {
    "access": "AKIDEXAMPLE",
    "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "token": "FwoGEXAMPLETOKEN",
    "region": "us-east-1",
    "service": "bedrock",
    "method": "POST",
    "target": "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream",
    "host": "bedrock-runtime.us-east-1.amazonaws.com",
    "now": 1795255872,
    "fields": [("content-type", "application/json")],
    "body": b'{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}',
}


def test_the_page_s_example():
    want = "Signature=c137bc3863bf42025950df602a8a98d508787b4cb0d5520b255528df3fd158c7"
    assert botocores(EXAMPLE).endswith(want)
    assert ours([EXAMPLE]) == [botocores(EXAMPLE)]


def test_special_targets():
    targets = [
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude/converse",
        "/",
        "/a//b/",
        "/a/./b/../c",
        "/a/b/..",
        "/a/b/../",
        "/../..",
        "/a%2fb/%E2%82%AC",
        "/~user/-_.",
        "/a?b",
        "/a?b=",
        "/a?z=1&a=2&a=1&m",
        "/a?b=c=d",
    ]
    requests = [{**EXAMPLE, "target": target} for target in targets]
    assert ours(requests) == [botocores(request) for request in requests]


def test_many_random_requests():
    rng = random.Random(20261121)
    requests = [random_request(rng) for _ in range(2000)]
    for request, got in zip(requests, ours(requests), strict=True):
        assert got == botocores(request), request
