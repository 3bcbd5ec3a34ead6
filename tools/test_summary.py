#!/usr/bin/env python3
"""Count a test run case by case (meson's testlog.json) and say what failed.

usage: test_summary.py TESTLOG --exit-status N [--full DOC]

A case is a TAP line; a program without TAP is one case.  A skipped case is neither passed nor
failed, but named; a failed one is named with the end of what its program said.  The last line is "N passed, N failed"; the exit status is 0 when something
passed, nothing failed and meson, too, was content.  --full rewrites the result table in DOC.
"""
import argparse
import json
import os
import platform
import re
import sys
import time
from collections import Counter, defaultdict

TAP_LINE = re.compile(r"^(not )?ok\b *\d* *-? *([^#]*)(?:# *(SKIP)\b *(.*))?", re.I)
GOOD_RESULTS = ("OK", "EXPECTEDFAIL")
LINES_SAID = 15  # of a failed program, by each of its two streams


def cases_of(test):
    """(outcome, title) of each case of one meson test; outcome: passed, failed, skipped."""
    cases = []
    lines = test.get("stdout", "").splitlines()
    if test["result"] != "EXPECTEDFAIL" and any(re.match(r"^1\.\.\d+", line) for line in lines):
        for line in lines:
            m = TAP_LINE.match(line)
            if m is None:
                continue
            broken, title, directive, why = m.groups()
            if directive:
                cases.append(("skipped", f"{title.strip()}: {why}"))
            elif broken:
                cases.append(("failed", title.strip()))
            else:
                cases.append(("passed", title.strip()))
    if test["result"] == "SKIP":
        cases = cases or [("skipped", "the whole program")]
    elif test["result"] in GOOD_RESULTS:
        cases = cases or [("passed", "")]
    elif not any(outcome == "failed" for outcome, _ in cases):
        # A crash, a timeout, a plan that was not kept: no line says so.
        cases.append(("failed", f"{test['result'].lower()}, status {test.get('returncode')}"))
    return cases


def said_by(test):
    """The end of what a failed program said: its diagnostics, and what came on standard error."""
    for stream in ("stdout", "stderr"):
        lines = [line for line in test.get(stream, "").splitlines()
                 if line.strip() and (stream == "stderr" or line[0] == "#" or line[:3] == "not")]
        yield from lines[-LINES_SAID:]


def read_log(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            test = json.loads(line)
            # "kontor:saml / metadata" -> saml/metadata
            yield test["name"].split(":", 1)[-1].replace(" / ", "/"), test


def count(tests):
    totals = Counter()
    suites = defaultdict(Counter)
    seconds = Counter()
    notes = {"said": [], "skipped": [], "failed": []}
    for name, test in tests:
        suite = name.split("/", 1)[0]
        seconds[suite] += test["duration"]
        for outcome, title in cases_of(test):
            totals[outcome] += 1
            suites[suite][outcome] += 1
            if outcome in notes:
                notes[outcome].append(f"{name}: {title}" if title else name)
        if any(outcome == "failed" for outcome, _ in cases_of(test)):
            notes["said"] += (f"{name}: {line}" for line in said_by(test))
    return totals, suites, seconds, notes


def machine():
    with open("/proc/meminfo", encoding="ascii") as f:
        gib = int(f.readline().split()[1]) / (1 << 20)
    return f"{os.cpu_count()} cores, {gib:.0f} GiB, {platform.machine()}"


def write_full(path, totals, suites, seconds):
    """The result of a full run, between two marks of the document."""
    rows = [f"| {s} | {c['passed']} | {c['failed']} | {c['skipped']} | {seconds[s]:.0f} |"
            for s, c in sorted(suites.items())]
    table = "\n".join([
        "<!-- result: begin -->",
        f"{time.strftime('%Y-%m-%d')}, {machine()}: {totals['passed']} passed, "
        f"{totals['failed']} failed, {totals['skipped']} skipped.", "",
        "| suite | passed | failed | skipped | seconds |", "| --- | --- | --- | --- | --- |",
        *rows, "<!-- result: end -->"])
    with open(path, encoding="utf-8") as f:
        text = f.read()
    marked = re.compile("<!-- result: begin -->.*<!-- result: end -->", re.S)
    if not marked.search(text):
        sys.exit(f"{path} has no place for the result (<!-- result: begin --> ... end)")
    with open(path, "w", encoding="utf-8") as f:
        f.write(marked.sub(lambda _: table, text))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("log")
    parser.add_argument("--exit-status", type=int, required=True)
    parser.add_argument("--full", metavar="DOC")
    args = parser.parse_args()
    totals, suites, seconds, notes = count(read_log(args.log))
    if args.full:
        write_full(args.full, totals, suites, seconds)
    for suite, c in sorted(suites.items()):
        print(f"{suite:12} {c['passed']:5} passed {c['failed']:4} failed {c['skipped']:4} skipped "
              f"{seconds[suite]:7.1f} s")
    for kind, texts in notes.items():
        for text in texts:
            print(f"{kind}: {text}")
    if args.exit_status != 0 and totals["failed"] == 0:
        print(f"failed: meson test ended with status {args.exit_status}")
        totals["failed"] = 1
    print(f"{totals['passed']} passed, {totals['failed']} failed")
    sys.exit(0 if totals["failed"] == 0 and totals["passed"] > 0 else 1)


if __name__ == "__main__":
    main()
