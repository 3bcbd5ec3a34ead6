"""What is installed beside the program: systemd finds nothing wrong with it."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
sys.path[:0] = [str(ROOT / "tests")]

import tap  # noqa: E402

MOST_EXPOSED = 20  # tenths; a supervisor that becomes two users has to start as root


def _instance(folder):
    """The template as a unit of its own, started by the program that was built."""
    program = str(Path(sys.argv[1]).resolve())  # meson 1.0 names it from the build folder
    unit = (PACKAGING / "kontor@.service").read_text().replace("/usr/bin/kontor", program)
    path = Path(folder) / "kontor@test.service"
    path.write_text(unit)
    return path


def _run(*args):
    assert shutil.which(args[0]), f"{args[0]} is not here; ./dev setup installs it"
    return subprocess.run(args, capture_output=True, text=True, check=False)


def the_service_is_understood():
    with tempfile.TemporaryDirectory() as folder:
        path = _instance(folder)
        shutil.copy(PACKAGING / "kontor@.socket", Path(folder) / "kontor@test.socket")
        done = _run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path)
        complaints = [line for line in done.stderr.splitlines() if "kontor@test" in line]
        assert done.returncode == 0 and not complaints, done.stderr


def the_service_gives_up_what_it_does_not_need():
    with tempfile.TemporaryDirectory() as folder:
        done = _run("systemd-analyze", "security", "--offline=true",
                    f"--threshold={MOST_EXPOSED}", _instance(folder))
        level = re.search(r"exposure level for .*: ([0-9.]+)", done.stdout)
        assert done.returncode == 0, level[0] if level else done.stderr


def the_socket_starts_nothing_by_itself():
    # So the level of exposure, which is one of processes, says nothing about it.
    keys = {line.split("=")[0] for line in (PACKAGING / "kontor@.socket").read_text().splitlines() if "=" in line}
    assert "ListenStream" in keys and not [key for key in keys if key.startswith("Exec") or key == "Accept"], keys


def every_unit_is_looked_at():
    assert sorted(p.name for p in PACKAGING.glob("*@.*")) == ["kontor@.service", "kontor@.socket"]


def the_users_and_folders_are_understood():
    if os.geteuid() != 0:
        return  # both tools give files to root
    with tempfile.TemporaryDirectory() as folder:
        etc = Path(folder) / "etc"
        etc.mkdir()
        (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (etc / "group").write_text("root:x:0:\n")
        for tool, name in (("systemd-sysusers", "kontor.sysusers"), ("systemd-tmpfiles", "kontor.tmpfiles")):
            more = ["--create"] if tool == "systemd-tmpfiles" else []
            done = _run(tool, *more, f"--root={folder}", PACKAGING / name)
            assert done.returncode == 0, f"{name}: {done.stderr}"
        users = (etc / "passwd").read_text()
        assert "kontor-signer:" in users and "kontor-hsm:" in users
        assert (etc / "kontor").stat().st_mode & 0o777 == 0o750


if __name__ == "__main__":
    tap.run_all(dict(globals()))
