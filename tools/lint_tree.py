"""What lint rules look at: the files git knows, and C text without its comments."""
import fnmatch
import re
import subprocess
from collections import namedtuple
from functools import lru_cache

Finding = namedtuple("Finding", "path line text")

# A comment, a string or a character constant: whichever comes first wins.
_C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """C text with comments blanked, lines and columns kept."""
    return _C_TOKEN.sub(lambda m: _blank(m[0]) if m[0][0] == "/" else m[0], text)


def code_only(text):
    """C text with comments and the insides of strings blanked."""
    def keep(m):
        return _blank(m[0]) if m[0][0] == "/" else m[0][0] + _blank(m[0][1:-1]) + m[0][-1]
    return _C_TOKEN.sub(keep, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Tree:
    """Files by their path from the root; `build` is a configured build folder or None."""

    def __init__(self, root, build=None):
        self.root, self.build = root, build
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
            check=True, stdout=subprocess.PIPE, text=True).stdout
        listed = [p for p in listed.split("\0") if p]
        self.links = sorted(p for p in listed if (root / p).is_symlink())
        self.paths = sorted(p for p in listed if (root / p).is_file())

    def match(self, *patterns):
        return [p for p in self.paths if any(fnmatch.fnmatch(p, pat) for pat in patterns)]

    @lru_cache(maxsize=None)
    def text(self, path):
        """The file as text, or "" for one that is not UTF-8."""
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return ""

    @lru_cache(maxsize=None)
    def code(self, path):
        return code_only(self.text(path))

    def exists(self, path):
        return (self.root / path).exists()
