#!/usr/bin/env python3
"""Turn a folder of files into one C table (base/embed.h).

usage: embed.py OUT.c SYMBOL BASE_FOLDER FILE...
Each FILE lies below BASE_FOLDER and is named in the table by its path from there.
"""
import hashlib
import os
import sys


def c_octets(data):
    lines = []
    for i in range(0, len(data), 20):
        lines.append("\t" + "".join(f"{b}," for b in data[i:i + 20]))
    return "\n".join(lines)


def write_table(out, symbol, files):
    """files: pairs of name and octets."""
    files = sorted(files)
    with open(out, "w", encoding="utf-8") as c:
        c.write('#include "base/embed.h"\n')
        c.write(f"extern const struct embed_file {symbol}[];\n")
        for i, (_, data) in enumerate(files):
            c.write(f"static const unsigned char f{i}[] = {{\n{c_octets(data)}\n\t0}};\n")
        c.write(f"const struct embed_file {symbol}[] = {{\n")
        for i, (name, data) in enumerate(files):
            digest = hashlib.sha256(data).hexdigest()
            c.write(f'\t{{"{name}", {{f{i}, sizeof(f{i}) - 1}}, "{digest}"}},\n')
        c.write("\t{0},\n};\n")


def main():
    out, symbol, base = sys.argv[1:4]
    files = []
    for path in sys.argv[4:]:
        with open(path, "rb") as f:
            files.append((os.path.relpath(path, base), f.read()))
    write_table(out, symbol, files)


if __name__ == "__main__":
    main()
