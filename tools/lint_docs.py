"""Rules about documents: what they name exists, and nothing of one machine stands in the tree."""
import re

from lint_tree import Finding, line_of

LINK = re.compile(r"!?\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#+\s+(.*?)\s*#*\s*$", re.M)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")

# A span of ARCHITECTURE.md that claims to be a file or a name of the program.
PATH_SPAN = re.compile(r"^(?:[\w.-]+/)+[\w.*-]*$|^[\w-]+\.(?:c|h|py|sql|md|sh|po|html|build)$")
NAME_SPAN = re.compile(r"^(?:struct |enum )?[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?:\(\))?$|^[a-z]\w*\(\)$")

# `saml/test_xml::a_case`: a case of tests/saml/test_xml.c or .py; and a row of a table.
CASE_SPAN = re.compile(r"^(\w+/test_\w+)::(\w+)$")
ROW = re.compile(r"^\|([^|\n]*)\|(?:[^|\n]*\|)*([^|\n]*)\|$", re.M)

# Paths of one machine and names of package registries' hosts, none of which a clone can use.
LEAKS = re.compile(
    r"(?<![\w.~-])/(?:root|home/\w+|wo[r]k|fa[r]m)/|"
    r"https?://(?:deb|registry|repo\d?|index|pypi|proxy|files)\.[\w.-]+", re.I)


def _blank(m):
    return re.sub(r"[^\n]", " ", m[0])


def anchor(heading):
    """The id that a Markdown heading gets."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda m: m[1] or "", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def _anchors(tree, path):
    return {anchor(h) for h in HEADING.findall(FENCE.sub(_blank, tree.text(path)))}


def _resolve(path, target):
    parts = path.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def links(tree):
    """Relative links and their anchors lead somewhere."""
    for path in tree.match("*.md"):
        text = SPAN.sub(_blank, FENCE.sub(_blank, tree.text(path)))
        for m in LINK.finditer(text):
            target, _, fragment = m[1].partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            line = line_of(text, m.start())
            resolved = _resolve(path, target) if target else path
            if resolved is None or not tree.exists(resolved):
                yield Finding(path, line, f"the link {m[1]} leads nowhere")
            elif fragment and resolved.endswith(".md") and fragment not in _anchors(tree, resolved):
                yield Finding(path, line, f"{resolved} has no heading #{fragment}")


def _source_words(tree):
    words = set()
    for path in tree.match("*.c", "*.h", "*.py", "*.sql", "meson.build"):
        words.update(re.findall(r"[A-Za-z_]\w*", tree.text(path)))
    return words


def names(tree):
    """Every path and function that ARCHITECTURE.md names is there."""
    words = None
    for path in tree.match("docs/ARCHITECTURE.md"):
        words = words or _source_words(tree)
        text = FENCE.sub(_blank, tree.text(path))
        for m in SPAN.finditer(text):
            span, line = m[1], line_of(text, m.start())
            if PATH_SPAN.match(span):
                if not (tree.exists(span) or any(tree.root.glob(span))):
                    yield Finding(path, line, f"there is no {span}")
            elif NAME_SPAN.match(span):
                name = span.split()[-1].removesuffix("()")
                if name not in words:
                    yield Finding(path, line, f"no source names {name}")


def _case_exists(tree, test, case):
    """Is there such a case, and is it run?  A C file lists its cases, a Python file runs all."""
    code = tree.code(f"tests/{test}.c") if tree.exists(f"tests/{test}.c") else ""
    if len(re.findall(rf"\b{case}\b", code)) > 1:
        return True
    path = f"tests/{test}.py"
    return tree.exists(path) and re.search(rf"^def {case}\(", tree.text(path), re.M) is not None


def tests(tree):
    """Every incident in threats.md and every clause in profile.md has a test, and each test that is
    named there exists; a clause may be "not claimed" instead."""
    for path in tree.match("docs/threats.md") + tree.match("docs/profile.md"):
        text = tree.text(path)
        for m in SPAN.finditer(text):
            if (case := CASE_SPAN.match(m[1])) and not _case_exists(tree, case[1], case[2]):
                yield Finding(path, line_of(text, m.start()), f"there is no test {m[1]}")
        for m in ROW.finditer(text):
            if "::" in m[2] or m[2].strip() == "test" or re.fullmatch(r"[-: ]+", m[1]):
                continue
            if path == "docs/threats.md" or "not claimed" not in m[0]:
                yield Finding(path, line_of(text, m.start()), f"no test stands for {m[1].strip()}")


def leaks(tree):
    for path in tree.links:
        if (tree.root / path).readlink().is_absolute():
            yield Finding(path, 1, f"a link to {(tree.root / path).readlink()}")
    for path in tree.paths:
        if path.startswith(("tests/fuzz/corpus/", "tests/vectors/")):
            continue
        text = tree.text(path)
        for m in LEAKS.finditer(text):
            yield Finding(path, line_of(text, m.start()), f"{m[0]} is of one machine or registry")
