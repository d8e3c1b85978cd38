# SPDX-License-Identifier: MIT
"""The official SDKs for Node, unmodified, through the gateway: tests/e2e/node, run by Node's own test runner."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from servers import SLOWNESS, clean_environment, deployment

FOLDER = Path(__file__).resolve().parent / "node"
NODE = shutil.which("node")
FILES = sorted(path.name for path in FOLDER.glob("*.test.mjs"))
KEY = "sk-right"


def why_not():
    if NODE is None:
        return "node is not installed"
    if not all((FOLDER / "node_modules" / name).is_dir() for name in ("openai", "ai", "ollama")):
        return "tests/e2e/node/node_modules is missing: scripts/setup.sh test installs it"
    return None


pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture
def closed(start_gateway, mock):
    return start_gateway({"model_list": [deployment(mock, "mock-small")]}, env={"API_KEY": KEY})


@pytest.fixture
def opened(start_gateway, mock):
    models = [deployment(mock, name) for name in ("mock-small", "mock-large")]
    alias = deployment(mock, "mock-large")
    alias["model_name"] = "my-ears"
    return start_gateway({"model_list": [*models, alias]})


def count(output, what):
    """The number behind `# what` in the runner's closing lines."""
    return int(re.search(rf"^# {what} (\d+)$", output, re.MULTILINE).group(1))


@pytest.mark.parametrize("file", FILES)
def test_file(file, opened, closed, vendors, mock):
    mock.reset()
    env = clean_environment({
        "GATEWIRE_URL": opened.url, "CLOSED_URL": closed.url, "CLOSED_KEY": KEY, "MOCK_URL": mock.url,
        "TIME_SCALE": str(SLOWNESS), "VENDORS_URL": vendors.url,
    })
    result = subprocess.run([NODE, "--test", "--test-reporter=tap", file], cwd=FOLDER, env=env, capture_output=True,
                            text=True, timeout=120 * SLOWNESS)
    report = result.stdout + result.stderr
    assert result.returncode == 0, report
    # A file that ends early, or a test left out, is a failure as well.
    written = len(re.findall(r"^ *test\(", (FOLDER / file).read_text(), re.MULTILINE))
    assert count(report, "pass") >= written, report
    assert count(report, "fail") + count(report, "skipped") + count(report, "cancelled") == 0, report
    assert KEY not in opened.output() + closed.output()
