"""Model clients: citizens, their portals and the office, each of whom knows the right answer.

A citizen lives a short life with an account of its own, so that whatever happens to the account is
in its own history.  It speaks to the nodes as the balancer would, each request to another one; some
go through the balancer.  Whoever hears nothing begins a new life.
"""
import base64
import copy
import hashlib
import http.client
import json
import random
import re
import secrets
import socket
import string
import threading
import time
import traceback
import zlib
from email.message import Message
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from browser import Browser, BrowserError, Page
from cluster import BACK, HOST
from history import NoAnswer
from totp import STEP_S, code as totp_code

PASSWORD = "Lachs-Turmuhr-Wiese-47"
TIMEOUT_S = 15
LATE_S = 12     # queue_deadline and request_deadline are over, with a margin
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
LEVELS = ["basic", "low", "substantial", "high"]
REQUEST = """<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" Version="2.0" IssueInstant="{at}"
 Destination="{base}/saml/sso"><saml:Issuer>{issuer}</saml:Issuer></samlp:AuthnRequest>"""


class Surprise(Exception):
    """A page that no model has: the client or the product is wrong."""


class _Tls(http.client.HTTPSConnection):
    """Through the balancer, from an address of its own: it bounds what one address may ask."""

    def __init__(self, world, source, context):
        super().__init__(HOST, world.port, timeout=TIMEOUT_S, context=context)
        self.from_address = source

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout,
                                         source_address=(self.from_address, 0))
        self.sock = self._context.wrap_socket(plain, server_hostname=HOST)


class Door:
    """The way to the nodes: one of them, each in turn, or the balancer."""

    def __init__(self, world, number, nodes=None, balanced=False):
        self.world, self.number, self.balanced = world, number, balanced
        self.nodes = nodes or world.nodes
        self.turn = number

    def source(self, life):
        return f"127.{100 + self.number}.{life >> 8 & 255}.{life & 255 or 1}" if self.balanced else \
            f"10.{self.number & 255}.{life >> 8 & 255}.{life & 255}"

    def connection(self, life, tls):
        """A connection and the name of the node it leads to."""
        if self.balanced:
            return _Tls(self.world, self.source(life), tls), "balancer"
        self.turn += 1
        node = self.nodes[self.turn % len(self.nodes)]
        return http.client.HTTPConnection("127.0.0.1", node.port, timeout=TIMEOUT_S), node.name

    def at(self, node):
        """The same, always to one node."""
        return self if self.balanced else Door(self.world, self.number, [node])


class Walker(Browser):
    """A browser that goes through a door.  What the portals answer is not its business."""

    def __init__(self, door, life):
        super().__init__(door.world.authority)
        self.door, self.life, self.node = door, life, None

    def clone(self, door):
        """The same browser at the same moment, at another door."""
        other = copy.copy(self)
        other.cookies, other.history, other.door = dict(self.cookies), [], door
        return other

    def _send(self, method, url, headers, body):
        u = urlsplit(url)
        if u.hostname != HOST:
            return Page(url, 200, Message(), b"")
        target = (u.path or "/") + (f"?{u.query}" if u.query else "")
        status, answer_headers, text = self.ask(method, target, headers, body)
        return Page(url, status, answer_headers, text)

    def ask(self, method, target, headers=None, body=None):
        """One request as the balancer would bring it."""
        connection, self.node = self.door.connection(self.life, self.tls)
        headers = {"Host": urlsplit(self.door.world.base).netloc,
                   "X-Forwarded-For": self.door.source(self.life)} | (headers or {})
        begin = time.monotonic()
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as e:
            raise NoAnswer(f"{self.node}: {e!r}") from e
        finally:
            connection.close()
            took = time.monotonic() - begin
            if took > LATE_S:
                self._odd(f"{took:.0f} s", method, target)
        if answer.status == 503 and not answer.headers["Retry-After"] and not self.door.balanced:
            self._odd("503 without Retry-After", method, target)
        if answer.status >= 500 or answer.status == 429:
            raise NoAnswer(f"{self.node}: {answer.status}")
        return answer.status, answer.headers, text

    def _odd(self, what, method, target):
        """No answer may be so: whatever the fault is."""
        self.door.world.odd.append(f"{self.node}: {method} {target.split('?')[0]}: {what}")

    def form(self, action):
        """The form of the page that leads there, or None."""
        return next((f for f in self.page.forms if urlsplit(f.action).path.startswith(action)), None)


def both(first, second):
    """Run two things at the same moment; their results, exceptions among them."""
    results, line = [None, None], threading.Barrier(2)

    def run(i, what):
        line.wait()
        try:
            results[i] = what()
        except Exception as e:
            results[i] = e

    threads = [threading.Thread(target=run, args=(i, w)) for i, w in enumerate((first, second))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


class Citizen:
    """One person with one account, and the portals it visits."""

    def __init__(self, world, history, name, rng, door, life):
        self.world, self.history, self.name, self.rng, self.door = world, history, name, rng, door
        self.life = life
        self.login = f"{name}-{life}"
        # Somebody else's data in an answer must show: nobody else has this name.
        self.family = "Nemesis " + "".join(rng.choice(string.ascii_lowercase) for _ in range(12)).title()
        self.walker = Walker(door, life)
        self.session, self.proofs = None, set()
        self.totp_secret, self.totp_step = None, 0
        self.tokens, self.codes = [], []

    def op(self, kind, **facts):
        return self.history.op(self.name, kind, account=self.login,
                               balanced=self.door.balanced, **facts)

    def level(self, party):
        level = "substantial" if "totp" in self.proofs else "low"
        return min(level, party.cap or "high", key=LEVELS.index)

    # ---- logging in ----

    def register(self):
        self.walker.get(self.world.base + "/register")
        form = self.walker.form("/register/")
        if form is None:
            raise Surprise(f"register: {self.walker.page.url} {self.walker.page.text[:200]}")
        fields = {"given_names": "Kim", "family_name": self.family, "login_name": self.login,
                  "new_password": PASSWORD, "password_repeat": PASSWORD, "store_consent": "1"}
        fields |= {n: v for n, v in (("birth_date", "1971-02-28"), ("birth_date_day", "28"),
                                     ("birth_date_month", "2"), ("birth_date_year", "1971"))
                   if n in form.names()}
        with self.op("register", family=self.family) as op:
            self.walker.submit(form, fields)
            if urlsplit(self.walker.page.url).path != "/account":
                op.fail(self.walker.page.text[:300])
                raise Surprise(f"not registered: {self.walker.page.text[:300]}")
            op.ok()
        self.begin_session("password")

    def begin_session(self, proof):
        self.session, self.proofs = f"{self.login}/{secrets.token_hex(4)}", {proof}

    def type_password(self):
        with self.op("login") as op:
            self.walker.submit(self.walker.form("/flow/password/"),
                               {"login_name": self.login, "password": PASSWORD})
            if self.walker.form("/flow/password/") is not None:
                op.fail(self.walker.page.text[:120])
                return False
            op.ok()
        self.begin_session("password")
        return True

    def _next_step(self):
        """A step of the clock whose code was not used and is taken now; None: wait for it."""
        now = int(time.time()) // STEP_S
        return next((s for s in (now, now + 1) if s > self.totp_step), None)

    def _enroll(self):
        page = self.walker.page
        found = re.findall(r"\b[A-Z2-7]{4}\b", page.body.decode())
        self.totp_secret = "".join(found[:8])
        # The step before leaves two more to be used at once; if it lasts until this one arrives.
        step = int(time.time() + STEP_S / 2) // STEP_S - 1
        with self.op("enroll", step=step) as op:
            self.walker.submit(self.walker.form("/flow/enroll/"),
                               {"code": totp_code(self.totp_secret, step)})
            if self.walker.form("/flow/enroll/") is not None:
                op.fail(self.walker.page.text[:120])
                raise NoAnswer("its code came too late")
            op.ok()
        self.totp_step = step
        self.proofs.add("totp")

    def _type_code(self, walker, step):
        with self.op("totp", step=step, session=self.session) as op:
            walker.submit(walker.form("/flow/totp/"), {"code": totp_code(self.totp_secret, step)})
            # The login page, or that of a login that is over: another window's code was taken.
            if walker.form("/flow/totp/") or walker.form("/flow/password/") or \
                    walker.page.status == 410:
                op.fail(walker.page.text[:120])
                return False
            op.ok()
            return True

    def step_up(self, twice=False):
        """False: there is no code to be had just now."""
        if self.walker.form("/flow/enroll/") is not None:
            self._enroll()
            return True
        step = self._next_step()
        if step is None:
            return False
        self.totp_step = step
        if not twice:
            done = self._type_code(self.walker, step)
        else:
            walkers = [self.walker.clone(self.door.at(n)) for n in self.world.nodes]
            results = both(*(lambda w=w: self._type_code(w, step) for w in walkers))
            for result in results:
                if isinstance(result, Exception):
                    raise result
            done = any(results)
            if done:
                self.walker = walkers[results.index(True)]
        if done:
            self.proofs.add("totp")
        return done

    # ---- what a portal asks ----

    def saml_url(self, party):
        request = "_" + secrets.token_hex(16)
        xml = REQUEST.format(id=request, base=self.world.base, issuer=party.id,
                             at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
        octets = squeezed.compress(xml.encode()) + squeezed.flush()
        return request, "/saml/sso?SAMLRequest=" + quote(base64.b64encode(octets), safe="")

    def oidc_url(self, party):
        nonce = secrets.token_hex(8)
        return nonce, "/oidc/authorize?" + urlencode({
            "response_type": "code", "client_id": party.id, "redirect_uri": BACK, "state": "s",
            "nonce": nonce, "code_challenge_method": "S256", "code_challenge": CHALLENGE,
            "scope": "openid profile"})

    def _answer_of(self, walker, party):
        """What the portal got: facts, or None when the browser did not get there."""
        if party.front == "oidc":
            u = urlsplit(walker.page.url)
            query = parse_qs(u.query)
            if u.hostname != "portal.localhost":
                return None
            return {"code": query["code"][0]} if "code" in query else {"error": query["error"][0]}
        form = next((f for f in walker.page.forms if f.id == "onward"), None)
        if form is None:
            return None
        response = dict(form.fields)["SAMLResponse"]
        if b"status:Success" not in base64.b64decode(response):
            return {"error": "status"}
        return {"response": response, "acs": form.action}

    def _finish(self, op, walker, party):
        answer = self._answer_of(walker, party)
        if answer is None:
            op.fail(f"{walker.page.status} {walker.page.text[:120]}")
        elif "error" in answer:
            op.fail(answer["error"])
        else:
            # Known only now: it logged in and stepped up on the way.
            op.ok(level=self.level(party), session=self.session, stepped="totp" in self.proofs,
                  **answer)
            return answer
        return None

    def visit(self, party, twice=None, log_in=True):
        """A login at a portal, with whatever is asked on the way.  twice: "request", "consent" or
        "totp" is sent to two nodes at once.  What the portal got, or None."""
        once, target = self.saml_url(party) if party.front == "saml" else self.oidc_url(party)
        facts = {"front": party.front, "party": party.id, "request": once, "family": self.family,
                 "least": party.least}
        if twice == "request":
            return self._visit_twice(party, target, facts)
        consent = False
        with self.op("answer", session=self.session, **facts) as op:
            self.walker.get(self.world.base + target)
            if self.walker.form("/flow/password/") is not None:
                if not log_in or not self.type_password():
                    op.fail("a login is asked")
                    return None
            if self.walker.form("/flow/totp/") or self.walker.form("/flow/enroll/"):
                if not self.step_up(twice == "totp"):
                    op.fail("no code")
                    return None
            if self.walker.form("/flow/consent/") is not None:
                consent = True
                if twice == "consent":
                    op.fail("it is answered by two others")
                    return self._consent_twice(party, facts)
                return self._consent(self.walker, party, facts, op)
            return self._finish(op, self.walker, party) if not consent else None

    def _consent(self, walker, party, facts, outer=None):
        """The consent page: a change and an answer in one."""
        flow = urlsplit(walker.form("/flow/consent/").action).path
        with self.op("consent", party=party.id, flow=flow, session=self.session) as consent, \
                self.op("answer", flow=flow, **facts, session=self.session) as op:
            if outer is not None:
                outer.fail("it goes on with a consent")
            walker.submit(walker.form("/flow/consent/"), button="agree")
            answer = self._finish(op, walker, party)
            if answer is not None:
                consent.ok()
            return answer

    def _consent_twice(self, party, facts):
        walkers = [self.walker.clone(self.door.at(n)) for n in self.world.nodes]
        return self._one_of(both(*(lambda w=w: self._consent(w, party, facts) for w in walkers)),
                            walkers)

    def _one_of(self, results, walkers):
        for result, walker in zip(results, walkers):
            if isinstance(result, Exception):
                raise result
            if result is not None:
                self.walker = walker
        return next((r for r in results if r is not None), None)

    def _visit_twice(self, party, target, facts):
        """The very same request at two nodes at once, from two windows."""
        walkers = [self.walker.clone(self.door.at(n)) for n in self.world.nodes]

        def go(walker):
            with self.op("answer", session=self.session, **facts) as op:
                walker.get(self.world.base + target)
                return self._finish(op, walker, party)

        return self._one_of(both(*(lambda w=w: go(w) for w in walkers)), walkers)

    # ---- what a client does with a code ----

    def redeem(self, party, code, node, nonce):
        basic = base64.b64encode(f"{party.id}:{party.secret}".encode()).decode()
        walker = Walker(self.door.at(node), self.life)
        with self.op("redeem", party=party.id, code=code, session=self.session, nonce=nonce,
                     family=self.family, level=self.level(party)) as op:
            status, _, text = walker.ask("POST", "/oidc/token", {
                "Authorization": f"Basic {basic}",
                "Content-Type": "application/x-www-form-urlencoded"}, urlencode({
                    "grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
                    "code_verifier": VERIFIER}))
            if status != 200:
                op.fail(f"{status} {text.decode()[:120]}")
                return None
            answer = json.loads(text)
            op.ok(token=answer["access_token"], id_token=answer["id_token"])
            self.tokens.append((party, answer["access_token"], code, self.session))
            return answer["access_token"]

    def userinfo(self, party, token, code, node, session):
        walker = Walker(self.door.at(node), self.life)
        with self.op("userinfo", party=party.id, token=token, code=code, session=session,
                     family=self.family) as op:
            status, _, text = walker.ask("GET", "/oidc/userinfo",
                                         {"Authorization": f"Bearer {token}"})
            if status != 200:
                op.fail(str(status))
                return False
            op.ok(claims=json.loads(text))
            return True

    def oidc_login(self, party, twice=None):
        answer = self.visit(party, twice)
        if answer is None:
            return False
        nonce = None  # the checker knows it from the request of the code
        return self.use_code(party, answer["code"], nonce, self.rng.random() < 0.4)

    def use_code(self, party, code, nonce, raced):
        nodes = self.world.nodes if not self.door.balanced else self.world.nodes[:1]
        if raced:
            results = both(*(lambda n=n: self.redeem(party, code, n, nonce) for n in self.world.nodes))
        else:
            results = [self.redeem(party, code, self.rng.choice(nodes), nonce)]
        for result in results:
            if isinstance(result, Exception):
                raise result
        token = next((t for t in results if t), None)
        if token is None:
            return False
        return self.userinfo(party, token, code, self.rng.choice(nodes), self.session)

    # ---- taking back, and trying what must not work any more ----

    def try_all(self, party):
        """Tokens, codes and the session, at every node."""
        for node in self.world.nodes:
            for of, token, code, session in self.tokens[-3:]:
                self.userinfo(of, token, code, node, session)
        if self.codes:
            of, code = self.codes.pop()
            self.redeem(of, code, self.rng.choice(self.world.nodes), None)
        if party is not None:
            self.visit(party, log_in=False)

    def keep_code(self, party):
        """A code that is to be redeemed only after what comes next."""
        answer = self.visit(party)
        if answer is not None:
            self.codes.append((party, answer["code"]))

    def withdraw(self, party):
        self.keep_code(party)
        self.walker.get(self.world.base + "/account")
        form = next((f for f in self.walker.page.forms if ("consent", party.id) in f.fields), None)
        if form is None:
            return
        with self.op("withdraw", party=party.id) as op:
            self.walker.submit(form, button="withdraw")
            if "notice=consent_withdrawn" not in self.walker.page.url:
                op.fail(self.walker.page.text[:120])
                return
            op.ok()
        self.try_all(None)

    def logout(self):
        self.keep_code(self.world.parties["oidc-plain"])
        self.walker.get(self.world.base + "/logout")
        form = self.walker.form("/logout")
        if form is None:
            return
        old = dict(self.walker.cookies)
        with self.op("logout", session=self.session) as op:
            self.walker.submit(form, button="logout")
            # The way to the page about the portals is told only after the logout is done.
            done = "/logout/portals" in self.walker.page.url
            if self.walker.page.status != 200 and not done:
                op.fail(self.walker.page.text[:120])
                return
            op.ok()
        new, self.walker.cookies = self.walker.cookies, old  # who kept the cookie
        self.try_all(self.world.parties["saml-plain"])
        self.walker.cookies = new
        self.session, self.proofs = None, set()

    def command(self, kind, *words, **facts):
        """An act of the office; True when it is done for certain."""
        with self.op(kind, **facts) as op:
            said = self.world.cli(*words)
            if said.status == 0:
                op.ok()
                return True
            if said.status in (2, 3, 5, 6):  # idp/cli.h: nothing was done
                op.fail(said.err[:120])
            return False

    def disabled(self):
        self.keep_code(self.world.parties["oidc-plain"])
        if not self.command("disable", "account", "disable", self.login):
            return
        self.try_all(self.world.parties["saml-plain"])
        self.visit(self.world.parties["saml-plain"])
        if self.command("enable", "account", "enable", self.login):
            self.session, self.proofs = None, set()
            self.walker = Walker(self.door, self.life)
            self.visit(self.world.parties["saml-plain"])

    def code_again(self, party):
        """A session of its own, so that a code is asked, at two nodes at once."""
        self.visit(party)
        if self.totp_secret:
            self.walker, self.session, self.proofs = Walker(self.door, self.life), None, set()
            self.visit(party, "totp")

    # ---- a life ----

    def live(self):
        pick = self.world.parties
        self.register()
        acts = [
            (4, lambda: self.visit(pick["saml-plain"])),
            (2, lambda: self.visit(pick["saml-plain"], "request")),
            (2, lambda: self.visit(pick["saml-capped"], "consent")),
            (4, lambda: self.oidc_login(pick["oidc-plain"])),
            (2, lambda: self.oidc_login(pick["oidc-capped"], "consent")),
            (1, lambda: self.code_again(pick["saml-strict"])),
            (1, lambda: self.oidc_login(pick["oidc-strict"])),
            (2, lambda: self.withdraw(pick["oidc-plain"])),
            (2, self.logout),
            (1, self.disabled),
        ]
        for _ in range(self.rng.randint(4, 10)):
            act = self.rng.choices([a for _, a in acts], [w for w, _ in acts])[0]
            act()
            yield


class Client(threading.Thread):
    """Citizens one after another."""

    def __init__(self, world, history, seed, number, balanced=False):
        super().__init__(name=f"c{number}", daemon=True)
        self.world, self.history = world, history
        self.rng = random.Random(f"{seed}/{number}")
        self.door = Door(world, number, balanced=balanced)
        self.ends, self.surprises = threading.Event(), []

    def run(self):
        life = 0
        while not self.ends.is_set():
            life += 1
            citizen = Citizen(self.world, self.history, self.name, self.rng, self.door, life)
            try:
                for _ in citizen.live():
                    if self.ends.wait(self.rng.uniform(0, 0.05)):
                        break
            except NoAnswer:
                self.ends.wait(0.1)
            except (Surprise, BrowserError, AttributeError, KeyError, AssertionError) as e:
                self.surprises.append(f"{citizen.login}: {e!r}")
                self.history.mark("surprise", client=self.name, text=traceback.format_exc())


class Office(threading.Thread):
    """Switches a portal off and on again, and sees who still serves it."""

    def __init__(self, world, history, seed, at_once_s):
        super().__init__(name="office", daemon=True)
        self.world, self.history, self.at_once_s = world, history, at_once_s
        self.rng, self.ends, self.surprises = random.Random(f"{seed}/office"), threading.Event(), []

    def run(self):
        life = 0
        while not self.ends.is_set():
            life += 1
            door = Door(self.world, 90)
            citizen = Citizen(self.world, self.history, "office", self.rng, door, life)
            try:
                citizen.register()
                for front in ("saml", "oidc"):
                    self._switch(citizen, self.world.parties[f"{front}-switched"])
            except NoAnswer:
                self.ends.wait(0.1)
            except (Surprise, BrowserError, AttributeError, KeyError, AssertionError) as e:
                self.surprises.append(f"office: {e!r}")
                self.history.mark("surprise", client="office", text=traceback.format_exc())

    def _ask(self, citizen, party):
        """At each node in turn."""
        for node in self.world.nodes:
            citizen.door = citizen.walker.door = Door(self.world, 90, [node])
            try:
                citizen.visit(party)
            except NoAnswer:
                citizen.walker = Walker(citizen.door, citizen.life)

    def _switch(self, citizen, party):
        word = "party" if party.front == "saml" else "client"
        self._ask(citizen, party)
        try:
            if citizen.command("party-off", word, "disable", party.id, party=party.id):
                self.ends.wait(self.at_once_s)
                self._ask(citizen, party)
        finally:
            while not self.ends.is_set() and \
                    not citizen.command("party-on", word, "enable", party.id, party=party.id):
                self.ends.wait(0.2)
        self.ends.wait(self.at_once_s)
