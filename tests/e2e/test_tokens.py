# SPDX-License-Identifier: MIT
"""Logins that the gateway keeps itself: Entra, Google, AWS; against the mock's token endpoints."""

import json
import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest
from servers import SLOWNESS

BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
ISSUED = {"x-mock-issued": "true"}  # the mock takes only what it issued itself


def entry(mock, model, **params):
    return {
        "model_name": "m",
        "litellm_params": {"model": model, "api_base": mock.url, "extra_headers": ISSUED, **params},
    }


def fetch(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json"})
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20 * SLOWNESS)


def ask(gateway):
    try:
        with fetch(gateway.url + "/v1/chat/completions", BODY) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def metric(gateway, name):
    with fetch(gateway.metrics_url + "/metrics") as answer:
        return int(re.search(rf"(?m)^{name} (\d+)$", answer.read().decode()).group(1))


@pytest.fixture
def environment(tmp_path):
    """No files of who runs this."""
    return {"HOME": str(tmp_path)}


@pytest.fixture
def key_file(tmp_path):
    """Writes a service account's key file whose tokens come from `uri`."""
    path = tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path],
        check=True, capture_output=True,
    )

    def write(uri):
        file = tmp_path / "google.json"
        file.write_text(json.dumps({
            "type": "service_account", "project_id": "proj", "private_key_id": "k1", "private_key": path.read_text(),
            "client_email": "gw@proj.iam.gserviceaccount.com", "token_uri": uri,
        }))
        return str(file)

    return write


ENTRA = {"tenant_id": "t", "client_id": "c", "client_secret": "s3cret"}


def azure(mock, **params):
    return entry(mock, "azure/dep", azure_authority_host=mock.url, **ENTRA, **params)


def aws(mock, **params):
    return entry(mock, "bedrock/anthropic.claude-x", aws_region_name="us-east-1", aws_sts_endpoint=mock.url, **params)


class TestLogins:
    def check(self, gateway, label):
        gateway.wait_line(rf"{label}: has a token")
        status, answer = ask(gateway)
        assert status == 200, answer
        assert answer["choices"][0]["message"]["content"]
        assert metric(gateway, "gatewire_token_refreshes_total") == 1
        assert metric(gateway, "gatewire_token_refresh_failures_total") == 0

    def test_entra_application(self, start_mock, start_gateway, environment):
        mock = start_mock()
        gateway = start_gateway({"model_list": [azure(mock)]}, environment)
        self.check(gateway, "Entra application c")
        assert "s3cret" not in gateway.output()

    def test_azure_workload_identity(self, start_mock, start_gateway, environment, tmp_path):
        mock = start_mock()
        token = tmp_path / "federated"
        token.write_text("header.claims.signature\n")
        env = {**environment, "AZURE_FEDERATED_TOKEN_FILE": str(token), "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c",
               "AZURE_AUTHORITY_HOST": mock.url, "AZURE_API_BASE": mock.url}
        self.check(start_gateway({"model_list": [entry(mock, "azure/dep")]}, env), "Entra application c")

    def test_google_service_account(self, start_mock, start_gateway, environment, key_file):
        mock = start_mock()
        file = key_file(mock.url + "/token")
        gateway = start_gateway({"model_list": [entry(mock, "vertex_ai/gemini-x", vertex_credentials=file)]}, environment)
        self.check(gateway, f"Google account in {re.escape(file)}")

    def test_google_metadata(self, start_mock, start_gateway, environment):
        mock = start_mock()
        env = {**environment, "GCE_METADATA_HOST": f"{mock.host}:{mock.port}", "VERTEXAI_PROJECT": "p",
               "VERTEXAI_BASE_URL": mock.url}
        gateway = start_gateway({"model_list": [entry(mock, "vertex_ai/gemini-x")]}, env)
        self.check(gateway, "Google Cloud metadata service")

    def test_aws_role(self, start_mock, start_gateway, environment):
        mock = start_mock()
        gateway = start_gateway({"model_list": [aws(
            mock, aws_access_key_id="AKID", aws_secret_access_key="secret", aws_role_name="arn:aws:iam::1:role/r")]}, environment)
        self.check(gateway, "AWS role arn:aws:iam::1:role/r")

    def test_aws_web_identity(self, start_mock, start_gateway, environment, tmp_path):
        mock = start_mock()
        token = tmp_path / "web"
        token.write_text("header.claims.signature\n")
        gateway = start_gateway({"model_list": [aws(
            mock, aws_web_identity_token=str(token), aws_role_name="arn:aws:iam::1:role/r")]}, environment)
        self.check(gateway, "AWS role arn:aws:iam::1:role/r")

    def test_aws_container(self, start_mock, start_gateway, environment):
        mock = start_mock()
        env = {**environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI": mock.url + "/v2/credentials/x", "AWS_REGION": "us-east-1",
               "BEDROCK_BASE_URL": mock.url}
        gateway = start_gateway({"model_list": [entry(mock, "bedrock/anthropic.claude-x")]}, env)
        self.check(gateway, "AWS container credentials at .*")

    def test_aws_instance(self, start_mock, start_gateway, environment):
        mock = start_mock()
        env = {**environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT": mock.url, "AWS_REGION": "us-east-1",
               "BEDROCK_BASE_URL": mock.url}
        gateway = start_gateway({"model_list": [entry(mock, "bedrock/anthropic.claude-x")]}, env)
        self.check(gateway, "AWS credentials of this machine")


class TestTrouble:
    def test_a_failure_is_told_once_and_tried_again(self, start_mock, start_gateway, environment, key_file):
        mock = start_mock()
        file = key_file(mock.url + "/token?status=503&times=2")
        gateway = start_gateway({"model_list": [entry(mock, "vertex_ai/gemini-x", vertex_credentials=file)]}, environment)
        gateway.wait_line("no token: ")
        gateway.wait_line("has a token", 20 * SLOWNESS)
        assert len([line for line in gateway.lines if "no token: " in line]) == 1, gateway.output()
        assert metric(gateway, "gatewire_token_refresh_failures_total") == 2
        assert ask(gateway)[0] == 200

    def test_without_a_token_the_answer_says_try_again(self, start_mock, start_gateway, environment, tmp_path):
        mock = start_mock()
        gateway = start_gateway({"model_list": [entry(
            mock, "vertex_ai/gemini-x", vertex_project="p", vertex_credentials='{"type": "service_account"}')]}, environment)
        gateway.wait_line("no token: the credentials cannot be used")
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(gateway.url + "/v1/chat/completions", BODY)
        assert caught.value.code == 503
        assert caught.value.headers["retry-after"] == "1"

    def test_no_token_is_asked_for_in_clear(self, start_mock, start_gateway, environment, key_file):
        mock = start_mock()
        file = key_file("http://token.example/token")
        gateway = start_gateway({"model_list": [entry(mock, "vertex_ai/gemini-x", vertex_credentials=file)]}, environment)
        gateway.wait_line("no token: the address to ask is not https")

    def test_a_reload_keeps_the_token(self, start_mock, start_gateway, environment):
        mock = start_mock()
        gateway = start_gateway({"model_list": [azure(mock)]}, environment)
        gateway.wait_line("has a token")
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_line("configuration taken over")
        assert ask(gateway)[0] == 200
        assert metric(gateway, "gatewire_token_refreshes_total") == 1

    def test_a_reload_brings_new_sources(self, start_mock, start_gateway, environment):
        mock = start_mock()
        gateway = start_gateway({"model_list": [azure(mock)]}, environment)
        gateway.wait_line("has a token")
        text = gateway.config_path.read_text().replace('"client_id": "c"', '"client_id": "other"')
        gateway.config_path.write_text(text)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_line("Entra application other: has a token")
        assert ask(gateway)[0] == 200
