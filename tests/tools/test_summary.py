# SPDX-License-Identifier: MIT
"""The closing line of `make test` is the truth: nothing that failed, died or was skipped is lost from it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]

GOOD = """\
[==========] Running 2 test(s).
[ RUN      ] test_a
[       OK ] test_a
[ RUN      ] test_b
[       OK ] test_b
[==========] 2 test(s) run.
[  PASSED  ] 2 test(s).
"""
BAD = """\
[==========] tests: Running 4 test(s).
[ RUN      ] test_a
[       OK ] test_a
[ RUN      ] test_b
[  FAILED  ] test_b
[ RUN      ] test_c
[  SKIPPED ] test_c
[==========] tests: 4 test(s) run.
[  PASSED  ] 2 test(s).
[  SKIPPED ] tests: 1 test(s), listed below:
[  SKIPPED ] test_c
[  FAILED  ] tests: 1 test(s), listed below:
[  FAILED  ] test_b

 1 FAILED TEST(S)
"""


def unit(*entries):
    return "\n".join(json.dumps({"name": n, "result": r, "stdout": out, "stderr": ""}) for n, r, out in entries)


def summary(tmp_path, status="", stages=(), **files):
    folder = tmp_path / "build" / "test-results"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    (folder / "status").write_text(status)
    command = [sys.executable, str(TOP / "scripts/test-summary"), str(folder), *(f"--stage={s}" for s in stages)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    return done.returncode, lines[-1], lines


def test_counts_the_cases_of_each_program(tmp_path):
    text = unit(("a", "OK", GOOD), ("b", "OK", GOOD + GOOD), ("c", "OK", "no cases"))
    assert summary(tmp_path, "unit 0\n", unit_json=text)[:2] == (0, "7 passed, 0 failed, 0 skipped")


def test_names_what_failed_and_what_was_skipped(tmp_path):
    code, last, lines = summary(tmp_path, "unit 1\n", unit_json=unit(("a", "OK", GOOD), ("b", "FAIL", BAD)))
    assert (code, last) == (1, "4 passed, 1 failed, 1 skipped")
    assert "failed: build b: test_b" in lines
    assert "skipped: build b: test_c: the test says so" in lines
    text = unit(("a", "OK", GOOD), ("b", "FAIL", "IPv6 is off here: skipped\n" + BAD))
    assert "skipped: build b: test_c: IPv6 is off here: skipped" in summary(tmp_path, "unit 1\n", unit_json=text)[2]


@pytest.mark.parametrize("result", ["FAIL", "TIMEOUT", "INTERRUPT", "ERROR", "UNEXPECTEDPASS"])
def test_a_program_that_dies_is_a_failure(tmp_path, result):
    died = "[ RUN      ] test_a\n[       OK ] test_a\n[ RUN      ] test_b\n"
    code, last, _ = summary(tmp_path, "unit 1\n", unit_json=unit(("a", result, died)))
    assert (code, last) == (1, "0 passed, 1 failed, 0 skipped")


def test_junit(tmp_path):
    text = (
        '<testsuites><testsuite><testcase classname="m" name="a"/>'
        '<testcase classname="m" name="b"><failure message="x"/></testcase>'
        '<testcase classname="m" name="c"><error message="x"/></testcase>'
        '<testcase classname="m" name="d"><skipped message="needs IPv6"/></testcase></testsuite></testsuites>'
    )
    code, last, lines = summary(tmp_path, "e2e 1\n", e2e_xml=text)
    assert (code, last) == (1, "1 passed, 2 failed, 1 skipped")
    assert "skipped: build m::d: needs IPv6" in lines


def test_one_line_per_reason_of_skipping(tmp_path):
    cases = "".join(f'<testcase classname="m" name="t{n}"><skipped message="no file"/></testcase>' for n in range(5))
    code, last, lines = summary(tmp_path, "e2e 0\n", e2e_xml=f'<testsuites><testcase name="a"/>{cases}</testsuites>')
    assert (code, last) == (0, "1 passed, 0 failed, 5 skipped")
    assert "skipped: build m::t0, m::t1, m::t2 and 2 more: no file" in lines


def test_corpora_are_counted_apart(tmp_path):
    corpora = ("gatewire:fuzz / fuzz/a", "OK", ""), ("gatewire:fuzz / fuzz/b", "FAIL", "")
    text = unit(("gatewire:base / base/str", "OK", GOOD), *corpora)
    code, last, lines = summary(tmp_path, "unit 1\n", unit_json=text)
    assert (code, last) == (1, "3 passed, 1 failed, 0 skipped")
    assert "failed: build fuzz / fuzz/b: FAIL" in lines
    assert any(line.split()[1:4] == ["fuzz", "corpora", "1"] for line in lines)


def test_a_runner_without_results_is_a_failure(tmp_path):
    text = unit(("a", "OK", GOOD))
    assert summary(tmp_path, "unit 0\ne2e 4\n", unit_json=text)[:2] == (1, "2 passed, 1 failed, 0 skipped")


def test_a_runner_that_fails_with_good_results_is_a_failure(tmp_path):
    assert summary(tmp_path, "unit 2\n", unit_json=unit(("a", "OK", GOOD)))[:2] == (1, "2 passed, 1 failed, 0 skipped")


def test_sanitizer_reports_count(tmp_path):
    text = unit(("a", "OK", GOOD))
    assert summary(tmp_path, "unit 0\nsanitizer 0\n", unit_json=text)[:2] == (0, "3 passed, 0 failed, 0 skipped")
    assert summary(tmp_path, "unit 0\nsanitizer 1\n", unit_json=text)[:2] == (1, "2 passed, 1 failed, 0 skipped")


def test_stages(tmp_path):
    text = unit(("a", "OK", GOOD))
    assert summary(tmp_path, "unit 0\n", ["lint=0"], unit_json=text)[:2] == (0, "3 passed, 0 failed, 0 skipped")
    assert summary(tmp_path, "unit 0\n", ["lint=1"], unit_json=text)[:2] == (1, "2 passed, 1 failed, 0 skipped")


def test_nothing_is_not_good(tmp_path):
    assert summary(tmp_path)[0] == 1
