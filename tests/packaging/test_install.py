"""meson install: everything an operator needs lies where he looks for it, and works from there."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

import tap  # noqa: E402

EXPECTED = [
    "bin/kontor",
    "share/man/man1/kontor.1",
    "share/man/man5/kontor.conf.5",
    "lib/systemd/system/kontor@.service",
    "lib/systemd/system/kontor@.socket",
    "lib/sysusers.d/kontor.conf",
    "lib/tmpfiles.d/kontor.conf",
    "share/kontor/haproxy.cfg",
    "share/doc/kontor/LICENSE",
    "share/doc/kontor/operate.md",
]


def _run(*args):
    return subprocess.run(args, capture_output=True, text=True, check=False)


def _install(folder):
    done = _run("meson", "install", "-C", sys.argv[1], "--no-rebuild", "--destdir", folder)
    assert done.returncode == 0, done.stdout + done.stderr


def everything_lies_in_its_place():
    found = {str(p.relative_to(PREFIX)) for p in PREFIX.rglob("*") if p.is_file()}
    assert set(EXPECTED) <= found, set(EXPECTED) - found
    assert not list(Path(STAGE).glob("etc/*")), "an operator's files are not ours"


def the_manual_pages_have_no_fault():
    for page, title in (("man1/kontor.1", "KONTOR(1)"), ("man5/kontor.conf.5", "KONTOR.CONF(5)")):
        path = PREFIX / "share/man" / page
        done = _run("groff", "-man", "-ww", "-Tutf8", path)
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert title in done.stdout


def the_manual_says_what_the_program_says():
    page = (PREFIX / "share/man/man1/kontor.1").read_text()
    commands = re.findall(r"^  (\S+) +\S", _run(PREFIX / "bin/kontor", "help").stdout, re.M)
    assert len(commands) > 5
    for name in commands:
        assert f".SS {name}\n" in page or name == "help", name


def the_unit_starts_the_program_that_is_installed():
    unit = (PREFIX / "lib/systemd/system/kontor@.service").read_text()
    program = re.search(r"^ExecStart=(\S+)", unit, re.M)[1]
    done = _run(f"{STAGE}{program}", "--version")
    assert done.returncode == 0 and done.stdout.startswith("kontor "), done.stderr


if __name__ == "__main__":
    STAGE = tempfile.mkdtemp(prefix="kontor-install-")
    try:
        _install(STAGE)
        PREFIX = next(Path(STAGE).rglob("bin/kontor")).parents[1]
        tap.run_all(dict(globals()))
    finally:
        shutil.rmtree(STAGE)
