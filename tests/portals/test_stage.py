"""The demo's stage: one user, one folder, programs that are really stopped, errors in one sentence."""
import io
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import selfcheck  # noqa: E402
import tap  # noqa: E402
import totp  # noqa: E402
from browser import BrowserError  # noqa: E402
from stage import Output, Stage, StageError, check_ports_free  # noqa: E402


class _Folder:
    """A temporary folder that every user may pass through, as a checkout in /home or /srv is."""

    def __enter__(self):
        self.made = tempfile.TemporaryDirectory()
        os.chmod(self.made.name, 0o755)
        return Path(self.made.name)

    def __exit__(self, *_):
        self.made.cleanup()


def _refused(action, part):
    try:
        action()
    except StageError as e:
        assert part in str(e), e
    else:
        raise AssertionError(f"not refused: {part}")


def programs_never_run_as_root():
    with _Folder() as folder:
        assert Stage(folder / "s").run("id", "-u").strip() != "0"


def a_state_folder_is_closed_to_others():
    with _Folder() as folder:
        stage = Stage(folder / "s")
        assert stage.path.stat().st_mode & 0o077 == 0
        assert stage.write("x", "secret").stat().st_mode & 0o077 == 0


def a_state_folder_whose_path_cannot_serve_is_a_link_to_one_that_can():
    with _Folder() as folder:
        deep = folder / ("d" * 60) / "s"
        stage = Stage(deep)
        assert deep.is_symlink() and len(str(stage.path)) <= 64, stage.path
        stage.path.joinpath("lock").unlink()
        stage.path.rmdir()


def a_second_user_of_the_folder_is_refused():
    with _Folder() as folder:
        first = Stage(folder / "s")
        _refused(lambda: Stage(folder / "s"), "a demo is running")
        assert first.path.is_dir()


def a_failing_command_is_named_with_its_words():
    with _Folder() as folder:
        _refused(lambda: Stage(folder / "s").run("sh", "-c", "echo broken >&2; exit 3"),
                 "status 3): broken")


def a_program_that_ends_at_once_is_an_error_with_its_last_words():
    with _Folder() as folder:
        stage = Stage(folder / "s")
        program = stage.start("p", "sh", "-c", "echo no such thing; exit 1")
        _refused(lambda: program.wait_ready(lambda: False), "no such thing")


def programs_are_stopped_last_first_and_by_force_if_need_be():
    with _Folder() as folder:
        stage = Stage(folder / "s")
        quiet = stage.start("quiet", "sleep", "100")
        deaf = stage.start("deaf", "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done")
        deaf.wait_ready(lambda: "up" in deaf.log.read_text())
        deaf.patience_s = 0.3
        stage.stop()
        assert quiet.child.returncode == -15 and deaf.child.returncode == -9


def what_a_program_leaves_behind_is_stopped_too():
    with _Folder() as folder:
        stage = Stage(folder / "s")
        program = stage.start("p", "sh", "-c", "sleep 100 & echo $!; exit 1")
        program.child.wait()
        orphan = int(program.log.read_text())
        os.kill(orphan, 0)
        stage.stop()
        for _ in range(100):
            if not _runs(orphan):
                return
            time.sleep(0.02)
        raise AssertionError(f"{orphan} still runs")


def _runs(pid):
    """Not gone, and not only waiting for somebody to take note of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def a_port_that_is_taken_is_named():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        _refused(lambda: check_ports_free({port: "Amt24"}), f"Port {port}, wanted for Amt24")


def codes_are_those_of_rfc_6238():
    key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for second, want in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.code(key, second // 30) == want


def a_code_is_never_taken_twice():
    with _Folder() as folder:
        app = totp.Totp("GEZDGNBVGY3TQOJQ", folder / "last")
        out = Output(io.StringIO())
        now = int(time.time()) // totp.STEP_S
        first, second = app.next_code(out), app.next_code(out)
        assert int((folder / "last").read_text()) > now and first != second


def a_difference_is_a_failed_check():
    said = io.StringIO()
    checks = selfcheck.Checks(Output(said))
    checks.equal("one", {"a": "1"}, {"a": "1"})
    checks.equal("two", {"a": "1"}, {"a": "2"})
    checks.true("three", False)
    assert (checks.passed, checks.failed) == (1, 2) and "FAILED  two" in said.getvalue()


def a_scene_that_breaks_down_is_a_failed_check_and_the_next_goes_on():
    checks = selfcheck.Checks(Output(io.StringIO()))
    for fault in (BrowserError("x"), KeyError("x"), TypeError("x")):
        with checks.scene("s"):
            raise fault
    assert (checks.passed, checks.failed) == (0, 3)


tap.run_all(dict(globals()))
