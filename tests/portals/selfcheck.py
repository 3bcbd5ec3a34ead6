"""The whole way, as a citizen goes it: three portals, one login, over real HTTPS.

Every check compares what a portal received with what it should have received, value by value
and level by level; a difference is a failed check, never only a line in a log.
"""
import contextlib
import json
import re

import ecp
from browser import Browser, BrowserError
from totp import Totp


class Checks:
    """Counts and prints; a step that breaks down fails its own check and those it was to give."""

    def __init__(self, out):
        self.out, self.passed, self.failed, self.scene_title = out, 0, 0, ""

    def equal(self, title, got, want):
        self.true(title, got == want, f"expected {want!r}, got {got!r}")

    def true(self, title, condition, otherwise=""):
        if condition:
            self.passed += 1
            self.out.say(f"  ok      {title}")
        else:
            self.failed += 1
            self.out.say(f"  FAILED  {title}: {otherwise}")

    @contextlib.contextmanager
    def scene(self, title):
        """What happens in here happens in this order; an exception ends the scene as a failure."""
        self.out.say(f"{title}:")
        self.scene_title = title
        try:
            yield
        except Exception as e:  # whatever it is, the scene did not go to its end
            self.true("the scene goes to its end", False, f"{type(e).__name__}: {e}")


class Citizen(Browser):
    """A browser that knows how to walk through Kontor's pages."""

    def __init__(self, world, person):
        super().__init__(world.ca_file)
        self.world, self.person = world, person
        self.shown = []  # names of the Kontor pages that asked something

    def visit(self, portal, untick=(), enroll=True):
        """Open the portal's protected page and do whatever Kontor asks until an answer is there.
        Returns the portal's record (page.py), None when it received nothing."""
        self.open(portal)
        return self.go_on(portal, untick, enroll)

    def open(self, portal):
        self.shown = []
        self.get(f"{portal.base}/konto")

    def go_on(self, portal, untick=(), enroll=True):
        """The rest of visit(), from the page shown."""
        for _ in range(12):
            if not self.answer_page(untick, enroll):
                break
        return self.received(portal)

    def log_out(self, portal):
        """Follow the portal's logout to where it ends."""
        self.get(f"{portal.base}/konto")
        return self.leave(portal.logout_url)

    def leave(self, url):
        """From there to where the logout ends."""
        self.told = None  # what the page about the other portals said
        self.follow(url)
        for _ in range(8):
            confirm = next((f for f in self.page.forms if ("do", "logout") in f.buttons), None)
            way = next((u for u in self.page.links
                        if u in (f"{self.world.kontor.base}/logout/{w}" for w in ("next", "back"))),
                       None)
            if confirm is not None:
                self.submit(confirm, button="logout")
            elif way is not None:
                self.told = self.page.text if way.endswith("/back") else self.told
                self.follow(way)
            elif not self.pass_on():
                break
        return self.page

    def pass_on(self):
        """Send on a form that takes a SAML message to the other side; false when there is none."""
        form = next((f for f in self.page.forms
                     if f.names() & {"SAMLRequest", "SAMLResponse"}), None)
        if form is not None:
            self.submit(form)
        return form is not None

    def forget(self, portal):
        """As if the portal's own session had ended."""
        self.cookies = {k: c for k, c in self.cookies.items() if c.domain != portal.host}

    def received(self, portal):
        """What the portal holds for this browser now; None without a login there."""
        return self.json(f"{portal.base}/konto/json")

    def json(self, url):
        """What is there for programs, the page shown staying; None for a page."""
        before = self.page
        page = self.get(url)
        self.page = before
        if page.headers.get_content_type() != "application/json":
            return None
        return json.loads(page.body)

    def answer_page(self, untick=(), enroll=True):
        """Answer the page shown; False when nothing is asked."""
        for form in self.page.forms:
            pressed = {value for name, value in form.buttons if name == "do"}
            if {"login_name", "password"} <= form.names():
                self._asked("password", self._login, form)
            elif "enroll" in pressed and not enroll:
                self._asked("enroll", self.submit, form, None, "cancel")
            elif "enroll" in pressed:
                self._asked("enroll", self._enroll, form)
            elif "code" in form.names():
                self._asked("code", self._code, form)
            elif "agree" in pressed:
                self.consent_text = self.page.text
                self._asked("consent", self.submit, form, None, "agree", untick)
            else:
                continue
            return True
        return self.pass_on()

    def _asked(self, what, action, *args):
        self.shown.append(what)
        action(*args)

    def _enroll(self, form):
        """Type the key of the page into an app, and the app's first code into the page."""
        key = re.search(r'kontor-key[^>]*>(.*?)</p>', self.page.body.decode(), re.S)[1]
        secret = re.sub(r"<[^>]*>|\s", "", key)
        memory = self.world.kontor.folder / f"{self.person.login_name}.totp"
        self.person.totp = Totp(secret, memory)
        self._code(form, button="enroll")

    def _login(self, form):
        self.submit(form, {"login_name": self.person.login_name, "password": self.person.password},
                    button="login")
        if self.page.form_with("login_name", "password"):
            raise BrowserError(f"the login of {self.person.login_name} was refused: {self.page.text[:300]}")

    def _code(self, form, button="login"):
        if self.person.totp is None:
            raise BrowserError("a code is asked from a person without a second means")
        self.submit(form, {"code": self.person.totp.next_code(self.world.out)}, button=button)
        if self.page.form_with("code"):
            raise BrowserError(f"the code was refused: {self.page.text[:300]}")


# Names of attributes on the wire: in SAML (FriendlyName), in OpenID Connect (claim).
SAML = {"given_names": "givenName", "family_name": "surname", "birth_date": "birthdate",
        "street_address": "postalAddress", "postal_code": "postalCode", "locality": "localityName",
        "email": "mail"}
OIDC = {"given_names": "given_name", "family_name": "family_name", "email": "email"}


def expected(attributes, wire, *names):
    """What is told of a person whose attributes are verified; in OpenID Connect with what is made of them."""
    told = {wire[name]: attributes[name] for name in names}
    if wire is OIDC and "email" in told:
        told["email_verified"] = "1"
    if wire is OIDC and {"given_name", "family_name"} <= told.keys():
        told["name"] = f"{told['given_name']} {told['family_name']}"
    return told


def values(record):
    return {name: a["value"] for name, a in record["attributes"].items()} if record else None


def levels(record):
    return {name: a["level"] for name, a in record["attributes"].items()} if record else None


class World:
    """What the walk needs to know: where things are and who takes part."""

    def __init__(self, out, ca_file, kontor, portals, persons):
        self.out, self.ca_file, self.kontor, self.persons = out, ca_file, kontor, persons
        self.portals = {p.key: p for p in portals}


def walk(checks, world):
    """All scenes, in the order of a day at the portals."""
    with world.kontor.visitor(world.persons["erika"]) as person:
        erika = Citizen(world, person)
        first = first_login(checks, world, erika)
        other_portal_without_login(checks, world, erika, first)
        step_up(checks, world, erika)
        without_a_browser(checks, world, erika)
        again_without_a_page(checks, world, erika, first)
        by_artifact(checks, world, erika)
        refused_logins(checks, world, person.login_name)
        logout_everywhere(checks, world, erika)
        logout(checks, world, erika, world.portals["amt24"], "Erika")
    with world.kontor.visitor(world.persons["max"]) as person:
        max_ = Citizen(world, person)
        somebody_else(checks, world, max_, first)
        no_means_for_it(checks, world, max_)
        without_a_browser_and_consent(checks, world, max_)
        second_means_on_the_way(checks, world, max_)
        replayed_request(checks, world, max_)
        logout(checks, world, max_, world.portals["gewerbeportal"], "Max")
        logout(checks, world, max_, world.portals["stadtportal"], "Max")


def first_login(checks, world, erika):
    """Amt24: password, consent without the optional e-mail address."""
    amt24, record = world.portals["amt24"], None
    with checks.scene("Erika logs in at Amt24 (SAML)"):
        record = erika.visit(amt24, untick=["attr_email"])
        checks.equal("a login page and a consent page were shown", erika.shown,
                     ["password", "consent"])
        person = erika.person.attributes
        checks.true("the consent page shows the values that go out",
                    all(person[name] in erika.consent_text
                        for name in ("given_names", "family_name", "street_address")),
                    erika.consent_text[:400])
        checks.equal("Amt24 received what was agreed to and nothing else", values(record),
                     expected(person, SAML, "given_names", "family_name", "street_address",
                              "postal_code", "locality"))
        checks.equal("no attribute is above the level of this login", set(levels(record).values()),
                     {"STORK-QAA-Level-2"})
        checks.equal("the login is at niedrig", record["level"], "STORK-QAA-Level-2")
        checks.true("the pseudonym is 43 characters", len(record["subject"]) == 43, record["subject"])
        cookies = erika.cookies_for(world.kontor.host)
        checks.true("Kontor's cookies are __Host-, HttpOnly, Secure",
                    cookies and all(c.name.startswith("__Host-") and c.http_only for c in cookies),
                    [c.name for c in cookies])
    return record


def other_portal_without_login(checks, world, erika, first):
    """Stadtportal: known there by the same login."""
    with checks.scene("Erika goes on to Stadtportal (OpenID Connect)"):
        record = erika.visit(world.portals["stadtportal"])
        checks.equal("only consent was asked", erika.shown, ["consent"])
        person = erika.person.attributes
        checks.equal("Stadtportal received what it asks for", values(record),
                     expected(person, OIDC, "given_names", "family_name", "email"))
        checks.equal("no attribute is above the level of this login", set(levels(record).values()),
                     {"low"})
        checks.equal("the login is at niedrig", record["level"], "low")
        checks.true("the pseudonym is another one than at Amt24",
                    len(record["subject"]) == 43 and record["subject"] != first["subject"],
                    record["subject"])


def step_up(checks, world, erika):
    """Gewerbeportal wants substanziell and one attribute."""
    with checks.scene("Erika goes on to Gewerbeportal (SAML, substanziell)"):
        record = erika.visit(world.portals["gewerbeportal"])
        checks.equal("a code and consent were asked, no password", erika.shown, ["code", "consent"])
        checks.equal("one attribute was received", values(record),
                     expected(erika.person.attributes, SAML, "birth_date"))
        checks.equal("it is at substanziell", levels(record), {"birthdate": "STORK-QAA-Level-3"})
        checks.equal("the login is at substanziell", record["level"], "STORK-QAA-Level-3")


def without_a_browser(checks, world, erika):
    """A program of Erika's at Gewerbeportal, where she has agreed before (mod_shib's ECP)."""
    url = f"{world.portals['gewerbeportal'].base}/dienst/json"
    with checks.scene("A program signs on at Gewerbeportal with Erika's password"):
        program = ecp.Client(world.ca_file, world.kontor.metadata())
        record = program.sign_on(url, erika.person)
        checks.true("Kontor asked for name and password",
                    str(program.challenged).startswith("Basic "), program.challenged)
        checks.equal("the portal received what she agreed to", values(record),
                     expected(erika.person.attributes, SAML, "birth_date"))
        checks.equal("the login is at niedrig", record["level"], "STORK-QAA-Level-2")
        checks.equal("no cookie of Kontor's was set", program.cookies_for(world.kontor.host), [])
        for way, beforehand in (("force", False), ("passive", True)):
            program.forget(url)
            record = program.sign_on(f"{url}/{way}", erika.person, beforehand=beforehand)
            checks.true(f"so it is with {way}", record is not None, program.told)
        program.forget(url)
        checks.equal("without a password nothing is told where no page may be shown",
                     (program.sign_on(f"{url}/passive", erika.person), program.told),
                     (None, "KONTOR-21 passive-login"))
        program.forget(url)
        record = program.sign_on(url, erika.person, password="Falsch-Geraten-11")
        checks.equal("nor with a wrong one", (record, program.status), (None, 401))


def without_a_browser_and_consent(checks, world, max_):
    """Nobody can be asked."""
    with checks.scene("A program signs on with Max's password, and he has not agreed"):
        program = ecp.Client(world.ca_file, world.kontor.metadata())
        record = program.sign_on(f"{world.portals['gewerbeportal'].base}/dienst/json", max_.person)
        checks.equal("nothing is told, and the program hears why", (record, program.told),
                     (None, "KONTOR-28 consent-needed"))


def again_without_a_page(checks, world, erika, first):
    """Amt24 has forgotten its session; Kontor has not, nor has the consent."""
    amt24 = world.portals["amt24"]
    with checks.scene("Erika comes back to Amt24 with a new session there"):
        erika.forget(amt24)
        record = erika.visit(amt24)
        checks.equal("no page was shown", erika.shown, [])
        checks.equal("the same values came", values(record), values(first))
        checks.equal("the same pseudonym came", record["subject"], first["subject"])
        checks.equal("the levels rose with the login", set(levels(record).values()),
                     {"STORK-QAA-Level-3"})
        checks.equal("the login is at substanziell", record["level"], "STORK-QAA-Level-3")


def by_artifact(checks, world, erika):
    """mod_shib asks for its answer by artifact (its third endpoint) and has it by SOAP."""
    gewerbe = world.portals["gewerbeportal"]
    with checks.scene("Erika comes back to Gewerbeportal, by artifact"):
        before = erika.received(gewerbe)
        erika.forget(gewerbe)
        erika.shown, erika.history = [], []
        erika.get(gewerbe.artifact_url)
        record = erika.go_on(gewerbe)
        carried = [url for method, url, _ in erika.history
                   if method == "GET" and url.startswith(gewerbe.base) and "SAMLart=" in url]
        checks.equal("the browser carried one artifact", len(carried), 1)
        checks.true("and no assertion", not any("SAMLResponse" in url for _, url, _ in erika.history),
                    erika.history)
        checks.equal("no page was shown", erika.shown, [])
        checks.equal("the same values came", values(record), values(before))
        checks.equal("the login is at substanziell", record["level"], "STORK-QAA-Level-3")
        stranger = Browser(world.ca_file)
        stranger.get(carried[0])
        page = stranger.get(f"{gewerbe.base}/konto/json")
        checks.true("the artifact in another browser gives no login",
                    page.headers.get_content_type() != "application/json", page.text[:200])


def somebody_else(checks, world, max_, first):
    """Another browser, another person, without proof of identity and without a second means."""
    with checks.scene("Max logs in at Amt24 in a browser of his own"):
        record = max_.visit(world.portals["amt24"])
        person = max_.person.attributes
        checks.equal("his values came", values(record),
                     expected(person, SAML, "given_names", "family_name", "email"))
        checks.equal("what he entered himself stays at Basisregistrierung",
                     set(levels(record).values()), {"STORK-QAA-Level-1"})
        checks.true("his pseudonym is his own", record["subject"] != first["subject"])


def no_means_for_it(checks, world, max_):
    """Gewerbeportal wants more than his password; he turns back."""
    with checks.scene("Max goes on to Gewerbeportal and cancels"):
        record = max_.visit(world.portals["gewerbeportal"], enroll=False)
        checks.equal("an authenticator app was offered", max_.shown, ["enroll"])
        checks.equal("Gewerbeportal received nothing", record, None)


def second_means_on_the_way(checks, world, max_):
    """He sets up an app: the login rises, what he only claims about himself does not."""
    with checks.scene("Max comes again and sets up an authenticator app"):
        record = max_.visit(world.portals["gewerbeportal"])
        checks.equal("the app was set up and consent given", max_.shown, ["enroll", "consent"])
        checks.equal("the login is at substanziell", record["level"], "STORK-QAA-Level-3")
        checks.equal("his date of birth came", values(record),
                     expected(max_.person.attributes, SAML, "birth_date"))
        checks.equal("it is at Basisregistrierung", levels(record), {"birthdate": "STORK-QAA-Level-1"})


def refused_logins(checks, world, login_name):
    """A wrong password and an unknown name look alike."""
    with checks.scene("Somebody guesses"):
        texts = []
        for who, name in (("a wrong password", login_name), ("an unknown name", "no-such-person")):
            b = Browser(world.ca_file)
            b.get(f"{world.portals['stadtportal'].base}/konto")
            form = b.page.form_with("login_name", "password")
            b.submit(form, {"login_name": name, "password": "Falsch-Geraten-11"}, button="login")
            checks.true(f"{who} is refused",
                        b.page.form_with("login_name", "password") is not None, b.page.url)
            texts.append(b.page.text.replace(name, "NAME"))
        checks.equal("both refusals read the same", texts[0], texts[1])


def replayed_request(checks, world, max_):
    """A signed request that was answered once is not answered again."""
    with checks.scene("A SAML request comes a second time"):
        max_.forget(world.portals["amt24"])
        max_.history = []
        record = max_.visit(world.portals["amt24"])
        checks.true("the first time it was answered", record is not None, max_.page.text[:200])
        request = next(url for method, url, _ in max_.history
                       if method == "GET" and url.startswith(world.kontor.base) and "SAMLRequest=" in url)
        page = max_.get(request)
        checks.true("the second time it is refused by a page",
                    page.status >= 400 and not any("SAMLResponse" in f.names() for f in page.forms),
                    f"{page.status} {page.text[:200]}")


def logout_everywhere(checks, world, erika):
    """By SOAP and by logout token, from one dialect to the other: each has ended its session."""
    amt24, gewerbe, stadt = (world.portals[k] for k in ("amt24", "gewerbeportal", "stadtportal"))
    # mod_auth_mellon finds one session of that name, which may be one that was ended otherwise: it
    # hears once.
    for asks, hear in ((gewerbe, (amt24, stadt)), (amt24, (gewerbe, stadt)), (stadt, (gewerbe,))):
        with checks.scene(f"Logging out at {asks.name} is told to the others"):
            for portal in (*hear, asks):
                erika.forget(portal)
                checks.true(f"{portal.name} knows Erika", erika.visit(portal) is not None,
                            erika.page.text[:200])
            erika.told = None
            page = erika.log_out(asks)
            checks.equal("the way ends at the portal's front page", page.url, asks.base + "/")
            checks.equal("all have confirmed it, so that no page was shown", erika.told, None)
            for portal in hear:
                if portal is not amt24:
                    checks.equal(f"{portal.name} no longer knows who is there",
                                 erika.received(portal), None)
                erika.forget(portal)


def logout(checks, world, citizen, portal, says):
    """Logging out at a portal ends the login at Kontor and comes back to the portal."""
    with checks.scene(f"{says} logs out at {portal.name}"):
        citizen.visit(portal)
        page = citizen.log_out(portal)
        checks.equal("the way ends at the portal's front page", page.url, portal.base + "/")
        checks.equal("the portal no longer knows who is there", citizen.received(portal), None)
        citizen.get(f"{portal.base}/konto")
        citizen.pass_on()
        checks.true("Kontor asks for the password again",
                    citizen.page.form_with("login_name", "password") is not None, citizen.page.url)
