# SPDX-License-Identifier: MIT
"""The table of the chaos suite's figures, behind all tests. It has to be here: with several workers the one that prints
does not read the suite's own conftest.py."""

import json

COLUMNS = (
    ("fault", "fault", 50), ("requests", "requests", 9), ("failures", "failures", 9), ("cut", "cut", 5),
    ("retries", "retries", 8), ("extra_pct", "extra %", 8), ("p50_before", "p50 ms", 8), ("p50_during", "during", 8),
    ("p99_before", "p99 ms", 8), ("p99_during", "during", 8),
)


def chaos_rows(reporter):
    """The rows that tests recorded as the property "chaos"."""
    for reports in reporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                yield from (json.loads(value) for name, value in report.user_properties if name == "chaos")


def pytest_terminal_summary(terminalreporter):
    rows = sorted(chaos_rows(terminalreporter), key=lambda row: row["fault"])
    if not rows:
        return
    terminalreporter.section("chaos: figures during each fault")
    for row in [{key: title for key, title, _ in COLUMNS}, *rows]:
        row = {key: "-" if value is None else value for key, value in row.items()}
        cells = [f"{row[key]:<{width}}" if key == "fault" else f"{row[key]:>{width}}" for key, _, width in COLUMNS]
        terminalreporter.write_line("".join(cells))
