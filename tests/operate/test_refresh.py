"""Metadata fetched again by real nodes over TLS: once for both, held until approved, refused as an import is.

The second argument is how long "within a second" is here: more with sanitizers.
"""
import base64
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import CONFLICT, DENIED, NOT_FOUND, USAGE, make_template, says  # noqa: E402

AT_ONCE_S = 5 * float(sys.argv[2])  # an hour is what it would be without notice
PARTY = "https://portal.localhost/metadata"
ACS = "https://portal.localhost/acs"
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{party}"{more}>{inner}
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="{acs}"/></md:SPSSODescriptor></md:EntityDescriptor>"""
SIGNATURE = """<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>
<ds:Reference URI="#_m"><ds:Transforms>
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>
</ds:SignedInfo><ds:SignatureValue/></ds:Signature>"""


def _metadata(acs=ACS, more="", inner="", party=PARTY):
    return METADATA.format(party=party, acs=acs, more=more, inner=inner)


def _keys(folder, name, host="portal.localhost"):
    """A key with a certificate; the two paths."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", f"/CN={host}", "-addext",
                    f"subjectAltName=DNS:{host}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return key, certificate


class _Publisher:
    """Where a portal publishes its metadata."""

    def __init__(self, folder):
        key, self.certificate = _keys(folder, "publisher")
        self.text, self.etag, self.status, self.more = _metadata(), None, 200, {}
        self.asked, self.hang = [], threading.Event()
        here = self

        class _Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                here.asked.append((self.path, dict(self.headers)))
                if here.hang.is_set():
                    self.rfile.read(1)  # until the other side is gone
                    return
                known = here.etag and self.headers.get("If-None-Match") == here.etag
                body = b"" if known else here.text.encode()
                self.send_response(304 if known else here.status)
                if here.etag:
                    self.send_header("ETag", here.etag)
                for name, value in here.more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.handle_error = lambda *_: None  # who turns away is no failure here
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"https://portal.localhost:{self.server.server_address[1]}/md"
        self.settings = {"outbound_inside": "127.0.0.0/8 ::1", "outbound_ca": self.certificate}


def _followed(*words):
    """An instance with a portal that is followed, and its publisher."""
    i = TEMPLATE.copy()
    publisher = _Publisher(i.folder)
    i.write_conf(**publisher.settings)
    i.ok("party", "add", "--metadata-url", publisher.url, "--accept-unsigned", "yes", *words)
    return i, publisher


def _source(i, column):
    return i.sql(f"SELECT {column} FROM party_source WHERE party = '{PARTY}'")


def _look(i, node, in_haste=True):
    """Let it be fetched: as the operator does, or as the clock does."""
    def at_rest():
        return _source(i, "lease = 0 AND due > extract(epoch FROM now())") == "t"

    node.wait(at_rest, "what was begun has ended")
    if in_haste:
        i.ok("party", "refresh", PARTY)
    else:
        i.sql("UPDATE party_source SET due = 1")
    node.wait(at_rest, "it was fetched")


def _takes(node, acs):
    """A request for an answer to this address is taken."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    xml = ('<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
           'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" '
           f'ID="_{time.monotonic_ns()}" Version="2.0" IssueInstant="{now}" '
           f'AssertionConsumerServiceURL="{acs}"><saml:Issuer>{PARTY}</saml:Issuer>'
           '</samlp:AuthnRequest>')
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = base64.b64encode(packer.compress(xml.encode()) + packer.flush()).decode()
    return node.get("/saml/sso?SAMLRequest=" + urllib.parse.quote(packed, safe=""))[0] == 303


def _both_take(nodes, acs):
    for node in nodes:
        node.wait(lambda n=node: _takes(n, acs), f"it takes {acs}", AT_ONCE_S)


def _waiting(i):
    return i.ok("party", "changes")["copies"]


def two_nodes_fetch_once_and_only_what_is_new():
    i, publisher = _followed()
    publisher.etag = '"v1"'
    with i.node(**publisher.settings) as one, i.node(**publisher.settings) as two:
        _look(i, one)
        for n in range(3):
            before = len(publisher.asked)
            _look(i, two, in_haste=False)
            time.sleep(1.5)  # the other one looks as well
            assert len(publisher.asked) == before + 1, publisher.asked[before:]
            assert publisher.asked[-1][1]["If-None-Match"] == '"v1"', publisher.asked[-1]
        assert i.sql("SELECT version FROM party") == "1"
        publisher.etag, publisher.text = '"v2"', _metadata(ACS + "2")
        _look(i, one, in_haste=False)
        _both_take((one, two), ACS + "2")
        assert not _takes(one, ACS)
        assert i.sql("SELECT details->>'rules' FROM audit WHERE event = 'party_refreshed'") == \
            "acs acs-default"
        shown = i.ok("party", "show", PARTY)
        assert shown["source"]["failures"] == 0 and shown["source"]["url"] == publisher.url, shown
        assert [c["state"] for c in shown["copies"]] == ["replaced"], shown


def a_grave_change_waits_is_approved_and_rolled_back():
    evil = "https://evil.localhost/acs"
    i, publisher = _followed()
    with i.node(**publisher.settings) as one, i.node(**publisher.settings) as two:
        publisher.text = _metadata(evil)
        _look(i, one)
        _look(i, two)
        waiting = _waiting(i)
        assert len(waiting) == 1 and waiting[0]["changes"][0]["rule"] == "acs-host", waiting
        assert _takes(one, ACS) and not _takes(one, evil) and not _takes(two, evil)
        says(i.run("party", "changes"), 0, "pending", PARTY, "held: 2 acs-host", evil)
        says(i.run("party", "list"), 0, "a change waits")
        says(i.run("status"), 0, "a change of its metadata waits")
        digest = waiting[0]["sha256"]
        says(i.run("party", "approve", PARTY), USAGE, "DIGEST is missing: kontor party changes")
        says(i.run("party", "approve", PARTY, "0" * 64), NOT_FOUND, "nothing waits with this digest")
        says(i.run("party", "approve", PARTY, digest), 0, "held: 2 acs-host", "is approved")
        _both_take((one, two), evil)
        assert not _takes(one, ACS) and not _takes(two, ACS)
        says(i.run("party", "approve", PARTY, digest), NOT_FOUND, "nothing waits")
        says(i.run("party", "rollback", PARTY), 0, "what counts again")
        _both_take((one, two), ACS)
        assert not _takes(two, evil)
        # What comes waits now, grave or not; what was refused is not asked again.
        publisher.text = _metadata(ACS + "3")
        _look(i, one)
        assert [c["state"] for c in _waiting(i)] == ["pending"] and not _takes(one, ACS + "3")
        digest = _waiting(i)[0]["sha256"]
        says(i.run("party", "reject", PARTY), USAGE, "DIGEST is missing: kontor party changes")
        says(i.run("party", "reject", PARTY, "0" * 64), NOT_FOUND, "nothing waits with this digest")
        says(i.run("party", "reject", PARTY, digest), 0, "is rejected")
        _look(i, two)
        assert _waiting(i) == [] and not _takes(one, ACS + "3")
        rejected = next(c for c in i.ok("party", "changes", PARTY)["copies"] if c["state"] == "rejected")
        says(i.run("party", "approve", PARTY, rejected["sha256"]), 0, "is approved")
        _both_take((one, two), ACS + "3")
        assert _source(i, "held") == "f"
    # What counted before the rollback may have come, and waited, once more in between.
    assert i.sql("SELECT string_agg(event, ' ' ORDER BY seq) FROM audit WHERE party IS NOT NULL"
                 " AND event <> 'party_held'") == \
        "party_saved party_approved party_rolled_back party_rejected party_approved"
    assert int(i.sql("SELECT count(*) FROM audit WHERE event = 'party_held'")) >= 2


def what_is_no_good_is_refused_with_its_reason():
    i, publisher = _followed()
    past = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    cases = [("<md:EntityDescriptor", 200, "XML refused"),
             ("x" * (1024 * 1024 + 1), 200, "more than 1048576 bytes"),
             (_metadata(party="https://evil.localhost/metadata"), 200, "no such entity"),
             (_metadata(more=f' validUntil="{past}"'), 200, "expired"),
             (_metadata(acs="http://portal.localhost/acs"), 200, "acs-url"),
             (_metadata(ACS + "2"), 404, "answered 404"),
             (_metadata(ACS + "2"), 302, "answered 302")]
    with i.node(**publisher.settings) as node:
        _look(i, node)  # not the first of them, in the haste of the start
        for text, status, why in cases:
            publisher.text, publisher.status, publisher.more = text, status, {"Location": publisher.url + "2"}
            _look(i, node)
            assert why in _source(i, "trouble"), (why, _source(i, "trouble"))
            assert _takes(node, ACS)
        # On a slow machine the node looks again by itself.
        assert int(_source(i, "tries")) >= len(cases), _source(i, "tries")
        assert all(path == "/md" for path, _ in publisher.asked), publisher.asked
        says(i.run("party", "list"), 0, "metadata cannot be fetched")
        says(i.run("status"), 0, "its metadata cannot be fetched: the server answered 302")
        assert i.ok("party", "show", PARTY)["source"]["failures"] >= len(cases)
        publisher.text, publisher.status = _metadata(ACS + "2"), 200
        _look(i, node)
        _both_take((node,), ACS + "2")
        assert _source(i, "tries || coalesce(trouble, '')") == "0"
        assert node.log().count('"metadata_failed"') == len(cases), node.log()


def a_node_killed_over_it_leaves_it_to_another():
    i, publisher = _followed()
    publisher.hang.set()
    before = len(publisher.asked)
    with i.node(**publisher.settings) as node:
        i.ok("party", "refresh", PARTY)
        node.wait(lambda: len(publisher.asked) == before + 1, "it is asked")
        old = node.children()["http"]
        subprocess.run(["kill", "-9", str(old)], check=True)
        node.wait(lambda: node.children().get("http", old) != old, "another HTTP process")
        publisher.hang.clear()
        publisher.text = _metadata(ACS + "2")
        assert _source(i, "lease > extract(epoch FROM now())") == "t"
        i.sql("UPDATE party_source SET lease = 0")  # as it would be after a minute
        _both_take((node,), ACS + "2")
        node.wait(lambda: _source(i, "tries") == "0", "it went well")


def a_server_that_never_ends_is_given_up():
    i, publisher = _followed()
    publisher.hang.set()
    with i.node(**publisher.settings) as node:
        i.ok("party", "refresh", PARTY)
        node.wait(lambda: "imeout" in _source(i, "coalesce(trouble, '')"), "it was given up")
        assert _takes(node, ACS)


def an_address_inside_or_a_strangers_certificate_is_refused():
    i, publisher = _followed()
    before = len(publisher.asked)
    with i.node(outbound_ca=publisher.certificate) as node:
        _look(i, node)
        assert "not one we may send to" in _source(i, "trouble"), _source(i, "trouble")
    with i.node(outbound_inside="127.0.0.0/8 ::1") as node:
        _look(i, node)
        assert "fetching failed" in _source(i, "trouble"), _source(i, "trouble")
    assert len(publisher.asked) == before
    i.write_conf(outbound_ca=publisher.certificate)
    says(i.run("party", "add", "--metadata-url", publisher.url), DENIED, "not one we may send to")


def _signed(folder, key, text, root="EntityDescriptor"):
    file = folder / "unsigned.xml"
    file.write_text(text)
    return subprocess.run(["xmlsec1", "--sign", "--privkey-pem", key, "--id-attr:ID", root, file],
                          capture_output=True, text=True, check=True).stdout


def _federation(folder, key, *members):
    """Those documents in one that is signed."""
    text = (f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_m">{SIGNATURE}'
            + "".join(members) + "</md:EntitiesDescriptor>")
    return _signed(folder, key, text, "EntitiesDescriptor")


def where_a_signer_is_pinned_only_that_is_read():
    i = TEMPLATE.copy()
    publisher = _Publisher(i.folder)
    i.write_conf(**publisher.settings)
    key, certificate = _keys(i.folder, "signer")
    other, _ = _keys(i.folder, "other")

    def text(acs, by):
        return _signed(i.folder, by, _metadata(acs, ' ID="_m"', SIGNATURE))

    words = ("party", "add", "--metadata-url", publisher.url, "--metadata-signer", certificate,
             "--accept-unsigned", "yes")
    says(i.run(*words), USAGE, "no <Signature>")
    publisher.text = text(ACS, other)
    says(i.run(*words), DENIED, "")
    publisher.text = text(ACS, key)
    i.ok(*words)
    document = i.ok("party", "show", PARTY)["document"]
    assert "Signature" not in document and ACS in document, document
    with i.node(**publisher.settings) as node:
        for bad in (_metadata(ACS + "2"), text(ACS + "2", other), text(ACS, key).replace(ACS, ACS + "2")):
            publisher.text = bad
            _look(i, node)
            assert _source(i, "trouble IS NOT NULL") == "t" and not _takes(node, ACS + "2")
        publisher.text = text(ACS + "2", key)
        _look(i, node)
        _both_take((node,), ACS + "2")
        assert _source(i, "coalesce(trouble, '')") == ""


def of_an_aggregate_a_party_keeps_its_own():
    i = TEMPLATE.copy()
    publisher = _Publisher(i.folder)
    i.write_conf(**publisher.settings)
    key, certificate = _keys(i.folder, "signer")
    other = _metadata("https://other.localhost/acs", party="https://other.localhost/sp")
    words = ("party", "add", "--metadata-url", publisher.url, "--metadata-signer", certificate,
             "--accept-unsigned", "yes")
    publisher.text = _federation(i.folder, key, other, _metadata())
    says(i.run(*words), USAGE, "metadata of several entities: name one")
    says(i.run(*words, "--id", "https://none.localhost/sp"), NOT_FOUND, "no such entity")
    i.ok(*words, "--id", PARTY)
    document = i.ok("party", "show", PARTY)["document"]
    assert ACS in document and "other.localhost" not in document, document
    with i.node(**publisher.settings) as node:
        publisher.text = _federation(i.folder, key, other, _metadata(ACS + "2")).replace(ACS + "2", ACS + "3")
        _look(i, node)
        assert "not what was signed" in _source(i, "trouble") and not _takes(node, ACS + "3")
        publisher.text = _federation(i.folder, key, other, _metadata(ACS + "2"))
        _look(i, node)
        _both_take((node,), ACS + "2")
        publisher.text = _federation(i.folder, key, other)
        _look(i, node)
        assert "no such entity" in _source(i, "trouble") and _takes(node, ACS + "2")


def an_operator_sees_what_an_import_would_change():
    i, publisher = _followed()
    file = i.folder / "new.xml"
    file.write_text(_metadata("https://new.localhost/acs"))
    said = i.ok("party", "add", file, "--dry-run")
    assert said["dry_run"] and said["changes"][0]["rule"] == "acs-host", said
    says(i.run("party", "add", file, "--dry-run"), 0, "held: 2 acs-host", "nothing has changed")
    assert i.sql("SELECT version FROM party") == "1"
    says(i.run("party", "add", file), 0, "held: 2 acs-host", "is registered", "waits for approval")
    assert i.sql("SELECT version FROM party") == "2" and _source(i, "held") == "t"
    # Back to what its URL says, by the operator's own hand: then it is followed as before.
    i.ok("party", "add", "--metadata-url", publisher.url)
    assert _source(i, "held") == "f" and i.sql("SELECT version FROM party") == "3"
    says(i.run("party", "rollback", PARTY), 0, "is what counts again")
    i.ok("party", "unfollow", PARTY)
    says(i.run("party", "refresh", PARTY), NOT_FOUND, "is not followed")
    says(i.run("party", "unfollow", PARTY), NOT_FOUND, "is not followed")
    says(i.run("party", "follow", PARTY), USAGE, "--metadata-url is missing")
    says(i.run("party", "follow", PARTY, "--metadata-url", "http://x.example/"), USAGE, "https")
    says(i.run("party", "follow", "urn:none", "--metadata-url", publisher.url), NOT_FOUND, "not registered")
    says(i.run("party", "add", file, "--metadata-signer", publisher.certificate), USAGE, "--metadata-url")
    says(i.run("party", "add"), USAGE, "which metadata?")
    i.ok("party", "follow", PARTY, "--metadata-url", publisher.url)
    assert _source(i, "url") == publisher.url
    says(i.run("party", "approve", PARTY, "0" * 64), NOT_FOUND, "nothing waits")
    says(i.run("party", "reject", PARTY, "0" * 64), NOT_FOUND, "nothing waits")


def what_was_compared_with_something_else_is_not_approved():
    i, publisher = _followed()
    with i.node(**publisher.settings) as node:
        publisher.text = _metadata("https://evil.localhost/acs")
        _look(i, node)
        digest = _waiting(i)[0]["sha256"]
        i.ok("party", "reject", PARTY, digest)
        publisher.text = _metadata(ACS + "2")
        _look(i, node)
        _both_take((node,), ACS + "2")
        says(i.run("party", "approve", PARTY, digest), CONFLICT, "has changed since this was compared")
        assert _takes(node, ACS + "2")


def what_a_portal_writes_does_not_write_on_the_terminal():
    name = ("<md:Extensions><mdui:UIInfo xmlns:mdui='urn:oasis:names:tc:SAML:metadata:ui'><mdui:DisplayName"
            " xml:lang='de'>Amt&#10;plain: 99 x: all is well &#x9b;2J</mdui:DisplayName></mdui:UIInfo></md:Extensions>")
    i, publisher = _followed()
    with i.node(**publisher.settings) as node:
        publisher.text = _metadata().replace("<md:AssertionConsumerService", name + "<md:AssertionConsumerService")
        _look(i, node)
        said = i.run("party", "changes")
        says(said, 0, "held: 12 name", "\ufffdplain: 99 x")
        assert "\x9b" not in said.out, said.out
        says(i.run("party", "approve", PARTY, _waiting(i)[0]["sha256"]), 0, "\ufffdplain: 99 x")


def what_is_over_is_refused_and_told():
    i = TEMPLATE.copy()
    file = i.folder / "short.xml"
    until = time.time() + 20
    file.write_text(_metadata(more=time.strftime(' validUntil="%Y-%m-%dT%H:%M:%SZ"', time.gmtime(until))))
    i.ok("party", "add", file, "--accept-unsigned", "yes")
    says(i.run("status"), 0, "its metadata ends on")
    with i.node() as node:
        assert _takes(node, ACS) or time.time() > until
        node.wait(lambda: not _takes(node, ACS), "it is refused")
        assert time.time() >= until - 1
    says(i.run("status"), 0, "it is refused")
    says(i.run("party", "list"), 0, "metadata is over")
    assert "it is refused" in i.ok("party", "show", PARTY)["warning"]


TEMPLATE = make_template(sys.argv[1])
if __name__ == "__main__":
    tap.run_all(dict(globals()))
