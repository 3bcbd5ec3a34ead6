"""Citizens of one state at portals of another, by the federation's signed metadata alone; then what
its operators do to members while people log in.

Nobody is registered by hand: what each state knows of the other came from the administration.
"""
import contextlib
import re
from urllib.parse import urlsplit

from browser import BrowserError, Browser
from logins import Logins, way
from selfcheck import OIDC, SAML, Citizen, World, expected, levels, values

STREAM_LOGINS = 2  # that have to arrive between two steps of a roll-over


def walk(checks, world, federation):
    baden = World(world.out, world.ca_file, federation.baden, federation.portals,
                  federation.baden.persons)
    carla = Party(federation.baden, "carla", world)
    erika = Party(federation.saxony, "erika", baden)
    portals = [(carla, world.portals["amt24"], world.portals["stadtportal"]),
               (erika, federation.service_bw, federation.rathaus)]
    for party, saml, openid in portals:
        with party.citizen() as citizen:
            first = by_saml(checks, citizen, saml)
            by_openid(checks, citizen, openid, first)
            again(checks, citizen, saml, first)
    suspended_at_home(checks, federation, carla, world.portals["amt24"])
    suspended_everywhere(checks, federation, portals)
    keys_roll_over(checks, federation, portals)


class Party:
    """A person of one state before the portals of another."""

    def __init__(self, home, name, abroad):
        self.home, self.name, self.abroad = home, name, abroad

    @contextlib.contextmanager
    def citizen(self):
        with self.home.visitor(self.home.persons[self.name]) as person:
            yield Traveller(self.abroad, person, self.home)


class Traveller(Citizen):
    """Who chooses the account at home; `world` is that of the portal's state."""

    def __init__(self, world, person, home):
        super().__init__(world, person)
        self.home = home

    def answer_page(self, untick=(), enroll=True):
        if self._at(self.world.kontor):
            choice = self.page.form_with("to")
            link = next((u for u in self.page.links
                         if u.startswith(f"{self.world.kontor.base}/flow/home/")), None)
            if choice is not None:
                return self._choose(choice)
            if link is not None:
                self._asked("elsewhere", self.follow, link)
                return True
        return super().answer_page(untick, enroll)

    def _at(self, kontor):
        return urlsplit(self.page.url).netloc == urlsplit(kontor.base).netloc

    def _asked(self, what, action, *args):
        """Each page with whose it was."""
        host = urlsplit(self.page.url).hostname.split(".")[0]
        super()._asked(f"{what}@{host}", action, *args)

    def _choose(self, form):
        """Press the button with the name of the provider at home; False when there is none."""
        for value, text in re.findall(r'name="to" value="([^"]*)"[^>]*>(.*?)</button>',
                                      self.page.body.decode(), re.S):
            if self.home.name in re.sub(r"<[^>]*>", "", text):
                self._asked("choice", self.submit, form, None, value)
                return True
        return False


def shown_at(citizen, *last):
    """The pages of a login with the account at home; `last`: of the portal's state."""
    here, home = (k.host.split(".")[0] for k in (citizen.world.kontor, citizen.home))
    return [f"elsewhere@{here}", f"choice@{here}", f"password@{home}", f"consent@{home}",
            *(f"{what}@{here}" for what in last)]


def by_saml(checks, citizen, portal):
    record = None
    with checks.scene(f"{citizen.person.attributes['given_names']}, with an account at "
                      f"{citizen.home.name}, logs in at {portal.name} (SAML)"):
        record = citizen.visit(portal)
        checks.equal("she chose her provider, proved herself there and agreed at both", citizen.shown,
                     shown_at(citizen, "consent"))
        checks.equal(f"{portal.name} received her values", values(record), expected(
            citizen.person.attributes, SAML, "given_names", "family_name", "email",
            "street_address", "postal_code", "locality"))
        checks.equal("at the level of her login at home", set(levels(record).values()),
                     {"STORK-QAA-Level-2"})
        checks.equal("which is niedrig", record["level"], "STORK-QAA-Level-2")
        checks.true("the pseudonym says whence she came", record["subject"].startswith("fink."),
                    record["subject"])
    return record


def by_openid(checks, citizen, portal, first):
    with checks.scene(f"and goes on to {portal.name} (OpenID Connect)"):
        record = citizen.visit(portal)
        checks.equal("no session and no consent was kept of her: she proves herself anew", citizen.shown,
                     shown_at(citizen, "consent"))
        checks.equal(f"{portal.name} received her values", values(record), expected(
            citizen.person.attributes, OIDC, "given_names", "family_name", "email"))
        checks.equal("the login is at niedrig", record["level"], "low")
        checks.true("her pseudonym is another one there", record["subject"].startswith("fink.")
                    and record["subject"] != first["subject"], record["subject"])


def again(checks, citizen, portal, first):
    with checks.scene(f"and comes back to {portal.name} another day"):
        citizen.cookies = {}
        record = citizen.visit(portal)
        checks.equal("by the same pseudonym", record and record["subject"], first["subject"])


def refused(checks, title, citizen, portal):
    """Whatever page it ends at."""
    with contextlib.suppress(BrowserError):
        citizen.visit(portal)
    record = citizen.received(portal)
    checks.true(title, record is None, record)


def suspended_at_home(checks, federation, party, portal):
    """By the operator of one state, whatever the administration says."""
    saxony, baden = federation.saxony, federation.baden
    with party.citizen() as citizen, party.citizen() as late, \
            checks.scene(f"{saxony.name} suspends {baden.name}"):
        late.open(portal)
        while not (late._at(baden) and late.page.form_with("login_name", "password")):
            late.answer_page()
        saxony.cli("federation", "suspend", baden.entity_id, "--by", "A. Beispiel", "--why", "Vorfall")
        try:
            late.go_on(portal)
            checks.true("a login that was on its way is refused", late.received(portal) is None,
                        way(late))
            refused(checks, "a new one is refused", citizen, portal)
        finally:
            saxony.cli("federation", "unsuspend", baden.entity_id, "--by", "B. Beispiel")
        checks.true("and taken again afterwards", citizen.visit(portal) is not None, way(citizen))


def suspended_everywhere(checks, federation, portals):
    """By the administration."""
    admin, baden = federation.administration, federation.baden
    with contextlib.ExitStack() as stack, checks.scene(f"The administration suspends {baden.name}"):
        citizens = [(stack.enter_context(party.citizen()), saml) for party, saml, _ in portals]
        admin.suspend(baden)
        try:
            checks.equal("its metadata are not to be had any more, at once", admin.query(baden), 404)
            admin.await_published(federation.saxony)
            federation.spread()
            for citizen, portal in citizens:
                refused(checks, f"{citizen.person.attributes['given_names']} is refused at "
                        f"{portal.name}", citizen, portal)
        finally:
            admin.resume(baden)
            admin.await_published(*federation.states)
            federation.spread()
        for citizen, portal in citizens:
            checks.true(f"and comes to {portal.name} when another person has taken that back",
                        citizen.visit(portal) is not None, way(citizen))


def keys_roll_over(checks, federation, portals):
    """The key by which Baden-Württemberg signs its requests and its answers to other states, then
    the administration's own."""
    baden, admin = federation.baden, federation.administration
    with contextlib.ExitStack() as stack, checks.scene("Keys roll over while people log in"):
        persons = []
        for party, saml, openid in portals:
            person = stack.enter_context(party.citizen()).person
            persons.append((lambda p=party, who=person: Traveller(p.abroad, who, p.home),
                            [saml, openid]))
        logins = stack.enter_context(Logins(persons))
        before = baden.active("saml-sign", "p256")
        kid = baden.publish_key("saml-sign", "p256")
        marks = [baden.fingerprint(k) for k in (before, kid)]
        federation.renew(baden)
        logins.more(STREAM_LOGINS)
        checks.equal("the next key is known before it signs", federation.known_keys(baden, marks[1]),
                     [True, True])
        baden.cli("key", "activate", kid, "--emergency")
        logins.more(STREAM_LOGINS)
        baden.destroy_key(before)
        federation.renew(baden)
        logins.more(STREAM_LOGINS)
        checks.equal("the one before is not known any more", federation.known_keys(baden, marks[0]),
                     [False, False])
        old = admin.active("federation-sign", "p256")
        federation.roll_anchor()
        logins.more(STREAM_LOGINS)
        checks.true("the administration's signature is another key's",
                    admin.active("federation-sign", "p256") != old, old)
    checks.scene_title = "Keys roll over while people log in"
    checks.true(f"none of {logins.done} logins failed", not logins.lost, logins.lost[:1])
