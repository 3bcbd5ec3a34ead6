"""What the demo and its tests stand on: a state folder, programs under one ordinary user, a CA.

Nothing here knows Kontor or a portal.  Programs are started in the foreground as children and
stopped by the ids that starting gave; nothing of the system's own services is touched.
"""
import contextlib
import fcntl
import os
import pwd
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Who the programs run as when the demo is started by root: PostgreSQL refuses root, and
# portals have no business being it.  The package postgresql brings this user.
ROOT_RUNS_AS = "postgres"
# A Unix socket's path has 107 octets (unix(7)); the longest of ours hangs 40 below the state.
STATE_PATH_MAX = 64


class StageError(Exception):
    """One sentence for the person at the terminal."""


class Output:
    """Progress lines: what takes long says so and says how long it took."""

    def __init__(self, stream=sys.stderr):
        self.stream = stream

    def say(self, text):
        print(text, file=self.stream, flush=True)

    @contextlib.contextmanager
    def step(self, text):
        start = time.monotonic()
        print(f"  {text} …", end="", file=self.stream, flush=True)
        try:
            yield
        except BaseException:
            print(" failed", file=self.stream, flush=True)
            raise
        print(f" {time.monotonic() - start:.1f} s", file=self.stream, flush=True)


class Stage:
    """A state folder and the user that owns it and runs everything in it."""

    def __init__(self, link: Path):
        self.user = pwd.getpwnam(ROOT_RUNS_AS) if os.getuid() == 0 else None
        self.path = self._open(link)
        self._lock = lock_folder(self.path)
        self.running = []
        # The signal of a parent's death is one of its thread's (prctl(2)): this thread stays.
        self._starter = ThreadPoolExecutor(1)

    def _open(self, link):
        """The folder `link` names.  Where the checkout's own path cannot serve (closed to the
        user, or too long for a socket) it is a symbolic link to a folder in /var/tmp."""
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink() and not link.exists():
            if self._path_serves(link.parent.resolve() / link.name):
                link.mkdir(mode=0o700)
            else:
                link.symlink_to(tempfile.mkdtemp(prefix="kontor-", dir="/var/tmp"))
            self.own(link)
        if not link.is_dir():
            raise StageError(f"{link} is not a folder; remove it and start again.")
        return link.resolve()

    def _path_serves(self, path):
        if len(os.fsencode(path)) > STATE_PATH_MAX:
            return False
        if self.user is None:
            return True
        check = subprocess.run(["test", "-x", str(path.parent)], check=False, **self._as_user())
        return check.returncode == 0

    def _as_user(self):
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def own(self, path):
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def folder(self, *parts):
        path = self.path
        for part in parts:
            path = path / part
            if not path.is_dir():
                path.mkdir(mode=0o700)
                self.own(path)
        return path

    def copy(self, source, path, mode=0o600):
        return self.write(path, Path(source).read_text(encoding="utf-8"), mode)

    def write(self, path, text, mode=0o600):
        """A file of the stage, by its path from there."""
        path = self.path / path
        path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(fd, "w", encoding="utf-8") as f:
            f.write(text)
        self.own(path)
        return path

    def _environment(self, env):
        sanitizers = {k: v for k, v in os.environ.items() if k in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                "HOME": str(self.path), **sanitizers, **(env or {})}

    def run(self, *argv, env=None, input_text=None):
        """Run to the end as the stage's user; its standard output.  A failure names the
        program and shows what it said."""
        done = subprocess.run([str(a) for a in argv], cwd=self.path, env=self._environment(env),
                              input=input_text, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, **self._as_user())
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip())[-2000:]
            raise StageError(f"{' '.join(str(a) for a in argv[:3])} failed "
                             f"(status {done.returncode}): {said}")
        return done.stdout

    def start(self, name, *argv, env=None, stop_signal=signal.SIGTERM):
        """Start a program that stays; its output goes to log/NAME.log."""
        log = self.folder("log") / f"{name}.log"
        with open(log, "ab") as out:
            self.own(log)
            # setpriv: should we be killed, the program ends too.
            command = ["setpriv", "--pdeathsig", "TERM", *(str(a) for a in argv)]
            child = self._starter.submit(
                subprocess.Popen, command, cwd=self.path, env=self._environment(env),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                **self._as_user()).result()
        program = Program(name, child, log, stop_signal)
        self.running.append(program)
        return program

    def first_ended(self):
        return next((p for p in self.running if p.child.poll() is not None), None)

    def end(self, program, by=None):
        """Stop one program before the others, by its own signal or by another; nobody misses it."""
        self.running.remove(program)
        program.stop(by)

    def stop(self):
        """Stop what was started, last first."""
        while self.running:
            self.running.pop().stop()


def lock_folder(path):
    """One user of a state folder at a time.  The lock is the open file returned: it goes with
    the process, however that ends."""
    lock = open(path / "lock", "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        raise StageError(f"{path} is in use: a demo is running.") from e
    return lock


class Program:
    patience_s = 20  # with a program that is told to stop

    def __init__(self, name, child, log, stop_signal):
        self.name, self.child, self.log, self.stop_signal = name, child, log, stop_signal

    def stop(self, by=None):
        """SIGKILL is for all its processes at once, as when a machine fails."""
        if self.child.poll() is None and by != signal.SIGKILL:
            self.child.send_signal(by or self.stop_signal)
            try:
                self.child.wait(self.patience_s)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        # What it left behind: Apache that fails to start forgets its CGI daemon.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def wait_ready(self, is_ready, seconds=30):
        """Until is_ready() is true; a program that ends before is an error with its last words."""
        end = time.monotonic() + seconds
        while not is_ready():
            if self.child.poll() is not None:
                raise StageError(f"{self.name} ended at once (status {self.child.returncode}); "
                                 f"{self.log} says:\n{self.last_words()}")
            if time.monotonic() > end:
                raise StageError(f"{self.name} is not ready after {seconds} s; see {self.log}.")
            time.sleep(0.05)

    def last_words(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def wait_for_enter(seconds):
    """True when a line came in on standard input within that time."""
    if not sys.stdin or not sys.stdin.isatty():
        time.sleep(seconds)
        return False
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(ready and sys.stdin.readline())


def check_ports_free(ports):
    """ports: {number: what for}."""
    for port, what in ports.items():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError as e:
                raise StageError(f"Port {port}, wanted for {what}, is taken by another program; "
                                 "stop it and start again.") from e


class Authority:
    """The demo's certificate authority and the keys that portals need, by the openssl command."""

    DAYS = "825"

    def __init__(self, stage):
        self.stage = stage
        self.folder = stage.folder("ca")
        self.cert = self.folder / "ca.crt"
        if not self.cert.exists():
            self.self_signed("ca/ca", "ec", "Kontor demo CA", days="3650",
                             extensions=["basicConstraints=critical,CA:true,pathlen:0",
                                         "keyUsage=critical,keyCertSign,cRLSign"])

    KEY_TYPES = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
                 "rsa": ["-newkey", "rsa:3072"]}

    def _request(self, stem, key_type, common_name, *more):
        self.stage.run("openssl", "req", "-new", *self.KEY_TYPES[key_type], "-nodes", "-sha256",
                       "-subj", f"/CN={common_name}", "-keyout", f"{stem}.key", *more)

    def self_signed(self, stem, key_type, common_name, days=DAYS, extensions=()):
        """STEM.key and STEM.crt: a key with a certificate that says no more than its name
        (SAML trusts the key because it stands in the metadata)."""
        added = [a for x in extensions for a in ("-addext", x)]
        self._request(stem, key_type, common_name, "-x509", "-days", days, "-out", f"{stem}.crt",
                      *added)

    def tls(self, stem, host):
        """STEM.key and STEM.crt: a TLS server of this name, signed by the CA."""
        self._request(stem, "ec", host, "-out", f"{stem}.csr")
        extensions = self.stage.write(f"{stem}.ext", f"subjectAltName=DNS:{host}\n"
                                      "basicConstraints=critical,CA:false\n"
                                      "extendedKeyUsage=serverAuth\n")
        self.stage.run("openssl", "x509", "-req", "-in", f"{stem}.csr", "-CA", self.cert,
                       "-CAkey", self.folder / "ca.key", "-days", self.DAYS, "-sha256",
                       "-extfile", extensions, "-out", f"{stem}.crt")
