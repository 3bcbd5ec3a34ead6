#!/usr/bin/env python3
"""Redemptions of one code at two nodes at the same moment: one succeeds, and is taken back.

Arguments: the program, the library of clock.c, the tool of race.c.
"""
import os
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / d) for d in ("", "operate", "bench", "portals"))]

import races  # noqa: E402
import tap  # noqa: E402
from cluster import Place  # noqa: E402

TRIES = 100_000 if os.environ.get("KONTOR_TEST_FULL") else 1_000


def of_raced_redemptions_each_code_counts_once_and_is_taken_back():
    seed = random.SystemRandom().randrange(1_000_000)
    place = Place(KONTOR, CLOCK, fast=True)
    try:
        tally, wrong = races.run(place, RACE, TRIES, seed)
    finally:
        place.close()
    print(f"# seed {seed}: {tally}")
    assert not wrong, (seed, wrong, tally)


if __name__ == "__main__":
    KONTOR, CLOCK, RACE = sys.argv[1:]
    tap.run_all(dict(globals()))
