#!/usr/bin/env python3
"""Kontor's figures beside the machine's own limits, in one run.

usage: bench.py --kontor PROGRAM --released PROGRAM --tools FOLDER [--seconds N] [--full] [--peers] [--count]
                [--only GROUP] [--soak N] [--record FILE] [--json]

Runs beside a private PostgreSQL with fsync on (tools/pg-temp run -- bench.py ...).  Kontor and
PostgreSQL share one core, the load has another; a machine with one core shares it, and its
figures say little.  --full takes 10 million accounts, a million sessions and ten minutes of
mixed load; without it they are small.  --peers runs the same logins at npm's oidc-provider and at
SimpleSAMLphp, one after another, on the same core.  --count counts the instructions of a warm
login with callgrind, which no other load disturbs.  --only runs one group of rows alone:
documents, logins, rsa3072, overload, cores, memory, growth, federation, peers or start.  --soak runs N requests of all kinds instead and looks at
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

import federation
import growth
import peers
from goals import judged
from place import Place

CONNECTIONS = 32
BROWSERS = 16  # that log in, of a load (load.c)
PORTALS_REGISTERED = 100
STARTS = 5
PAIRS = 3          # of each ratio: what is measured between two looks at its limit
STEAL_MOST = 0.03  # of the processor, taken by other machines; a slice with more is run again,
AGAIN = 2          # so often
HASH_BLOCK_MIB = 19
OVERLOAD = 10
ALL_AT_ONCE = 1e6  # a rate at which whoever is idle begins: the peak, by the same client
OVERLOADED = {"oidc_es256": ("oidc-es256", 1024), "saml_es256": ("saml-es256", 1024),
              "full": ("full-es256", 256)}
SOAK = (("oidc-es256", 8), ("saml-es256", 8), ("full-es256", 1), ("light", 4), ("page", 2))
SOAK_SLICE_S = 60


def say(text):
    print(text, file=sys.stderr, flush=True)


def ticks():
    """Of all processors: stolen, and all."""
    fields = [int(x) for x in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return fields[7], sum(fields)


def pressure_us():
    """How long some thread waited for a processor, since the machine started; 0: not told."""
    try:
        return int(re.search(r"total=(\d+)", Path("/proc/pressure/cpu").read_text())[1])
    except OSError:
        return 0


class Run:
    def __init__(self, place, args):
        self.place, self.full, self.peers, self.count = place, args.full, args.peers, args.count
        self.requests, self.only = args.soak, args.only
        self.slice_s = max(1, args.seconds * 2 // 5)
        self.m = {"ratio": {}}
        self.steal, self.repeated = [], 0
        self.since = (time.monotonic(), pressure_us())
        cores = sorted(os.sched_getaffinity(0))
        self.one, self.other, self.two = cores[:1], cores[-1:], cores[:2]

    def step(self, title):
        say(f"bench: {title} …")

    def quiet(self, measure):
        """Its result; measured again while other machines take too much, the quietest counts."""
        tried = []
        for _ in range(1 + AGAIN):
            before = ticks()
            result = measure()
            stolen, total = (after - b for after, b in zip(ticks(), before))
            tried.append((stolen / max(1, total), result))
            if tried[-1][0] <= STEAL_MOST:
                break
        self.repeated += len(tried) - 1
        steal, result = min(tried, key=lambda t: t[0])
        self.steal.append(steal)
        return result

    def limit(self, name):
        """One of the machine's limits, now."""
        said = subprocess.run([self.place.tools / "limits", self.place.folder / "sync", name],
                              check=True, capture_output=True, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.one)).stdout
        return json.loads(said)[name]

    def signatures(self):
        return self.limit("rsa2048_sign_s")

    def paired(self, key, limit, load):
        """A load between two looks at its limit, PAIRS times: the medians of both."""
        rows, ratios = [], []
        before = limit()
        for _ in range(PAIRS):
            rows.append(self.quiet(load))
            after = limit()
            ratios.append(rows[-1]["per_s"] * 2 / (before + after))
            before = after
        self.m[key] = sorted(rows, key=lambda r: r["per_s"])[PAIRS // 2]
        self.m["ratio"][key] = statistics.median(ratios)

    def slice(self, scenario, connections=CONNECTIONS, rate=None):
        return self.place.end_load(self.place.begin_load(scenario, connections, self.slice_s,
                                                         rate=rate))[0]

    def limits(self):
        self.step("the machine's limits")
        said = subprocess.run([self.place.tools / "limits", self.place.folder / "sync"], check=True,
                              capture_output=True, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.one)).stdout
        self.m["limits"] = json.loads(said)
        self.place.use_cores(self.one, self.other)
        self.m["limits"]["commit_s"] = growth.commits(self.place, 16, self.slice_s)

    def start(self):
        self.step(f"{PORTALS_REGISTERED} portals, start and idle memory")
        for i in range(PORTALS_REGISTERED):
            self.place.add_party(f"idle{i}")
        self.m["start_ms"] = statistics.median(self.place.restart() for _ in range(STARTS))
        time.sleep(1)
        self.m["idle_mib"] = self.place.memory_mib()

    def documents(self):
        def handler():
            self.m["handler"] = self.place.handler(CONNECTIONS, self.slice_s)
            return self.m["handler"]["per_s"]
        for name in ("jwks", "discovery", "metadata"):
            self.step(name)
            self.paired(name, handler, lambda name=name: self.slice(name))

    def logins(self):
        for kind in ("oidc_es256", "oidc_rs256", "saml_es256", "saml_enc", "saml_rs256",
                     "saml_rs256_enc"):
            scenario = kind.replace("_enc", "enc").replace("samlenc", "saml-enc").replace("_", "-")
            self.step(scenario)
            self.paired(kind, self.signatures, lambda s=scenario: self.slice(s))
        self.step("logins with password, alone and beside light requests")
        self.paired("full", lambda: 1 / (1 / self.limit("argon2id_s") + 1 / self.m["oidc_es256"]["per_s"]),
                    lambda: self.slice("full-es256", 8))
        self.m["loaded_mib"] = self.place.memory_mib() - HASH_BLOCK_MIB * len(self.one)
        loads = [self.place.begin_load("full-es256", 8), self.place.begin_load("light", 2)]
        self.m["light"] = self.place.end_load(*loads)[1]

    def tokens(self):
        """What portals' servers ask for: a signature each, or a row."""
        for name, scenario in (("credentials_rs256", "credentials-apirs"), ("userinfo", "userinfo-tokens"),
                               ("introspection", "introspection-api"), ("refresh_rs256", "refresh-tokensrs"),
                               ("refresh_es256", "refresh-tokens")):
            self.step(scenario)
            # Each browser has a grant of its own to refresh.
            self.paired(name, self.signatures, lambda s=scenario: self.slice(s, BROWSERS))
        self.step("credentials-apies")
        self.paired("credentials_es256", lambda: self.limit("p256_sign_s"),
                    lambda: self.slice("credentials-apies"))

    def rsa3072(self):
        """What they cost with the key that an instance really has; the others follow with shorter ones."""
        for name, scenario in (("saml_rsa3072", "saml-rs256"), ("saml_rsa3072_enc", "saml-rs256enc")):
            self.step(f"{scenario} with 3072 bits")
            self.m[name] = self.place.load(scenario, CONNECTIONS)

    def overload(self):
        """Ten times as many begin as can be done, while others ask for little."""
        self.m["overload"] = {}
        for name, (scenario, connections) in OVERLOADED.items():
            self.step(f"{scenario} at {OVERLOAD} times its rate")
            few = 8 if name == "full" else CONNECTIONS
            rows, ratios = [], []
            before = self.slice(scenario, few, ALL_AT_ONCE)["per_s"]
            for _ in range(PAIRS):
                rows.append(self.quiet(lambda: self.overloaded(scenario, connections, before)))
                after = self.slice(scenario, few, ALL_AT_ONCE)["per_s"]
                ratios.append(rows[-1]["per_s"] * 2 / (before + after))
                before = after
            middle = dict(sorted(rows, key=lambda r: r["per_s"])[PAIRS // 2])
            for field in ("light_p99_ms", "refused_p99_ms", "refused_most_ms", "connection_kib"):
                middle[field] = statistics.median(r[field] for r in rows)
            self.m["overload"][name] = {**middle, "goodput": statistics.median(ratios)}

    def overloaded(self, scenario, connections, rate):
        loads = [self.place.begin_load(scenario, connections, rate=OVERLOAD * rate),
                 self.place.begin_load("light", 2), self.place.begin_load("page", 2)]
        before = self.place.memory_mib()
        self.place.let_run(*loads)
        time.sleep(self.place.seconds / 2)
        grown = self.place.memory_mib() - before
        row, *light = self.place.results(*loads)
        return {**row, "light_p99_ms": max(r["p99_ms"] for r in light),
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
        """Kontor, the peer, Kontor, the peer …; each of a peer's rows in each turn."""
        self.m["peers"] = {}
        for peer in (peers.OidcProvider(self.place), peers.SimpleSamlPhp(self.place)):
            self.step(f"{peer.name} and Kontor, by turns")
            turns = []
            for _ in range(PAIRS):
                ours = [self.quiet(lambda kind=kind, n=n: self.slice(kind, n)) for _, kind, _, n in peer.rows]
                self.place.stop()
                turns.append(list(zip(ours, peer.measure(self.slice_s))))
                self.place.start()
            for (title, *_), *pairs in zip(peer.rows, *turns):
                ours, theirs = (sorted(side, key=lambda r: r["per_s"])[PAIRS // 2] for side in zip(*pairs))
                self.m["peers"][f"{peer.name}: {title}"] = {
                    "ours": ours, "theirs": theirs, **{
                        f"{field}_ratio": statistics.median(a[field] / b[field] for a, b in pairs)
                        for field in ("per_s", "p99_ms")}}

    def counts(self):
        if self.count:
            self.step("instructions of a warm login and of a refresh")
            self.m["instructions"] = {kind: self.place.count(kind) for kind in ("oidc", "saml", "refresh")}

    def cores(self):
        """One core, two, one, two …"""
        if len(self.two) < 2:
            return
        ratios = {"oidc": [], "saml": []}
        for _ in range(PAIRS):
            rates = []
            for cores in (self.one, self.two):
                self.step(f"everything on {len(cores)} of the cores")
                self.place.use_cores(cores, cores)
                self.place.restart()
                rates.append({kind: self.quiet(lambda k=kind: self.slice(f"{k}-es256"))["per_s"]
                              for kind in ratios})
            for kind, found in ratios.items():
                found.append(rates[1][kind] / rates[0][kind])
        self.m["two_cores"] = {kind: statistics.median(found) for kind, found in ratios.items()}
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

    def members(self):
        signer = federation.Federation(self.place)
        self.m["members"] = federation.sizes(signer, PAIRS, self.step)
        self.m["partners"] = federation.logins(signer, self, "saml-es256", PAIRS)

    def all(self):
        groups = {"start": self.start, "documents": self.documents, "rsa3072": self.rsa3072,
                  "logins": self.logins, "tokens": self.tokens, "overload": self.overload, "peers": self.others,
                  "cores": self.cores, "memory": self.long, "federation": self.members, "growth": self.grow}
        if not self.peers and self.only != "peers":
            del groups["peers"]
        self.limits()
        self.place.make()
        self.place.start()
        for name, group in groups.items():
            if self.only in (None, name):
                group()
            if name == "rsa3072":
                self.place.use_short_rsa()
        self.counts()
        since, waited = self.since
        self.m["noise"] = {"steal": statistics.fmean(self.steal or [0]), "most": max(self.steal or [0]),
                           "repeated": self.repeated,
                           "pressure": (pressure_us() - waited) / (time.monotonic() - since) / 1e6}
        self.m["errors"], self.m["only"] = self.place.errors, self.only
        return self.m


def number(x):
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"


LOADS = {"jwks": "JWKS", "discovery": "discovery", "metadata": "SAML metadata", "handler": "smallest handler",
         "oidc_es256": "OIDC login, ES256", "oidc_rs256": "OIDC login, RS256",
         "saml_es256": "SAML login, P-256", "saml_enc": "SAML login, P-256, encrypted",
         "saml_rs256": "SAML login, RSA", "saml_rs256_enc": "SAML login, RSA, encrypted",
         "saml_rsa3072": "SAML login, RSA-3072", "saml_rsa3072_enc": "SAML login, RSA-3072, encrypted",
         "full": "login with password, OIDC",
         "credentials_rs256": "client credentials, RS256 JWT", "credentials_es256": "client credentials, ES256 JWT",
         "refresh_rs256": "refresh, RS256", "refresh_es256": "refresh, ES256", "userinfo": "userinfo",
         "introspection": "introspection"}


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


def member_rows(m):
    """Each size beside xmlsec1 on the same file."""
    yield from ("| members | file MiB | taken s | xmlsec1 s | memory MiB | xmlsec1 MiB |",
                "| --- | --- | --- | --- | --- | --- |")
    for n, r in m["members"].items():
        yield f"| {int(n):,} | " + " | ".join(number(r[key]) for key in (
            "mib", "ours_s", "theirs_s", "ours_mib", "theirs_mib")) + " |"
    p = m["partners"]
    yield ""
    yield ("SAML logins, P-256, p50 of one browser: " + ", ".join(
        f"{number(p[n]['p50_ms'])} ms with {int(n):,} members" for n in ("10", "10000"))
        + f"; p99 of sixteen: {number(p['alone']['p99_ms'])} ms, and {number(p['meanwhile']['p99_ms'])} ms while copies "
        f"of 10,000 are taken and read. Start: {number(p['start_none_ms'])} ms, with 10,000 {number(p['10000']['start_ms'])} ms.")


def peer_rows(found):
    """One after another on the same core, the same load at both."""
    yield from ("| beside | Kontor /s | p99 ms | the other /s | p99 ms | Kontor by the other |",
                "| --- | --- | --- | --- | --- | --- |")
    for name, r in found.items():
        yield f"| {name} | " + " | ".join(number(r[side][field]) for side in ("ours", "theirs")
                                          for field in ("per_s", "p99_ms")) + f" | {number(r['per_s_ratio'])} |"


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
    if any(key in m for key in LOADS):
        yield from ("| load | /s | p50 ms | p99 ms |", "| --- | --- | --- | --- |")
        for key, name in LOADS.items():
            if key in m:
                yield f"| {name} | {number(m[key]['per_s'])} | {number(m[key]['p50_ms'])} | {number(m[key]['p99_ms'])} |"
        yield ""
    if "peers" in m:
        yield from peer_rows(m["peers"])
        yield ""
    if "members" in m:
        yield from member_rows(m)
        yield ""
    if all(key in m for row in RESPONSES for key in row[2:]):
        yield from response_rows(m)
        yield ""
    if "instructions" in m:
        yield ("Instructions of a warm login and of a refresh, the test's portal and browser included (callgrind): " + ", ".join(
            f"{kind} {n / 1e6:.2f} million" for kind, n in m["instructions"].items()) + ".")
        yield ""
    noise = m["noise"]
    yield (f"Beside it: other machines took {noise['steal']:.1%} of the processors ({noise['most']:.1%} of one slice; "
           f"{noise['repeated']} slices were run again), and {noise['pressure']:.0%} of the time some thread, ours or "
           "another, waited for one.")
    yield ""
    if "overload" in m:
        yield "When ten times as many begin as can be done: " + "; ".join(
            f"{LOADS[kind]}: {number(row['begun_s'])}/s began, {number(row['per_s'])}/s done, p99 of light requests "
            f"{number(row['light_p99_ms'])} ms, of refusals {number(row['refused_p99_ms'])} ms, slowest refusal "
            f"{number(row['refused_most_ms'])} ms" for kind, row in m["overload"].items()) + "."
        yield ""
    if "growth" in m:
        g = m["growth"]
        yield (f"Accounts {g['accounts'][0]:,} and {g['accounts'][1]:,}; sessions kept besides: "
               f"{g['sessions_kept']:,}.")
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
        if figure is None and ("soak" in m or m.get("only")):
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
    parser.add_argument("--only", metavar="GROUP", choices=(
        "start", "documents", "logins", "tokens", "rsa3072", "overload", "peers", "cores", "memory",
        "federation", "growth"))
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
