"""Where the bench happens: Kontor on a private PostgreSQL, and which cores each may use."""
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HOST = "konto.example"
PASSWORD = "Lachs-Turmuhr-Wiese-47"  # load.c types it
ACCOUNTS = 8                         # test persons bench0 … bench7
# name: signature suite; what ends in "enc" gets encrypted assertions
PORTALS = {"es256": "es256", "rs256": "rs256", "enc": "es256", "rs256enc": "rs256"}
# OIDC clients without a SAML party, and what their records have besides.  An API asks for tokens of its
# own and then about them, so that both can be measured alone.
CLIENTS = {
    name: {"redirect_uris": ["https://portal.example/back"], "scope": "openid profile offline_access",
           "grant_types": ["authorization_code", "refresh_token"], "id_token_signed_response_alg": alg}
    for name, alg in (("tokens", "ES256"), ("tokensrs", "RS256"))} | {
    name: {"grant_types": ["client_credentials"], "scope": "openid read", "resource_scopes": ["read"],
           "resource_uris": [f"https://{name}.example/"], "resources": [f"https://{name}.example/"],
           "access_token_format": kind, "id_token_signed_response_alg": alg}
    for name, kind, alg in (("api", "opaque", "ES256"), ("apies", "jwt", "ES256"), ("apirs", "jwt", "RS256"))}
READY_S = 60

METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
 xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://portal.example/{name}"><md:SPSSODescriptor
 protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{key}<md:AssertionConsumerService
 index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://portal.example/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"""
KEY = """<md:KeyDescriptor use="encryption"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}
</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port):
    give_up = time.monotonic() + READY_S
    while time.monotonic() < give_up:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    sys.exit(f"bench: nothing listens on port {port}")


def children(pid):
    return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def family(pid):
    """The process and all below it."""
    return [pid] + [p for child in children(pid) for p in family(child)]


class Place:
    def __init__(self, args, folder):
        self.program, self.tools, self.seconds = args.kontor, Path(args.tools), args.seconds
        self.released = args.released
        self.folder, self.port = Path(folder), free_port()
        self.conf = self.folder / "kontor.conf"
        self.database = os.environ["KONTOR_TEST_DB"]
        self.env = dict(os.environ)
        self.process = None
        self.server_cores = self.load_cores = os.sched_getaffinity(0)
        self.errors = 0

    # ---- cores ----

    def use_cores(self, server, load):
        """From now on; Kontor has to be started again."""
        self.server_cores, self.load_cores = set(server), set(load)
        for pid in family(self._postmaster()):
            os.sched_setaffinity(pid, self.server_cores)

    def _postmaster(self):
        folder = re.search(r"host=(\S+)", self.database)[1]
        return int((Path(folder) / "data" / "postmaster.pid").read_text().split("\n")[0])

    # ---- Kontor ----

    def cli(self, *words, text=None, program=None):
        done = subprocess.run([program or self.program, *words, "--config", self.conf, "--json"], input=text,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"bench: kontor {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def make(self):
        """Schema, keys, portals and test persons."""
        self.conf.write_text(
            f"instance = bench\nbase_url = https://{HOST}\nlisten = 127.0.0.1:{self.port}\n"
            f"database = {self.database}\nlog_level = error\n"
            f"connections_per_source = 4096\nmaster_key_file = {self.folder}/master.key\n",
            encoding="utf-8")
        self.cli("migrate")
        self.cli("key", "init", program=self.released)
        key = self._encryption_key()
        for name, suite in PORTALS.items():
            self._make_portal(name, suite, key if name.endswith("enc") else "")
        for name, more in CLIENTS.items():
            self._make_client(name, more)
        for i in range(ACCOUNTS):
            self.cli("account", "add", f"bench{i}", "--attribute", "family_name=Mustermann",
                     text=PASSWORD + "\n")

    def use_short_rsa(self):
        """From now on RSA keys of 2048 bits, which the released program neither makes nor takes."""
        for purpose in ("saml-sign", "oidc-sign"):
            kid = json.loads(self.cli("key", "generate", purpose, "rsa3072"))["kid"]
            self.cli("key", "publish", kid)
            self.cli("key", "activate", kid, "--emergency")
        self.restart()

    def _make_portal(self, name, suite, key):
        self.add_party(name, key, suite)
        self._make_client(name, {
            "redirect_uris": ["https://portal.example/back"], "scope": "openid profile",
            "id_token_signed_response_alg": suite.upper()})

    def _make_client(self, name, record):
        file = self.folder / "client.json"
        file.write_text(json.dumps({"client_id": f"bench-{name}", "profile": "oauth",
                                    "token_endpoint_auth_method": "client_secret_basic", **record}),
                        encoding="utf-8")
        self.env[f"BENCH_SECRET_{name}"] = json.loads(self.cli("client", "add", file))["client_secret"]

    def add_party(self, name, key="", suite="es256"):
        file = self.folder / "party.xml"
        file.write_text(METADATA.format(name=name, key=key), encoding="utf-8")
        self.cli("party", "add", file, "--accept-unsigned", "yes", "--attribute", "family_name",
                 "--suite", suite, "--old-until", "2099-12-31")

    def _encryption_key(self):
        """A P-256 key for the portal that gets encrypted assertions; its certificate in metadata."""
        def openssl(*words):
            return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout
        pem, der = self.folder / "portal.pem", self.folder / "portal.der"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", pem)
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER", "-out", der)
        cert = openssl("req", "-x509", "-key", pem, "-subj", "/CN=portal.example", "-days", "30")
        self.env["BENCH_DECRYPT_KEY"] = str(der)
        return KEY.format("".join(cert.decode().strip().split("\n")[1:-1]))

    def _answers(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/health/ready",
                                         headers={"Host": HOST})
        try:
            return urllib.request.urlopen(request, timeout=1).status == 200
        except OSError:
            return False

    def start(self):
        """The time from exec to the first good answer, in ms."""
        log = self.folder / "kontor.log"
        begin = time.monotonic()
        with open(log, "w", encoding="utf-8") as f:
            self.process = subprocess.Popen(
                [self.program, "serve", "--config", self.conf], stderr=f,
                preexec_fn=lambda: os.sched_setaffinity(0, self.server_cores))
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - begin > READY_S:
                sys.exit(f"bench: Kontor does not start: {log.read_text(encoding='utf-8')}")
            time.sleep(0.001)
        return (time.monotonic() - begin) * 1000

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def memory_mib(self, kind="Pss"):
        """Proportional set size of all our processes; kind "Anonymous": what is theirs alone."""
        total = 0
        for pid in family(self.process.pid):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(f"{kind}:"):
                    total += int(line.split()[1])
        return total / 1024

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in family(self.process.pid))

    # ---- load ----

    def begin_load(self, scenario, connections, seconds=None, port=None, rate=None):
        """A load that has logged in and waits for end_load to let it run."""
        load = subprocess.Popen(
            [self.tools / "load", str(port or self.port), HOST, scenario,
             str(seconds or self.seconds), str(connections)] + ([str(rate)] if rate else []),
            env=self.env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, self.load_cores))
        if load.stdout.readline() != "ready\n":
            sys.exit(f"bench: the load of {scenario} could not be prepared")
        return load

    def let_run(self, *loads):
        for load in loads:
            load.stdin.write("\n")
            load.stdin.flush()

    def end_load(self, *loads):
        """Let them run together; what each measured."""
        self.let_run(*loads)
        return self.results(*loads)

    def results(self, *loads):
        results = [json.loads(load.communicate()[0]) for load in loads]
        for load, r in zip(loads, results):
            if r["errors"]:
                print(f"bench: {r['errors']} errors of {load.args[3]}", file=sys.stderr)
            self.errors += r["errors"]
        return results

    def load(self, scenario, connections, seconds=None, port=None):
        return self.end_load(self.begin_load(scenario, connections, seconds, port))[0]

    def handler(self, connections, seconds=None):
        """The smallest libmicrohttpd server under the same load."""
        port = free_port()
        process = subprocess.Popen(
            [self.tools / "handler", str(port), str(len(self.server_cores))],
            preexec_fn=lambda: os.sched_setaffinity(0, self.server_cores))
        try:
            await_port(port)
            return self.load("handler", connections, seconds, port)
        finally:
            process.terminate()
            process.wait()

    # ---- instructions ----

    def count(self, kind, few=4, many=24):
        """Of one warm login: the difference of two runs under callgrind."""
        counted = []
        pg_temp = Path(__file__).resolve().parents[2] / "tools" / "pg-temp"
        for n in (few, many):
            said = subprocess.run(
                [pg_temp, "run", "--fast", "--own", "--", "valgrind", "--tool=callgrind",
                 f"--callgrind-out-file={self.folder}/callgrind", self.tools / "count", kind, str(n)],
                check=True, capture_output=True, text=True).stderr
            counted.append(int(re.search(r"Collected : (\d+)", said)[1]))
        return (counted[1] - counted[0]) / (many - few)

    # ---- database ----

    def sql(self, statements):
        done = subprocess.run(["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.database],
                              input=statements, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"bench: {done.stderr.strip()}")
        return done.stdout

    def pgbench(self, script, connections, seconds):
        """Transactions per second of a script, prepared."""
        file = self.folder / "script.sql"
        file.write_text(script, encoding="utf-8")
        tool = max(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
        said = subprocess.run([tool, "-n", "-M", "prepared", "-c", str(connections), "-T",
                               str(seconds), "-f", file, self.database], check=True,
                              capture_output=True, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.load_cores)).stdout
        return float(re.search(r"tps = ([\d.]+)", said)[1])
