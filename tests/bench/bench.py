#!/usr/bin/env python3
"""Kontor's figures beside the machine's own limits, in one run.

usage: bench.py --kontor PROGRAM --tools FOLDER [--seconds N] [--json]
Runs beside a private PostgreSQL with fsync on (tools/pg-temp run -- bench.py ...).
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HOST = "konto.example"
PASSWORD = "Lachs-Turmuhr-Wiese-47"
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
 entityID="https://portal.example/metadata"><md:SPSSODescriptor
 protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService
 index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://portal.example/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"""
CLIENT = {"client_id": "bench", "redirect_uris": ["https://portal.example/back"],
          "token_endpoint_auth_method": "client_secret_basic", "scope": "openid profile"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Bench:
    def __init__(self, args, folder):
        self.kontor, self.tools, self.seconds = args.kontor, Path(args.tools), args.seconds
        self.folder, self.port = Path(folder), free_port()
        self.conf = self.folder / "kontor.conf"
        self.env = dict(os.environ)

    def cli(self, *words, text=None):
        return subprocess.run([self.kontor, *words, "--config", self.conf, "--json"], check=True,
                              input=text, capture_output=True, text=True).stdout

    def prepare(self):
        self.conf.write_text(
            f"instance = bench\nbase_url = https://{HOST}\nlisten = 127.0.0.1:{self.port}\n"
            f"database = {os.environ['KONTOR_TEST_DB']}\nlog_level = error\n"
            f"master_key_file = {self.folder}/master.key\n", encoding="utf-8")
        (self.folder / "party.xml").write_text(METADATA, encoding="utf-8")
        (self.folder / "client.json").write_text(json.dumps(CLIENT), encoding="utf-8")
        self.cli("migrate")
        self.cli("key", "init")
        self.cli("party", "add", self.folder / "party.xml", "--accept-unsigned", "yes",
                 "--attribute", "family_name")
        secret = json.loads(self.cli("client", "add", self.folder / "client.json"))
        self.env["BENCH_CLIENT_SECRET"] = secret["client_secret"]
        self.cli("account", "add", "bench", "--attribute", "family_name=Mustermann",
                 text=PASSWORD + "\n")

    def answers(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/health/ready",
                                         headers={"Host": HOST})
        try:
            return urllib.request.urlopen(request, timeout=1).status == 200
        except OSError:
            return False

    def start(self):
        """The time from exec to the first good answer, in ms."""
        begin = time.monotonic()
        self.log = open(self.folder / "kontor.log", "w", encoding="utf-8")
        self.process = subprocess.Popen([self.kontor, "serve", "--config", self.conf],
                                        stderr=self.log)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - begin > 60:
                sys.exit("bench: Kontor does not start: " +
                         (self.folder / "kontor.log").read_text(encoding="utf-8"))
            time.sleep(0.002)
        return (time.monotonic() - begin) * 1000

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def load(self, scenario, connections, port=None):
        out = subprocess.run([self.tools / "load", str(port or self.port), HOST, scenario,
                              str(self.seconds), str(connections)], check=True, env=self.env,
                             stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out)

    def memory_mib(self):
        """Proportional set size of all our processes."""
        total, todo = 0, [self.process.pid]
        while todo:
            pid = todo.pop()
            todo += [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def handler_rate(self):
        port = free_port()
        process = subprocess.Popen([self.tools / "handler", str(port)])
        try:
            time.sleep(0.3)
            return self.load("handler", 8, port)["per_s"]
        finally:
            process.terminate()
            process.wait()


def show(limits, handler, start_ms, idle, loaded, results):
    print("machine, one core: "
          f"RSA-2048 {limits['rsa2048_sign_s']}/s, RSA-3072 {limits['rsa3072_sign_s']}/s, "
          f"P-256 {limits['p256_sign_s']}/s, Argon2id {limits['argon2id_s']}/s, "
          f"fdatasync {limits['fdatasync_s']}/s; smallest HTTP handler {handler:.0f}/s")
    beside = {"password": ("Argon2id on two cores", 2 * limits["argon2id_s"]),
              "oidc": ("RSA-2048 signatures", limits["rsa2048_sign_s"]),
              "saml": ("RSA-2048 signatures", limits["rsa2048_sign_s"])}
    for name, r in results.items():
        what, limit = beside.get(name, ("smallest handler", handler))
        print(f"{name:10} {r['per_s']:10.1f}/s   p50 {r['p50_ms']:8.2f} ms   "
              f"p99 {r['p99_ms']:8.2f} ms   errors {r['errors']}   "
              f"{r['per_s'] / limit:6.2f} of {what}")
    print(f"memory idle {idle:.1f} MiB, after load {loaded:.1f} MiB (all processes, PSS); "
          f"start to first answer {start_ms:.0f} ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kontor", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="kontor-bench-")
    try:
        bench = Bench(args, folder)
        bench.prepare()
        limits = json.loads(subprocess.run(
            [bench.tools / "limits", f"{folder}/sync"], check=True, capture_output=True,
            text=True).stdout)
        start_ms = bench.start()
        try:
            idle = bench.memory_mib()
            handler = bench.handler_rate()
            results = {s: bench.load(s, n) for s, n in
                       (("jwks", 8), ("discovery", 8), ("metadata", 8), ("oidc", 16),
                        ("saml", 16), ("password", 4))}
            loaded = bench.memory_mib()
        finally:
            bench.stop()
    finally:
        shutil.rmtree(folder)
    if args.json:
        print(json.dumps({"limits": limits, "handler_s": handler, "start_ms": start_ms,
                          "idle_mib": idle, "loaded_mib": loaded, "results": results}))
    else:
        show(limits, handler, start_ms, idle, loaded, results)
    return 1 if any(r["errors"] for r in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
