#!/usr/bin/env python3
"""Nothing lost, nothing doubled: model clients at two nodes under faults, and a checker.

usage: nemesis.py --kontor PROGRAM --clock LIBRARY [--seed N] [--seconds S] [--fault NAME]...
                  [--races TRIES [--kind NAME]... [--minutes M] --race TOOL]
                  [--short] [--clients N] [--keep FOLDER] [--patience S] [--at-once S]

The seed settles the order of the faults, whom they strike, and what each client does one after
another; what meets what is the machine's.  Every fault comes once, or again and again for S seconds;
--short lets each last a few seconds only, with PostgreSQL's fsync off.  FOLDER keeps history.jsonl and
the logs (var/nemesis/SEED).  --races: instead of all that, so many one-time things of each kind
(races.py) used at both nodes at once, in M minutes or fewer for all of them, and a fiftieth of that
(and of a fifth of the time) while PostgreSQL dies.  Exits 1 when a rule is broken; each line names the rule.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / d) for d in ("operate", "bench", "portals"))]

import faults  # noqa: E402
import history  # noqa: E402
import races  # noqa: E402
from checker import check  # noqa: E402
from clients import Citizen, Client, Door, Office, Surprise  # noqa: E402
from browser import BrowserError  # noqa: E402
from cluster import Place  # noqa: E402
from world import gather  # noqa: E402

CLIENTS = 6
CALM_S = 0.5        # between two faults
WARM_S = 3          # before the first
SERVED_S = 30       # somebody has to be, while a fault strikes only one node
GIVE_UP_S = 120     # waiting for service that does not come back
REVISITED = 10      # accounts that log in once more at the end
OUTAGES_SHARE = 50  # of the races, one in so many while PostgreSQL dies
OUTAGES_MOST = 100
NEEDED = ("register", "answer", "consent", "redeem", "userinfo", "withdraw", "logout", "login",
          "totp", "disable", "enable", "party-off", "party-on")


def say(text):
    print(text, file=sys.stderr, flush=True)


class Run:
    def __init__(self, args, place, past):
        self.args, self.place, self.history = args, place, past
        self.rng = random.Random(args.seed)
        self.seed_of_clients = self.rng.random()
        self.clients, self.probes, self.rows = [], 0, []

    # ---- clients ----

    def start_clients(self):
        self.clients = [Client(self.place, self.history, self.seed_of_clients, i,
                               balanced=i % 3 == 2) for i in range(self.args.clients)]
        self.clients.append(Office(self.place, self.history, self.seed_of_clients,
                                   self.args.at_once))
        for client in self.clients:
            client.start()

    def stop_clients(self):
        for client in self.clients:
            client.ends.set()
        for client in self.clients:
            client.join()

    # ---- service ----

    def _serves(self, node):
        """Everything at this node alone: an account, both dialects, a token, a logout."""
        self.probes += 1
        door = Door(self.place, 200 + self.place.nodes.index(node), [node])
        citizen = Citizen(self.place, self.history, f"probe-{node.name}", self.rng, door,
                          self.probes)
        try:
            citizen.register()
            return node.is_ready() and \
                citizen.visit(self.place.parties["saml-plain"]) is not None and \
                self._oidc(citizen, node) and self._ends(citizen)
        except (history.NoAnswer, Surprise, BrowserError):
            return False

    def _oidc(self, citizen, node):
        party = self.place.parties["oidc-plain"]
        answer = citizen.visit(party)
        token = answer and citizen.redeem(party, answer["code"], node, None)
        return token and citizen.userinfo(party, token, answer["code"], node, citizen.session)

    @staticmethod
    def _ends(citizen):
        citizen.logout()
        return citizen.session is None

    def await_service(self, fault):
        """Seconds until every node serves all of it."""
        begin = time.monotonic()
        for node in self.place.nodes:
            while not self._serves(node) and time.monotonic() < begin + GIVE_UP_S:
                time.sleep(0.1)
            took = round(time.monotonic() - begin, 1)
            self.history.mark("served", fault=fault, node=node.name, seconds=took)
        return took

    # ---- faults ----

    def schedule(self):
        """Names of faults, each once in a round."""
        names = self.args.fault or list(faults.ALL)
        until = time.monotonic() + self.args.seconds
        while True:
            yield from self.rng.sample(names, len(names))
            if time.monotonic() >= until:
                return

    def strike(self, name):
        fault = faults.ALL[name](self.place, self.rng, self.history)
        why_not = fault.why_not()
        if why_not is not None:
            say(f"  {name:12} skipped: {why_not}")
            self.rows.append((name, None, why_not))
            return
        before = dict(self.history.counts)
        self.history.mark("begin", fault=name)
        begin, lasts = time.monotonic(), fault.lasts[not self.args.short]
        fault.begin()
        during = Counter()
        # Where another node serves on, it lasts until somebody was served: a busy machine takes longer.
        while time.monotonic() < begin + lasts or (
                fault.one and not during["answer", "ok"] and time.monotonic() < begin + SERVED_S):
            if fault.crash:
                self.history.mark("crash")
            time.sleep(0.2)
            during = Counter(self.history.counts)
            during.subtract(before)
        fault.end()
        if fault.crash:
            self.history.mark("crash")
        self.history.mark("end", fault=name)
        served = self.await_service(name)
        if fault.one and during["answer", "ok"] == 0:
            fault.missed("service", f"nobody was served in {SERVED_S} s")
        self.rows.append((name, served, {k: v for k, v in during.items() if v}))
        say(f"  {name:12} {lasts:3} s; {during['answer', 'ok']:4} logins meanwhile, "
            f"{sum(v for (_, o), v in during.items() if o == 'unknown'):4} unknown outcomes; "
            f"full service {served:4.1f} s after its end")

    def check_answers(self):
        for text in self.place.odd:
            self.history.mark("missed", rule="service", text=text)

    def check_starts(self):
        for node in self.place.nodes:
            if node.starts != 1 + node.killed:
                self.history.mark("missed", rule="service",
                                  text=f"{node.name} was started {node.starts} times, killed "
                                       f"{node.killed} times")

    # ---- the end ----

    def revisit(self):
        """Accounts whose registration was acknowledged log in again, at either node."""
        ops, _ = history.read(self.history.path)
        touched = {o["account"] for o in ops if o["op"] in ("disable", "enable") and
                   o["outcome"] == "unknown"}
        disabled = {}
        for o in ops:
            if o["op"] in ("disable", "enable"):
                disabled[o["account"]] = o["op"] == "disable"
        names = [o for o in ops if o["op"] == "register" and o["outcome"] == "ok"
                 and o["account"] not in touched and not disabled.get(o["account"])]
        for i, op in enumerate(self.rng.sample(names, min(REVISITED, len(names)))):
            citizen = Citizen(self.place, self.history, "revisit", self.rng,
                              Door(self.place, 220 + i), i)
            citizen.login, citizen.family = op["account"], op["family"]
            citizen.visit(self.place.parties["saml-plain"])
            if citizen.session is None:
                self.history.mark("missed", rule="lost", text=f"{op['account']} cannot log in: "
                                  f"{citizen.walker.page.text[:200]}")

    def judge(self):
        self.history.close()
        ops, marks = history.read(self.history.path)
        found = check(ops, marks, gather(self.place, ops), at_once_s=self.args.at_once,
                      service_s=self.args.patience)
        counts = Counter((o["op"], o["outcome"]) for o in ops)
        for kind in NEEDED:
            if not self.args.fault and counts[kind, "ok"] == 0:
                found.append(("idle", f"no {kind} ever succeeded: this run shows nothing of it"))
        return found, counts


def run(args, before=None):
    """The violations, and what was done.  before: called with the place, before any client comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    args.keep.mkdir(parents=True, exist_ok=True)
    say(f"nemesis: seed {args.seed}; the history is kept in {args.keep}")
    place = Place(args.kontor, args.clock, fast=args.short)
    try:
        if before is not None:
            before(place)
        r = Run(args, place, history.History(args.keep / "history.jsonl"))
        r.start_clients()
        time.sleep(WARM_S)
        for name in r.schedule():
            r.strike(name)
            time.sleep(CALM_S)
        r.stop_clients()
        r.check_starts()
        r.check_answers()
        r.revisit()
        found, counts = r.judge()
        for node in place.nodes:
            (args.keep / f"{node.name}.log").write_bytes(node.log_path.read_bytes())
        (args.keep / "postgres.log").write_bytes(Path(place.postgres.log).read_bytes())
        return found, counts, r.rows
    finally:
        place.close()


def parse(words):
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--kontor", required=True)
    parser.add_argument("--clock", required=True)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--fault", action="append", choices=list(faults.ALL))
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--patience", type=float, default=30)
    parser.add_argument("--at-once", type=float, default=1)
    parser.add_argument("--races", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=list(races.KINDS))
    parser.add_argument("--minutes", type=float, default=24 * 60)
    parser.add_argument("--race")
    parser.add_argument("--short", action="store_true")
    args = parser.parse_args(words)
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1_000_000)
    if args.keep is None:
        args.keep = Path("var/nemesis") / str(args.seed)
    return args


def in_a_mount_namespace():
    """Small disks are mounted: nowhere else, and gone with us."""
    if os.geteuid() == 0 and "NEMESIS_UNSHARED" not in os.environ and \
            subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0:
        os.environ["NEMESIS_UNSHARED"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])


def race(args):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    place, wrong = Place(args.kontor, args.clock), []
    kinds = args.kind or list(races.KINDS)
    seconds = int(args.minutes * 60 / len(kinds))
    try:
        raced = races.Races(place, args.race, args.seed)
        for kind in kinds:
            for tally, found in (
                    raced.run(kind, args.races, seconds),
                    raced.run_with_outages(kind, max(args.races // OUTAGES_SHARE, 50), OUTAGES_MOST,
                                           max(seconds // 5, 10))):
                wrong += [f"once: {kind}: {line}" for line in found]
                print(json.dumps({"kind": kind, "seed": args.seed} | tally), flush=True)
    finally:
        place.close()
    print("".join(f"{line}\n" for line in wrong), end="")
    sys.exit(1 if wrong else 0)


def main():
    in_a_mount_namespace()
    args = parse(sys.argv[1:])
    if args.races:
        race(args)
    found, counts, rows = run(args)
    kinds = sorted({k for k, _ in counts})
    print("operation      ok  fail  unknown")
    for kind in kinds:
        print(f"{kind:12} {counts[kind, 'ok']:5} {counts[kind, 'fail']:5} {counts[kind, 'unknown']:8}")
    for rule, text in found:
        print(f"{rule}: {text}")
    print(json.dumps({"operations": sum(counts.values()), "faults": len(rows),
                      "slowest_service_s": max((r[1] or 0 for r in rows), default=0),
                      "violations": len(found)}))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
