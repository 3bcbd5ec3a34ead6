"""The federation of the demo: who is in it beside Saxony, and what the operators of its administration
and of the states do to be in it.

Everything is done by `kontor federation`, as docs/operate.md and docs/federate.md say.
"""
import base64
import hashlib
import json
import re

from browser import Browser
from kontor import Kontor, Person
from logins import wait_until
from portals import Amt24, Stadtportal

NAME = "verbund"  # of the source, in each state
# Two persons of the administration: who brings a member's metadata does not approve them.
BRINGS, APPROVES = "A. Beispiel", "B. Beispiel"
# All that TR-03160-2 wants said of a member; what the operators of a state agreed on.
RULES = {"required": ["tr-03160-2"], "every-minutes": 1,
         # Kontor's names for people have no scope; they are its own by its entityID.  The attributes: what
         # a state is told of another one's citizens, if they agree.
         "policy": {"level-cap": "substantial", "scoped": False,
                    "attribute": ["given_names", "family_name", "email", "street_address", "postal_code",
                                  "locality"]}}


GUIDE = """<h2>Zum Ausprobieren</h2>
<p>„Anmelden mit dem Servicekonto“ führt zu „{home}“. Wer sein Konto dort hat, gibt Name und Passwort ein. Wer es beim
„{abroad}“ hat, wählt darunter „Anderes Servicekonto wählen“ und dann „{abroad}“; kein Land hat etwas vom anderen
von Hand eingetragen, es gilt, was der Verbund unterschreibt.</p>
<section lang="en"><h2>Try it</h2>
<p>The button leads to “{home}”. Who has an account there types name and password. Who has one with “{abroad}” follows the
link below the form, and then chooses “{abroad}”: each state knows the other by what the federation's administration
signed.</p></section>
<ul>{rows}</ul>
<p>{others}</p>"""


class ServiceBw(Amt24):
    """A portal of Baden-Württemberg, mod_auth_mellon."""

    key, name = "service-bw", "service-bw"


class Rathaus(Stadtportal):
    """Another one, mod_auth_openidc."""

    key, name = "rathaus-ulm", "Rathaus Ulm"


class Member(Kontor):
    """One that signs: what an operator does with its keys."""

    def active(self, purpose, kind):
        return next(k["kid"] for k in self.cli("key", "list")["keys"]
                    if (k["purpose"], k["type"], k["state"]) == (purpose, kind, "active"))

    def certificate(self, kid):
        return self.stage.run(self.program, "key", "certificate", kid, "--config", self.conf)

    def fingerprint(self, kid):
        """Of the key's certificate, as `kontor federation why` names it."""
        return hashlib.sha256(base64.b64decode(bare(self.certificate(kid)))).hexdigest()


class State(Member):
    """A member of the federation."""

    def followed(self):
        """How it stands with the members' metadata."""
        return self.cli("federation", "list")["sources"][0]

    def read_copies(self):
        """How many its node has read since there is a log."""
        return self.nodes[0].log.read_text(encoding="utf-8").count('"federation_indexed"')

    def publish_key(self, purpose, kind):
        """The next one, as its metadata tell others before it is used."""
        kid = self.cli("key", "generate", purpose, kind)["kid"]
        self.cli("key", "publish", kid)
        wait_until(lambda: bare(self.certificate(kid)) in self.metadata(), f"{kid} is shown")
        return kid

    def destroy_key(self, kid):
        shown = bare(self.certificate(kid))
        self.cli("key", "destroy", kid)
        wait_until(lambda: shown not in self.metadata(), f"{kid} is not shown any more")

    def knows_key(self, member, key):
        """Is it one of the member's, by what counts here?"""
        said = self.stage.run(self.program, "federation", "why", member.entity_id, "--config", self.conf)
        return f" {key}\n" in said


class Saxony(State):
    """Kontor of the demo."""


class Baden(State):
    """Baden-Württemberg's provider."""

    key, host, name = "konto-bw", "konto-bw.localhost", "Servicekonto Baden-Württemberg"
    instance = "demo-bw"
    persons = {p.login_name: p for p in (
        Person("carla", "Neckar-Kuckuck-Torte-52", "identity verified, authenticator app", {
            "given_names": "Carla", "family_name": "Beispiel", "birth_date": "1985-03-21",
            "birth_place": "Ulm", "nationality": "D", "street_address": "Münsterplatz 4",
            "postal_code": "89073", "locality": "Ulm", "country": "DE",
            "email": "carla.beispiel@example.org",
        }, proofed=True),
    )}


class Administration(Member):
    """Who says who is a member.  Nobody has an account here."""

    key, host, name = "verbund", "verbund.localhost", "Verbund der Servicekonten"
    instance = "demo-verbund"
    persons = {}
    settings = "federation_name = https://verbund.example/\nfederation_valid = 5d\n"

    @property
    def url(self):
        return self.base + "/federation/metadata"

    def make_key(self):
        """Its key, and the certificate that the states pin."""
        keys = [k for k in self.cli("key", "list")["keys"] if k["purpose"] == "federation-sign"]
        if not keys:
            kid = self.cli("key", "generate", "federation-sign", "p256")["kid"]
            self.cli("key", "publish", kid)
            self.cli("key", "activate", kid, "--emergency")
            keys = [{"kid": kid, "state": "active"}]
        active = next(k["kid"] for k in keys if k["state"] == "active")
        self.anchor = self.stage.write(f"{self.key}/anchor.pem", self.certificate(active))

    def admit(self, file):
        """A member's metadata, brought by one person and approved by another."""
        said = self.cli("federation", "member", "submit", file, "--by", BRINGS,
                        "--until", "never")
        self.cli("federation", "member", "approve", said["member"], said["digest"], "--by", APPROVES,
                 "--until", "never")

    def suspend(self, member):
        self.cli("federation", "member", "suspend", member.entity_id, "--by", BRINGS, "--why", "Vorfall")

    def resume(self, member):
        self.cli("federation", "member", "resume", member.entity_id, "--by", APPROVES)

    def published(self):
        """What counts now, as anybody reads it."""
        page = Browser(self.authority.cert).get(self.url)
        return page.body.decode() if page.status == 200 else ""

    def await_published(self, *members):
        """Until these and nobody else are."""
        wanted = {m.entity_id for m in members}
        self.await_says(lambda text: set(re.findall(
            r'<md:EntityDescriptor [^>]*entityID="([^"]+)"', text)) == wanted, wanted)

    def await_says(self, holds, what):
        wait_until(lambda: holds(self.published()), f"{what} is published")

    def query(self, member):
        """How its metadata query is answered."""
        name = hashlib.sha1(member.entity_id.encode()).hexdigest()
        return Browser(self.authority.cert).get(
            f"{self.base}/federation/entities/%7Bsha1%7D{name}").status


def bare(pem):
    """A certificate as it stands in metadata."""
    return "".join(pem.split("-----")[2].split())


def certificates(text, entity_id):
    """Those of this member."""
    said = text.partition(f'entityID="{entity_id}"')[2].partition("</md:EntityDescriptor>")[0]
    return set(re.findall(r"X509Certificate>([^<]+)<", said))


class Federation:
    """Saxony's provider, which there is, with the others."""

    def __init__(self, saxony, first_port, at_once):
        self.saxony, self.at_once = saxony, at_once
        stage, authority = saxony.stage, saxony.authority
        kinds = (Baden, Administration, ServiceBw, Rathaus)
        ports = {kind: first_port + i for i, kind in enumerate(kinds)}
        self.baden, self.administration = self.others = [
            kind(stage, authority, saxony.cluster, saxony.source, ports[kind])
            for kind in (Baden, Administration)]
        self.service_bw, self.rathaus = self.portals = [
            kind(stage, authority, ports[kind]) for kind in (ServiceBw, Rathaus)]
        self.states = [self.saxony, self.baden]
        self.ports = {kind.name: port for kind, port in ports.items()}

    def write_guides(self, persons, portals):
        """What each portal's front page tells who tries it."""
        for state, own in ((self.saxony, portals), (self.baden, self.portals)):
            rows = "".join(f"<li><b>{p.login_name}</b>, <code>{p.password}</code>, {home.name}"
                           for home, p in persons)
            others = ", ".join(f'<a href="{p.base}/">{p.name}</a>'
                               for p in [*portals, *self.portals])
            abroad = next(s.name for s in self.states if s is not state)
            for portal in own:
                portal.stage.write(f"{portal.key}/page/guide.html", GUIDE.format(
                    home=state.name, abroad=abroad, rows=rows, others=others))

    def start(self):
        self.administration.make_key()
        self.at_once(*(lambda s=s: self.follow(s) for s in self.states))
        for state in self.states:
            self.admit(state)
        self.administration.await_published(*self.states)
        self.spread()

    def follow(self, state):
        """What a state's operator does once: whose word on members counts there."""
        rules = state.stage.write(f"{state.key}/rules.json", json.dumps(RULES))
        state.cli("federation", "add", NAME, "--url", self.administration.url,
                  "--metadata-signer", self.administration.anchor, "--rules", rules)

    def admit(self, state):
        """What it says about itself, as the administration fetches it."""
        text = state.metadata()
        self.administration.admit(state.stage.write(f"{state.key}/metadata.xml", text))
        return text

    def spread(self):
        """What is published counts in both states now: their operators do not wait for the minute."""
        digest = hashlib.sha256(self.administration.published().encode()).hexdigest()
        self.at_once(*(lambda s=s: self.learn(s, digest) for s in self.states))

    def learn(self, state, digest):
        read = state.read_copies()
        if state.followed().get("sha256") == digest:
            return

        def has_read():
            source = state.followed()
            if source.get("sha256") != digest:
                self.approve(state, digest)
                if source.get("trouble") or asked != source.get("fetched"):
                    state.cli("federation", "refresh", NAME)
            return source.get("sha256") == digest and state.read_copies() > read

        asked = state.followed().get("fetched")
        state.cli("federation", "refresh", NAME)
        wait_until(has_read, f"{state.name} has read what is published", pause_s=0.3)

    def approve(self, state, digest):
        """What waits for an operator, as when another key signs."""
        if digest in (c["sha256"] for c in state.cli("federation", "pending")["copies"]):
            state.cli("federation", "approve", NAME, digest, "--by", APPROVES)

    def renew(self, state):
        """Its metadata have changed: the administration looks at them, and all know them."""
        shown = certificates(self.admit(state), state.entity_id)
        self.administration.await_says(
            lambda text: certificates(text, state.entity_id) == shown, f"what {state.name} says")
        self.spread()

    def roll_anchor(self):
        """The administration's key: the states pin the next one beside it, before it signs."""
        admin = self.administration
        old = admin.active("federation-sign", "p256")
        kid = admin.cli("key", "generate", "federation-sign", "p256")["kid"]
        admin.cli("key", "publish", kid)
        both = [admin.certificate(old), admin.certificate(kid)]
        admin.anchor = admin.stage.write(f"{admin.key}/anchor.pem", "".join(both))
        for state in self.states:
            self.follow(state)
        admin.cli("key", "activate", kid, "--emergency")
        admin.cli("federation", "member", "publish", "--by", BRINGS)
        self.spread()
        admin.anchor = admin.stage.write(f"{admin.key}/anchor.pem", both[1])
        for state in self.states:
            self.follow(state)

    def known_keys(self, member, key):
        return [s.knows_key(member, key) for s in self.states]
