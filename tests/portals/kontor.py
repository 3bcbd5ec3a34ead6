"""Kontor in the demo: its database, its nodes, its command line, the test persons."""
import contextlib
import copy
import json
import re
import secrets
import shutil
from pathlib import Path

from balancer import Balancer, UnixConnection
from browser import Browser, BrowserError, answers, exchange
from stage import StageError
from totp import Totp

PG_TEMP = Path(__file__).resolve().parents[2] / "tools" / "pg-temp"


class Cluster:
    """A PostgreSQL cluster of the demo's own: data that stay, a Unix socket, no TCP."""

    def __init__(self, stage):
        self.stage, self.folder = stage, stage.folder("pg")

    def conninfo(self, name):
        return f"host={self.folder} user=kontor dbname={name}"

    def start(self, *names):
        """With a database for each provider."""
        tool = self.stage.copy(PG_TEMP, "pg-temp", 0o755)
        server = self.stage.start("postgresql", tool, "run", "--dir", self.folder)
        server.wait_ready(self._answers, seconds=90)
        there = self._psql("SELECT datname FROM pg_database").split()
        for name in names:
            if name not in there:
                self._psql(f'CREATE DATABASE "{name}"')

    def _answers(self):
        try:
            return self._psql("SELECT 1").strip() == "1"
        except StageError:
            return False

    def _psql(self, statement):
        return self.stage.run("psql", "-X", "-A", "-t", "-h", self.folder, "-U", "kontor",
                              "-d", "postgres", "-c", statement)


class Person:
    """A test person: what the demo tells the reader, and what its account holds."""

    def __init__(self, login_name, password, what, attributes, proofed=False):
        self.login_name, self.password, self.what = login_name, password, what
        self.attributes, self.proofed = attributes, proofed
        self.totp = None  # set when the account has a second means


PERSONS = {p.login_name: p for p in (
    Person("erika", "Lachs-Turmuhr-Wiese-47", "identity verified, authenticator app", {
        "given_names": "Erika", "family_name": "Mustermann", "birth_name": "Gabler",
        "birth_date": "1964-08-12", "birth_place": "Berlin", "nationality": "D",
        "street_address": "Heidestraße 17", "postal_code": "01067", "locality": "Dresden",
        "country": "DE", "email": "erika.mustermann@example.org",
    }, proofed=True),
    Person("max", "Pflaume-Regal-Nebel-83", "entered by himself, password only", {
        "given_names": "Max", "family_name": "Muster", "birth_date": "1971-02-28",
        "email": "max.muster@example.org",
    }),
)}


class Node:
    """One `kontor serve` with a configuration of its own."""

    def __init__(self, kontor, name, listen):
        self.kontor, self.name = kontor, name
        self.conf = kontor.folder / f"{name}.conf"
        self.log = kontor.stage.path / "log" / f"{name}.log"
        self.socket, self.inner = (kontor.folder / f"{name}.{end}" for end in ("sock", "inner"))
        self.listen = listen.format(port=kontor.port, folder=kontor.folder, socket=self.socket,
                                    inner=self.inner)
        self.program = None

    def make(self):
        k = self.kontor
        self.kontor.stage.write(self.conf, CONF.format(
            instance=k.instance, name=k.name, base=k.base, folder=k.folder,
            database=k.cluster.conninfo(k.key), ca=k.authority.cert, settings=k.settings,
            listen=self.listen))

    def start(self, is_ready):
        self.program = self.kontor.stage.start(self.name, self.kontor.program, "serve",
                                               "--config", self.conf)
        self.program.wait_ready(is_ready)

    def end(self, by=None):
        """Before the others: in good order, or by this signal."""
        self.kontor.stage.end(self.program, by)

    def exit_status(self):
        """None while it runs or when it was never started."""
        return self.program.child.poll() if self.program else None

    # What follows is for nodes behind a balancer: the requests go past it.

    def ask(self, target, method="GET", headers=None, body=None, socket=None):
        """A request as the balancer would bring it."""
        headers = {"Host": f"{self.kontor.host}:{self.kontor.port}",
                   "X-Forwarded-For": "127.0.0.1", **(headers or {})}
        return exchange(UnixConnection(socket or self.socket), method, self.kontor.base + target,
                        headers, body)

    def listens(self):
        connection = UnixConnection(self.socket)
        try:
            connection.connect()
        except ConnectionRefusedError:
            return False
        finally:
            connection.close()
        return True

    def is_ready(self):
        try:
            return self.ask("/health/ready").status == 200
        except BrowserError:
            return False

    def answered(self):
        """How many requests it answered since it started, the balancer's own not among them."""
        return sum(int(count) for count in re.findall(
            r'^kontor_requests_total\{route="(?!/health/)[^}]*\} (\d+)', self.metrics(), re.M))

    def metrics(self):
        return self.ask("/metrics", socket=self.inner).body.decode()


class Kontor:
    """A provider: Saxony's; others are of classes below it.  `key` names its folder, its database
    and its nodes.  nodes: 1, which ends TLS itself, or more, behind a balancer."""

    key, host, name = "kontor", "servicekonto.localhost", "Servicekonto Sachsen"
    instance, persons = "demo", PERSONS
    settings = ""  # more lines of its configuration

    def __init__(self, stage, authority, cluster, program, port, nodes=1):
        self.stage, self.authority, self.cluster, self.port = stage, authority, cluster, port
        self.source = Path(program).resolve()
        self.base = f"https://{self.host}:{port}"
        self.entity_id = self.base + "/saml/metadata"
        self.folder = stage.folder(self.key)
        self.program = self.folder / "kontor"
        if nodes == 1:
            self.nodes, self.balancer = [Node(self, self.key, LISTEN_ALONE)], None
        else:
            self.nodes = [Node(self, f"{self.key}{n}", LISTEN_BALANCED) for n in range(1, nodes + 1)]
            self.balancer = Balancer(stage, self.folder, port, [n.socket for n in self.nodes])
        self.conf = self.nodes[0].conf

    def make(self):
        """Program, configuration, certificate, master key, schema: what is there stays."""
        if not self.program.exists() or self.program.stat().st_mtime < self.source.stat().st_mtime:
            self.program.unlink(missing_ok=True)
            shutil.copy(self.source, self.program)
            self.program.chmod(0o755)
        if not (self.folder / "tls.crt").exists():
            self.authority.tls(f"{self.key}/tls", self.host)
        for node in self.nodes:
            node.make()
        self.cli("migrate")
        self.cli("key", "init")

    def cli(self, *args, input_text=None):
        """What the command prints, read as JSON."""
        said = self.stage.run(self.program, *args, "--config", self.conf, "--json",
                              input_text=input_text)
        return json.loads(said) if said.strip() else None

    def begin(self):
        """Its processes and its test persons."""
        self.start()
        self.make_persons()

    def start(self):
        if self.balancer is None:
            self.nodes[0].start(self.answers)
            return
        for node in self.nodes:
            node.start(node.is_ready)
        self.balancer.start(self.answers)

    def answers(self):
        """At its public address."""
        return answers(self.authority.cert, self.entity_id)

    def metadata(self):
        """Our SAML metadata, as any portal's operator would fetch it."""
        return Browser(self.authority.cert).get(self.entity_id).body.decode()

    def add_party(self, file, *policy):
        return self.cli("party", "add", file, "--level-attributes", "yes", *policy)

    def add_client(self, file, *policy):
        return self.cli("client", "add", file, "--level-attributes", "yes", *policy)

    def make_persons(self):
        for person in self.persons.values():
            mark = self.folder / f"{person.login_name}.json"
            if not mark.exists():
                self.stage.write(mark, json.dumps(self._make_person(person)))
            secret = json.loads(mark.read_text(encoding="utf-8")).get("totp")
            if secret:
                person.totp = Totp(secret, self.folder / f"{person.login_name}.totp")

    @contextlib.contextmanager
    def visitor(self, pattern):
        """A new account with the data of a test person, for one walk: what the walk does to it
        (consents, codes used, wrong passwords) must not meet the next one."""
        person = copy.copy(pattern)
        person.login_name = f"{pattern.login_name}-{secrets.token_hex(4)}"
        secret = self._make_person(person).get("totp")
        memory = self.folder / f"{person.login_name}.totp"
        person.totp = Totp(secret, memory) if secret else None
        try:
            yield person
        finally:
            memory.unlink(missing_ok=True)
            self.cli("account", "delete", person.login_name)

    def _make_person(self, person):
        """The account; for a verified person also what an office does with an identity card."""
        words = [w for name, value in person.attributes.items()
                 for w in ("--attribute", f"{name}={value}")]
        if not self._has_account(person):
            self.cli("account", "add", person.login_name, *words,
                     input_text=person.password + "\n")
        if not person.proofed:
            return {}
        scan = self.stage.write(f"{self.key}/evidence.txt", "Scan of an identity card (demo).\n")
        self.cli("account", "verify", person.login_name, "--operator", "A. Beispiel",
                 "--operator", "B. Beispiel", "--document", "id-card", "--evidence", scan, *words)
        return {"totp": self.cli("account", "totp", person.login_name)["secret"]}

    def _has_account(self, person):
        try:
            return bool(self.cli("account", "show", person.login_name))
        except StageError:
            return False


CONF = """# Made by ./dev demo at each start.
instance = {instance}
site_name = {name}
organization_name = {name} (Vorführung)
contact_email = postfach@example.org
contact_security = sicherheit@example.org
base_url = {base}
database = {database}
master_key_file = {folder}/master.key
outbound_inside = 127.0.0.0/8 ::1
outbound_ca = {ca}
{settings}{listen}"""
LISTEN_ALONE = """listen = 127.0.0.1:{port}
tls_certificate = {folder}/tls.crt
tls_key = {folder}/tls.key
"""
LISTEN_BALANCED = """listen = unix:{socket}
listen_metrics = unix:{inner}
trusted_proxy = unix
stop_announce = 2s
"""
