# SPDX-License-Identifier: MIT
"""The checks of `make lint` find what they are for, and nothing in code that is as it should be."""

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
sys.dont_write_bytecode = True

import csource  # noqa: E402

HEAD = """\
/* SPDX-License-Identifier: MIT */
/*
 * net/thing - an example.
 *
 * Source:   none
 * Shape:    none
 * Units:    none
 * Limits:   none
 * Memory:   none
 * Threads:  any
 * Errors:   none
 */
"""
GUARD = "#ifndef GW_NET_THING_H\n#define GW_NET_THING_H\n\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Writes a file and runs a check on it as if it stood at that path of the repository."""

    def put(check, name, text):
        # The checks find the top by their own place, so a copy of them makes a repository of any folder.
        scripts = tmp_path / "scripts"
        scripts.mkdir(exist_ok=True)
        for script in ("csource.py", check):
            (scripts / script).write_bytes((TOP / "scripts" / script).read_bytes())
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        done = subprocess.run([sys.executable, "-B", str(scripts / check), str(path)], capture_output=True, text=True)
        assert done.stderr == ""
        assert done.returncode == (1 if any(": warning: " not in line for line in done.stdout.splitlines()) else 0)
        return done.stdout

    return put


@pytest.mark.parametrize(
    "name, line, fine",
    [
        ("src/http/a.c", '#include "base/str.h"', True),
        ("src/http/a.c", '#include "http/url.h"', True),
        ("src/http/a.c", '#include "loop/loop.h"', False),
        ("src/http/a.c", "#include <unistd.h>", False),
        ("src/http/a.c", '# include "json/scan.h"', False),
        ("src/dialect/a.c", '#include "provider/provider.h"', False),
        ("src/provider/a.c", '#include "dialect/dialect.h"', False),
        ("src/downstream/a.c", '#include "upstream/origin.h"', False),
        ("src/policy/a.c", '#include "net/stream.h"', False),
        ("src/core/a.c", '#include "config/snapshot.h"', True),
        ("src/core/a.c", '#include "config/config.h"', False),
        ("src/obs/a.c", '#include "config/snapshot.h"', False),
        ("src/net/a.c", '#include "http/h1_int.h"', False),
        ("src/json/a.c", "#include <yyjson.h>", True),
        ("src/net/a.c", "#include <yyjson.h>", False),
        ("src/main.c", '#include "config/config.h"', True),
        ("src/nowhere/a.c", "", False),
        ("src/net/a.c", '#include "nowhere/a.h"', False),
        ("src/net/a.c", '#include "stream.h"', False),
    ],
)
def test_layers(place, name, line, fine):
    out = place("check-layers", name, f"/* SPDX-License-Identifier: MIT */\n{line}\n")
    assert (out == "") == fine, out


def test_docs_accept_a_contract(place):
    text = (
        HEAD
        + GUARD
        + """\
/* Does it. */
int gw_thing_do(int a, int b);

/* Both ends of one idea. */
void gw_thing_begin(void);
void gw_thing_end(void);

/* Called when it is done. */
typedef void gw_thing_fn(void *user);

/* The one instance. */
extern const struct gw_thing gw_thing;

struct gw_thing {
    int (*call)(int a); /* no comment is demanded for members */
};

/* Small enough to stand here. */
static inline int gw_thing_id(int a)
{
    return a;
}

#endif
"""
    )
    assert place("check-docs", "src/net/thing.h", text) == ""


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("/* SPDX-License-Identifier: MIT */\n", "\n", "first line"),
        ("net/thing - an", "net/other - an", 'begins with "net/thing - "'),
        (" * Units:    none\n", "", "Units: is missing"),
        (" * Units:    none\n * Limits:   none\n", " * Units:    none Limits: none\n", "Limits: does not begin a line"),
        (" * Units:    none\n", " * Units:\n", "Units is empty"),
        ("GW_NET_THING_H\n#define", "GW_THING_H\n#define", "include guard"),
        ("/* Does it. */\n", "", "gw_thing_do has no comment"),
        ("/* Does it. */\n", "/* Does it. */\n\n", "gw_thing_do has no comment"),
        ("/* Does it. */\n", "/* */\n", "empty comment"),
        ("/* Does it. */\n", "/***\n *\n ***/\n", "empty comment"),
    ],
)
def test_docs_find(place, old, new, message):
    text = HEAD + GUARD + "/* Does it. */\nint gw_thing_do(int a, int b);\n\n#endif\n"
    assert place("check-docs", "src/net/thing.h", text) == ""
    assert old in text
    assert message in place("check-docs", "src/net/thing.h", text.replace(old, new, 1))


def test_docs_want_a_head_in_sources(place):
    assert "no head comment" in place("check-docs", "src/net/thing.c", "/* SPDX-License-Identifier: MIT */\nint x;\n")
    fine = "/* SPDX-License-Identifier: MIT */\n/* net/thing: how. */\nint x;\n"
    assert place("check-docs", "src/net/thing.c", fine) == ""


def function(body, head="static void f(void)"):
    return f"{head}\n{{\n{body}\n}}\n"


def nested(levels):
    return "".join("if (a) {\n" for _ in range(levels)) + "x();\n" + "}\n" * levels


@pytest.mark.parametrize(
    "text, rule",
    [
        (function("strcpy(a, b);"), "banned"),
        ("#define COPY(a, b) strcpy(a, b)\n", "banned"),
        (function("p = malloc(3);"), "alloc"),
        ("int x; // no\n", "comment"),
        ("typedef struct {\n    int a;\n} thing;\n", "typedef"),
        (function("again:\nx();\ngoto again;"), "goto"),
        (function("goto end;\nend:\nx();"), "goto"),
        (function("x();\n" * 98), "function-length"),
        (function("", "void f(int a, int b, int c, int d, int e, int g, int h, int (*i)(int, int))"), "parameters"),
        ("void f(int a, int b, int c, int d, int e, int g, int h, int i);\n", "parameters"),
        (function(nested(5)), "nesting"),
        (function("if (a && b) {\n}\n" * 13), "complexity"),
        ("int a;\n" * 1201, "file-length"),
        ("int a" + "a" * 100 + ";\n", "columns"),
    ],
)
def test_style_finds(place, text, rule):
    assert f"[{rule}]" in place("check-style", "src/net/a.c", text)


@pytest.mark.parametrize(
    "text",
    [
        '/* strcpy(a, b) // and malloc(3) */\nconst char *a = "strcpy(a, b); // goto again";\n',
        function("x->free(y);\nx.malloc(3);\ngw_free(z);\nmy_strcpy(a, b);\ngmtime_r(a, b);"),
        function("goto out;\nout:\nx();"),
        function("x();\n" * 96),
        function(nested(4)),
        function("switch (a) {\ncase 1: {\nif (a) {\nif (b) {\nif (c) {\n}\n}\n}\n}\n}"),
        function("while (a) {\nif (a) {\nif (a) {\nif (a) {\nx((struct y){.z = {1, 2}});\n}\n}\n}\n}"),
        function("/* check-style: allow banned: the test says so */\nstrcpy(a, b);"),
        function("", "void f(int a, int b, int c, int d, int e, int g, int (*i)(int, int))"),
        function("", "static int f(nghttp2_session *s, int b, int c, int d, int e, int g, int h, int i)"),
        "#define TABLE(X) \\\n    X(a, b, c, d, e, f, g, h) \\\n    X(i, j, k, l, m, n, o, p)\n",
        "enum gw_a {\n    GW_A,\n};\ntypedef void gw_a_fn(struct gw_b *b);\n",
    ],
)
def test_style_accepts(place, text):
    out = place("check-style", "src/net/a.c", text)
    assert [line for line in out.splitlines() if ": warning: " not in line] == []


def test_style_lets_base_reach_the_heap(place):
    assert place("check-style", "src/base/alloc.c", function("p = malloc(3);")) == ""


def test_waiver_needs_a_reason_and_the_right_rule(place):
    assert "[banned]" in place("check-style", "src/net/a.c", function("/* check-style: allow banned: */\nstrcpy(a, b);"))
    assert "[banned]" in place("check-style", "src/net/a.c", function("/* check-style: allow goto: yes */\nstrcpy(a, b);"))


def test_lines_and_kinds_of_declarations(tmp_path):
    path = tmp_path / "a.h"
    path.write_text(
        '#include "x.h"\n\n/* c */\nGW_MUST_USE GW_PRINTF(1, 2) int f(const char *fmt,\n      ...);\n'
        "struct s {\n    int (*g)(int);\n};\nstatic const struct s table[] = {\n    {f}, {g(1)},\n};\n"
        "static inline int h(void)\n{\n    return 1;\n}\n"
    )
    found = [(d.kind, d.name, d.first, d.last) for d in csource.read(path).declarations]
    assert found == [
        ("prototype", "f", 4, 5),
        ("other", "", 6, 8),
        ("other", "", 9, 11),
        ("function", "h", 12, 15),
    ]
