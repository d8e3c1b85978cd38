# SPDX-License-Identifier: MIT
"""The pages say what the program does: README's commands work, links lead somewhere, lists are complete."""

import re
import shutil
import subprocess
import sys

import httpx
import pytest
from servers import GATEWIRE, SLOWNESS, TOP, clean_environment

README = (TOP / "README.md").read_text()
NODE_FOLDER = TOP / "tests" / "e2e" / "node"
GREETING = "Hello from gatewire!"


def blocks(language):
    """The code blocks of README in a language ("" for none)."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def pages():
    return sorted(str(path.relative_to(TOP)) for path in [*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), *TOP.glob("bench/*.md")])


def anchors(page):
    """The places in a page that links may name, as GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def run(command, gateway, **arguments):
    """Runs a command of README against the test's gateway."""
    host = f"{gateway.host}:{gateway.port}"
    command = [part.replace("127.0.0.1:8080", host) for part in command]
    return subprocess.run(command, capture_output=True, text=True, timeout=60 * SLOWNESS, env=clean_environment(), check=True,
                          **arguments).stdout


class TestReadme:
    @pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
    def test_curl(self, gateway):
        commands = [block for block in blocks("") if block.startswith("curl") and "gatewire/demo" in block]
        assert len(commands) == 2
        for command in commands:
            answer = run(["sh", "-c", command.replace("curl ", "curl -sS ", 1)], gateway)
            assert GREETING.split()[0] in answer and "finish_reason" in answer

    def test_python(self, gateway):
        (script,) = blocks("python")
        assert run([sys.executable, "-c", script], gateway).startswith(GREETING)

    @pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
    @pytest.mark.skipif(not (NODE_FOLDER / "node_modules" / "openai").is_dir(), reason="tests/e2e/node/node_modules is missing")
    def test_node(self, gateway):
        (script,) = blocks("js")
        answer = run(["node", "--input-type=module", "-e", script], gateway, cwd=NODE_FOLDER)
        assert answer.startswith(GREETING)

    def test_configuration(self, tmp_path):
        (config,) = blocks("yaml")
        file = tmp_path / "gatewire.yaml"
        file.write_text(config)
        env = clean_environment({"GATEWIRE_KEY": "sk-g", "OPENAI_API_KEY": "sk-o", "GROQ_API_KEY": "sk-q"})
        result = subprocess.run([GATEWIRE, "check", file], capture_output=True, text=True, env=env, check=False)
        assert result.returncode == 0
        assert "0 warnings" in result.stdout


class TestPages:
    @pytest.mark.parametrize("page", pages())
    def test_links_lead_somewhere(self, page):
        folder = (TOP / page).parent
        links = re.findall(r"\]\(([^)#\s]+)", (TOP / page).read_text())
        missing = [link for link in links if "://" not in link and not (folder / link).exists()]
        assert missing == []

    @pytest.mark.parametrize("page", pages())
    def test_links_name_headings(self, page):
        path = TOP / page
        links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", path.read_text())
        missing = [f"{link}#{name}" for link, name in links
                   if "://" not in link and name not in anchors(path.parent / link if link else path)]
        assert missing == []

    def test_every_page_is_in_the_index(self):
        index = (TOP / "docs" / "index.md").read_text()
        for page in pages():
            if page.startswith("docs/") and page != "docs/index.md":
                assert f"({page.removeprefix('docs/')})" in index, page


class TestLists:
    def test_metrics(self, gateway):
        text = (TOP / "docs" / "operations.md").read_text()
        served = re.findall(r"^# TYPE (\w+)", httpx.get(gateway.metrics_url + "/metrics", trust_env=False).text, re.MULTILINE)
        assert len(served) > 20
        assert [name for name in served if f"`{name}`" not in text] == []
        assert [name for name in re.findall(r"`(gatewire_\w+)`", text) if name not in served] == []

    def test_access_log_members(self):
        text = (TOP / "docs" / "operations.md").read_text()
        source = (TOP / "src" / "obs" / "access_log.c").read_text()
        members = set(re.findall(r'\bNAME\("(\w+)"\)', source))
        members |= set(re.findall(r'\\"(\w+)\\":', source))
        assert len(members) > 20
        assert [name for name in sorted(members) if f"`{name}`" not in text] == []

    def test_error_codes(self):
        text = (TOP / "docs" / "errors.md").read_text()
        codes = set()
        for path in [*(TOP / "src" / "core").glob("*.c"), TOP / "src" / "dialect" / "openai.c"]:
            source = path.read_text()
            # .code = GW_STR("x"), .code = is_timeout ? GW_STR("x") : GW_STR("y"), refuse(error, GW_STR(param), GW_STR("x"), ...
            for value in re.findall(r"\.code\s*=([^,;]*)", source):
                codes |= set(re.findall(r'GW_STR\("(\w+)"\)', value))
            codes |= set(re.findall(r'refuse\(\s*(?:d->)?error,\s*[^,]+,\s*GW_STR\("(\w+)"\)', source))
        assert {"model_not_found", "upstream_timeout", "invalid_json", "duplicate_parameter"} <= codes
        assert [code for code in sorted(codes) if f"`{code}`" not in text] == []
