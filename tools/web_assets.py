#!/usr/bin/env python3
"""Make what lies below /static/ and embed it as one C table (base/embed.h).

usage: web_assets.py OUT.c SYMBOL KERN_FOLDER PYFTSUBSET FILE...
FILE: our own assets and all templates.  From the design system KERN (npm
@kern-ux/native) comes what the templates use: rules of the style sheet, icons, and
of the font Fira Sans two weights with the letters of DIN 91379 (names in Latin
script), the rarer ones apart.  A file is named after its content
(kontor.1f2e3d4c.css), so that browsers may keep it for good; what gets
smaller by it has a twin with .gz.
"""
import gzip
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

import embed
import web_css

COMPRESS = (".css", ".js", ".svg")
WEIGHTS = {"400": "Regular", "600": "SemiBold"}
# DIN 91379 datatype A and punctuation: what every page shows, and the rest.
RANGES = {
    "base": "U+20-7E,U+A0-FF,U+2013-2014,U+2018-201A,U+201C-201E,U+2022,U+2026,U+20AC,U+1E9E",
    "more": "U+100-24F,U+259,U+2B9-2DD,U+300-345,U+1E00-1E9D,U+1E9F-1EFF,U+2020-2021,U+2030,"
            "U+2039-203A,U+20A8-20AB,U+2122,U+2212,U+2260,U+2264-2265",
}
TEMPLATE_TAG = re.compile(r"\{\{.*?\}\}")
ICON = re.compile(r'url\("data:image/svg\+xml,([^"]+)"\)')


def read(path):
    with open(path, "rb") as f:
        return f.read()


def hashed_name(name, data):
    stem, ending = os.path.splitext(name)
    return f"{stem}.{hashlib.sha256(data).hexdigest()[:8]}{ending}"


def with_twins(files):
    for name, data in files:
        yield name, data
        packed = gzip.compress(data, 9, mtime=0)
        if name.endswith(COMPRESS) and len(packed) < len(data):
            yield name + ".gz", packed


def used_in(templates):
    """Classes and elements that stand in the templates."""
    classes, elements = set(), {"html", "body"}
    for path in templates:
        text = TEMPLATE_TAG.sub(" ", read(path).decode())
        for value in re.findall(r'class="([^"]*)"', text):
            classes.update(value.split())
        elements.update(re.findall(r"<([a-z][a-z0-9]*)", text))
    return classes, elements


def fonts(kern, pyftsubset):
    for weight, name in WEIGHTS.items():
        source = os.path.join(kern, f"dist/fonts/fira-sans/FiraSans-{name}.woff2")
        for part, unicodes in RANGES.items():
            with tempfile.NamedTemporaryFile(suffix=".woff2") as out:
                done = subprocess.run(
                    [pyftsubset, source, f"--output-file={out.name}", "--flavor=woff2",
                     f"--unicodes={unicodes}", "--no-hinting", "--desubroutinize",
                     "--layout-features=kern,liga,mark,mkmk,ccmp,locl,tnum",
                     "--no-recalc-timestamp"],
                    check=False, stderr=subprocess.PIPE, text=True)
                if done.returncode != 0:
                    sys.exit(f"web_assets: {name}: {done.stderr.strip()}")
                suffix = "" if part == "base" else "-" + part
                yield f"fira-sans-{weight}{suffix}.woff2", read(out.name)


def style_sheet(kern, own, templates, assets):
    """KERN's rules that the templates use, then ours; data URLs become files among `assets`."""
    icons = {}

    def icon_file(match):
        svg = urllib.parse.unquote(match[1]).encode()
        name = hashed_name("icon.svg", svg)
        icons[name] = svg
        return f"url({name})"

    classes, elements = used_in(templates)
    kern_rules = web_css.parse(read(os.path.join(kern, "dist/kern.css")).decode())
    own_rules = web_css.parse(own.replace("FONT-RANGE-BASE", RANGES["base"])
                              .replace("FONT-RANGE-MORE", RANGES["more"]))
    rules = web_css.drop_unused_variables(web_css.purge(kern_rules + own_rules, classes, elements))
    css = ICON.sub(icon_file, web_css.write(rules))
    for name, data in assets:
        css = css.replace(f"url({name})", f"url({hashed_name(name, data)})")
    return css.encode(), icons


def main():
    out, symbol, kern, pyftsubset = sys.argv[1:5]
    own = {os.path.basename(p): read(p) for p in sys.argv[5:] if not p.endswith((".html", ".po"))}
    templates = [p for p in sys.argv[5:] if p.endswith(".html")]
    css = own.pop("kontor.css").decode()
    assets = sorted(own.items()) + list(fonts(kern, pyftsubset))
    sheet, icons = style_sheet(kern, css, templates, assets)
    assets.append(("kontor.css", sheet))
    files = [(hashed_name(name, data), data) for name, data in assets] + sorted(icons.items())
    embed.write_table(out, symbol, list(with_twins(files)))


if __name__ == "__main__":
    main()
