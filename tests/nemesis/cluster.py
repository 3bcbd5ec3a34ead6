"""What the nemesis strikes: PostgreSQL, two nodes as systemd runs them, HAProxy as it is shipped."""
import argparse
import contextlib
import http.client
import importlib.machinery
import importlib.util
import json
import os
import signal
import struct
import subprocess
import threading
import time
from pathlib import Path

import instance
from instance import Instance
from place import METADATA, free_port

ROOT = Path(__file__).resolve().parents[2]
HOST = "konto.localhost"
BACK, ACS = "https://portal.localhost/back", "https://portal.localhost/acs"
ENTITY = "https://portal.localhost/"
RESTART_S = 1          # kontor@.service: RestartSec
START_S = 60
DIE_WITH_US = ["setpriv", "--pdeathsig", "KILL"]
SMALL_DISK_MIB = 48
# Quick to hash: what is tested is not the password's strength.
SETTINGS = {"password_memory": "1MiB", "password_passes": 1, "trusted_proxy": "127.0.0.1",
            "connections_per_source": 256, "log_level": "info", "requests_hourly": 1000}


def _pg_temp():
    loader = importlib.machinery.SourceFileLoader("pg_temp", str(ROOT / "tools" / "pg-temp"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("pg_temp", loader))
    loader.exec_module(module)
    return module


def children(pid):
    with contextlib.suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def wait_gone(pids, seconds=30):
    until = time.monotonic() + seconds
    while any(Path(f"/proc/{p}").exists() and _state(p) != "Z" for p in pids):
        if time.monotonic() > until:
            raise TimeoutError(f"still there: {pids}")
        time.sleep(0.01)


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


class SmallDisk:
    """A file system that can be filled; `why_not` says why there is none."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m,mode=777",
                               "nemesis", self.folder], capture_output=True, text=True, check=False)
        self.why_not = None if done.returncode == 0 else \
            f"no small file system can be mounted here ({done.stderr.strip()})"

    def fill(self):
        with contextlib.suppress(OSError), open(self.folder / "filler", "ab", buffering=0) as f:
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(bytes(size))

    def free(self):
        (self.folder / "filler").unlink(missing_ok=True)

    def unmount(self):
        if self.why_not is None:
            self.why_not = "unmounted"
            subprocess.run(["umount", "-l", self.folder], check=False)


class Postgres(_pg_temp().Cluster):
    """A cluster whose log (WAL) lies on a small disk, and which can die."""

    settings = {"max_wal_size": "16MB", "min_wal_size": "2MB", "wal_init_zero": "on",
                "wal_recycle": "on", "checkpoint_timeout": "30s", "restart_after_crash": "on"}

    def __init__(self, fast):
        super().__init__(argparse.Namespace(dir=None, fast=fast, user="postgres"))
        os.chmod(self.dir, 0o711)
        self.disk = SmallDisk(Path(self.dir) / "disk")
        wal = self.disk.folder / "wal"
        self.init_words = ["--wal-segsize=1", "-X", str(wal)]
        os.chmod(self.disk.folder, 0o777)
        self.init()
        self.start()

    def kill(self):
        """The postmaster at once; its children see it and end."""
        left = children(self.server.pid)
        self.server.kill()
        self.server.wait()
        wait_gone(left)

    def revive(self, seconds=60):
        """As its own supervisor would: again and again until it stays."""
        until = time.monotonic() + seconds
        while self.server is None or self.server.poll() is not None:
            with contextlib.suppress(SystemExit):  # what a failed start ends with
                self.start()
            if time.monotonic() > until:
                raise TimeoutError("PostgreSQL does not start again")
            time.sleep(0.1)

    def backends(self):
        """Process ids of Kontor's own connections."""
        rows = instance.psql(self.conninfo, "SELECT pid FROM pg_stat_activity WHERE"
                             " application_name LIKE 'kontor%'").split()
        return [int(pid) for pid in rows]

    def family(self):
        return [self.server.pid, *children(self.server.pid)]

    def drop(self):
        with contextlib.suppress(OSError):
            os.kill(self.server.pid, signal.SIGCONT)
        super().stop()
        self.disk.unmount()
        super().drop()


class Node:
    """One node and what systemd does for it: RestartSec after its main process failed, the rest of
    its processes is killed and it is started again."""

    def __init__(self, made, name, disk, clock=None):
        self.instance, self.name, self.port, self.starts = made, name, free_port(), 0
        self.killed = 0  # how often it had to be started again
        self.socket = made.folder / f"{name}.sock"
        self.conf = made.folder / f"{name}.conf"
        self.log_path = disk / f"{name}.log"
        self.env = dict(os.environ)
        self.clock = None
        if clock is not None:
            self.clock = made.folder / f"{name}.clock"
            self.env |= {"LD_PRELOAD": clock, "KONTOR_CLOCK": str(self.clock)}
            self.shift_clock(0)
        self.process, self._stopping = None, False

    def configure(self, base_url):
        self.base, self.host = base_url, base_url.split("//")[1]
        self.instance.write_conf(self.conf, base_url=base_url,
                                 listen=f"127.0.0.1:{self.port} unix:{self.socket}",
                                 **SETTINGS | {"trusted_proxy": "127.0.0.1/32 unix"})

    def start(self):
        threading.Thread(target=self._keep, daemon=True).start()
        until = time.monotonic() + START_S
        while not self.is_ready():
            if time.monotonic() > until:
                raise TimeoutError(f"{self.name} does not start: {self.log_path.read_text()[-3000:]}")
            time.sleep(0.05)

    def _keep(self):
        while not self._stopping:
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    [*DIE_WITH_US, self.instance.program, "serve", "--config", str(self.conf)],
                    stderr=log,
                    env=self.env, start_new_session=True)
            self.starts += 1
            self.process.wait()
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)  # KillMode=mixed
            if not self._stopping:
                time.sleep(RESTART_S)

    def stop(self):
        self._stopping = True
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)

    def kill(self, kind):
        """SIGKILL to its "signer", its "http" process or the "supervisor"."""
        pid = self.process.pid if kind == "supervisor" else self.pids().get(kind)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        return pid

    def pids(self):
        found = {}
        for pid in children(self.process.pid):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if len(words) > 2:
                    found[words[-2].decode()] = pid
        return found

    def shift_clock(self, seconds):
        if not self.clock.exists():
            self.clock.write_bytes(struct.pack("=q", 0))
        with open(self.clock, "r+b") as f:
            f.write(struct.pack("=q", seconds))

    def get(self, path, timeout=3):
        """Status and body; 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": self.host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as e:
            return 0, repr(e)
        finally:
            connection.close()

    def is_ready(self):
        return self.get("/health/ready")[0] == 200


class Party:
    """A portal: what it may be told, and what the model expects of it."""

    def __init__(self, name, *policy, least=None, cap=None):
        self.name, self.policy, self.least, self.cap = name, policy, least, cap
        self.front = name.split("-")[0]
        self.id = ENTITY + name if self.front == "saml" else name
        self.secret = None

    def words(self):
        return ["--attribute", "family_name", "--vocabulary", "short", "--sector", self.name,
                *self.policy]


def parties():
    made = []
    for front in ("saml", "oidc"):
        made += [Party(f"{front}-plain"),
                 Party(f"{front}-capped", "--level-cap", "low", cap="low"),
                 Party(f"{front}-strict", "--level", "substantial", least="substantial"),
                 Party(f"{front}-switched")]
    return {p.name: p for p in made}


# What a session's end deletes, kept for the checker: written by the very statement that tells a
# party.
KEEP = """
CREATE SCHEMA nemesis;
CREATE TABLE nemesis.participant (party text, name_id text, session_index text, sid text,
	acting bytea);
CREATE FUNCTION nemesis.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO nemesis.participant SELECT NEW.party, NEW.name_id, NEW.session_index, NEW.sid,
		acting FROM session WHERE sid = NEW.sid;
	RETURN NULL;
END $$;
CREATE TRIGGER nemesis_keep AFTER INSERT OR UPDATE ON session_participant
	FOR EACH ROW EXECUTE FUNCTION nemesis.keep();
"""


class Place:
    """All of it, made and running.  clock: the library of clock.c; the second node runs with it.
    fast: PostgreSQL without fsync, which outlives the death of processes all the same."""

    def __init__(self, program, clock, fast=False):
        self.postgres = Postgres(fast)
        self.balancer = None
        self.nodes, self.odd = [], []
        try:
            self._make(program, clock)
        except BaseException:
            self.close()
            raise

    def _make(self, program, clock):
        os.environ["KONTOR_TEST_DB"] = self.postgres.conninfo
        self.instance = Instance(program)
        self.logs = SmallDisk(self.instance.folder / "logs")
        self.port = free_port()
        self.host = f"{HOST}:{self.port}"
        self.base = f"https://{self.host}"
        self.instance.write_conf(base_url=self.base, **SETTINGS)
        self.instance.ok("migrate")
        self.instance.ok("key", "init")
        self.sql(KEEP)
        self.parties = parties()
        for party in self.parties.values():
            self._register(party)
        self.nodes = [Node(self.instance, "node1", self.logs.folder),
                      Node(self.instance, "node2", self.logs.folder, clock)]
        for node in self.nodes:
            node.configure(self.base)
        for node in self.nodes:
            node.start()
        self._start_balancer()

    def _register(self, party):
        file = self.instance.folder / "party"
        if party.front == "saml":
            file.write_text(METADATA.format(name=party.name, key="").replace(
                "portal.example", "portal.localhost"))
            self.instance.ok("party", "add", file, "--accept-unsigned", "yes", *party.words())
            return
        file.write_text(json.dumps({
            "client_id": party.id, "profile": "oauth", "redirect_uris": [BACK], "scope": "openid profile",
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": "RS256"}))
        party.secret = self.instance.ok("client", "add", file, *party.words())["client_secret"]

    def _start_balancer(self):
        folder = self.instance.folder
        self.authority = folder / "tls.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "tls.key", "-out",
                        self.authority, "-days", "2", "-subj", f"/CN={HOST}", "-addext",
                        f"subjectAltName=DNS:{HOST}"], check=True, capture_output=True)
        pem = folder / "tls.pem"
        pem.write_text(self.authority.read_text() + (folder / "tls.key").read_text())
        env = dict(os.environ, KONTOR_BIND=f"127.0.0.1:{self.port}", KONTOR_CRT=str(pem),
                   KONTOR_NODE=f"unix@{self.nodes[0].socket}",
                   KONTOR_NODE2=f"unix@{self.nodes[1].socket}")
        with open(folder / "haproxy.log", "wb") as log:
            self.balancer = subprocess.Popen(
                [*DIE_WITH_US, "haproxy", "-db", "-f", ROOT / "packaging" / "haproxy.cfg"], env=env, stdout=log,
                stderr=log)

    def cli(self, *words):
        return self.instance.run(*words, "--json")

    def sql(self, statement):
        return self.instance.sql(statement)

    def close(self):
        for node in self.nodes:
            node.stop()
        if self.balancer is not None:
            self.balancer.terminate()
            self.balancer.wait(10)
        if hasattr(self, "logs"):
            self.logs.unmount()
        self.postgres.drop()
        if hasattr(self, "instance"):
            self.instance.clean()
