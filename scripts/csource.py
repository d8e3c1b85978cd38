# SPDX-License-Identifier: MIT
"""A small reader of C source for the checks of `make lint`.

It knows as much of the language as our own formatting leaves open: comments, literals, preprocessor lines and the
nesting of brackets. It is no compiler; what it reports are lines of the file as it stands.
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

TOKEN = re.compile(
    r"""(?P<block>/\*.*?\*/)|(?P<line>//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<char>'(?:\\.|[^'\\\n])*')""",
    re.S | re.X,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
# Attributes that look like calls in front of or behind a declaration.
ATTRIBUTE = re.compile(r"\b(?:__attribute__|_Alignas|GW_[A-Z_]+)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")


@dataclass
class Comment:
    first: int  # lines count from 1
    last: int
    text: str  # without the comment marks and leading stars
    is_line: bool  # a // comment
    starts_line: bool  # nothing but blanks before it


@dataclass
class Declaration:
    """One thing at file level: a function, a prototype, a type, a variable."""

    kind: str  # "function", "prototype", "function type", "extern" or "other"
    name: str
    first: int
    last: int
    head: str  # text before the body
    body: str  # text between the outer braces, functions only
    body_line: int  # line of the opening brace
    parameters: int = 0


@dataclass
class Source:
    path: Path
    text: str
    lines: list = field(default_factory=list)
    comments: list = field(default_factory=list)
    code: str = ""  # comments and literals blanked, same length and lines as text
    plain: str = ""  # code without preprocessor lines
    declarations: list = field(default_factory=list)


def blank(text):
    """Spaces of the same length, newlines kept."""
    return re.sub(r"[^\n]", " ", text)


def strip_marks(text):
    if text.startswith("//"):
        return text[2:].strip()
    inner = text[2:-2]
    return "\n".join(re.sub(r"^\s*\*? ?", "", line, count=1).rstrip() for line in inner.split("\n")).strip("\n")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def read(path):
    path = Path(path)
    source = Source(path=path, text=path.read_text(encoding="utf-8", errors="replace"))
    source.lines = source.text.split("\n")
    parts, last = [], 0
    for match in TOKEN.finditer(source.text):
        parts.append(source.text[last : match.start()])
        token = match.group()
        if match.lastgroup in ("block", "line"):
            begin = source.text.rfind("\n", 0, match.start()) + 1
            source.comments.append(
                Comment(
                    first=line_of(source.text, match.start()),
                    last=line_of(source.text, match.end()),
                    text=strip_marks(token),
                    is_line=match.lastgroup == "line",
                    starts_line=source.text[begin : match.start()].strip() == "",
                )
            )
            parts.append(blank(token))
        else:
            # The quotes stay, so that a literal is still seen to be there.
            parts.append(token[0] + blank(token[1:-1]) + token[-1])
        last = match.end()
    parts.append(source.text[last:])
    source.code = "".join(parts)
    source.plain = DIRECTIVE.sub(lambda m: blank(m.group()), source.code)
    source.declarations = list(declarations(source.plain))
    return source


def closing(text, position):
    """Position of the bracket that closes the one at |position|."""
    depth = 0
    for i in range(position, len(text)):
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
            if depth == 0:
                return i
    return len(text) - 1


def count_parameters(text):
    """Parameters in the text between the parentheses of a declaration."""
    text = text.strip()
    if text in ("", "void"):
        return 0
    depth, count = 0, 1
    for char in text:
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            count += 1
    return count


def describe(head):
    """Name and number of parameters of a function's declaration, or None when |head| declares no function."""
    bare = ATTRIBUTE.sub(lambda m: blank(m.group()), head)
    match = re.search(r"\b([A-Za-z_]\w*)\s*\(", bare)
    if match is None or "=" in bare[: match.start()]:
        return None
    if match.group(1) in ("_Static_assert", "static_assert"):
        return None
    end = closing(bare, match.end() - 1)
    # A name with a type before it; otherwise it is the call of a macro.
    if bare[: match.start()].strip() == "":
        return None
    return match.group(1), count_parameters(bare[match.end() : end])


def declarations(plain):
    position = 0
    while position < len(plain):
        start = position
        while start < len(plain) and plain[start] in " \t\n;":
            start += 1
        if start >= len(plain):
            return
        i = start
        brace = -1
        while i < len(plain):
            if plain[i] in "([":
                i = closing(plain, i)
            elif plain[i] == "{":
                if brace < 0:
                    brace = i
                i = closing(plain, i)
                before = plain[start:brace].rstrip()
                if before.endswith(")"):
                    break  # a function's body needs no semicolon
            elif plain[i] == ";":
                break
            i += 1
        end = min(i, len(plain) - 1)
        yield classify(plain, start, brace, end)
        position = end + 1


def classify(plain, start, brace, end):
    head = plain[start : brace if brace >= 0 else end]
    kind, name, parameters, body = "other", "", 0, ""
    found = describe(head)
    if found is not None:
        name, parameters = found
        if brace >= 0:
            kind = "function"
            body = plain[brace + 1 : end]
        elif re.match(r"typedef\b", head):
            kind = "function type"
        else:
            kind = "prototype"
    elif re.match(r"extern\b", head):
        kind = "extern"
        name = re.sub(r"\[.*", "", head, flags=re.S).split()[-1].lstrip("*")
    return Declaration(
        kind=kind,
        name=name,
        first=line_of(plain, start),
        last=line_of(plain, end),
        head=head,
        body=body,
        body_line=line_of(plain, brace) if brace >= 0 else 0,
        parameters=parameters,
    )


def is_generated(source):
    return any(re.search(r"\bgenerated\b.*\bdo not edit\b", line, re.I) for line in source.lines[:5])


def files(*folders, suffixes=(".c", ".h")):
    """The files under version control, and those not yet added, in these folders."""
    out = subprocess.run(
        ["git", "-C", str(TOP), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = sorted({name for name in out.split("\0") if name.endswith(tuple(suffixes))})
    return [TOP / name for name in names if (TOP / name).is_file()]


class Report:
    """Collects findings and prints them as file:line: message."""

    def __init__(self):
        self.errors = 0
        self.warnings = 0

    def error(self, path, line, message):
        self.errors += 1
        print(f"{relative(path)}:{line}: {message}")

    def warn(self, path, line, message):
        self.warnings += 1
        print(f"{relative(path)}:{line}: warning: {message}")

    def exit_code(self):
        return 1 if self.errors else 0


def relative(path):
    try:
        return Path(path).resolve().relative_to(TOP)
    except ValueError:
        return path
