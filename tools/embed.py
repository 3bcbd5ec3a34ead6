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


def main():
    out, symbol, base = sys.argv[1:4]
    names = sorted((os.path.relpath(f, base), f) for f in sys.argv[4:])
    with open(out, "w", encoding="utf-8") as c:
        c.write('#include "base/embed.h"\n')
        c.write(f"extern const struct embed_file {symbol}[];\n")
        for i, (_, path) in enumerate(names):
            with open(path, "rb") as f:
                data = f.read()
            c.write(f"static const unsigned char f{i}[] = {{\n{c_octets(data)}\n\t0}};\n")
        c.write(f"const struct embed_file {symbol}[] = {{\n")
        for i, (name, path) in enumerate(names):
            with open(path, "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()
            c.write(f'\t{{"{name}", {{f{i}, sizeof(f{i}) - 1}}, "{digest}"}},\n')
        c.write("\t{0},\n};\n")


if __name__ == "__main__":
    main()
