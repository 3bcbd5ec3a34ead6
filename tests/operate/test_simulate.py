"""kontor simulate as portals use it: refused where it should be, and as the upstream of a Kontor,
whose requests it has nothing to say against and whose refusals it provokes."""
import base64
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "portals")]

import tap  # noqa: E402
from browser import exchange  # noqa: E402
from instance import DENIED, NOT_FOUND, OK, USAGE, make_template, says  # noqa: E402
from walk import Walk, authorize_url, make_certificate, register_client  # noqa: E402

METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://portal.example/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"""
PERSONS = {"persons": [{"id": "tilda", "title": "Tilda Testfall", "method": "eID", "level": "high",
                        "attributes": {"givenName": "Tilda", "surname": "Testfall"}}]}


class Double:
    """One that runs."""

    def __init__(self, program, kind, *words, port=0):
        with open(os.devnull, "rb") as nothing:
            self.process = subprocess.Popen(
                [program, "simulate", kind, "--json", "--listen", f"127.0.0.1:{port}", *map(str, words)],
                stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        said = json.loads(line)
        self.url, self.entity_id, self.pid = said["url"], said["entity_id"], said["pid"]
        self.port = urllib.parse.urlsplit(self.url).port
        self.log = None

    def ask(self, path, fields=None, **headers):
        u = urllib.parse.urlsplit(self.url)
        body = None if fields is None else urllib.parse.urlencode(fields)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return exchange(http.client.HTTPConnection(u.hostname, u.port, timeout=60),
                        "GET" if body is None else "POST", self.url + path, headers, body)

    def answers(self, person, outcome="success"):
        page = self.ask("/answer", {"person": person, "outcome": outcome})
        assert page.status == 200, page.text

    def metadata(self, folder):
        file = folder / "double.xml"
        file.write_bytes(self.ask(urllib.parse.urlsplit(self.entity_id).path).body)
        return file

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=60)
        self.log = [json.loads(line) for line in log.splitlines()]
        assert self.process.returncode == 0, log


@contextlib.contextmanager
def _double(i, kind, *words, port=0):
    double = Double(i.program, kind, *words, port=port)
    try:
        yield double
        double.stop()
    finally:
        double.process.kill()


class Visit(Walk):
    """A browser that also reaches the double, which has no TLS."""

    def __init__(self, ca_file, base, double):
        super().__init__(ca_file, base)
        self.double = double

    def _exchange(self, method, url, body, initiator):
        if not url.startswith(self.double.url):
            return super()._exchange(method, url, body, initiator)
        u = urllib.parse.urlsplit(url)
        headers = {"Accept-Language": self.language} | ({} if body is None else {
            "Content-Type": "application/x-www-form-urlencoded"})
        page = exchange(http.client.HTTPConnection(u.hostname, u.port, timeout=60), method, url, headers,
                        body)
        self.history.append((method, url, page.status))
        return page

    def begin(self, **more):
        """At a portal, up to what the double answers to Kontor's request."""
        self.get(authorize_url(self.base, **more))
        if self.page.form_with("to") is None:
            self.follow(next(link for link in self.page.links if "/flow/home/" in link))
        self.submit(self.page.form_with("to"), button="to")
        return self.submit(self.page.form_with("SAMLRequest"))

    def answer(self):
        """The double's answer, brought to Kontor."""
        return self.submit(self.page.form_with("SAMLResponse"))

    def claims(self, secret):
        token = json.loads(self.redeem(self.agree() and self.code(), secret).body)
        return json.loads(self.userinfo(token["access_token"]).body), \
            json.loads(base64.urlsafe_b64decode(token["id_token"].split(".")[1] + "=="))


@contextlib.contextmanager
def _kontor_with(kind, *policy):
    """A Kontor, a double of that kind that is its upstream, and a client; yields what makes a visit."""
    with template.copy() as i:
        make_certificate(i.folder)
        secret = register_client(i, ("given_names", "family_name", "birth_date", "email"),
                                 scope="openid profile email")
        # Before anybody may ask, only to be known: a Kontor is a service provider once it has a provider.
        keys = template.folder / "double-keys"  # RSA keys take their time
        with _double(i, kind, "--keys", keys) as double:
            i.ok("upstream", "add", "double", double.metadata(i.folder), "--kind", kind,
                 "--encrypted", "yes", "--display-name", "Das Double", *policy)
        with i.tls_node() as node:
            ours = i.folder / "kontor.xml"
            ours.write_text(node.get("/saml/metadata")[1])
            with _double(i, kind, "--keys", keys, "--portal", ours, port=double.port) as double:
                def visit():
                    return Visit(i.folder / "tls.crt", node.base, double)

                yield i, double, visit, secret
        assert not [line for line in double.log if line["level"] == "error"], double.log


def it_says_what_it_needs_and_stays_on_this_machine():
    with template.copy() as i:
        sp = i.folder / "sp.xml"
        sp.write_text(METADATA.format(entity="https://portal.example/sp"))

        def refused(status, *parts, words):
            said = i.run("simulate", *words)
            says(said, status, *parts)
            assert said.out == "", said

        refused(USAGE, "bundid or organisation expected", words=())
        refused(USAGE, "bundid or organisation expected", words=("wallet", "--portal", sp))
        refused(USAGE, "--outcome goes with --answer", words=(
            "bundid", "--portal", sp, "--outcome", "success"))
        refused(NOT_FOUND, "none.xml", words=("bundid", "--portal", i.folder / "none.xml"))
        for listen in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            refused(DENIED, "say --reachable", words=("bundid", "--portal", sp, "--listen", listen))
        refused(USAGE, "ADDRESS:PORT", words=("bundid", "--portal", sp, "--listen", "unix:/tmp/x"))
        refused(USAGE, words=("bundid", "--portal", sp, "--listen", "nowhere"))
        refused(NOT_FOUND, "no person 'nobody'", words=(
            "bundid", "--portal", sp, "--listen", "127.0.0.1:0", "--answer", "nobody"))
        broken = i.folder / "broken.json"
        broken.write_text('{"persons": [{}]}')
        refused(USAGE, "persons: person 1: id", words=(
            "bundid", "--portal", sp, "--listen", "127.0.0.1:0", "--persons", broken))
        sp.write_text("<x/>")
        refused(USAGE, "portal 1:", words=("bundid", "--portal", sp, "--listen", "127.0.0.1:0"))
        for kind in ("bundid", "organisation"):
            assert json.loads(i.run("simulate", kind, "--list-persons").out)["persons"]


def its_keys_stay_where_it_is_told():
    with template.copy() as i:
        sp, keys, persons = (i.folder / n for n in ("sp.xml", "keys", "persons.json"))
        sp.write_text(METADATA.format(entity="https://portal.example/sp"))
        persons.write_text(json.dumps(PERSONS))
        words = ("bundid", "--portal", sp, "--keys", keys, "--signature", "es256", "--persons", persons)

        def certificates():
            with _double(i, *words, "--answer", "tilda", "--outcome", "expired") as double:
                said = json.loads(double.ask("/answer").body)
                assert said["person"] == "tilda" and said["outcome"] == "expired", said
                assert "TESTDOUBLE BundID" in double.ask("/").text
                text = double.metadata(i.folder).read_text()
                # Called by a name that is not its own, it answers nobody.
                assert double.ask("/", Host="elsewhere.example").status == 421
            return re.findall("X509Certificate>([^<]+)<", text)[1:]

        first = certificates()
        assert len(first) == 2 and first == certificates()
        for file in keys.iterdir():
            assert file.stat().st_mode & 0o777 == 0o600, file
        file = keys / "sign-p256.pem"
        file.chmod(0o640)
        says(i.run("simulate", *words, "--listen", "127.0.0.1:0"), DENIED, "chmod 600")
        file.chmod(0o600)
        file.write_text("nothing")
        says(i.run("simulate", *words, "--listen", "127.0.0.1:0"), USAGE,
             "not a key with its certificate")


def a_kontor_logs_in_by_it():
    with _kontor_with("bundid", "--level-cap", "high", "--service-id", "BMI-TEST") as (
            _, double, visit, secret):
        # A page asks, where nothing was said.
        walk = visit()
        walk.begin()
        assert "An der Anfrage ist nichts auszusetzen" in walk.page.text, walk.page.text
        assert "Niveau" in walk.page.text and "Das ist nicht die echte Stelle" in walk.page.text
        form = walk.page.form_with("person", "outcome")
        walk.submit(form, {"person": "erika"}, button="answer")
        walk.answer()
        told, token = walk.claims(secret)
        assert (told["given_name"], told["family_name"]) == ("Erika", "Mustermann"), told
        assert told["birthdate"] == "1964-08-12" and "email" in told, told
        first = token["sub"]
        # Without a page; the same person is the same.
        double.answers("erika")
        walk = visit()
        walk.begin()
        walk.answer()
        _, token = walk.claims(secret)
        assert token["sub"] == first and token["acr"], token
        # What was not given is not there; what the login is worth caps it.
        double.answers("elmar")
        walk = visit()
        walk.begin()
        walk.answer()
        told, token = walk.claims(secret)
        assert told["family_name"] == "Testmann" and token["sub"] != first, (told, token)
    judged = [line for line in double.log if line["event"] == "judged"]
    assert judged and all(line["refusals"] == "" and line["advice"] == "" for line in judged), judged


def a_kontor_refuses_each_broken_answer():
    with _kontor_with("bundid", "--level-cap", "high", "--service-id", "BMI-TEST") as (
            i, double, visit, secret):
        outcomes = json.loads(double.ask("/answer").body)["outcomes"]
        broken = outcomes[outcomes.index("expired"):]
        assert len(broken) == 15, broken
        double.answers("erika")
        walk = visit()
        walk.begin()
        walk.answer()
        walk.claims(secret)
        for outcome in broken:
            double.answers("erika", outcome)
            walk = visit()
            walk.begin(acr_values="substantial")
            walk.answer()
            assert walk.page.status in (403, 404), (outcome, walk.page.status, walk.page.text[:300])
            assert "/saml/acs" in walk.page.url, (outcome, walk.page.url)
        refused = i.sql("SELECT count(*) FROM audit WHERE event = 'login_refused'")
        assert int(refused) == len(broken), refused
        # Orderly noes are no faults: the person may choose again.
        for outcome in ("cancelled", "level-not-reached", "consent-refused", "technical-error"):
            double.answers("erika", outcome)
            walk = visit()
            walk.begin()
            walk.answer()
            assert walk.page.status == 200 or walk.page.url.startswith("https://portal."), (
                outcome, walk.page.status, walk.page.url)


def organisations_log_in_by_it():
    with _kontor_with("organisation") as (i, double, visit, secret):
        broken = ["unencrypted", "lower-level", "same-assertion"]  # the others are as BundID's
        for outcome in ["test-account", "success", *broken]:
            double.answers("handel-chefin", outcome)
            walk = visit()
            walk.begin(acr_values="substantial")
            walk.answer()
            if outcome == "success":
                told, _ = walk.claims(secret)
                assert (told["given_name"], told["family_name"]) == ("Petra", "Prokura"), told
                continue
            assert walk.page.status in (403, 404), (outcome, walk.page.status, walk.page.text[:300])
        assert int(i.sql("SELECT count(*) FROM audit WHERE event = 'login_refused'")) == 4
    judged = [line for line in double.log if line["event"] == "judged"]
    assert judged and all(line["refusals"] == "" and line["advice"] == "" for line in judged), judged


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
