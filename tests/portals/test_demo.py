"""./dev demo --check as test cases, then the walk in Chromium through the same demo: a state of
its own, other ports, the program with sanitizers.

usage: test_demo.py KONTOR [--node NODE [--shots FOLDER]] [--nodes 2 [--at-once SECONDS]]

NODE is the Node that drives Chromium; without it there is no such walk.  --nodes 2 is the demo's;
--at-once says how long "within a second" is here: more with sanitizers.  --shots writes the
README's pictures: test_demo.py build-release/idp/kontor --node web/node_modules/node/bin/node
--shots docs/images.
"""
import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import chromium  # noqa: E402
import demo  # noqa: E402
from kontor import PERSONS  # noqa: E402
from selfcheck import Checks  # noqa: E402
from stage import Output  # noqa: E402

PORTS = {"1": 9443, "2": 9743}  # by the number of nodes, for both walks may happen at once


class TapChecks(Checks):
    """Each check is a test case."""

    def true(self, title, condition, otherwise=""):
        super().true(title, condition, otherwise)
        self.case(self.scene_title + ": " + title, condition)

    def case(self, title, good):
        number = self.passed + self.failed
        print(f"{'ok' if good else 'not ok'} {number} - {title}", flush=True)


class WalkedDemo(demo.Demo):
    """The demo, walked through by a real browser after its own check."""

    def __init__(self, args, out, own):
        super().__init__(args, out)
        self.node, self.shots, self.at_once_s = own.node, own.shots, own.at_once

    def check(self, checks):
        super().check(checks)
        if self.node:
            chromium.walk(checks, self.node, self, PERSONS, self.shots)


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("kontor")
    parser.add_argument("--node", type=Path)
    parser.add_argument("--shots", type=Path)
    parser.add_argument("--nodes", default="1")
    parser.add_argument("--at-once", type=float, default=demo.Demo.at_once_s)
    return parser.parse_args()


def run(ports, kontor, words, make):
    """A demo whose checks are test cases, in a state of its own."""
    # Every user may pass through: the programs do not run as root.
    folder = Path(tempfile.mkdtemp(prefix="kontor-demo-", dir="/tmp"))
    os.chmod(folder, 0o755)
    args = demo.arguments(["--kontor", kontor, "--state", str(folder / "state"),
                           "--ports", str(ports), "--check", *words])
    out = Output()
    checks = TapChecks(out)
    try:
        good = demo.run(args, out, checks, make)
        failed_before = checks.failed
        checks.scene_title = "the demo"
        checks.true("everything starts, and stops in good order", good or failed_before > 0,
                    "see above")
        if checks.failed:
            for log in sorted((folder / "state").glob("**/*.log")):
                print(f"# {log.name}: {log.read_text(errors='replace')[-2000:]}".replace("\n", "\n# "))
        print(f"1..{checks.passed + checks.failed}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if checks.failed else 0


def main():
    own = arguments()
    return run(PORTS[own.nodes], own.kontor, ["--nodes", own.nodes],
               lambda args, out: WalkedDemo(args, out, own))


if __name__ == "__main__":
    sys.exit(main())
