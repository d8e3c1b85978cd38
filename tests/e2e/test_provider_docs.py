# SPDX-License-Identifier: MIT
"""docs/providers: `gatewire check` takes every example, every `export` block serves what it says, every provider has a page."""

import json
import re
import subprocess

import pytest
from servers import GATEWIRE, TOP, Gatewire, clean_environment, get_json

FOLDER = TOP / "docs" / "providers"
INDEX = (TOP / "docs" / "providers.md").read_text()
PAGES = sorted(FOLDER.glob("*.md"))
CREDENTIALS = "/etc/gatewire/google.json"

# Where tokens would be asked for: nobody listens there, and nothing leaves this machine.
NOWHERE = "http://127.0.0.1:1"
ENDPOINTS = {"AZURE_AUTHORITY_HOST": NOWHERE, "AWS_STS_ENDPOINT": NOWHERE, "GCE_METADATA_HOST": "127.0.0.1:1",
             "AWS_EC2_METADATA_DISABLED": "true"}


def blocks(page, language):
    """(line number, text) of the page's code blocks in a language."""
    text = page.read_text()
    for match in re.finditer(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield text[:match.start()].count("\n") + 1, match.group(1)


def examples(language):
    found = [(page, line, text) for page in PAGES for line, text in blocks(page, language)]
    return [pytest.param(page, text, id=f"{page.name}:{line}") for page, line, text in found]


@pytest.fixture(scope="module")
def google_file(tmp_path_factory):
    """A service account's key file whose tokens nobody issues."""
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                         capture_output=True, text=True, check=True).stdout
    path = tmp_path_factory.mktemp("google") / "google.json"
    path.write_text(json.dumps({
        "type": "service_account", "project_id": "my-project", "private_key_id": "0123", "private_key": key,
        "client_email": "gw@my-project.iam.gserviceaccount.com", "token_uri": NOWHERE + "/token"}))
    return path


@pytest.mark.parametrize(("page", "text"), examples("yaml"))
def test_configuration(page, text, tmp_path, google_file):
    file = tmp_path / "gatewire.yaml"
    file.write_text(text.replace(CREDENTIALS, str(google_file)))
    variables = {name: "dummy" for name in re.findall(r"\$\{(\w+)\}", text)}
    result = subprocess.run([GATEWIRE, "check", file], capture_output=True, text=True, check=False,
                            env=clean_environment({**ENDPOINTS, **variables, "HOME": str(tmp_path)}))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 warnings" in result.stdout, result.stdout + result.stderr


@pytest.mark.parametrize(("page", "text"), examples("sh"))
def test_environment_alone(page, text, tmp_path, google_file):
    exports = dict(re.findall(r"^export (\w+)=(\S+)$", text, re.MULTILINE))
    (names,) = re.findall(r"^gatewire +# serves (.+)$", text, re.MULTILINE)
    env = {name: str(google_file) if value == CREDENTIALS else value for name, value in exports.items()}
    server = Gatewire(tmp_path, {}, {**ENDPOINTS, **env, "HOME": str(tmp_path)})
    try:
        providers = {name.split("/")[0] for name in names.split() if "/" in name}
        assert exports and providers
        for name in names.split():
            found = get_json(server.url + "/v1/models/" + name.replace("*", "anything"))
            assert found["provider"] in ({name.split("/")[0]} if "/" in name else providers)
    finally:
        assert server.stop() == 0, server.output()


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_page_is_whole(page):
    assert re.search(rf"\(providers/{page.stem}\.md[#)]", INDEX)
    assert list(blocks(page, "yaml")) and list(blocks(page, "sh"))


def test_every_provider_is_in_the_index():
    source = (TOP / "src" / "provider" / "registry.c").read_text()
    names = set(re.findall(r"^ +\.name = GW_STR_INIT\(\"(\w+)\"\)", source, re.MULTILINE)) - {"gatewire"}
    assert len(names) >= 19
    assert [name for name in sorted(names) if f"`{name}`" not in INDEX] == []


def test_every_key_of_the_registry_is_on_a_page():
    source = (TOP / "src" / "provider" / "registry.c").read_text()
    names = set(re.findall(r"\.key_env(?:_alias)? = GW_STR_INIT\(\"(\w+)\"\)", source))
    assert len(names) >= 25
    text = INDEX + "".join(page.read_text() for page in PAGES)
    assert [name for name in sorted(names) if name not in text] == []
