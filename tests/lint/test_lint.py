"""Each lint rule is shown a snippet that it must catch and one that it must leave alone."""
import contextlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import lint  # noqa: E402
import tap  # noqa: E402
from lint_tree import Tree, code_only  # noqa: E402

# rule: (files, the findings as "path:line"), bad snippets first, then what must pass.
SNIPPETS = {
    "layers": [
        ({"saml/a.c": '#include "base/err.h"\n#include "db/db.h"\n'}, ["saml/a.c:2"]),
        ({"oidc/a.h": '#include "saml/xml.h"\n'}, ["oidc/a.h:1"]),
        ({"saml/a.c": '#include "keys/keyring.h"\n'}, ["saml/a.c:1"]),
        ({"base/a.c": ' # include "idp/route.h"\n'}, ["base/a.c:1"]),
        ({"base/a.c": '#include "err.h"\n'}, ["base/a.c:1"]),
        ({"saml/a.c": '#include "keys/key_ops.h"\n#include "saml/b.h"\n/* #include "db/db.h" */\n',
          "idp/a.c": '#include "db/db.h"\n#include "saml/b.h"\n',
          "tests/saml/a.c": '#include "db/db.h"\n'}, []),
    ],
    "foreign-headers": [
        ({"idp/a.c": "#include <libpq-fe.h>\n"}, ["idp/a.c:1"]),
        ({"idp/route.c": "#include <microhttpd.h>\n"}, ["idp/route.c:1"]),
        ({"saml/a.c": "\n#include <curl/curl.h>\n"}, ["saml/a.c:2"]),
        ({"saml/xmlsig.c": "#include <xmlsec/xmldsig.h>\n"}, ["saml/xmlsig.c:1"]),
        ({"oidc/a.c": "#include <jansson.h>\n"}, ["oidc/a.c:1"]),
        ({"db/db.c": "#include <libpq-fe.h>\n", "idp/server.c": "#include <microhttpd.h>\n",
          "idp/fetch.c": "#include <curl/curl.h>\n", "saml/xml.h": "#include <libxml/tree.h>\n"}, []),
    ],
    "private-keys": [
        ({"saml/a.c": "int f(void) {\n\treturn EVP_DigestSign(c, s, &n, t, l);\n}\n"}, ["saml/a.c:2"]),
        ({"idp/a.c": "EVP_PKEY *k = PEM_read_bio_PrivateKey(b, 0, 0, 0);\n"}, ["idp/a.c:1"]),
        ({"oidc/a.c": "EVP_PKEY *k = d2i_AutoPrivateKey(0, &p, n);\n"}, ["oidc/a.c:1"]),
        ({"saml/a.c": "int n = EVP_PKEY_decrypt(c, o, &l, i, n);\n"}, ["saml/a.c:1"]),
        ({"oidc/a.c": "EVP_PKEY *k = EVP_EC_gen(\"P-256\");\n"}, ["oidc/a.c:1"]),
        ({"keys/a.c": "int n = EVP_DigestSign(c, s, &n, t, l);\n",
          "oidc/a.c": "int n = EVP_DigestVerify(c, s, n, t, l); /* not EVP_DigestSign(c) */\n"}, []),
    ],
    "banned-calls": [
        ({"base/a.c": "void f(void) { strcpy(a, b); }\n"}, ["base/a.c:1"]),
        ({"db/a.c": "int n = atoi (s);\n"}, ["db/a.c:1"]),
        ({"idp/a.c": "int n = memcmp(a, b, c);\n"}, ["idp/a.c:1"]),
        ({"saml/a.c": "\n\ntime_t t = time(NULL);\n"}, ["saml/a.c:3"]),
        ({"oidc/a.c": "void f(void) { printf(s); }\n"}, ["oidc/a.c:1"]),
        ({"keys/a.c": "void *p = malloc(n);\n"}, ["keys/a.c:1"]),
        ({"keys/a.c": "\tgoto out;\n"}, ["keys/a.c:1"]),
        ({"idp/a.c": "\tsleep(1);\n\tsprintf(s, f);\n"}, ["idp/a.c:1", "idp/a.c:2"]),
        ({"base/a.c": 'const char *s = "strcpy(a, b)"; /* gets(s) */ // gets(s)\n'
                      "int my_strcpy(int); int x = a->time(1) + a.free(2);\n",
          "tests/base/a.c": "void f(void) { free(p); }\n"}, []),
    ],
    "sql-time": [
        ({"db/a.c": 'const char *s = "SELECT now()";\n'}, ["db/a.c:1"]),
        ({"db/migrations/0001_x.sql": "CREATE TABLE t (\n a timestamptz DEFAULT CURRENT_TIMESTAMP);\n"},
         ["db/migrations/0001_x.sql:2"]),
        ({"db/a.c": 'const char *s = "SELECT $1"; /* never now() */\n',
          "db/migrations/0001_x.sql": "-- not now()\nSELECT 1;\n"}, []),
    ],
    "unfinished": [
        ({"idp/a.c": "/* TO" + "DO: later */\n"}, ["idp/a.c:1"]),
        ({"idp/a.c": "/* todos los santos */\n"}, []),
    ],
    "unbuilt-tests": [
        ({"tests/idp/test_a.c": "x\n", "tests/idp/meson.build": "foreach name : ['ab', 'c']\n"},
         ["tests/idp/test_a.c:1"]),
        ({"tests/idp/test_a.py": "x\n"}, ["tests/idp/test_a.py:1"]),
        ({"tests/idp/test_a.c": "x\n", "tests/idp/test_b.c": "x\n",
          "tests/idp/meson.build": "foreach name : ['a']\ntest('c', 'test_b.c')\n"}, []),
    ],
    "doc-links": [
        ({"docs/a.md": "See [b](b.md).\n"}, ["docs/a.md:1"]),
        ({"README.md": "![x](docs/x.png)\n"}, ["README.md:1"]),
        ({"docs/a.md": "[b](b.md#no-such)\n", "docs/b.md": "# Such\n"}, ["docs/a.md:1"]),
        ({"docs/a.md": "[up](../../x)\n"}, ["docs/a.md:1"]),
        ({"docs/a.md": "[b](b.md#the-two-walks) [c](#one) [d](https://example.org/x) [r](../README.md)\n"
                       "# One\n`[no](no.md)`\n```\n[no](no.md)\n```\n",
          "docs/b.md": "## The two walks\n", "README.md": "x\n"}, []),
    ],
    "doc-names": [
        ({"docs/ARCHITECTURE.md": "`idp/gone.c` does it\n"}, ["docs/ARCHITECTURE.md:1"]),
        ({"docs/ARCHITECTURE.md": "\n`flow_gone()` does it\n", "idp/flow.c": "int flow_step;\n"},
         ["docs/ARCHITECTURE.md:2"]),
        ({"docs/ARCHITECTURE.md": "`struct no_such`\n"}, ["docs/ARCHITECTURE.md:1"]),
        ({"docs/ARCHITECTURE.md": "`idp/flow.c`, `idp/`, `idp/fl*.c`, `flow_step()`, `struct saml_signed`, "
                                  "`base <- keys`, `--json`\n",
          "idp/flow.c": "int flow_step(struct saml_signed *s);\n"}, []),
    ],
    "doc-tests": [
        ({"docs/profile.md": "| clause | what | test |\n| --- | --- | --- |\n| 2.1 | b | later |\n"},
         ["docs/profile.md:3"]),
        ({"docs/profile.md": "| clause | what | test |\n| --- | --- | --- |\n| 2.1 | not claimed: no | - |\n"
                             "| 2.2 | b | `lint/test_x::case` |\n",
          "tests/lint/test_x.py": "def case():\n    pass\n"}, []),
        ({"docs/threats.md": "| incident | rule | test |\n| --- | --- | --- |\n| a | not claimed | - |\n"},
         ["docs/threats.md:3"]),
        ({"docs/threats.md": "`saml/test_x::gone`\n"}, ["docs/threats.md:1"]),
        ({"docs/threats.md": "\n`saml/test_x::not_run`\n",
          "tests/saml/test_x.c": "static void not_run(void **s) {} /* not_run */\n"},
         ["docs/threats.md:2"]),
        ({"docs/threats.md": "`lint/test_x::helper`\n", "tests/lint/test_x.py": "helper = 1\n"},
         ["docs/threats.md:1"]),
        ({"docs/threats.md": "| incident | rule | test |\n| --- | --- | --- |\n| a | b | later |\n"},
         ["docs/threats.md:3"]),
        ({"docs/threats.md": "| incident | rule | test |\n| --- | --- | --- |\n"
                             "| a | b | `saml/test_x::is_run` `lint/test_x::case` |\n",
          "tests/saml/test_x.c": "static void is_run(void **s) {}\nint t[] = {T(is_run)};\n",
          "tests/lint/test_x.py": "def case():\n    pass\n",
          "docs/a.md": "`saml/test_x::gone`\n| a | b |\n"}, []),
    ],
    "leaks": [
        ({"docs/a.md": "see /ro" + "ot/kontor/x\n"}, ["docs/a.md:1"]),
        ({"tools/a.sh": "cd /wo" + "rk/main/\n"}, ["tools/a.sh:1"]),
        ({"web/a.json": '"https://regis' + 'try.example.org/x"\n'}, ["web/a.json:1"]),
        ({"web/link -> /anywhere": ""}, ["web/link:1"]),
        ({"docs/a.md": "https://www.debian.org/ network/wo" + "rk/x a/ro" + "ot/b\n"}, []),
    ],
    "headers-alone": [
        ({"base/a.h": "struct a { struct b in; };\n", "base/a.c": "int a;\n"}, ["base/a.h:1"]),
        ({"base/a.h": "#include <stddef.h>\nstruct a { size_t n; };\n", "base/a.c": "int a;\n"}, []),
        ({"base/a.h": "struct a { struct b in; };\n", "base/ccache.c": "int a;\n"}, ["base/a.h:1"]),
    ],
    "format": [
        ({"base/a.c": "int   a;\n"}, ["base/a.c:1"]),
        ({"base/a.c": "int a;\n"}, []),
    ],
    "clang-tidy": [
        ({"base/a.c": "int f(int a);\nint f(int a)\n{\n\tint b;\n\treturn a > 0 ? b : a;\n}\n"},
         ["base/a.c:5"]),
        ({"tests/base/a.c": "int f(int a);\nint f(int a)\n{\n\treturn a - a;\n}\n"},
         ["tests/base/a.c:4"]),
        ({"tests/base/a.h": "int f(int a, int a);\n", "tests/base/a.c": '#include "tests/base/a.h"\n'},
         ["tests/base/a.h:1"]),
        ({"base/a.c": "int f(int a);\nint f(int a)\n{\n\treturn a;\n}\n"}, []),
    ],
}

# A function that clang-tidy objects to, and the comment by which it must not.
REDUNDANT = "static inline int f(int a)\n{\n\treturn a - a;NOLINT\n}\n"
SILENT = REDUNDANT.replace("NOLINT", " /* NOLINT(misc-redundant-expression) */")


def make_tree(folder, files):
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for name in (".clang-format", ".clang-tidy", "tests/.clang-tidy"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    for name, text in files.items():
        name, _, target = name.partition(" -> ")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if target:
            (folder / name).symlink_to(target)
            continue
        (folder / name).write_text(text, encoding="utf-8")
    # What meson would write: how each C file is compiled.
    (folder / "build").mkdir()
    entries = ",".join(f'{{"directory": "{folder}/build", "file": "../{name}", '
                       f'"command": "{"ccache " * ("ccache" in name)}cc -I.. -o x.o -c ../{name}"}}'
                       for name in files if name.endswith(".c"))
    (folder / "build" / "compile_commands.json").write_text(f"[{entries}]", encoding="utf-8")
    return Tree(folder, build=folder / "build")


def check_rule(rule, files, want):
    with tempfile.TemporaryDirectory() as name:
        found = [f"{f.path}:{f.line}" for f in lint.RULES[rule](make_tree(Path(name), files))]
        assert sorted(found) == want, f"{rule} on {files}: found {found}, want {want}"


def case_for(rule):
    def case():
        for files, want in SNIPPETS[rule]:
            check_rule(rule, files, want)
    case.__name__ = f"the_rule_{rule}_catches_what_it_is_for_and_nothing_else"
    return case


def every_rule_has_snippets_of_both_kinds():
    for rule in lint.RULES:
        wants = [bool(want) for _, want in SNIPPETS[rule]]
        assert True in wants and False in wants, rule


def comments_and_strings_are_no_code():
    text = 'a("x\\"/*y"); // b\nc(\'"\'); /* d\n */ e;'
    assert code_only(text) == 'a("      ");     \nc(\' \');     \n    e;', repr(code_only(text))


def a_clean_file_is_looked_at_again_when_what_it_stands_on_changes():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tree(folder, {"base/a.c": '#include "base/a.h"\n', "base/a.h": '#include "base/b.h"\n',
                           "base/b.h": SILENT})

        def found():
            return [f.path for f in lint.RULES["clang-tidy"](Tree(folder, build=folder / "build"))]
        assert found() == []
        assert len(list((folder / "var" / "lint").iterdir())) == 1, "not remembered"
        (folder / "base" / "b.h").write_text(REDUNDANT.replace("NOLINT", ""), encoding="utf-8")
        again = found()
        assert again == ["base/b.h"], f"only the comment that silenced it has changed: {again}"
        (folder / ".clang-tidy").write_text("Checks: '-*,misc-misplaced-const'\n", encoding="utf-8")
        assert found() == []
        (folder / ".clang-tidy").write_text((ROOT / ".clang-tidy").read_text(encoding="utf-8"),
                                            encoding="utf-8")
        assert found() == ["base/b.h"], "other rules are another question"


def a_finding_makes_the_status_nonzero():
    with tempfile.TemporaryDirectory() as name:
        tree = make_tree(Path(name), {"base/a.c": "int   a;\n"})
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            assert lint.run_rule("format", lint.RULES["format"], tree) == 1
        assert said.getvalue().startswith("base/a.c:1: "), said.getvalue()


tap.run([every_rule_has_snippets_of_both_kinds, comments_and_strings_are_no_code,
         a_clean_file_is_looked_at_again_when_what_it_stands_on_changes,
         a_finding_makes_the_status_nonzero, *(case_for(rule) for rule in lint.RULES)])
