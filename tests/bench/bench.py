#!/usr/bin/env python3
"""Kontor's figures beside the machine's own limits, in one run.

usage: bench.py --kontor PROGRAM --released PROGRAM --tools FOLDER [--seconds N] [--full] [--peers] [--count]
                [--soak N] [--record FILE] [--json]

Runs beside a private PostgreSQL with fsync on (tools/pg-temp run -- bench.py ...).  Kontor and
PostgreSQL share one core, the load has another; a machine with one core shares it, and its
figures say little.  --full takes 10 million accounts, a million sessions and ten minutes of
mixed load; without it they are small.  --peers runs the same logins at npm's oidc-provider and at
SimpleSAMLphp, one after another, on the same core.  --count counts the instructions of a warm
login with callgrind, which no other load disturbs.  --soak runs N requests of all kinds instead and looks at
memory and descriptors.  --record writes the result into a document.
"""
import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import growth
import peers
from goals import judged
from place import Place

CONNECTIONS = 32
PORTALS_REGISTERED = 100
STARTS = 5
HASH_BLOCK_MIB = 19
OVERLOAD = 10
OVERLOADED = {"oidc_es256": ("oidc-es256", 1024), "saml_es256": ("saml-es256", 1024),
              "full": ("full-es256", 256)}
SOAK = (("oidc-es256", 8), ("saml-es256", 8), ("full-es256", 1), ("light", 4), ("page", 2))
SOAK_SLICE_S = 60


def say(text):
    print(text, file=sys.stderr, flush=True)


class Run:
    def __init__(self, place, args):
        self.place, self.full, self.peers, self.count = place, args.full, args.peers, args.count
        self.requests = args.soak
        self.m = {}
        cores = sorted(os.sched_getaffinity(0))
        self.one, self.other, self.two = cores[:1], cores[-1:], cores[:2]

    def step(self, title):
        say(f"bench: {title} …")

    def limits(self):
        self.step("the machine's limits")
        said = subprocess.run([self.place.tools / "limits", self.place.folder / "sync"], check=True,
                              capture_output=True, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.one)).stdout
        self.m["limits"] = json.loads(said)
        self.m["S"] = self.m["limits"]["rsa2048_sign_s"]
        self.m["K"] = self.m["limits"]["argon2id_s"]
        self.place.use_cores(self.one, self.other)
        self.m["limits"]["commit_s"] = growth.commits(self.place, 16, self.place.seconds)
        self.m["handler"] = self.place.handler(CONNECTIONS)

    def idle(self):
        self.step(f"{PORTALS_REGISTERED} portals, start and idle memory")
        for i in range(PORTALS_REGISTERED):
            self.place.add_party(f"idle{i}")
        self.m["start_ms"] = statistics.median(self.place.restart() for _ in range(STARTS))
        time.sleep(1)
        self.m["idle_mib"] = self.place.memory_mib()

    def loads(self):
        for name, scenario in (("jwks", "jwks"), ("discovery", "discovery"), ("metadata", "metadata"),
                               ("oidc_es256", "oidc-es256"), ("oidc_rs256", "oidc-rs256"),
                               ("saml_es256", "saml-es256"), ("saml_enc", "saml-enc"),
                               ("saml_rs256", "saml-rs256"), ("saml_rs256_enc", "saml-rs256enc")):
            self.step(scenario)
            self.m[name] = self.place.load(scenario, CONNECTIONS)
        self.step("logins with password, alone and beside light requests")
        self.m["full"] = self.place.load("full-es256", 8)
        self.m["loaded_mib"] = self.place.memory_mib() - HASH_BLOCK_MIB * len(self.one)
        loads = [self.place.begin_load("full-es256", 8), self.place.begin_load("light", 2)]
        self.m["light"] = self.place.end_load(*loads)[1]

    def rsa3072(self):
        """What they cost with the key that an instance really has."""
        self.place.use_rsa3072()
        for name, scenario in (("saml_rsa3072", "saml-rs256"), ("saml_rsa3072_enc", "saml-rs256enc")):
            self.step(f"{scenario} with 3072 bits")
            self.m[name] = self.place.load(scenario, CONNECTIONS)

    def overload(self):
        """Ten times as many begin as can be done, while others ask for little."""
        self.m["overload"] = {}
        for name, (scenario, connections) in OVERLOADED.items():
            self.step(f"{scenario} at {OVERLOAD} times its rate")
            seconds = 2 * self.place.seconds
            loads = [self.place.begin_load(scenario, connections, seconds,
                                           rate=OVERLOAD * self.m[name]["per_s"]),
                     self.place.begin_load("light", 2, seconds),
                     self.place.begin_load("page", 2, seconds)]
            before = self.place.memory_mib()
            self.place.let_run(*loads)
            time.sleep(seconds / 2)
            grown = self.place.memory_mib() - before
            row, *light = self.place.results(*loads)
            self.m["overload"][name] = {**row, "light_p99_ms": max(r["p99_ms"] for r in light),
                                        "connection_kib": grown * 1024 / connections}

    def soak(self):
        """Slices of mixed load; memory and descriptors after each, nobody connected."""
        done, memory, descriptors = 0, [], []
        while done < self.requests or len(memory) < 2:
            loads = [self.place.begin_load(s, n, SOAK_SLICE_S) for s, n in SOAK]
            done += sum(r["requests"] for r in self.place.end_load(*loads))
            time.sleep(1)
            if done >= self.requests / 10:  # before that: warming up
                memory.append(self.place.memory_mib("Anonymous"))
                descriptors.append(self.place.descriptors())
            self.step(f"soaked with {done:,} requests, {self.place.memory_mib('Anonymous'):.2f} MiB")
        self.m["soak"] = {"requests": done, "memory_mib": memory, "descriptors": descriptors}

    def only_soak(self):
        self.place.use_cores(self.one, self.other)
        self.place.make()
        self.place.start()
        self.soak()
        self.m["errors"] = self.place.errors
        return self.m

    def others(self):
        if self.peers:
            self.place.stop()
            self.step("other providers")
            self.m["peers"] = peers.measure(self.place, CONNECTIONS)
            self.place.start()

    def counts(self):
        if self.count:
            self.step("instructions of a warm login")
            self.m["instructions"] = {kind: self.place.count(kind) for kind in ("oidc", "saml")}

    def cores(self):
        if len(self.two) < 2:
            return
        for name, cores in (("one_core", self.one), ("two_cores", self.two)):
            self.step(f"everything on {len(cores)} of the cores")
            self.place.use_cores(cores, cores)
            self.place.restart()
            for kind in ("oidc", "saml"):
                self.m[f"{name}_{kind}"] = self.place.load(f"{kind}-es256", CONNECTIONS)
        self.place.use_cores(self.one, self.other)
        self.place.restart()

    def long(self):
        """Memory after warm-up and at the end of a mixed load."""
        seconds = 600 if self.full else 20
        self.step(f"{seconds} s of mixed load")
        mix = [("oidc-es256", 8), ("saml-es256", 8), ("full-es256", 2), ("jwks", 2)]
        self.place.end_load(*(self.place.begin_load(s, n, seconds // 4) for s, n in mix))
        before = self.place.memory_mib()
        self.place.end_load(*(self.place.begin_load(s, n, seconds) for s, n in mix))
        self.m["memory_growth"] = self.place.memory_mib() / before

    def grow(self):
        few, many = 1000, 10_000_000 if self.full else 100_000
        sessions = 1_000_000 if self.full else 100_000
        g = self.m["growth"] = {"accounts": [few, many], "sessions_kept": sessions}
        growth.add_accounts(self.place, 1, few)
        rates = []
        for count in (few, many):
            self.step(f"{count} accounts")
            if count == many:
                growth.add_accounts(self.place, few + 1, many)
            rates.append((growth.look_ups(self.place, count, self.place.seconds),
                          self.place.load("full-es256", 8)["per_s"],
                          self.place.load("oidc-es256", CONNECTIONS)["per_s"]))
        g["look_up"], g["full"], g["oidc"] = zip(*rates)
        self.step(f"{sessions} sessions")
        growth.add_sessions(self.place, 1, sessions)
        g["sessions"] = [rates[1][2], self.place.load("oidc-es256", CONNECTIONS)["per_s"]]

    def all(self):
        self.limits()
        self.place.make()
        self.idle()
        self.loads()
        self.rsa3072()
        self.overload()
        self.others()
        self.counts()
        self.cores()
        self.long()
        self.grow()
        self.m["errors"] = self.place.errors
        return self.m


def number(x):
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"


LOADS = {"jwks": "JWKS", "discovery": "discovery", "metadata": "SAML metadata", "handler": "smallest handler",
         "oidc_es256": "OIDC login, ES256", "oidc_rs256": "OIDC login, RS256",
         "saml_es256": "SAML login, P-256", "saml_enc": "SAML login, P-256, encrypted",
         "saml_rs256": "SAML login, RSA", "saml_rs256_enc": "SAML login, RSA, encrypted",
         "saml_rsa3072": "SAML login, RSA-3072", "saml_rsa3072_enc": "SAML login, RSA-3072, encrypted", "full": "login with password, OIDC"}


RESPONSES = (("P-256", "p256_sign_s", "saml_es256", "saml_enc"),
             ("RSA-2048", "rsa2048_sign_s", "saml_rs256", "saml_rs256_enc"),
             ("RSA-3072", "rsa3072_sign_s", "saml_rsa3072", "saml_rsa3072_enc"))


def response_rows(m):
    """Whole logins, two signatures each, beside the signatures that the same core makes alone."""
    yield from ("| key | raw signatures/s | signed Responses/s | of raw | signed and encrypted/s | of raw |",
                "| --- | --- | --- | --- | --- | --- |")
    for name, raw, signed, encrypted in RESPONSES:
        raw, rates = m["limits"][raw], (m[signed]["per_s"], m[encrypted]["per_s"])
        yield f"| {name} | {number(raw)} | " + " | ".join(
            f"{number(rate)} | {number(rate / raw)}" for rate in rates) + " |"


def report(m):
    """The result as a piece of a document."""
    limits = m["limits"]
    yield (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {platform.machine()}; Kontor and PostgreSQL on one "
           "core, the load on another; RSA-2048 keys, fsync, full_page_writes and synchronous_commit on.")
    yield ""
    yield ("One core's limits: " + ", ".join(
        f"{name} {number(limits[key])}/s" for name, key in (
            ("RSA-2048 (S)", "rsa2048_sign_s"), ("RSA-3072", "rsa3072_sign_s"),
            ("P-256 (P)", "p256_sign_s"), ("Argon2id 19 MiB (K)", "argon2id_s"),
            ("fdatasync", "fdatasync_s"), ("commits of 16 clients", "commit_s"))) + ".")
    yield ""
    yield from ("| load | /s | p50 ms | p99 ms |", "| --- | --- | --- | --- |")
    for key, name in LOADS.items():
        yield f"| {name} | {number(m[key]['per_s'])} | {number(m[key]['p50_ms'])} | {number(m[key]['p99_ms'])} |"
    for name, r in m.get("peers", {}).items():
        yield f"| {name} | {number(r['per_s'])} | {number(r['p50_ms'])} | {number(r['p99_ms'])} |"
    yield ""
    yield from response_rows(m)
    yield ""
    if "instructions" in m:
        yield ("Instructions of a warm login, the test's portal and browser included (callgrind): " + ", ".join(
            f"{kind} {n / 1e6:.2f} million" for kind, n in m["instructions"].items()) + ".")
        yield ""
    yield "When ten times as many begin as can be done: " + "; ".join(
        f"{LOADS[kind]}: {number(row['begun_s'])}/s began, {number(row['per_s'])}/s done, p99 of light requests "
        f"{number(row['light_p99_ms'])} ms, of refusals {number(row['refused_p99_ms'])} ms, slowest refusal "
        f"{number(row['refused_most_ms'])} ms" for kind, row in m["overload"].items()) + "."
    yield ""
    g = m["growth"]
    yield (f"Accounts {g['accounts'][0]:,} and {g['accounts'][1]:,}; sessions kept besides: {g['sessions_kept']:,}.")
    yield ""
    yield from goal_rows(m)


def soak_report(m):
    yield (f"{m['soak']['requests']:,} requests; memory after each minute: "
           + ", ".join(f"{x:.2f}" for x in m["soak"]["memory_mib"]) + " MiB.")
    yield ""
    yield from goal_rows(m)


def goal_rows(m):
    yield from ("| goal | what | measured | aim | |", "| --- | --- | --- | --- | --- |")
    for goal, figure, met in judged(m):
        if "soak" in m and figure is None:
            continue
        aim = f"{'≥' if goal.at_least else '≤'} {number(goal.goal)} {goal.unit}".strip()
        shown = "not in this run" if figure is None else f"{number(figure)} {goal.unit}".strip()
        yield f"| {goal.number} | {goal.what} | {shown} | {aim} | {'' if met is None else 'met' if met else 'missed'} |"


def record(path, lines):
    """Between two marks of the document."""
    text = path.read_text(encoding="utf-8")
    marked = re.compile("(<!-- bench: begin -->\n).*(\n<!-- bench: end -->)", re.S)
    if not marked.search(text):
        sys.exit(f"{path} has no place for the result (<!-- bench: begin --> ... end)")
    path.write_text(marked.sub(lambda found: found[1] + "\n".join(lines) + found[2], text),
                    encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    parser.add_argument("--kontor", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--released", required=True, help="the program with RSA keys of 3072 bits")
    parser.add_argument("--seconds", type=int, default=5, help="length of each load")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--soak", type=int, metavar="N")
    parser.add_argument("--record", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="kontor-bench-")
    place = Place(args, folder)
    try:
        run = Run(place, args)
        measured = run.only_soak() if args.soak else run.all()
    finally:
        place.stop()
        shutil.rmtree(folder)
    lines = list(soak_report(measured) if args.soak else report(measured))
    print(json.dumps(measured) if args.json else "\n".join(lines))
    if args.record:
        record(args.record, lines)
    return 1 if place.errors else 0


if __name__ == "__main__":
    sys.exit(main())
