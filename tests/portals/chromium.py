"""The walk in a real browser (tests/browser/walk.mjs) through a demo that runs."""
import json
import os
import re
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "browser"
RESULT = re.compile(r"(not ok|ok) \d+ - (.*)")


def walk(checks, node, demo, persons, shots=None):
    """Each test case of the walk becomes a check; `shots` is a folder for pictures."""
    kontor = demo.kontor
    with checks.scene("in Chromium"):
        with kontor.visitor(persons["erika"]) as scripted, kontor.visitor(persons["erika"]) as plain:
            world = {"kontor": kontor.base, "amt24": demo.amt24.base,
                     "gewerbeportal": demo.gewerbeportal.base,
                     "scripted": describe(scripted), "plain": describe(plain)}
            argv = [node, f"--test-reporter={FOLDER / 'tap.mjs'}", FOLDER / "walk.mjs"]
            if shots:
                argv += ["--shots", Path(shots).absolute()]
            report(checks, subprocess.run(argv, env={**os.environ, "WALK": json.dumps(world)},
                                          stdout=subprocess.PIPE, text=True, check=False))


def describe(person):
    return {"login_name": person.login_name, "password": person.password,
            "totp": person.totp.secret, "attributes": person.attributes}


def report(checks, done):
    """What walk.mjs said, case by case: its comments, then the result they belong to."""
    plan, cases = None, []
    for line in done.stdout.splitlines():
        if match := RESULT.fullmatch(line):
            cases.append((match[2], match[1] == "ok", []))
        elif line.startswith("1.."):
            plan = int(line[3:])
        elif cases:
            cases[-1][2].append(line)
    for title, good, said in cases:
        checks.true(title, good, "\n".join(said))
    checks.true("the walk goes to its end",
                plan == len(cases) > 0 and (done.returncode == 0) == all(good for _, good, _ in cases),
                f"status {done.returncode}, plan {plan}, {len(cases)} cases")
