"""What two nodes on one database owe: no login rests on a node, and both know at once what changed.

The scenes come after the walk (selfcheck.py), which already went through the balancer.
"""
import contextlib
import itertools
import json
import re
import signal
import threading
import time
from email.message import Message
from urllib.parse import urlsplit

from artifact import Carrying, resolve, resolve_request
from browser import BrowserError, Page
from logins import PATIENCE_S, Logins, wait_until, way
from selfcheck import OIDC, SAML, Citizen, expected, values

STREAMS = 3
ARTIFACTS = 5  # each raced by
RACERS = 6


def walk(checks, world, at_once_s):
    """at_once_s: how long "within a second" is here."""
    both_take_part(checks, world)
    from_node_to_node(checks, world)
    for node, until in zip(world.kontor.nodes, ("password", "consent"), strict=True):
        killed_on_the_way(checks, world, node, until)
    raced_artifacts(checks, world)
    restarted_in_turn(checks, world)
    disabled_account(checks, world, at_once_s)
    for key, command in (("gewerbeportal", "party"), ("stadtportal", "client")):
        disabled_party(checks, world, world.portals[key], command, at_once_s)
    activated_key(checks, world, at_once_s)


class Commuter(Citizen):
    """A citizen whose requests to Kontor go past the balancer, each to another node than the one
    before: every form is answered by a node that did not show it."""

    def __init__(self, world, person, start=0):
        super().__init__(world, person)
        self.turns = itertools.islice(itertools.cycle(world.kontor.nodes), start, None)
        self.trips = []

    def _send(self, method, url, headers, body):
        u = urlsplit(url)
        if u.hostname != self.world.kontor.host:
            return super()._send(method, url, headers, body)
        node = next(self.turns)
        self.trips.append((node.name, method, u.path))
        return node.ask(u.path + (f"?{u.query}" if u.query else ""), method, headers, body)


def seconds_until(nodes, holds):
    """By node: how long it took from now until holds(node)."""
    start, took = time.monotonic(), {}
    while len(took) < len(nodes) and time.monotonic() < start + PATIENCE_S:
        for node in nodes:
            if node.name not in took and holds(node):
                took[node.name] = round(time.monotonic() - start, 3)
        time.sleep(0.04)
    return {node.name: took.get(node.name, PATIENCE_S) for node in nodes}


def bring_back(world, node):
    """Start it again, and let the balancer notice."""
    node.start(node.is_ready)

    def is_asked():
        before = node.answered()
        for _ in world.kontor.nodes:
            world.kontor.answers()
        return node.answered() > before
    wait_until(is_asked, f"the balancer sends requests to {node.name}")


def both_take_part(checks, world):
    with checks.scene("The walk so far went through the balancer"):
        for node in world.kontor.nodes:
            count = node.answered()
            checks.true(f"{node.name} answered its part", count > 20, f"{count} requests")


def from_node_to_node(checks, world):
    with world.kontor.visitor(world.persons["erika"]) as person, \
            checks.scene("Each page comes from one node and its form goes to the other"):
        erika = Commuter(world, person)
        record = erika.visit(world.portals["amt24"])
        checks.equal("Amt24: password and consent were asked once", erika.shown,
                     ["password", "consent"])
        checks.equal("Amt24 received her values", values(record), expected(
            person.attributes, SAML, "given_names", "family_name", "street_address",
            "postal_code", "locality", "email"))
        record = erika.visit(world.portals["stadtportal"])
        checks.equal("Stadtportal: only consent", erika.shown, ["consent"])
        checks.equal("Stadtportal received her values", values(record), expected(
            person.attributes, OIDC, "given_names", "family_name", "email"))
        record = erika.visit(world.portals["gewerbeportal"])
        checks.equal("Gewerbeportal: a code and consent", erika.shown, ["code", "consent"])
        checks.equal("Gewerbeportal received her value", values(record),
                     expected(person.attributes, SAML, "birth_date"))
        names = {node.name for node in world.kontor.nodes}
        checks.true("both nodes showed pages and both took forms",
                    {n for n, m, _ in erika.trips if m == "POST"} == names
                    == {n for n, m, _ in erika.trips if m == "GET"}, erika.trips)


def kill(node):
    """All its processes at once; gone when the last one no longer listens, long before the
    balancer's next question."""
    node.end(signal.SIGKILL)
    wait_until(lambda: not node.listens(), f"{node.name} is gone")


def killed_on_the_way(checks, world, node, page):
    amt24 = world.portals["amt24"]
    with world.kontor.visitor(world.persons["max"]) as person, \
            checks.scene(f"{node.name} is killed while Max looks at the {page} page"):
        max_ = Citizen(world, person)
        max_.open(amt24)
        if page == "consent":
            max_.answer_page()
        kill(node)
        checks.equal("it is gone", node.exit_status(), -signal.SIGKILL)
        record = max_.go_on(amt24)
        checks.true("the login goes on", record is not None, way(max_))
        checks.equal("nothing was asked twice", max_.shown, ["password", "consent"])
        checks.equal("Amt24 received his values", values(record), expected(
            person.attributes, SAML, "given_names", "family_name", "email"))
        bring_back(world, node)
        checks.true("it is back", node.is_ready())


def race(world, portal, artifact):
    """Many resolutions at once, of both nodes: how many had the message."""
    envelopes = [resolve_request(portal, world.kontor, artifact) for _ in range(RACERS)]
    start, got = threading.Barrier(RACERS), [None] * RACERS

    def run(i):
        start.wait()
        try:
            got[i] = resolve(world.kontor.nodes[i % len(world.kontor.nodes)], envelopes[i])
        except Exception as e:  # counted as what it is: no answer
            got[i] = repr(e)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def raced_artifacts(checks, world):
    gewerbe = world.portals["gewerbeportal"]
    once = sorted([True] + [False] * (RACERS - 1))
    with world.kontor.visitor(world.persons["erika"]) as person, \
            checks.scene("Artifacts are resolved at both nodes at once"):
        erika = Carrying(world, person)
        races = [race(world, gewerbe, erika.fetch(gewerbe)) for _ in range(ARTIFACTS)]
        checks.true(f"each of {ARTIFACTS} gave its message once",
                    all(sorted(map(str, r)) == sorted(map(str, once)) for r in races), races)
        artifact, (first, *_) = erika.fetch(gewerbe), world.kontor.nodes
        first.end()
        bring_back(world, first)
        got = race(world, gewerbe, artifact)
        checks.true("one from before a restart gives it once, too",
                    sorted(map(str, got)) == sorted(map(str, once)), got)


def restarted_in_turn(checks, world):
    with contextlib.ExitStack() as stack, \
            checks.scene("The nodes are stopped and started in turn while people log in"):
        persons = [stack.enter_context(world.kontor.visitor(world.persons["max"]))
                   for _ in range(STREAMS)]
        portals = [world.portals["amt24"], world.portals["stadtportal"]]
        with Logins([(lambda p=p: Citizen(world, p), portals) for p in persons]) as logins:
            for node in world.kontor.nodes:
                logins.more(STREAMS)
                before = logins.done
                node.end()
                checks.equal(f"{node.name} ended in good order", node.exit_status(), 0)
                logins.more(STREAMS)
                checks.true("logins went on", logins.done > before, logins.done)
                bring_back(world, node)
            logins.more(STREAMS)
        checks.equal(f"none of {logins.done} logins was lost", logins.lost, [])


def on_both(checks, world, title, holds, at_once_s):
    """From now on; the change is made."""
    took = seconds_until(world.kontor.nodes, holds)
    said = ", ".join(f"{name} {s:.2f} s" for name, s in took.items())
    checks.true(f"{title} ({said})", max(took.values()) < at_once_s, f"later than {at_once_s} s")


def disabled_account(checks, world, at_once_s):
    with world.kontor.visitor(world.persons["max"]) as person, \
            checks.scene("An account is disabled"):
        max_ = Citizen(world, person)
        max_.visit(world.portals["amt24"])
        cookies = "; ".join(f"{c.name}={c.value}" for c in max_.cookies_for(world.kontor.host))

        def knows(node):
            page = node.ask("/account", headers={"Cookie": cookies})
            return page.status == 200 and person.attributes["email"] in page.text

        pages = [n.ask("/account", headers={"Cookie": cookies}) for n in world.kontor.nodes]
        checks.true("he is logged in on both nodes", all(knows(n) for n in world.kontor.nodes),
                    [f"{p.status} {p.text[:300]}" for p in pages])
        world.kontor.cli("account", "disable", person.login_name)
        on_both(checks, world, "his login is over on both", lambda n: not knows(n), at_once_s)
        for start in range(len(world.kontor.nodes)):
            again = Commuter(world, person, start)
            try:
                again.visit(world.portals["amt24"])
                refused = False
            except BrowserError as e:
                refused = "was refused" in str(e)
            asked = next((name for name, method, _ in again.trips if method == "POST"), None)
            checks.true(f"his password is refused by {asked}", refused, again.trips)


class Asking(Citizen):
    """Goes from a portal to Kontor's door with what the portal asks, and no further."""

    def _send(self, method, url, headers, body):
        if urlsplit(url).hostname != self.world.kontor.host:
            return super()._send(method, url, headers, body)
        self.request = (url[len(self.world.kontor.base):], method, headers, body)
        return Page(url, 200, Message(), b"")


def requests_of(world, portal):
    """Requests of a portal, each good once."""
    browser = Asking(world, world.persons["max"])
    while True:
        browser.open(portal)
        browser.pass_on()
        yield browser.request


def disabled_party(checks, world, portal, command, at_once_s):
    with checks.scene(f"{portal.name} is disabled and enabled again"):
        # Made before: what a portal takes for one must not count.
        requests = list(itertools.islice(requests_of(world, portal), 40))

        def serves(node):
            return node.ask(*requests.pop()).status < 400

        checks.true("both serve it", all(serves(n) for n in world.kontor.nodes))
        world.kontor.cli(command, "disable", portal.party_id)
        try:
            on_both(checks, world, "it is refused by both", lambda n: not serves(n), at_once_s)
        finally:
            world.kontor.cli(command, "enable", portal.party_id)
        on_both(checks, world, "it is served again by both", serves, at_once_s)


def key_uses(node, kid):
    """How often it signed with that key since it started."""
    found = re.search(rf'^kontor_signer_key_uses_total{{kid="{kid}"}} (\d+)', node.metrics(), re.M)
    return int(found[1]) if found else 0


def activated_key(checks, world, at_once_s):
    def key_ids(node):
        return {k["kid"] for k in json.loads(node.ask("/oidc/jwks").body)["keys"]}

    kontor, nodes = world.kontor, world.kontor.nodes
    with kontor.visitor(world.persons["max"]) as person, checks.scene("A key is replaced"):
        old = next(k["kid"] for k in kontor.cli("key", "list")["keys"]
                   if (k["purpose"], k["type"], k["state"]) == ("oidc-sign", "p256", "active"))
        kid = kontor.cli("key", "generate", "oidc-sign", "p256")["kid"]
        kontor.cli("key", "publish", kid)
        on_both(checks, world, "both show the new one", lambda n: kid in key_ids(n), at_once_s)
        kontor.cli("key", "activate", kid, "--emergency")
        time.sleep(at_once_s)
        before = {n.name: key_uses(n, old) for n in nodes}
        for _ in range(10):
            if Citizen(world, person).visit(world.portals["stadtportal"]) is None:
                raise BrowserError("Stadtportal does not take what is signed now")
            if all(key_uses(n, kid) for n in nodes):
                break
        checks.true("both sign with it, and Stadtportal takes it",
                    all(key_uses(n, kid) for n in nodes), [key_uses(n, kid) for n in nodes])
        checks.equal("neither signs with the old one", {n.name: key_uses(n, old) for n in nodes},
                     before)
        kontor.cli("key", "destroy", old)
        on_both(checks, world, "neither shows the old one", lambda n: old not in key_ids(n),
                at_once_s)
