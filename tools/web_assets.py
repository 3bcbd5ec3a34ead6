#!/usr/bin/env python3
"""Make what lies below /static/ and embed it as one C table (base/embed.h).

usage: web_assets.py OUT.c SYMBOL FILE...
A file is named after its content (kontor.1f2e3d4c.css), so that browsers may keep
it for good; what compresses has a twin with .gz.
"""
import gzip
import hashlib
import os
import sys

import embed

COMPRESS = (".css", ".js", ".svg")


def hashed_name(name, data):
    stem, ending = os.path.splitext(name)
    return f"{stem}.{hashlib.sha256(data).hexdigest()[:8]}{ending}"


def with_twins(files):
    for name, data in files:
        yield name, data
        if name.endswith(COMPRESS):
            yield name + ".gz", gzip.compress(data, 9, mtime=0)


def main():
    out, symbol = sys.argv[1:3]
    files = []
    for path in sys.argv[3:]:
        with open(path, "rb") as f:
            data = f.read()
        files.append((hashed_name(os.path.basename(path), data), data))
    embed.write_table(out, symbol, list(with_twins(files)))


if __name__ == "__main__":
    main()
