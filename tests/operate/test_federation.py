"""kontor federation, and real nodes that fetch and read what a federation publishes.

The second argument is how long "within a second" is here: more with sanitizers.
"""
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import CONFLICT, DENIED, NOT_FOUND, USAGE, make_template, says  # noqa: E402
import test_refresh as parties  # noqa: E402

AT_ONCE_S = 5 * float(sys.argv[2])
LAND, STADT, PORTAL = "https://konto.land.example/", "https://konto.stadt.example/", "https://portal.example/"
ROLE = 'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"'
BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-"


class _Federation:
    """An instance, a signer and a publisher."""

    def __init__(self):
        self.i = TEMPLATE.copy()
        self.key, self.certificate = parties._keys(self.i.folder, "signer", "verbund")
        self.publisher = parties._Publisher(self.i.folder)
        self.i.write_conf(**self.publisher.settings)
        self.file = self.i.folder / "aggregate.xml"

    def idp(self, entity, more=""):
        pem = self.certificate.read_text().split("-----")[2]
        return (f'<md:EntityDescriptor entityID="{entity}"><md:IDPSSODescriptor {ROLE}><md:KeyDescriptor>'
                f'<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{pem}'
                '</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>'
                f'<md:SingleSignOnService Binding="{BINDING}Redirect" Location="{entity}sso{more}"/>'
                "</md:IDPSSODescriptor></md:EntityDescriptor>")

    def sp(self, acs=PORTAL + "acs"):
        return (f'<md:EntityDescriptor entityID="{PORTAL}"><md:SPSSODescriptor {ROLE}>'
                f'<md:AssertionConsumerService index="0" Binding="{BINDING}POST" Location="{acs}"/>'
                "</md:SPSSODescriptor></md:EntityDescriptor>")

    def aggregate(self, *members, days=10, key=None):
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))
        text = (f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_m" validUntil="{until}">'
                f"{parties.SIGNATURE}{''.join(members)}</md:EntitiesDescriptor>")
        return parties._signed(self.i.folder, key or self.key, text, "EntitiesDescriptor")

    def all(self, **more):
        return self.aggregate(self.idp(LAND), self.idp(STADT), self.sp(), **more)

    def add(self, *words, rules=None):
        if rules is not None:
            file = self.i.folder / "rules.json"
            file.write_text(json.dumps(rules))
            words += ("--rules", file)
        return self.i.run("federation", "add", "verbund", "--metadata-signer", self.certificate, *words)

    def load(self, text):
        self.file.write_text(text)
        return self.i.run("federation", "load", "verbund", self.file)

    def why(self, entity):
        return self.i.run("federation", "why", entity)


def commands_say_what_they_need():
    f = _Federation()
    run = f.i.run
    says(run("federation"), USAGE, "what to do is missing")
    says(run("federation", "add"), USAGE, "NAME is missing")
    says(run("federation", "add", "x"), USAGE, "--url URL or --file")
    says(run("federation", "add", "x", "--file"), USAGE, "--metadata-signer is missing")
    says(f.add("--url", "http://x.example/"), USAGE, "https URL")
    says(f.add("--file", rules={"roles": ["x"]}), USAGE, "neither idp nor sp")
    says(run("federation", "list"), 0)
    says(f.why(LAND), NOT_FOUND, "no federation")
    says(f.add("--file"), 0, "verbund is saved")
    says(run("federation", "load", "other", f.certificate), NOT_FOUND, "no federation other")
    says(run("federation", "load", "verbund", "/nowhere"), NOT_FOUND, "cannot be opened")
    says(run("federation", "refresh", "verbund"), NOT_FOUND)
    says(run("federation", "approve", "verbund"), USAGE, "DIGEST is missing")
    says(run("federation", "approve", "verbund", "0"), USAGE, "--by is missing")
    says(run("federation", "approve", "verbund", "0", "--by", "x"), NOT_FOUND, "no copy waits")
    says(run("federation", "rollback", "verbund", "--by", "x"), NOT_FOUND, "no earlier copy")
    says(run("federation", "suspend", LAND), USAGE, "--by and --why")
    says(run("federation", "unsuspend", LAND, "--by", "x"), NOT_FOUND)
    says(run("status"), 0, "no copy of its metadata counts")
    says(run("federation", "remove", "verbund"), 0, "is removed")
    says(run("federation", "remove", "verbund"), NOT_FOUND)


def a_file_is_brought_judged_and_explained():
    f = _Federation()
    run = f.i.run
    says(f.add("--file", rules={"deny": [STADT], "gone-percent": 40, "policy": {"level-cap": "substantial"}}), 0)
    says(f.load(f.all(days=40)), DENIED, "too far off")
    says(run("federation", "list"), 0, "trouble: its validUntil is too far off")
    says(f.load(f.all()), 0, "with 2 members is counting")
    says(f.load(f.file.read_text()), 0, "is the copy that counts")
    fingerprint = f.i.sql("SELECT encode(signer, 'hex') FROM federation_copy")
    told = f.why(LAND)
    says(told, 0, "a file", f"signed by        {fingerprint}", "roles            idp", "filter           taken",
         "level cap        substantial", "lifetime         60 s", "suspended        no", "it is believed")
    assert told.out.count("key ") == 1, told
    says(f.why(STADT), 0, "filter           denied", "not taken (deny)")
    says(f.why("https://nobody.example/"), NOT_FOUND, "it is not in this copy")
    said = run("federation", "suspend", LAND, "--by", "meier", "--why", "Vorfall")
    says(said, 0, "is suspended")
    assert "no copy that counts" not in said.out, said
    says(run("federation", "suspend", LAND + "/", "--by", "meier", "--why", "Vorfall"), 0,
         "is suspended; but no copy that counts has such a member")
    says(run("federation", "unsuspend", LAND + "/", "--by", "meier"), 0)
    says(run("federation", "suspend", LAND, "--by", "meier", "--why", "Vorfall"), CONFLICT)
    says(f.why(LAND), 0, "suspended        Vorfall", "it is refused")
    says(run("federation", "suspended"), 0, LAND, "meier: Vorfall (in every federation)")
    says(run("federation", "unsuspend", LAND, "--by", "meier"), 0)
    # Rows are not believed.
    f.i.sql("UPDATE federation_text SET text = (SELECT text FROM federation_text ORDER BY digest DESC LIMIT 1)")
    says(f.why(LAND), NOT_FOUND, "the copy does not verify: content is not what was signed")
    # A key that is not pinned any more vouches for nobody.
    f.key, f.certificate = parties._keys(f.i.folder, "other", "verbund")
    says(f.add("--file"), 0)
    says(f.why(LAND), NOT_FOUND, "the copy does not verify")
    says(f.load(f.aggregate(f.idp(LAND), key=f.i.folder / "signer.key")), DENIED)
    says(f.load(f.aggregate(f.idp(LAND))), 0, "is counting")
    events = f.i.sql("SELECT string_agg(event, ' ' ORDER BY seq) FROM audit WHERE event LIKE 'federation%'"
                     " OR event LIKE 'member%'")
    assert events == ("federation_saved federation_taken member_suspended member_suspended "
                      "member_restored member_restored federation_saved federation_taken"), events


def what_is_grave_waits_for_two_eyes_and_can_be_taken_back():
    f = _Federation()
    run = f.i.run
    f.add("--file")
    says(f.load(f.all(days=5)), 0)
    evil = f.aggregate(f.idp(LAND), f.idp(STADT), f.sp("https://evil.example/acs"), days=6)
    says(f.load(evil), 0, "is waiting")
    says(run("federation", "pending"), 0, "held  acs-host", PORTAL, "https://evil.example")
    says(run("status"), 0, "kontor federation pending")
    digest = f.i.ok("federation", "pending")["copies"][0]["sha256"]
    says(run("federation", "reject", "verbund", digest), 0, "is rejected")
    says(f.load(f.aggregate(f.idp(LAND), f.idp(STADT), f.sp("https://evil.example/acs"), days=7)), DENIED,
         "what was rejected is still served")
    says(run("federation", "approve", "verbund", digest, "--by", "meier"), 0, "is counting")
    shown = f.i.ok("federation", "show", "verbund")
    assert [(c["state"], c.get("approved_by")) for c in shown["copies"]] == [
        ("counting", "meier"), ("replaced", None)], shown
    says(run("federation", "rollback", "verbund", "--by", "schulz"), 0, "is counting")
    shown = f.i.ok("federation", "show", "verbund")
    assert [c["state"] for c in shown["copies"]] == ["replaced", "counting"], shown


def two_nodes_fetch_once_and_both_read():
    f = _Federation()
    f.publisher.text, f.publisher.etag = f.all(days=5), '"1"'
    with f.i.node(**f.publisher.settings, listen_metrics=f"unix:{f.i.metrics_socket}") as one, \
            f.i.node(**f.publisher.settings) as two:
        says(f.add("--url", f.publisher.url), 0)
        members = 'kontor_federation_members{source="verbund"}'
        one.wait(lambda: one.metrics().get(members) == "3", "it has read them")
        two.wait(lambda: "federation_indexed" in two.log(), "so has the other")
        assert len(f.publisher.asked) == 1, f.publisher.asked
        metrics = one.metrics()
        assert metrics['kontor_federation_indexed{source="verbund"}'] == "1"
        assert 4 * 86400 < int(metrics['kontor_federation_left_seconds{source="verbund"}']) <= 5 * 86400
        f.i.ok("federation", "refresh", "verbund")
        one.wait(lambda: len(f.publisher.asked) == 2, "it is fetched at once")
        assert "If-None-Match" not in f.publisher.asked[1][1]
        f.publisher.text, f.publisher.etag = f.aggregate(f.idp(LAND), f.idp(STADT), f.idp(STADT + "2/"), f.sp(),
                                                         days=6), '"2"'
        one.wait(lambda: f.i.sql("SELECT lease FROM federation_source") == "0", "it has ended")
        f.i.sql("UPDATE federation_source SET due = 1")
        one.wait(lambda: one.metrics().get(members) == "4", "it has read one more")
        assert f.publisher.asked[-1][1]["If-None-Match"] == '"1"'
        f.publisher.text, f.publisher.etag = f.publisher.text.replace(LAND, "https://evil.example/"), '"3"'
        f.i.ok("federation", "refresh", "verbund")
        one.wait(lambda: "not what was signed" in f.i.sql("SELECT trouble FROM federation_source"), "it is refused")
        one.wait(lambda: one.metrics()["kontor_federation_failing"] == "1", "it is told", 60)
        assert one.metrics()[members] == "4"
        f.i.ok("federation", "remove", "verbund")
        one.wait(lambda: members not in one.metrics(), "nobody is one any more")


TEMPLATE = make_template(sys.argv[1])
if __name__ == "__main__":
    tap.run_all(dict(globals()))
