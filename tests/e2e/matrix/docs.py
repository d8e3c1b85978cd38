# SPDX-License-Identifier: MIT
"""The matrix in docs/providers.md, between two marks. `python -m matrix.docs` in tests/e2e writes it anew."""

from matrix.table import markdown
from servers import TOP

PAGE = TOP / "docs" / "providers.md"
BEGIN, END = "<!-- matrix: begin -->\n", "<!-- matrix: end -->\n"


def kept():
    """The matrix as the page has it."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN):text.index(END)]


def write():
    text = PAGE.read_text(encoding="utf-8")
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    PAGE.write_text(text[:begin] + "\n" + markdown() + "\n" + text[end:], encoding="utf-8")


if __name__ == "__main__":
    write()
