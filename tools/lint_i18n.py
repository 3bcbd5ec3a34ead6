#!/usr/bin/env python3
"""Hold texts, templates and code together.

usage: lint_i18n.py [SOURCE_ROOT]
Each language has the same keys, each with a text and the same {names}.  Each key a
template or page_text(..., "key") names exists, and so does what code is seen to put
into a member that ends a key: words for {{t:family.*member}}, problems of forms,
rows of form fields.  Each key is used: by name, through a family, or as the text_key
of a row (any string in idp/*.c that is a key).
"""
import os
import re
import sys

ENTRY = re.compile(r'^msgid ((?:"(?:[^"\\]|\\.)*"\n?)+)msgstr ((?:"(?:[^"\\]|\\.)*"\n?)+)', re.M)
PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"')
TEXT_TAG = re.compile(r"\{\{\s*t:([\w.-]+?)(\*[\w.-]+)?\s*\}\}")
C_CALL = re.compile(r'page_text\s*\([^;"]*"([^"]+)"')
C_STRING = re.compile(r'"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)"')

C_PUT = re.compile(r'json_put_str\s*\([^;"]*"(\w+)",([^;]*)\);')
C_PROBLEM = re.compile(r'form_problem\s*\([^;,]*,\s*(?:"\w+"|[^;,"]*),([^;]*)\);')
C_FIELDS = re.compile(r"struct form_field \w+\[\] = \{(.*?)\n\};", re.S)
C_FIELD = re.compile(r'\{"(\w+)",\s*(?:NULL|"(\w+)"),\s*(?:NULL|"[\w-]+"),\s*(\w+),\s*([^,]*),')
# A value that is a word, or chosen from words; no arguments of calls.
C_WORD = re.compile(r'(?:^|[?:])\s*"(\w+)"')
# Members that also hold what is no part of a key.
NAMES_OF_ANYTHING = ("name", ".")


def unquote(text):
    return "".join(PIECE.findall(text))


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def read_po(path, complain):
    texts = {}
    for key, text in ENTRY.findall(read(path)):
        key, text = unquote(key), unquote(text)
        if key in texts:
            complain(f"{path}: {key} is there twice")
        if key:
            texts[key] = text
    return texts


def files_in(folder, ending):
    return sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(ending))


def check_languages(languages, complain):
    keys = set().union(*languages.values())
    for path, texts in languages.items():
        for key in sorted(keys - texts.keys()):
            complain(f"{path}: no {key}")
        for key in sorted(k for k, text in texts.items() if not text):
            complain(f"{path}: {key} has no text")
    for key in sorted(keys):
        names = {frozenset(re.findall(r"\{([\w.-]+)\}", t.get(key, ""))) for t in languages.values()}
        if len(names) > 1:
            complain(f"{key}: the languages show different {{names}}")
    return keys


def keys_put_by(code, families):
    """The keys that words in this C source will end up in, through the members of templates."""
    for member, value in C_PUT.findall(code):
        if member not in NAMES_OF_ANYTHING:
            yield from (f + w for f in families.get(member, ()) for w in C_WORD.findall(value))
    for value in C_PROBLEM.findall(code):
        yield from ("problem." + w for w in C_WORD.findall(value))
    for table in C_FIELDS.findall(code):
        for name, group, kind, flags in C_FIELD.findall(table):
            yield "field." + name
            if group:
                yield "group." + group
            if "HINT" in flags:
                yield "hint." + name
            if kind == "FORM_CHECK":
                yield "check." + name


def check_use(root, keys, complain):
    used, families = set(), {}
    for path in files_in(os.path.join(root, "web/templates"), ".html"):
        for key, member in TEXT_TAG.findall(read(path)):
            if member:
                families.setdefault(member[1:], set()).add(key)
            elif key in keys:
                used.add(key)
            else:
                complain(f"{path}: no text {key}")
    for path in files_in(os.path.join(root, "idp"), ".c"):
        code = read(path)
        used.update(keys.intersection(C_STRING.findall(code)))
        for key in sorted({*C_CALL.findall(code), *keys_put_by(code, families)}):
            if key not in keys:
                complain(f"{path}: no text {key}")
    families = set().union(*families.values())
    for family in sorted(families):
        if not any(k.startswith(family) for k in keys):
            complain(f"no text begins with {family}")
    for key in sorted(keys - used):
        if not key.startswith(tuple(families)):
            complain(f"{key} is not used")


def lint(root):
    """The faults of a tree, a sentence each."""
    faults = []
    languages = {p: read_po(p, faults.append) for p in files_in(os.path.join(root, "web/i18n"), ".po")}
    keys = check_languages(languages, faults.append)
    check_use(root, keys, faults.append)
    return [fault.removeprefix(root + "/") for fault in faults]


def main():
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    faults = lint(sys.argv[1] if len(sys.argv) > 1 else here)
    for fault in faults:
        print(fault)
    print(f"lint i18n: {len(faults)} findings", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
