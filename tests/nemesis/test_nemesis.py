#!/usr/bin/env python3
"""Races of all one-time things, then a short run of the nemesis, each fault once: service comes back
after each, and no rule is broken.

Arguments: the program, the library of clock.c, the tool of race.c, how long "within a second" is here,
and the seconds in which full service has to be back: more with sanitizers.
"""
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import nemesis  # noqa: E402
import races  # noqa: E402
import tap  # noqa: E402

FULL = bool(os.environ.get("KONTOR_TEST_FULL"))
TRIES = 20_000 if FULL else 100
THREADS = 8 if FULL else 4
OUTAGES = {"tries": 2_000, "most": 100} if FULL else {"tries": 60, "most": 1}

RULES = {
    "once": "each one-time thing counted at most once",
    "second-use": "a code used twice took back what it gave",
    "lost": "every acknowledged change is there",
    "unrecorded": "nothing was given without its row",
    "after-revocation": "nothing was given after a revocation",
    "audit": "the audit trail has one row for each change",
    "content": "level, audience, person and time were right and signed",
    "service": "every node served again in time and by itself",
    "clock": "a node with a wrong clock said so",
    "surprise": "no page surprised a client",
    "idle": "every kind of operation succeeded",
}


def _case(name, run):
    run.__name__ = name
    return run


def _raced(name, wrong, tally):
    def run():
        assert not wrong, (wrong, tally)
    return _case(name, run)


def _race(place, tool, seed):
    """Every kind; while PostgreSQL dies in the short size a kind or two, by turns."""
    raced, kinds = races.Races(place, tool, seed, THREADS), list(races.KINDS)
    for kind in kinds:
        tally, wrong = raced.run(kind, TRIES)
        yield _raced(f"{TRIES} of {kind} raced at two nodes counted once", wrong, tally)
    for i, kind in enumerate(kinds):
        if FULL or i % 4 == seed % 4:
            tally, wrong = raced.run_with_outages(kind, **OUTAGES)
            yield _raced(f"{kind} raced while PostgreSQL dies counted at most once", wrong, tally)


def _fault(name, served, why_not):
    def run():
        if served is None:
            raise tap.Skip(why_not)
    return _case(f"{name} came and went", run)


def _rule(rule, found):
    def run():
        broken = [text for r, text in found if r == rule]
        assert not broken, f"{len(broken)}: " + "\n".join(broken[:5])
    return _case(RULES[rule], run)


if __name__ == "__main__":
    nemesis.in_a_mount_namespace()
    kontor, clock, race, at_once, patience = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="nemesis-") as keep:
        words = ["--kontor", kontor, "--clock", clock, "--at-once", at_once, "--patience", patience,
                 "--keep", os.environ.get("NEMESIS_KEEP", keep)]
        if not FULL:
            words.append("--short")
        args, raced = nemesis.parse(words), []
        found, _, rows = nemesis.run(
            args, lambda place: raced.extend(_race(place, race, args.seed)))
    unknown = {rule for rule, _ in found} - RULES.keys()
    assert not unknown, unknown
    tap.run(raced + [_fault(*row) for row in rows] + [_rule(rule, found) for rule in RULES])
