"""Rules that need clang's tools or a compiler: format, headers that stand alone, clang-tidy.

They take the flags from the build folder's compile_commands.json.  Compiling is slow, so a file
that was clean is not looked at again until it, a header of its, the flags, the rules or the
installed libraries change.
"""
import hashlib
import json
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from lint_tree import Finding

DIAGNOSTIC = re.compile(r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):\d+: (?P<text>(?:warning|error): .*)$",
                        re.M)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def _run(argv, cwd):
    return subprocess.run(argv, cwd=cwd, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)


def _parallel(function, items):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for findings in pool.map(function, items):
            yield from findings


def _findings(root, folder, output, fallback):
    """What a compiler that ran in this folder said; a header is named as seen from there."""
    for m in DIAGNOSTIC.finditer(output):
        path = os.path.relpath(os.path.join(folder, m["path"]), root)
        yield Finding(path if not path.startswith("..") else fallback, int(m["line"]), m["text"])


def formatted(tree):
    """As clang-format writes it; ./dev fmt does."""
    def check(paths):
        done = _run(["clang-format", "--dry-run", "-Werror", *paths], tree.root)
        first = {}
        for m in DIAGNOSTIC.finditer(done.stderr):
            first.setdefault(m["path"], int(m["line"]))
        if done.returncode and not first:
            return [Finding(paths[0], 1, f"clang-format failed: {done.stderr.strip()[-200:]}")]
        return [Finding(p, line, "not formatted: ./dev fmt") for p, line in first.items()]
    files = tree.match("*.c", "*.h")
    yield from _parallel(check, [files[i:i + 40] for i in range(0, len(files), 40)])


def _commands(tree):
    """Path from the root -> the arguments that compile it (no output, no dependency file)."""
    if tree.build is None:
        return {}
    entries = json.loads((tree.build / "compile_commands.json").read_text(encoding="utf-8"))
    commands = {}
    for entry in entries:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), tree.root)
        argv = shlex.split(entry["command"])
        kept, skip = [], False
        for arg in argv[2 if argv[0].endswith("ccache") else 1:]:
            if skip:
                skip = False
            elif arg in ("-o", "-MF", "-MQ"):
                skip = True
            elif arg not in ("-c", "-MD", entry["file"]) and not arg.startswith("-fsanitize"):
                kept.append(arg)
        commands.setdefault(path, (entry["directory"], kept))
    return commands


def _system_state():
    """What clang's verdict rests on beside this tree: itself and the libraries' headers."""
    return _run(["dpkg-query", "-W", "clang*", "libclang*", "*-dev"], None).stdout


def _own_files(tree, path):
    """The file and all it includes from this tree, through any number of steps."""
    seen, todo = set(), [path]
    while todo:
        at = todo.pop()
        if at not in seen and tree.exists(at):
            seen.add(at)
            todo += INCLUDE.findall(tree.text(at))
    return sorted(seen)


def _clean_marks(tree, *rules):
    """A function from a path and its flags to the file that says: clean in this very state."""
    cache = tree.root / "var" / "lint"
    cache.mkdir(parents=True, exist_ok=True)
    shared = "\0".join((*rules, _system_state()))

    def clean_mark(path, flags):
        # Comments count, too: NOLINT.
        texts = (t for p in _own_files(tree, path) for t in (p, tree.text(p)))
        state = "\0".join((shared, " ".join(flags), *texts))
        return cache / hashlib.sha256(state.encode()).hexdigest()
    return clean_mark


def headers_alone(tree):
    """Each header compiles by itself, so that no include order is secret knowledge."""
    commands = _commands(tree)
    clean_mark = _clean_marks(tree, "alone")

    def check(path):
        folder = path.rsplit("/", 1)[0] + "/"
        near = next((c for p, c in commands.items() if p.startswith(folder)), None)
        if near is None:
            return []
        mark = clean_mark(path, near[1])
        if mark.exists():
            return []
        done = _run(["clang", *near[1], "-Wno-unknown-warning-option", "-fsyntax-only",
                     "-Wno-pragma-once-outside-header", "-Wno-unused-macros",
                     str(tree.root / path)], near[0])
        found = [Finding(path, int(m["line"]), f"does not stand alone: {m['text']}")
                 for m in DIAGNOSTIC.finditer(done.stderr)][:1]
        if done.returncode == 0 and not found:
            mark.touch()
        return found
    headers = [p for p in tree.match("*/*.h") if not p.startswith("tests/")]
    yield from _parallel(check, headers)


def tidy(tree):
    """clang-tidy; tests/.clang-tidy leaves the slow checks to the code of the product."""
    commands = _commands(tree)
    clean_mark = _clean_marks(tree, "tidy", *map(tree.text, tree.match(".clang-tidy", "*/.clang-tidy")))

    def check(path):
        folder, flags = commands[path]
        mark = clean_mark(path, flags)
        if mark.exists():
            return []
        done = _run(["clang-tidy", "--quiet", str(tree.root / path), "--", *flags,
                     "-Wno-unknown-warning-option"], folder)
        found = list(_findings(tree.root, folder, done.stdout, path))
        if done.returncode and not found:
            found = [Finding(path, 1, f"clang-tidy failed: {done.stderr.strip()[-200:]}")]
        if not found:
            mark.touch()
        return found
    # Slowest first, so that the last one running is a small one.
    sources = [p for p in tree.match("*/*.c") if p in commands]
    sources.sort(key=lambda p: (p.startswith("tests/"), -len(tree.text(p))))
    yield from dict.fromkeys(_parallel(check, sources))
