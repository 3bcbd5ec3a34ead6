"""Every way of asking, at every SAML portal: mod_auth_mellon, mod_shib and pysaml2 against one Kontor.

usage: test_modes.py KONTOR

docs/tests.md has the table: what each module can, and what it cannot and why.
"""
import base64
import datetime
import re
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import demo  # noqa: E402
import test_demo  # noqa: E402
from kontor import PERSONS  # noqa: E402
from portals import Buergerportal  # noqa: E402
from selfcheck import Citizen, World  # noqa: E402

PORTS = 9543
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
OAEP_SHA1 = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
SUBSTANTIAL, HIGH = "STORK-QAA-Level-3", "STORK-QAA-Level-4"


# ---- how each module is made to ask: url() begins a login in a way, after tune() for that way;
# ---- prepare() starts the portal anew with this metadata of Kontor's

class Mellon:
    """By its configuration, read when Apache starts; IsPassive alone by the address."""

    inside = "/konto"
    encrypts = None  # until a key for it stands in the metadata

    def __init__(self, portal):
        self.portal = portal

    def url(self, **mode):
        more = {"IsPassive": "true"} if "passive" in mode else {}
        return f"{self.portal.base}/mellon/login?" + urlencode(
            {"ReturnTo": self.portal.base + self.inside, **more})

    def tune(self, metadata, **mode):
        portal = self.portal
        portal.more = []
        portal.acs = ("Artifact", "artifactResponse") if "artifact" in mode else ("POST", "postResponse")
        if "level" in mode:
            portal.more = ["<Location />", f"MellonAuthnContextClassRef {mode['level']}",
                           "MellonAuthnContextComparisonType minimum", "</Location>"]
        if mode.get("binding") == "post":  # it posts to who does not take a redirect
            metadata = re.sub(f'<md:SingleSignOnService Binding="{REDIRECT}"[^>]*>'
                              "(</md:SingleSignOnService>)?", "", metadata)
        portal.start_with(metadata)

    prepare = tune

    def roll(self):
        """Its next key: shown at first, then the one it signs with, then the only one."""
        self.portal.authority.self_signed(f"{self.portal.key}/next", "rsa", self.portal.host)
        self.portal.shown = ["saml", "next"]
        yield
        self.portal.sign = "next"
        yield
        self.portal.shown = ["next"]


class Shib:
    """By the address: what its session initiators take."""

    inside = "/offen"
    encrypts = "http://www.w3.org/2009/xmlenc11#rsa-oaep"

    def __init__(self, portal, idp_entity_id):
        self.portal, self.idp = portal, idp_entity_id
        # Beside /konto, which asks for a level of its own.
        portal.more = [f'ScriptAlias /offen "{portal.folder}/page/page.py"', "<Location /offen>",
                       "AuthType shibboleth", "ShibRequestSetting requireSession true",
                       "Require shib-session", "</Location>"]
        portal.initiators = (f'<SessionInitiator type="SAML2" Location="/Redirect" entityID="{idp_entity_id}" '
                             f'NameIDFormat="{PERSISTENT}" outgoingBindings="{REDIRECT}"/>')

    def url(self, binding="redirect", **mode):
        names = {"force": ("forceAuthn", "true"), "passive": ("isPassive", "true"),
                 "artifact": ("acsIndex", "3")}
        more = dict(names[n] for n in mode if n in names)
        if "level" in mode:
            more |= {"authnContextClassRef": mode["level"], "authnContextComparison": "minimum"}
        return (f"{self.portal.base}/Shibboleth.sso/{'Login' if binding == 'post' else 'Redirect'}?"
                + urlencode({"target": self.portal.base + self.inside, **more}))

    def tune(self, metadata, **mode):
        pass

    def prepare(self, metadata):
        self.portal.start_with(metadata, self.idp)

    def roll(self):
        self.portal.authority.self_signed(f"{self.portal.key}/next", "ec", self.portal.host)
        self.portal.signs = ["sign", "next"]
        yield
        self.portal.signs = ["next", "sign"]
        yield
        self.portal.signs = ["next"]


class Pysaml2:
    """By the address: portal.py passes it on."""

    inside = "/konto"
    encrypts = OAEP_SHA1

    def __init__(self, portal):
        self.portal = portal

    def url(self, **mode):
        return f"{self.portal.base}/login?" + urlencode({k: v or "1" for k, v in mode.items()})

    def tune(self, metadata, **mode):
        pass

    def prepare(self, metadata):
        self.portal.start_with(metadata)

    def roll(self):
        self.portal.authority.self_signed(f"{self.portal.key}/next", "rsa", self.portal.host)
        self.portal.settings |= {"shown": ["saml", "next"], "opens": ["saml", "next"]}
        yield
        self.portal.settings["key"] = "next"
        yield
        self.portal.settings |= {"shown": ["next"], "opens": ["next"]}


# ---- who walks ----

class Witness(Citizen):
    """A citizen who keeps the SAML messages that go through the browser."""

    def begin(self, way, **mode):
        """A login begun in that way; the portal's record, None when it received nothing."""
        self.way, self.shown, self.history, self.posted = way, [], [], {}
        self.forget(way.portal)
        self.get(way.url(**mode))
        return self.go_on(way.portal)

    def pass_on(self):
        for form in self.page.forms:
            for name, value in form.fields:
                if name in ("SAMLRequest", "SAMLResponse"):
                    self.posted[name] = base64.b64decode(value).decode()
        return super().pass_on()

    def received(self, portal):
        return self.json(f"{portal.base}{self.way.inside}/json")

    def request_went(self, kontor):
        """By which binding the request went, and whether it was signed."""
        for method, url, _ in self.history:
            if url.startswith(kontor.base) and "SAMLRequest=" in url:
                return "redirect", "Signature" in parse_qs(urlsplit(url).query)
        return ("post" if "SAMLRequest" in self.posted else None,
                "SignatureValue>" in self.posted.get("SAMLRequest", ""))

    def key_transport(self):
        """How the key of the assertion in the last answer came; None if it came in the clear."""
        found = re.search(r"EncryptedKey.*?EncryptionMethod Algorithm=\"([^\"]+)",
                          self.posted["SAMLResponse"], re.S)
        return found and found[1]

    def certificate(self):
        """Of the key that signed the last answer."""
        found = re.search(r"X509Certificate>([^<]+)<", self.posted.get("SAMLResponse", ""))
        return found and found[1]


# ---- the stage ----

class Modes(demo.Demo):
    federates = False

    def __init__(self, args, out):
        super().__init__(args, out)
        self.ports[Buergerportal.name] = PORTS + len(demo.NAMES)
        self.buergerportal = Buergerportal(self.stage, self.authority,
                                           self.ports[Buergerportal.name])
        self.portals = [self.amt24, self.gewerbeportal, self.buergerportal]
        self.ways = [Mellon(self.amt24), Shib(self.gewerbeportal, self.kontor.entity_id),
                     Pysaml2(self.buergerportal)]

    def start_portals(self):
        for way in self.ways:
            way.prepare(self.kontor.metadata())
            self.register(way)

    def register(self, way):
        """As at first, and anew when the portal's metadata has changed."""
        old = (datetime.date.today() + datetime.timedelta(days=365)).isoformat()
        policy = {self.amt24: ["--suite", "rs256", "--old-until", old],
                  self.gewerbeportal: [],
                  # xmlsec1 below pysaml2 signs with RSA PKCS#1 v1.5 and opens OAEP with SHA-1 alone.
                  self.buergerportal: ["--old-until", old, "--key-transport", "rsa-oaep-mgf1p"]}
        self.kontor.add_party(way.portal.metadata_file(), *policy[way.portal])

    def check(self, checks):
        world = World(self.out, self.authority.cert, self.kontor, self.portals, PERSONS)
        for way in self.ways:
            with self.kontor.visitor(PERSONS["erika"]) as person:
                self.walk(checks, way, Witness(world, person))
        roll_over(checks, self, world)

    def walk(self, checks, way, erika):
        subject = ways_of_asking(checks, self, way, erika)
        if not isinstance(way, Pysaml2):  # which keeps no octets of it to verify
            by_artifact(checks, self, way, erika, subject)
        levels(checks, self, way, erika, subject)
        logout_from_both_ends(checks, self, way, erika)
        if not way.encrypts:
            encrypted(checks, self, way, erika)


def ways_of_asking(checks, stage, way, erika):
    name, record, first = way.portal.name, None, None
    for binding in ("redirect", "post"):
        with checks.scene(f"{name}: signed request by {binding}"):
            way.tune(stage.kontor.metadata(), binding=binding)
            record = erika.begin(way, binding=binding)
            first = first or record
            checks.true("the portal knows who is there", record is not None, erika.page.text[:300])
            checks.equal("the request went by it, signed", erika.request_went(stage.kontor),
                         (binding, True))
            checks.equal("the same pseudonym came", record["subject"], first["subject"])
            checks.equal("the assertion came encrypted where the portal has a key for it",
                         erika.key_transport(), way.encrypts)
    if not isinstance(way, Mellon):  # which always says ForceAuthn="false"
        with checks.scene(f"{name}: ForceAuthn"):
            time.sleep(1.1)  # instants are told to the second
            record = erika.begin(way, force="1")
            checks.equal("the password was asked again", erika.shown, ["password"])
            checks.true("the proof is a new one", record["authn_at"] > first["authn_at"] != "",
                        f"{record['authn_at']} after {first['authn_at']}")
            first["authn_at"] = record["authn_at"]
    with checks.scene(f"{name}: IsPassive with a login at Kontor"):
        record = erika.begin(way, passive="1")
        checks.equal("nothing was asked", erika.shown, [])
        checks.true("the portal knows who is there", record is not None, erika.page.text[:300])
        checks.equal("by the proof that there was", record["authn_at"], first["authn_at"])
    with checks.scene(f"{name}: IsPassive without one"):
        stranger = Witness(erika.world, erika.person)
        record = stranger.begin(way, passive="1")
        checks.equal("nothing was asked", stranger.shown, [])
        checks.equal("the portal received nothing", record, None)
        checks.true("it was told why", "status:NoPassive" in stranger.posted["SAMLResponse"],
                    stranger.posted)
    return first["subject"]


def by_artifact(checks, stage, way, erika, subject):
    name = way.portal.name
    with checks.scene(f"{name}: answer by artifact"):
        way.tune(stage.kontor.metadata(), artifact="1")
        stage.register(way)
        record = erika.begin(way, artifact="1")
        carried = [url for method, url, _ in erika.history
                   if method == "GET" and url.startswith(way.portal.base) and "SAMLart=" in url]
        checks.equal("the browser carried one artifact", len(carried), 1)
        checks.true("and no assertion", "SAMLResponse" not in erika.posted, erika.posted)
        checks.true("the portal had the answer for it", record is not None, erika.page.text[:300])
        checks.equal("the same pseudonym came", record["subject"], subject)
        stranger = Witness(erika.world, erika.person)
        stranger.way = way
        stranger.get(carried[0])
        checks.equal("the artifact in another browser gives no login", stranger.received(way.portal),
                     None)
        way.tune(stage.kontor.metadata())
        stage.register(way)


def levels(checks, stage, way, erika, subject):
    name = way.portal.name
    with checks.scene(f"{name}: a level above the login"):
        way.tune(stage.kontor.metadata(), level=SUBSTANTIAL)
        record = erika.begin(way, level=SUBSTANTIAL)
        checks.equal("a code was asked", erika.shown, ["code"])
        checks.equal("the login is at that level", record and record["level"], SUBSTANTIAL)
        checks.equal("the same pseudonym came", record["subject"], subject)
    with checks.scene(f"{name}: a level that nobody reaches"):
        way.tune(stage.kontor.metadata(), level=HIGH)
        record = erika.begin(way, level=HIGH)
        checks.equal("nothing was asked", erika.shown, [])
        checks.equal("the portal received nothing", record, None)
        checks.true("it was told why", "status:NoAuthnContext" in erika.posted["SAMLResponse"],
                    erika.posted)


def logout_from_both_ends(checks, stage, way, erika):
    portal, kontor = way.portal, stage.kontor
    # mod_auth_mellon ends one session of that name: there shall be only one.
    way.tune(kontor.metadata())
    with checks.scene(f"{portal.name}: logout at the portal"):
        erika.begin(way)
        page = erika.leave(portal.logout_url)
        checks.equal("the way ends at the portal's front page", page.url.split("?")[0],
                     portal.base + "/")
        checks.equal("the portal no longer knows who is there", erika.received(portal), None)
        record = erika.begin(way)
        checks.equal("Kontor asks for the password again", erika.shown, ["password"])
        checks.true("and the login holds", record is not None, erika.page.text[:300])
    with checks.scene(f"{portal.name}: logout at Kontor"):
        erika.get(kontor.base + "/konto")
        erika.leave(kontor.base + "/logout")
        checks.equal("the portal no longer knows who is there", erika.received(portal), None)
        checks.true("and Kontor does not either", erika.begin(way, passive="1") is None,
                    erika.page.text[:300])


def encrypted(checks, stage, way, erika):
    """For a module that shows no key for it by default."""
    with checks.scene(f"{way.portal.name}: encrypted assertion"):
        way.portal.encryption = ["saml"]
        way.prepare(stage.kontor.metadata())
        stage.register(way)
        record = erika.begin(way)
        checks.equal("the assertion came encrypted", erika.key_transport(), OAEP_SHA1)
        checks.true("the portal knows who is there", record is not None, erika.page.text[:300])
        way.portal.encryption = []
        way.prepare(stage.kontor.metadata())
        stage.register(way)


def publish(kontor, kid):
    """The node shows it a moment later: a portal that fetched before that would not know the key."""
    shown = kontor.metadata().count("X509Certificate>")
    kontor.cli("key", "publish", kid)
    until = time.monotonic() + 60
    while kontor.metadata().count("X509Certificate>") <= shown:
        assert time.monotonic() < until, f"{kid} is not shown"
        time.sleep(0.05)


def roll_over(checks, stage, world):
    """Kontor's keys, then the portals' own: nobody has to do anything at the moment of change."""
    kontor = stage.kontor
    with kontor.visitor(PERSONS["erika"]) as person:
        erika = Witness(world, person)
        before = {}
        with checks.scene("Kontor's next keys are published"):
            kids = [kontor.cli("key", "generate", "saml-sign", kind)["kid"]
                    for kind in ("p256", "rsa3072")]
            for kid in kids:
                publish(kontor, kid)
            for way in stage.ways:
                way.prepare(kontor.metadata())
                record = erika.begin(way)
                before[way] = erika.certificate()
                checks.true(f"{way.portal.name} takes the old signature", record is not None,
                            erika.page.text[:300])
        with checks.scene("Kontor's next keys sign"):
            for kid in kids:
                # Else they would have to be shown for as long as peers may keep metadata.
                kontor.cli("key", "activate", kid, "--emergency")
            for way in stage.ways:
                record = erika.begin(way)
                checks.true(f"{way.portal.name} takes the new signature, untouched",
                            record is not None, erika.page.text[:300])
                checks.true("it is another key's", erika.certificate() not in (None, before[way]),
                            before[way])
        for way in stage.ways:
            with checks.scene(f"{way.portal.name}'s own next key"):
                roll = way.roll()
                for title in ("both are shown, the old one signs", "the new one signs",
                              "the old one is gone"):
                    next(roll, None)
                    way.prepare(kontor.metadata())
                    stage.register(way)
                    checks.true(title, erika.begin(way) is not None, erika.page.text[:300])


if __name__ == "__main__":
    sys.exit(test_demo.run(PORTS, sys.argv[1], [], Modes))
