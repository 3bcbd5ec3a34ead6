"""What happens to the nodes and their database.  Each fault begins, lasts, and ends; from its end on
full service has to be back in time without anybody's help."""
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import instance
from cluster import DIE_WITH_US

STRANGERS = str(Path(__file__).with_name("strangers.py"))
OFF_S = 90


class Fault:
    """lasts: seconds, short and full.  one: it strikes one node and the other serves on, or none
    stops serving at all.  crash: PostgreSQL dies, and may lose what was committed lazily."""
    name, lasts, one, crash = "", (1, 3), True, False

    def __init__(self, place, rng, history):
        self.place, self.rng, self.history = place, rng, history
        self.node = rng.choice(place.nodes)

    def why_not(self):
        """Why it cannot be made here; None: it can."""
        return None

    def begin(self):
        pass

    def end(self):
        pass

    def missed(self, rule, text):
        self.history.mark("missed", rule=rule, text=f"{self.name}: {text}")


class Signer(Fault):
    """kill -9 of a node's signer"""
    name = "signer"

    def begin(self):
        self.node.kill(self.name)


class Http(Signer):
    """kill -9 of a node's HTTP process"""
    name = "http"


class Supervisor(Fault):
    """kill -9 of a node's supervisor; systemd starts the node again after a second"""
    name, lasts = "supervisor", (2, 3)

    def begin(self):
        self.node.kill(self.name)
        self.node.killed += 1


class _Crash(Fault):
    one, crash = False, True

    def end(self):
        self.place.postgres.revive()


class PostgresKilled(_Crash):
    """kill -9 of PostgreSQL's postmaster, started again after a while"""
    name, lasts = "postgres", (2, 5)

    def begin(self):
        self.place.postgres.kill()


class Backend(_Crash):
    """kill -9 of one process of PostgreSQL: it ends all others and recovers"""
    name = "backend"

    def begin(self):
        os.kill(self.rng.choice(self.place.postgres.backends()), signal.SIGKILL)


class Connection(Fault):
    """one connection of a node to the database is ended"""
    name, one = "connection", False

    def begin(self):
        os.kill(self.rng.choice(self.place.postgres.backends()), signal.SIGTERM)


class Freeze(Fault):
    """SIGSTOP of PostgreSQL: it answers nothing and closes nothing"""
    name, lasts, one = "freeze", (6, 30), False

    def begin(self):
        self.stopped = self.place.postgres.family()
        for pid in self.stopped:
            os.kill(pid, signal.SIGSTOP)

    def end(self):
        for pid in self.stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


class WalFull(_Crash):
    """the disk of PostgreSQL's log (WAL) is full: it crashes and cannot recover before there is room"""
    name, lasts = "wal-full", (4, 10)

    def why_not(self):
        return self.place.postgres.disk.why_not

    def begin(self):
        # As it happens: a standby that is gone keeps every segment.
        self._sql("SELECT pg_create_physical_replication_slot('gone', true)")
        self.place.postgres.disk.fill()
        # No need to wait until the clients have used up what is there.
        for _ in range(60):
            try:
                self._sql("CREATE TEMP TABLE t (i int); SELECT pg_switch_wal()")
            except subprocess.CalledProcessError:
                return
        self.missed("fault", "PostgreSQL found room on the full disk")

    def end(self):
        self.place.postgres.disk.free()
        super().end()
        for _ in range(100):
            try:
                self._sql("SELECT pg_drop_replication_slot('gone')")
                return
            except subprocess.CalledProcessError:
                time.sleep(0.1)

    def _sql(self, statement):
        instance.psql(self.place.postgres.conninfo, statement)


class LogFull(Fault):
    """the disk of the nodes' logs is full"""
    name, lasts = "log-full", (3, 10)

    def why_not(self):
        return self.place.logs.why_not

    def begin(self):
        self.place.logs.fill()

    def end(self):
        self.place.logs.free()


class Descriptors(Fault):
    """a node's HTTP process gets no more file descriptors"""
    name, lasts = "descriptors", (3, 15)

    def begin(self):
        self.pid = self.node.pids()["http"]
        self.before = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{self.pid}/fd"))
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (used + 2, self.before[1]))

    def end(self):
        try:
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self.before)
        except ProcessLookupError:
            pass  # checked by the node's count of starts


class Clock(Fault):
    """a node's clock jumps by 90 seconds, forth or back"""
    name, lasts = "clock", (4, 20)

    def begin(self):
        self.node = self.place.nodes[1]
        self.node.shift_clock(self.rng.choice((-OFF_S, OFF_S)))
        self.over = threading.Event()
        self.watch = threading.Thread(target=self._await_refusal)
        self.watch.start()

    def _await_refusal(self):
        said = (200, "")
        while said[0] == 200 and not self.over.wait(0.1):
            said = self.node.get("/health/ready")
        if said[0] == 200:
            self.missed("clock", f"{self.node.name} says {said[1].strip()} all the time")

    def end(self):
        self.over.set()
        self.watch.join()
        self.node.shift_clock(0)


class _Strangers(Fault):
    what = ""

    def begin(self):
        ports = [str(n.port) for n in self.place.nodes]
        self.process = subprocess.Popen(
            [*DIE_WITH_US, sys.executable, STRANGERS, self.what, "600", *ports],
            stdout=subprocess.DEVNULL)

    def end(self):
        self.process.kill()
        self.process.wait()


class Storm(_Strangers):
    """2,000 connections a second"""
    name, what, lasts = "storm", "storm", (3, 15)


class Slow(_Strangers):
    """1,000 senders of one octet a second"""
    name, what, lasts = "slow", "slow", (7, 30)


ALL = {f.name: f for f in (Signer, Http, Supervisor, PostgresKilled, Backend, Connection, Freeze,
                           WalFull, LogFull, Descriptors, Clock, Storm, Slow)}
