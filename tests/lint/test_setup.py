"""tools/setup.sh on a machine made of stand-ins: what it would install, and when it asks nobody."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

import tap  # noqa: E402

NEEDED = ["bash", "cat", "cmp", "comm", "cp", "dirname", "grep", "head", "id", "mktemp", "readlink",
          "rm", "sed", "sort", "tail", "tr"]


class Machine:
    """A folder with a checkout and a PATH of its own; calls of the stand-ins are in `calls`."""

    def __init__(self, folder, installed, broken=()):
        self.root, self.bin = folder / "checkout", folder / "bin"
        self.log = folder / "calls"
        (self.root / "tools").mkdir(parents=True)
        self.bin.mkdir()
        for name in ("setup.sh", "packages.txt", "packages-bench.txt"):
            shutil.copy(ROOT / "tools" / name, self.root / "tools" / name)
        for name in NEEDED:
            (self.bin / name).symlink_to(shutil.which(name))
        have = "\n".join(f"ii  {name}" for name in installed)
        self.stand_in("dpkg-query", f"cat <<'END'\n{have}\nEND\nexit 1")
        for name in ("apt-get", "npm", "env", "systemctl", "update-rc.d"):
            status = 1 if name in broken else 0
            self.stand_in(name, f'echo "{name} $*" >>"{self.log}"\nexit {status}')
        # Whoever runs this, the stand-in is root.
        (self.bin / "id").unlink()
        self.stand_in("id", "echo 0")

    def stand_in(self, name, body):
        path = self.bin / name
        path.write_text(f"#!{shutil.which('bash')}\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def setup(self, *args):
        done = subprocess.run([str(self.bin / "bash"), str(self.root / "tools/setup.sh"), *args],
                              env={"PATH": str(self.bin), "TMPDIR": os.environ.get("TMPDIR", "/tmp")},
                              check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout + done.stderr

    @property
    def calls(self):
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


def _packages():
    text = (ROOT / "tools" / "packages.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _on_machine(installed, test, **how):
    with tempfile.TemporaryDirectory() as name:
        test(Machine(Path(name), installed, **how))


def nothing_is_asked_when_nothing_is_missing():
    def test(m):
        assert m.setup("--quiet") == (0, ""), m.setup("--quiet")
        assert m.calls == "", m.calls
    _on_machine(_packages(), test)


def only_what_is_missing_is_installed():
    def test(m):
        status, said = m.setup()
        assert status == 0 and "installing 2 Debian packages: meson xmlsec1" in said, said
        assert "apt-get update" in m.calls, m.calls
        assert "apt-get install -y --no-install-recommends meson xmlsec1\n" in m.calls, m.calls
    _on_machine([p for p in _packages() if p not in ("meson", "xmlsec1")], test)


def a_mail_server_that_is_there_stays():
    def test(m):
        assert m.setup("--quiet") == (0, ""), m.calls
    _on_machine([p for p in _packages() if p != "exim4-daemon-light"] + ["postfix mail-transport-agent"],
                test)


def npm_comes_from_debian_only_where_there_is_none():
    def test(m):
        (m.bin / "npm").unlink()
        m.setup()
        assert "--no-install-recommends npm\n" in m.calls, m.calls
    _on_machine(_packages(), test)


def npm_packages_are_fetched_once_a_lock_file():
    def test(m):
        lock = m.root / "web" / "package-lock.json"
        (lock.parent / "node_modules").mkdir(parents=True)
        lock.write_text("one", encoding="utf-8")
        for text, calls in (("one", 1), ("one", 1), ("two", 2)):
            lock.write_text(text, encoding="utf-8")
            assert m.setup()[0] == 0
            assert m.calls.count("npm ci") == calls, m.calls
    _on_machine(_packages(), test)


def a_failure_of_apt_is_one_sentence_and_a_status():
    def test(m):
        status, said = m.setup()
        assert status == 1 and "setup: apt-get update failed; is the network up?" in said, said
    _on_machine([], test, broken=["apt-get"])


def what_only_the_bench_needs_is_installed_only_for_it():
    def test(m):
        assert m.setup()[0] == 0
        assert m.calls == "", m.calls
        assert m.setup("--quiet", "--bench")[0] == 0
        assert " nginx-light" in m.calls, m.calls
        status, said = m.setup("--benches")
        assert status == 1 and "not --benches" in said, said
    _on_machine(_packages(), test)


def without_root_and_sudo_it_says_so():
    def test(m):
        m.stand_in("id", "echo 1000")
        status, said = m.setup()
        assert status == 1 and said == "setup: installing meson needs root or sudo.\n", said
        assert m.calls == "", m.calls
    _on_machine([p for p in _packages() if p != "meson"], test)


tap.run_all(dict(globals()))
