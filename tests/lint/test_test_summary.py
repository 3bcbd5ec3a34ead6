"""tools/test_summary.py counts cases as they were, never a skip as a pass."""
import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import tap  # noqa: E402
import test_summary  # noqa: E402


def _summary(tests, meson_status=0, full=None):
    """(last line, exit status, all that was printed) for [(name, result, stdout)]."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        for name, result, stdout in tests:
            log.write(json.dumps({"name": f"kontor:{name}", "result": result, "stdout": stdout,
                                  "duration": 1.0, "returncode": 1}) + "\n")
        log.flush()
        sys.argv = ["x", log.name, "--exit-status", str(meson_status)]
        sys.argv += ["--full", full] if full else []
        said, status = io.StringIO(), 0
        with contextlib.redirect_stdout(said):
            try:
                test_summary.main()
            except SystemExit as e:
                status = e.code
    return said.getvalue().splitlines()[-1], status, said.getvalue()


def _expect(tests, last, status, meson_status=0):
    got = _summary(tests, meson_status)
    assert got[:2] == (last, status), got


def every_tap_line_is_a_case():
    _expect([("base / a", "OK", "1..2\nok 1 - one\nok 2 - two\n"), ("db / b", "OK", "1..1\nok 1\n")],
           "3 passed, 0 failed", 0)


def a_program_without_tap_is_one_case():
    _expect([("base / a", "OK", "all well\nok then\n")], "1 passed, 0 failed", 0)


def a_failed_line_fails_the_run():
    _expect([("base / a", "FAIL", "1..2\nnot ok 1 - one\nok 2 - two\n")], "1 passed, 1 failed", 1)


def a_failed_program_is_quoted():
    log = ["1..2", *(f"# early {i}" for i in range(30)), "not ok 1 - one", "# it was 503", "ok 2 - b"]
    said = _summary([("base / a", "FAIL", "\n".join(log)), ("base / b", "OK", "ok 1 - b\n# fine")])[2]
    assert "said: base/a: # it was 503" in said and "failed: base/a: one" in said, said
    assert "# early 29" in said and "# early 3\n" not in said and "# fine" not in said, said


def a_skip_is_named_and_counts_as_nothing():
    last, status, said = _summary([("db / a", "OK", "1..2\nok 1 - one # SKIP no server\nok 2 - b\n")])
    assert (last, status) == ("1 passed, 0 failed", 0), last
    assert "skipped: db/a: one: no server" in said, said


def a_skipped_program_is_no_pass():
    _expect([("db / a", "SKIP", "")], "0 passed, 0 failed", 1)


def a_crash_without_a_line_is_a_failure():
    _expect([("base / a", "ERROR", "1..2\nok 1 - one\n")], "1 passed, 1 failed", 1)
    _expect([("base / a", "TIMEOUT", "")], "0 passed, 1 failed", 1)


def a_failure_that_was_asked_for_is_a_pass():
    _expect([("fuzz / a", "EXPECTEDFAIL", "1..1\nnot ok 1 - x\n")], "1 passed, 0 failed", 0)
    _expect([("fuzz / a", "UNEXPECTEDPASS", "1..1\nok 1 - x\n")], "1 passed, 1 failed", 1)


def nothing_run_is_no_success():
    _expect([], "0 passed, 0 failed", 1)


def a_complaint_of_meson_alone_is_a_failure():
    _expect([("base / a", "OK", "")], "1 passed, 1 failed", 1, meson_status=1)


def a_full_run_is_written_into_the_document():
    with tempfile.NamedTemporaryFile("w+", suffix=".md") as doc:
        doc.write("# T\n<!-- result: begin -->\nold\n<!-- result: end -->\nrest\n")
        doc.flush()
        _summary([("base / a", "OK", "1..1\nok 1 - one\n")], full=doc.name)
        text = Path(doc.name).read_text(encoding="utf-8")
    assert "old" not in text and "| base | 1 | 0 | 0 | 1 |" in text and text.endswith("rest\n"), text


tap.run_all(dict(globals()))
