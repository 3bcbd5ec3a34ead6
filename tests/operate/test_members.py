"""A federation's administration as those who run it meet it: members brought, approved by a second
person, published by a node, and read by who follows."""
import gzip
import hashlib
import json
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import CONFLICT, DENIED, FAILED, NOT_FOUND, UNAVAILABLE, USAGE, make_template, says  # noqa: E402

ONE, TWO = "https://one.example/md", "https://two.example/md"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
NAME = "urn:example:federation"


def _document(i, entity, acs="https://one.example/acs", root="", until=""):
    file = i.folder / "member.xml"
    file.write_text(f"""<?xml version="1.0"?>
<!-- by hand -->
<md:EntityDescriptor xmlns:md="{MD}" entityID="{entity}"{until}{root}>
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService index="0" Location="{acs}"
 Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/></md:SPSSODescriptor>
</md:EntityDescriptor>
""")
    return file


def _member(i, entity, **more):
    said = i.ok("federation", "member", "submit", _document(i, entity, **more), "--by", "one")
    i.ok("federation", "member", "approve", entity, said["digest"], "--by", "two")


def _state(i, entity):
    return next(m for m in i.ok("federation", "member", "list")["members"] if m["member"] == entity)


def what_counts_was_seen_by_two_persons():
    with template.copy() as i:
        said = i.ok("federation", "member", "submit", _document(i, ONE), "--by", "one")
        assert _state(i, ONE)["state"] == "new"
        assert _state(i, ONE)["waiting"]["digest"] == said["digest"]
        says(i.run("federation", "member", "approve", ONE, said["digest"], "--by", "one"), CONFLICT,
             "who approves it has brought it")
        says(i.run("federation", "member", "approve", ONE, "0" * 64, "--by", "two"), CONFLICT, "does not wait")
        says(i.run("federation", "member", "approve", ONE, "0", "--by", "two"), USAGE, "DIGEST")
        says(i.run("federation", "member", "approve", ONE, "--by", "two"), USAGE, "ENTITY and DIGEST")
        says(i.run("federation", "member", "approve", ONE, said["digest"]), USAGE, "--by NAME")
        i.ok("federation", "member", "approve", ONE, said["digest"], "--by", "two")
        assert _state(i, ONE)["state"] == "published"
        assert _state(i, ONE)["counts"]["decided_by"] == "two"
        shown = i.run("federation", "member", "show", ONE)
        assert hashlib.sha256(shown.out.removesuffix("\n").encode()).hexdigest() == said["digest"], shown
        assert "by hand" not in shown.out
        says(i.run("federation", "member", "show", TWO), NOT_FOUND, "nothing of such a member")
        again = i.ok("federation", "member", "submit", _document(i, ONE, acs="https://new.example/acs"), "--by", "two")
        i.ok("federation", "member", "reject", ONE, again["digest"], "--by", "one")
        assert "waiting" not in _state(i, ONE) and _state(i, ONE)["counts"]["digest"] == said["digest"]
        events = [e["event"] for e in i.ok("audit", "list", "--party", ONE)["events"]]
        assert events == ["member_brought", "member_decided", "member_brought", "member_decided"], events


def what_is_no_members_metadata_is_not_brought():
    with template.copy() as i:
        def submit(file):
            return i.run("federation", "member", "submit", file, "--by", "one")

        file = _document(i, ONE)
        text = file.read_text()
        for change, why in (((MD, "urn:other"), "not one md:EntityDescriptor"), (("entityID=", "id="), ""),
                            (("</md:Ent", "</md:Att"), ""), (("<md:SPSS", "<md:SPS"), "")):
            file.write_text(text.replace(*change))
            says(submit(file), USAGE, why)
        file.write_text(text + " " * 1024 * 1024)
        says(submit(file), USAGE)
        says(submit(_document(i, ONE, until=' validUntil="2020-01-01T00:00:00Z"')), USAGE, "validUntil has passed")
        says(submit(i.folder / "none.xml"), NOT_FOUND)
        assert i.ok("federation", "member", "list")["members"] == []


def a_member_lasts_as_its_document_or_the_administration_says():
    with template.copy() as i:
        def submit(*words, until=""):
            return i.run("federation", "member", "submit", _document(i, ONE, until=until), "--by", "one", *words)

        soon = ' validUntil="2999-01-01T00:00:00Z"'
        says(submit(until=soon), 0, "until 2999-01-01T00:00:00Z, then no more")
        assert _state(i, ONE)["waiting"]["valid_until"] == "2999-01-01T00:00:00Z"
        says(submit("--until", "2998-12-31", until=soon), 0, "until 2999-01-01T00:00:00Z")
        says(submit("--until", "2020-01-01", until=soon), USAGE, "validUntil has passed")
        says(submit("--until", "tomorrow"), USAGE, "YYYY-MM-DD, or never")
        said = submit("--until", "never", until=' validUntil="2020-01-01T00:00:00Z"')
        says(said, 0, "second person")
        assert "then no more" not in said.out and "valid_until" not in _state(i, ONE)["waiting"]
        digest = _state(i, ONE)["waiting"]["digest"]
        assert f"approve {ONE} {digest} --by NAME --until never" in said.out, said
        for words in ([], ["--until", "2999-12-31"]):
            says(i.run("federation", "member", "approve", ONE, digest, "--by", "two", *words), CONFLICT,
                 "not until then")
        i.ok("federation", "member", "approve", ONE, digest, "--by", "two", "--until", "never")


def what_waits_is_told_in_words_beside_what_counts():
    with template.copy() as i:
        def check(*words):
            return i.run("federation", "member", "check", *words)

        says(check(), 0)
        says(check(ONE), NOT_FOUND, "nothing of such a member")
        _member(i, ONE)
        # What they have of fields is little.
        says(check(ONE), FAILED, f"{ONE}  published\n", "warning: member-field: it has no contact-other (TR-03160-2 4.3.2.1)")
        i.ok("federation", "member", "submit", _document(i, ONE, acs="https://evil.example/acs"), "--by", "one")
        says(check(ONE), FAILED, f"{ONE}  waiting\n", "warning: changed-gravely: sp: acs-host: ", "https://evil.example")
        file = _document(i, TWO, acs="http://two.example/acs")
        says(check("--file", file), USAGE, f"{TWO}  file\n", "error: acs-url: ", "note: member-new: ")
        says(check(ONE, "--file", file), USAGE, "either ENTITY or --file")
        says(check("--file", i.folder / "none.xml"), NOT_FOUND)
        _member(i, TWO)
        told = json.loads(check("--json").out)["members"]
        assert [(m["member"], m["state"], m["result"]) for m in told] == [
            (ONE, "waiting", "warning"), (TWO, "published", "warning")], told
        i.ok("federation", "member", "suspend", TWO, "--by", "one", "--why", "x")
        says(check(TWO), FAILED, f"{TWO}  suspended\n")


def how_members_stand_is_for_two_as_well():
    with template.copy() as i:
        _member(i, ONE)
        says(i.run("federation", "member", "suspend", ONE, "--by", "one"), USAGE, "--why")
        i.ok("federation", "member", "suspend", ONE, "--by", "one", "--why", "stolen key")
        assert _state(i, ONE)["state"] == "suspended" and _state(i, ONE)["why"] == "stolen key"
        says(i.run("federation", "member", "suspend", ONE, "--by", "two", "--why", "x"), CONFLICT, "not suspended")
        says(i.run("federation", "member", "resume", ONE, "--by", "one"), CONFLICT, "another person")
        says(i.run("federation", "member", "remove", ONE, "--by", "one"), CONFLICT, "another person")
        i.ok("federation", "member", "resume", ONE, "--by", "two")
        i.ok("federation", "member", "suspend", ONE, "--by", "two", "--why", "left")
        i.ok("federation", "member", "remove", ONE, "--by", "one")
        assert i.ok("federation", "member", "list")["members"] == []


def _get(node, path, **headers):
    connection = node.connect(10)
    try:
        connection.request("GET", path, headers={"Host": node.host} | headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def _entity_path(entity):
    return "/federation/entities/" + urllib.parse.quote("{sha1}") + hashlib.sha1(entity.encode()).hexdigest()


def _verified(i, pem, text, root):
    file = i.folder / "read.xml"
    file.write_bytes(text)
    done = subprocess.run(["xmlsec1", "--verify", "--pubkey-cert-pem", pem, "--id-attr:ID", f"{MD}:{root}", file],
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return text.decode()


def _published(node):
    status, _, body = _get(node, "/federation/metadata")
    return sorted(re.findall(r'entityID="([^"]+)"', body.decode())) if status == 200 else []


def a_node_publishes_what_is_approved_and_leaves_out_who_is_suspended():
    with template.copy() as i:
        kid = i.ok("key", "generate", "federation-sign", "p256")["kid"]
        says(i.run("federation", "member", "publish", "--by", "one"), DENIED, "administrates none")
        i.write_conf(federation_name=NAME)
        _member(i, ONE)
        says(i.run("federation", "member", "publish", "--by", "one"), UNAVAILABLE, "no active federation-sign key")
        i.ok("key", "publish", kid)
        i.ok("key", "activate", kid, "--emergency")
        pem = i.folder / "anchor.pem"
        pem.write_text(i.run("key", "certificate", kid).out)
        says(i.run("key", "certificate", "none"), NOT_FOUND, "no key with a certificate")
        first = i.ok("federation", "member", "publish", "--by", "one")
        assert first["members"] == 1
        with i.node(federation_name=NAME) as node:
            text = _verified(i, pem, _get(node, "/federation/metadata")[2], "EntitiesDescriptor")
            assert f'Name="{NAME}"' in text and f'entityID="{ONE}"' in text, text
            _member(i, TWO, acs="https://two.example/acs")
            node.wait(lambda: _published(node) == [ONE, TWO], "both are published")
            status, headers, body = _get(node, _entity_path(TWO))
            assert status == 200, status
            assert headers["Content-Type"] == "application/samlmetadata+xml", headers
            assert f'entityID="{TWO}"' in _verified(i, pem, body, "EntityDescriptor")
            packed = _get(node, _entity_path(TWO), **{"Accept-Encoding": "gzip"})
            assert packed[1]["Content-Encoding"] == "gzip" and gzip.decompress(packed[2]) == body
            again = _get(node, _entity_path(TWO), **{"If-None-Match": headers["ETag"]})
            assert again[0] == 304 and again[2] == b"", again
            assert _get(node, _entity_path("urn:none"))[0] == 404
            i.ok("federation", "member", "suspend", TWO, "--by", "one", "--why", "stolen key")
            assert _get(node, _entity_path(TWO))[0] == 404  # at once
            node.wait(lambda: _published(node) == [ONE], "the suspended one is left out")
            changes = json.loads(_get(node, "/federation/changes?since=1")[2])["changes"]
            assert [(c["what"], c["entity_id"]) for c in changes] == [("added", TWO), ("suspended", TWO)], changes


def an_earlier_publication_counts_again():
    with template.copy() as i:
        kid = i.ok("key", "generate", "federation-sign", "p256")["kid"]
        i.ok("key", "publish", kid)
        i.ok("key", "activate", kid, "--emergency")
        i.write_conf(federation_name=NAME)
        _member(i, ONE)
        first = i.ok("federation", "member", "publish", "--by", "one")["number"]
        digest = _state(i, ONE)["counts"]["digest"]
        _member(i, ONE, acs="https://wrong.example/acs")
        _member(i, TWO)
        i.ok("federation", "member", "publish", "--by", "one")
        says(i.run("federation", "member", "rollback", "x", "--by", "one"), USAGE, "not the number")
        says(i.run("federation", "member", "rollback", "9999", "--by", "one"), NOT_FOUND)
        i.ok("federation", "member", "rollback", first, "--by", "one")
        assert _state(i, ONE)["counts"]["digest"] == digest
        assert _state(i, TWO)["state"] == "new"
        assert i.ok("federation", "member", "publish", "--by", "one")["members"] == 1
        assert len(i.ok("federation", "member", "publications")["publications"]) == 3


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
