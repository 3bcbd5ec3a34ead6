#!/usr/bin/env python3
"""./dev lint: the house rules that a compiler does not know.

Each rule is a function from a Tree to findings; RULES names them all, and tests/lint shows each
one a snippet that it must catch.  Rules of C live in lint_c.py, of documents in lint_docs.py,
what needs clang in lint_clang.py; messages and translations are checked by lint_i18n.py.
"""
import argparse
import subprocess
import sys
import time
from pathlib import Path

import lint_c
import lint_clang
import lint_docs
from lint_tree import Tree

RULES = {
    "layers": lint_c.layers,
    "foreign-headers": lint_c.foreign_headers,
    "private-keys": lint_c.private_keys,
    "banned-calls": lint_c.banned_calls,
    "sql-time": lint_c.sql_time,
    "unfinished": lint_c.unfinished,
    "unbuilt-tests": lint_c.unbuilt_tests,
    "doc-links": lint_docs.links,
    "doc-names": lint_docs.names,
    "doc-tests": lint_docs.tests,
    "leaks": lint_docs.leaks,
    "headers-alone": lint_clang.headers_alone,
    "format": lint_clang.formatted,
    "clang-tidy": lint_clang.tidy,
}


def run_rule(name, rule, tree):
    start = time.monotonic()
    findings = list(rule(tree))
    for f in findings:
        print(f"{f.path}:{f.line}: {f.text} [{name}]")
    print(f"lint {name}: {len(findings)} findings, {time.monotonic() - start:.1f} s",
          file=sys.stderr)
    return len(findings)


def run_i18n(root):
    tool = root / "tools" / "lint_i18n.py"
    if not tool.exists():
        return 0
    return int(subprocess.run([sys.executable, str(tool), str(root)], cwd=root, check=False).returncode != 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="a configured build folder")
    parser.add_argument("rules", nargs="*", help="only these")
    parser.add_argument("--without", help="all but this one")
    args = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    tree = Tree(root, build=root / args.build)
    total = sum(run_rule(name, rule, tree) for name, rule in RULES.items()
                if (not args.rules or name in args.rules) and name != args.without)
    if not args.rules:
        total += run_i18n(root)
    print(f"lint: {total} findings" if total else "lint: clean")
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
