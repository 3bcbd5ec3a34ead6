"""Reduce a style sheet to what pages use.

A sheet is a list of rules: (prelude, body), where body is the text of the
declarations or, for @media and its like, again a list of rules.
"""
import re

CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
ELEMENT = re.compile(r"(?:^|[\s>+~,(])([a-z][a-z0-9]*)(?![\w(-])")
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")
NESTING = ("@media", "@supports", "@layer")


def parse(css):
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    rules, _ = _parse_rules(css, 0)
    return rules


def _skip_string(css, i):
    quote = css[i]
    i += 1
    while css[i] != quote:
        i += 2 if css[i] == "\\" else 1
    return i + 1


def _find(css, i, stops):
    """The next of the characters `stops` outside strings."""
    while i < len(css) and css[i] not in stops:
        i = _skip_string(css, i) if css[i] in "\"'" else i + 1
    return i


def _parse_rules(css, i):
    rules = []
    while True:
        end = _find(css, i, "{};")
        prelude = " ".join(css[i:end].split())
        if end == len(css) or css[end] == "}":
            return rules, end + 1
        if css[end] == ";":  # @charset, @import: none is needed
            i = end + 1
            continue
        if prelude.startswith(NESTING):
            body, i = _parse_rules(css, end + 1)
        else:
            i = _find(css, end + 1, "{}")
            while css[i] == "{":  # steps of @keyframes
                i = _find(css, _find(css, i + 1, "}") + 1, "{}")
            body, i = css[end + 1:i].strip(), i + 1
        rules.append((prelude, body))


def _split_selectors(prelude):
    parts, depth, start = [], 0, 0
    for i, c in enumerate(prelude):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append(prelude[start:i].strip())
            start = i + 1
    return parts + [prelude[start:].strip()]


def _selector_is_used(selector, classes, elements):
    # What stands in :not() and :is() need not be there for the selector to match.
    bare = selector
    while True:
        shorter = re.sub(r":(?:not|is|where)\([^()]*\)", "", bare)
        if shorter == bare:
            break
        bare = shorter
    if "data-kern-theme" in bare:
        return False
    named = re.sub(r"\[[^\]]*\]|::?[a-z-]+", " ", bare.replace(":has(", " ").replace(")", " "))
    return (all(c in classes for c in CLASS.findall(named))
            and all(e in elements for e in ELEMENT.findall(re.sub(CLASS, " ", named))))


def purge(rules, classes, elements):
    kept = []
    for prelude, body in rules:
        if isinstance(body, list):
            body = purge(body, classes, elements)
        elif prelude.startswith("@keyframes"):  # nothing of ours moves
            continue
        elif not prelude.startswith("@"):
            prelude = ",".join(s for s in _split_selectors(prelude)
                               if _selector_is_used(s, classes, elements))
        if prelude and body:
            kept.append((prelude, body))
    return kept


def _declarations(body):
    parts, i = [], 0
    while i < len(body):
        end, depth = i, 0
        while end < len(body) and (depth or body[end] != ";"):
            if body[end] in "\"'":
                end = _skip_string(body, end)
                continue
            depth += (body[end] == "(") - (body[end] == ")")
            end += 1
        if body[i:end].strip():
            name, _, value = body[i:end].partition(":")
            parts.append((name.strip(), " ".join(value.split())))
        i = end + 1
    return parts


def _walk(rules):
    for prelude, body in rules:
        if isinstance(body, list):
            yield from _walk(body)
        else:
            yield prelude, body


def drop_unused_variables(rules):
    values, used = {}, set()
    for prelude, body in _walk(rules):
        for name, value in _declarations(body):
            if name.startswith("--"):
                values.setdefault(name, []).append(value)
            else:
                used.update(VARIABLE.findall(value))
    fresh = used
    while fresh:
        fresh = {v for name in fresh for value in values.get(name, []) for v in VARIABLE.findall(value)} - used
        used |= fresh
    return _keep(rules, lambda name: not name.startswith("--") or name in used, set(values))


def _keep(rules, wanted, defined):
    kept = []
    for prelude, body in rules:
        if isinstance(body, list):
            body = _keep(body, wanted, defined)
        else:
            body = ";".join(f"{n}:{_without_fallbacks(v, defined)}" for n, v in _declarations(body) if wanted(n))
        if body:
            kept.append((prelude, body))
    return kept


def _without_fallbacks(value, defined):
    """var(--x, 8px) is var(--x) where --x has a value."""
    return re.sub(r"var\((--[\w-]+), *[^()]*\)",
                  lambda m: f"var({m[1]})" if m[1] in defined else m[0], value)


def write(rules):
    out = []
    for prelude, body in rules:
        prelude = re.sub(r"\s*([>,])\s*", r"\1", prelude)
        out.append(f"{prelude}{{{write(body) if isinstance(body, list) else body}}}")
    return "".join(out)
