# SPDX-License-Identifier: MIT
"""LlamaIndex's integrations, unmodified, over three vendors.

What it needs does not fit the pins of the other tests, so it has an environment of its own (.venv-llama, made by
scripts/setup.sh from tests/llama-requirements.txt) and runs as a program: llama/session.py.
"""

import json
import subprocess

import pytest
from servers import SLOWNESS, TOP, Gatewire, clean_environment
from vendors import MODELS, three_vendors

PYTHON = TOP / ".venv-llama" / "bin" / "python"
CLIENTS = ("openai_like", "openai", "responses", "anthropic", "google")
CHECKS = ("chat", "complete", "stream", "tools", "structured")
# Names that LlamaIndex knows, for the vendors of MODELS; llama/session.py has the same.
NAMES = (("claude-opus-4-5", "gpt-4.1"), ("claude-sonnet-4-5", "gpt-4o"), ("claude-haiku-4-5", "gpt-4o-mini"))

pytestmark = pytest.mark.xdist_group("llama-index")  # one run of the program serves all


@pytest.fixture(scope="module")
def found(tmp_path_factory, mock):
    models = three_vendors(mock)
    rows = {row["model_name"]: row["litellm_params"] for row in models}
    for model, names in zip(MODELS, NAMES, strict=True):
        models += [{"model_name": name, "litellm_params": rows[model]} for name in names]
    folder = tmp_path_factory.mktemp("llama")
    server = Gatewire(folder, {"model_list": models})
    # Kept from looking for files and telemetry of its own elsewhere.
    env = clean_environment({"HOME": str(folder), "NLTK_DATA": str(folder), "LLAMA_INDEX_CACHE_DIR": str(folder)})
    command = [str(PYTHON), "-B", str(TOP / "tests" / "e2e" / "llama" / "session.py"), server.url]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=240 * SLOWNESS)
    assert done.returncode == 0, done.stderr
    yield json.loads(done.stdout)
    assert server.is_running(), server.output()
    assert server.stop() == 0, server.output()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("client", CLIENTS)
def test_client(found, client, model, check):
    assert found[f"{client}/{model}/{check}"] == ""


def test_vectors(found):
    assert found["openai/v-openai/vectors"] == ""
