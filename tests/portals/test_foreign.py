"""A real foreign provider: Debian's SimpleSAMLphp, its metadata signed into the aggregate.

usage: test_foreign.py KONTOR

docs/tests.md says what it can, and what it cannot and why.  One Kontor is provider and
administration of the federation at once.
"""
import datetime
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import demo  # noqa: E402
import test_demo  # noqa: E402
from across import Traveller, refused  # noqa: E402
from federation import NAME, Administration, State  # noqa: E402
from foreign import SimpleSamlPhp  # noqa: E402
from kontor import PERSONS, Person  # noqa: E402
from logins import wait_until, way  # noqa: E402
from selfcheck import SAML, World, expected, levels, values  # noqa: E402

PORTS = 9843


class Both(Administration, State):
    """Saxony's provider, which administrates the federation as well."""

    key, host, name, instance = "kontor", "servicekonto.localhost", "Servicekonto Sachsen", "demo"
    persons = PERSONS


class Foreign(demo.Demo):
    federates = False

    def __init__(self, args, out):
        super().__init__(args, out)
        self.ports["SimpleSAMLphp"] = PORTS + len(demo.NAMES)
        self.kontor = Both(self.stage, self.authority, self.cluster, args.kontor, PORTS)
        self.provider = SimpleSamlPhp(self.stage, self.authority, self.ports["SimpleSAMLphp"])
        self.portals = [self.amt24]

    def start_portals(self):
        kontor, provider = self.kontor, self.provider
        kontor.make_key()
        self.amt24.join(kontor)
        provider.make()
        # xmlseclibs signs and verifies RSA PKCS#1 v1.5 alone, and encrypts by CBC alone.
        until = (datetime.date.today() + datetime.timedelta(days=365)).isoformat()
        rules = self.stage.write("rules.json", json.dumps({"members": {provider.entity_id: {
            "suite": "rs256", "old-until": until, "encrypt": "never", "attribute-level": "low"}}}))
        kontor.cli("federation", "add", NAME, "--url", kontor.url, "--metadata-signer", kontor.anchor,
                   "--rules", rules)
        wait_until(lambda: "SPSSODescriptor" in kontor.metadata(), "we are a service provider")
        kontor.admit(self.stage.write("kontor/metadata.xml", kontor.metadata()))
        kontor.await_published(kontor)
        provider.start_with(kontor.published())
        kontor.admit(self.stage.write("simplesamlphp/metadata.xml", provider.metadata()))
        kontor.await_published(kontor, provider)
        self.learn()

    def learn(self):
        """Our node reads what is published."""
        read = self.kontor.read_copies()
        self.kontor.cli("federation", "refresh", NAME)
        wait_until(lambda: self.kontor.read_copies() > read, "the members are known", pause_s=0.3)

    def check(self, checks):
        world = World(self.out, self.authority.cert, self.kontor, self.portals, PERSONS)
        ida = Person(self.provider.person, self.provider.password, "", {
            "given_names": "Ida", "family_name": "Ausland", "email": "ida@example.org"})
        logs_in(checks, self, lambda: Guest(world, ida, self.provider))
        suspended(checks, self, lambda: Guest(world, ida, self.provider))


class Guest(Traveller):
    """Whose account is at SimpleSAMLphp."""

    def answer_page(self, untick=(), enroll=True):
        form = self.page.form_with("username", "password")
        if form is not None:
            self._asked("password", self.submit, form,
                        {"username": self.person.login_name, "password": self.person.password})
            return True
        return super().answer_page(untick, enroll)


def logs_in(checks, stage, guest):
    ida, amt24 = guest(), stage.amt24
    with checks.scene("Ida, with an account at SimpleSAMLphp, logs in at Amt24"):
        record = ida.visit(amt24)
        checks.equal("she chose her provider, proved herself there and agreed here", ida.shown, [
            "elsewhere@servicekonto", "choice@servicekonto", "password@simplesamlphp",
            "consent@servicekonto"])
        checks.equal("Amt24 received her values", values(record), expected(
            ida.person.attributes, SAML, "given_names", "family_name", "email"))
        checks.equal("at the level that was agreed on for its attributes", set(levels(record).values()),
                     {"STORK-QAA-Level-2"})
        checks.equal("the login is at niedrig", record["level"], "STORK-QAA-Level-2")
        again = guest()
        checks.equal("another day she has the same pseudonym",
                     (again.visit(amt24) or {}).get("subject"), record["subject"])


def suspended(checks, stage, guest):
    kontor, provider, amt24 = stage.kontor, stage.provider, stage.amt24
    with checks.scene("SimpleSAMLphp is suspended"):
        late = guest()
        late.open(amt24)
        while late.page.form_with("username", "password") is None and late.answer_page():
            pass
        kontor.cli("federation", "suspend", provider.entity_id, "--by", "A. Beispiel", "--why", "Vorfall")
        late.go_on(amt24)
        checks.true("a login that was on its way is refused", late.received(amt24) is None, way(late))
        refused(checks, "a new one is refused", guest(), amt24)
        kontor.cli("federation", "unsuspend", provider.entity_id, "--by", "B. Beispiel")
        ida = guest()
        checks.true("and taken again afterwards", ida.visit(amt24) is not None, way(ida))
        kontor.suspend(provider)
        checks.equal("who runs the federation suspends it: its metadata are gone at once",
                     kontor.query(provider), 404)
        kontor.await_published(kontor)
        stage.learn()
        refused(checks, "and nobody comes from there", guest(), amt24)


if __name__ == "__main__":
    sys.exit(test_demo.run(PORTS, sys.argv[1], [], Foreign))
