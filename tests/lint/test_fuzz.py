"""The time that a fuzz target has had is counted, and a finding is not passed over."""
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import fuzz  # noqa: E402
import tap  # noqa: E402

WORKS = """#!/bin/sh
i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done
echo "stat::number_of_executed_units: 7"
"""


def _place(script):
    folder = Path(tempfile.mkdtemp(dir=place))
    fuzz.SOURCES, fuzz.KEPT = folder / "tests", folder / "var"
    (folder / "tests").mkdir()
    (folder / "tests" / "fuzz_one.c").touch()
    (folder / "fuzz_one").write_text(script)
    (folder / "fuzz_one").chmod(0o755)
    return folder


def runs_count_until_a_target_has_had_its_time():
    build = _place(WORKS)
    assert fuzz.run_once(build, "one", 1)[0] == 0
    first = fuzz.kept("one")
    assert first["tries"] == 7 and first["seconds"] > 0, first
    assert fuzz.until(build, "one", first["seconds"])
    assert fuzz.kept("one") == first
    assert fuzz.until(build, "one", first["seconds"] + 0.01)
    assert fuzz.kept("one")["tries"] == 14, fuzz.kept("one")


def a_finding_ends_it_and_its_time_counts_all_the_same():
    build = _place(WORKS + "exit 77\n")
    assert not fuzz.until(build, "one", 1000)
    assert fuzz.kept("one")["tries"] == 7


def the_totals_take_the_place_of_the_last_ones():
    build = _place(WORKS)
    doc = build / "doc.md"
    doc.write_text(f"before\n{fuzz.BEGIN}old\n{fuzz.END}after\n")
    fuzz.run_once(build, "one", 1)
    fuzz.record(doc)
    text = doc.read_text()
    assert "old" not in text and text.startswith("before\n") and text.endswith("after\n"), text
    assert "| one | 0.0 | 7 |" in text, text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        tap.run_all(dict(globals()))
