"""An instance as an operator makes one: a database, a configuration file, the program's own commands.

KONTOR_TEST_DB (tools/pg-temp) names the cluster; each instance has a database of its own in it.
"""
import contextlib
import fcntl
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

OK, FAILED, USAGE, NOT_FOUND, UNAVAILABLE, DENIED, CONFLICT = range(7)  # exit codes: idp/cli.h
PASSWORD = "Lachs-Turmuhr-Wiese-47"
_numbers = itertools.count(1)


class Said:
    """How a command ended."""

    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"status {self.status}: {self.out}{self.err}"


def says(said, status, *parts):
    """A command ended so and said these things."""
    text = said.out + said.err
    assert said.status == status and all(p in text for p in parts), (parts, said)


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def psql(conninfo, *statements):
    """What they say, in one session."""
    words = [word for statement in statements for word in ("-c", statement)]
    done = subprocess.run(["psql", "-X", "-A", "-t", "-q", "-d", conninfo, *words],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Instance:
    """An empty database, or a copy of another one.  `name`: of a database that is there already."""

    def __init__(self, program, template=None, name=None):
        self.program = str(Path(program).resolve())
        self._temporary = tempfile.TemporaryDirectory(prefix="kontor-operate-")
        self.folder = Path(self._temporary.name)
        os.chmod(self.folder, 0o755)
        self.cluster = cluster = os.environ["KONTOR_TEST_DB"]
        if name is None:
            name = f"operate_{os.getpid()}_{next(_numbers)}"
            psql(cluster, f"CREATE DATABASE {name} STRATEGY FILE_COPY"
                 + (f" TEMPLATE {template}" if template else ""))
        self.name = name
        self.database = re.sub(r"dbname=\S+", f"dbname={name}", cluster)
        assert name in self.database, cluster
        self.conf = self.folder / "kontor.conf"
        self.master = self.folder / "master.key"
        self.metrics_socket = self.folder / "metrics"
        self.write_conf()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        psql(self.cluster, f"DROP DATABASE {self.name} WITH (FORCE)")
        self.clean()

    def clean(self):
        """All but the database, whose cluster is gone."""
        self._temporary.cleanup()

    def write_conf(self, path=None, **settings):
        """The configuration with some settings changed; None leaves one out."""
        rows = {"instance": "sachsen", "base_url": "https://konto.example", "listen": "127.0.0.1:1",
                "database": self.database, "master_key_file": self.master} | settings
        path = path or self.conf
        path.write_text("".join(f"{k} = {v}\n" for k, v in rows.items() if v is not None))
        return path

    def run(self, *words, conf=None, stdin="", user=None):
        """One command, with --config."""
        return Said(subprocess.run(
            [self.program, *map(str, words), "--config", str(conf or self.conf)], input=stdin,
            capture_output=True, text=True, check=False, timeout=180, user=user,
            extra_groups=[] if user else None))

    def ok(self, *words, stdin=""):
        """What a command that has to work answers as JSON."""
        said = self.run(*words, "--json", stdin=stdin)
        assert said.status == 0, f"{words}: {said}"
        return said.json() if said.out.strip() else None

    def copy(self):
        """Another one with the same data and keys, as a restore makes it."""
        other = Instance(self.program, template=self.name)
        shutil.copy(self.master, other.master)
        return other

    def dump(self, file):
        subprocess.run(["pg_dump", "-Fc", "-f", str(file), "-d", self.database], check=True)

    def restored(self, file):
        """Another one, with the data of a dump and the keys that there are now."""
        other = Instance(self.program)
        subprocess.run(["pg_restore", "--exit-on-error", "-d", other.database, str(file)], check=True)
        shutil.copy(self.master, other.master)
        for name in self.folder.glob("tls.*"):
            shutil.copy(name, other.folder)
        return other

    def add_account(self, name, *words):
        self.ok("account", "add", name, *words, stdin=PASSWORD + "\n")

    def sql(self, *statements):
        return psql(self.database, *statements)

    @contextlib.contextmanager
    def node(self, run_as=None, prefix=(), **settings):
        """`prefix`: a command that starts it, as setpriv."""
        node = Node(self, settings, run_as, prefix)
        try:
            yield node
        finally:
            node.stop()

    @contextlib.contextmanager
    def tls_node(self, **settings):
        """A node that ends TLS itself, as konto.localhost, with tls.crt and tls.key of the folder."""
        node = TlsNode(self, {"tls_certificate": self.folder / "tls.crt",
                              "tls_key": self.folder / "tls.key"} | settings)
        try:
            yield node
        finally:
            node.stop()


def make_template(program):
    """What others are copied from, one for all tests in a cluster of pg-temp: RSA keys take their
    time.  Nobody may connect to its database, or it cannot be copied meanwhile."""
    state = os.stat(program)
    folder = Path(re.search(r"host=(/\S+)", os.environ["KONTOR_TEST_DB"])[1])
    kept = folder / f"template_{state.st_mtime_ns}_{state.st_size}"
    with open(folder / "template.lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = Instance(program)
            made.ok("migrate")
            made.ok("key", "init")
            psql(made.cluster, f"ALTER DATABASE {made.name} RENAME TO {kept.name}")
            shutil.copy(made.master, kept)
    template = Instance(program, name=kept.name)
    shutil.copy(kept, template.master)
    return template


class Node:
    """`kontor serve` on a port of its own, in plain HTTP as behind a proxy."""

    def __init__(self, instance, settings, run_as=None, prefix=()):
        self.port = settings.pop("port", None) or _free_port()
        self.instance, self.host = instance, "konto.example"
        number = next(_numbers)
        self.conf = instance.folder / f"node{number}.conf"
        self.configure(**settings)
        self.log_path = instance.folder / f"node{number}.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([*prefix, instance.program, "serve", "--config", str(self.conf)],
                                            stderr=log, user=run_as,
                                            extra_groups=[] if run_as else None)
        self.wait(self.serves, "serves")

    def configure(self, **settings):
        self.instance.write_conf(self.conf, listen=f"127.0.0.1:{self.port}", **settings)

    def serves(self):
        return self.get("/oidc/jwks")[0] == 200

    def connect(self, timeout):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def get(self, path, timeout=5):
        """Status and body; 0 when nobody answers."""
        connection = self.connect(timeout)
        try:
            connection.request("GET", path, headers={"Host": self.host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as e:
            return 0, repr(e)
        finally:
            connection.close()

    def wait(self, holds, what, seconds=60):
        until = time.monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, f"{what}: ended: {self.log()}"
            assert time.monotonic() < until, f"not in {seconds} s: {what}: {self.log()}"
            time.sleep(0.02)

    def log(self):
        return self.log_path.read_text()

    def children(self):
        """Process ids by kind."""
        found = {}
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for pid in map(int, listed.split()):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if len(words) > 2:  # none once it is dead
                    found[words[-2].decode()] = pid
        return found

    def metrics(self):
        """Names with labels to values; the node has `listen_metrics`: its instance's metrics_socket."""
        done = subprocess.run(["curl", "-sS", "--unix-socket", self.instance.metrics_socket,
                               f"http://{self.host}/metrics"], check=True, capture_output=True,
                              text=True)
        return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines() if line[0] != "#")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


class TlsNode(Node):
    def configure(self, **settings):
        self.host = f"konto.localhost:{self.port}"
        self.base = f"https://{self.host}"
        super().configure(base_url=self.base, **settings)

    def serves(self):
        return self.get("/health/ready")[0] == 200

    def connect(self, timeout):
        context = ssl.create_default_context(cafile=str(self.instance.folder / "tls.crt"))
        context.check_hostname = False  # it is called by its address
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
