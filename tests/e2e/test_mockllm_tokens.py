# SPDX-License-Identifier: MIT
"""mockllm's token endpoints, judged by google-auth and botocore. No part of gatewire is used."""

import json
import urllib.request

import boto3
import google.auth.exceptions
import pytest
from botocore.config import Config
from botocore.credentials import ContainerMetadataFetcher, InstanceMetadataFetcher
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.oauth2 import service_account
from vendors import client

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
GEMINI = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent"
AZURE = "/openai/deployments/d/chat/completions?api-version=2024-10-21"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@pytest.fixture(scope="module")
def keys():
    return [rsa.generate_private_key(65537, 2048) for _ in range(2)]


@pytest.fixture(scope="module")
def server(tmp_path_factory, keys):
    from servers import Mockllm

    folder = tmp_path_factory.mktemp("tokens")
    public = keys[0].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    found = Mockllm(folder, "--jwt-public-key", str(folder / "public.pem"), "--issued", "1", "--aws-secret", SECRET)
    yield found
    found.stop()


class Answer:
    """What google-auth wants back from a transport."""

    def __init__(self, answer):
        self.status, self.headers, self.data = answer.status_code, answer.headers, answer.content


def transport(url, method="GET", body=None, headers=None, timeout=None, **_):
    with client(type("Server", (), {"url": ""})) as http:
        return Answer(http.request(method, url, content=body, headers=headers))


def account(server, key, query=""):
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    info = {"client_email": "gw@demo.iam.gserviceaccount.com", "private_key": pem.decode(), "private_key_id": "0123abcd",
            "token_uri": server.url + "/token" + query, "project_id": "p", "type": "service_account"}
    return service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])


def vertex(server, token):
    with client(server, authorization=f"Bearer {token}") as http:
        return http.post(GEMINI, json={"contents": [{"parts": [{"text": "x"}]}]}).status_code


def azure(server, token):
    with client(server, authorization=f"Bearer {token}") as http:
        return http.post(AZURE, json={"messages": [{"role": "user", "content": "x"}]}).status_code


def test_service_account(server, keys):
    credentials = account(server, keys[0])
    credentials.refresh(transport)
    assert vertex(server, credentials.token) == 200
    assert vertex(server, "ya29.other") == 401
    assert azure(server, credentials.token) == 401
    with pytest.raises(google.auth.exceptions.RefreshError, match="Invalid JWT Signature"):
        account(server, keys[1]).refresh(transport)
    assert server.stats()["requests"] > 0


def test_tokens_end(server, keys):
    credentials = account(server, keys[0], "?token_lifetime=0")
    credentials.refresh(transport)
    assert vertex(server, credentials.token) == 401


def test_ordered_failures(server):
    with client(server) as http:
        path = "/token?status=500&times=1&key=a"
        form = {"grant_type": "refresh_token", "refresh_token": "x"}
        assert [http.post(path, data=form).status_code for _ in range(2)] == [500, 200]
        assert http.post("/token", data={"grant_type": "password"}).json()["error"] == "unsupported_grant_type"


def test_google_metadata(server):
    path = "/computeMetadata/v1/instance/service-accounts/default/token"
    with client(server) as http:
        assert http.get(path).status_code == 403
        answer = http.get(path, headers={"metadata-flavor": "Google"})
        assert answer.headers["metadata-flavor"] == "Google" and answer.json()["expires_in"] == 3600
        assert vertex(server, answer.json()["access_token"]) == 200


def test_entra(server):
    form = {"grant_type": "client_credentials", "client_id": "c", "scope": "https://cognitiveservices.azure.com/.default"}
    with client(server) as http:
        refused = http.post("/tenant/oauth2/v2.0/token", data=form)
        assert refused.status_code == 401 and refused.json()["error"] == "invalid_client"
        token = http.post("/tenant/oauth2/v2.0/token", data={**form, "client_secret": "s"}).json()["access_token"]
        assert azure(server, token) == 200 and vertex(server, token) == 401
        path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com"
        assert http.get(path).status_code == 400
        managed = http.get(path, headers={"metadata": "true"}).json()
        assert isinstance(managed["expires_in"], str) and azure(server, managed["access_token"]) == 200


def converse(server, key, secret, token):
    api = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=server.url, aws_access_key_id=key,
                       aws_secret_access_key=secret, aws_session_token=token, config=Config(retries={"total_max_attempts": 1}))
    return api.converse(modelId="m", messages=[{"role": "user", "content": [{"text": "x"}]}])["stopReason"]


def sts(server, secret=SECRET):
    return boto3.client("sts", region_name="us-east-1", endpoint_url=server.url, aws_access_key_id="AKIDEXAMPLE",
                        aws_secret_access_key=secret, config=Config(retries={"total_max_attempts": 1}))


def test_sts(server):
    role = {"RoleArn": "arn:aws:iam::123456789012:role/mock", "RoleSessionName": "session"}
    found = [sts(server).assume_role(**role), sts(server).assume_role_with_web_identity(**role, WebIdentityToken="t" * 8)]
    for answer in found:
        made = answer["Credentials"]
        assert converse(server, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]) == "end_turn"
    with pytest.raises(ClientError, match="InvalidSignature"):
        sts(server, "wrong").assume_role(**role)
    with pytest.raises(ClientError, match="UnrecognizedClient"):
        converse(server, made["AccessKeyId"], made["SecretAccessKey"], "made up")


def test_instance_metadata(server):
    fetcher = InstanceMetadataFetcher(timeout=10, num_attempts=1, base_url=server.url + "/")
    made = fetcher.retrieve_iam_role_credentials()
    assert converse(server, made["access_key"], made["secret_key"], made["token"]) == "end_turn"
    with client(server) as http:
        assert http.get("/latest/meta-data/iam/security-credentials/").status_code == 401


def test_container_credentials_and_their_end(server):
    made = ContainerMetadataFetcher().retrieve_full_uri(server.url + "/v2/credentials/x")
    assert converse(server, made["AccessKeyId"], made["SecretAccessKey"], made["Token"]) == "end_turn"
    with client(server) as http:
        assert http.get("/v2/credentials/locked").status_code == 401
        assert http.get("/v2/credentials/locked", headers={"authorization": "a"}).status_code == 200
        made = http.get("/v2/credentials/x?token_lifetime=0").json()
    with pytest.raises(ClientError, match="ExpiredToken"):
        converse(server, made["AccessKeyId"], made["SecretAccessKey"], made["Token"])


def test_counters(server):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(server.url + "/mock/stats") as answer:
        before = json.load(answer)
    with client(server) as http:
        http.get("/v2/credentials/x")
    after = server.stats()
    assert after["requests"] == before["requests"] + 1
    assert "/v2/credentials/{}" in json.dumps(after)
