"""What the outbox holds is sent by real nodes over TLS: again after a death, never after an answer."""
import re
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import make_template  # noqa: E402

PARTY = "https://portal.localhost/metadata"
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{party}">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
 Location="https://portal.localhost:{port}/slo"/>
<md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://portal.localhost:{port}/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"""
ANSWER = """<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>
<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a" Version="2.0"
 IssueInstant="2026-01-01T00:00:00Z" InResponseTo="{id}"><saml:Issuer
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{party}</saml:Issuer><samlp:Status>
<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
</samlp:LogoutResponse></S:Body></S:Envelope>"""


class _Portal:
    """A portal's end of the back channel."""

    def __init__(self, folder):
        self.certificate = folder / "portal.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=portal.localhost", "-addext", "subjectAltName=DNS:portal.localhost",
                        "-keyout", folder / "portal.key", "-out", self.certificate],
                       check=True, capture_output=True)
        self.bodies, self.hang = [], threading.Event()
        portal = self

        class _Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                portal.bodies.append(body)
                if portal.hang.is_set():
                    self.rfile.read(1)  # until the other side is gone
                    return
                text = ANSWER.format(id=re.search(r' ID="([^"]+)"', body)[1], party=PARTY).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "portal.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]


def _with_party():
    """An instance with a portal that hears SOAP, and that portal."""
    i = TEMPLATE.copy()
    portal = _Portal(i.folder)
    file = i.folder / "party.xml"
    file.write_text(METADATA.format(party=PARTY, port=portal.port))
    i.ok("party", "add", file, "--accept-unsigned", "yes", "--encrypt", "never")
    return i, portal


def _put_in(i, name):
    now = int(time.time())
    i.sql("INSERT INTO outbox (id, kind, target, content, state, tries, due, lease, created, expires) "
          f"VALUES ('{name}', 'saml-logout', '{PARTY}', "
          """'{"name_id":"n","format":"","sessions":["s"]}', 'waiting', 0, """
          f"{now}, 0, {now}, {now + 3600})")


def _row(i, name):
    return i.sql(f"SELECT state, coalesce(result, ''), tries FROM outbox WHERE id = '{name}'")


def a_sender_killed_in_the_middle_sends_again_and_never_after_an_answer():
    i, portal = _with_party()
    portal.hang.set()
    with i.node(outbound_inside="127.0.0.0/8 ::1", outbound_ca=portal.certificate) as node:
        _put_in(i, "one")
        node.wait(lambda: len(portal.bodies) == 1, "the portal is asked")
        before = node.children()
        subprocess.run(["kill", "-9", str(before["http"])], check=True)
        node.wait(lambda: node.children().get("http", before["http"]) != before["http"],
                  "another HTTP process")
        portal.hang.clear()
        # Its lease is over, as it would be after a while; a node of two would wait as long.
        i.sql("UPDATE outbox SET lease = 0 WHERE id = 'one'")
        node.wait(lambda: _row(i, "one").startswith("done"), "it was sent again")
        assert _row(i, "one") == "done|claimed|2", _row(i, "one")
        ids = [re.search(r' ID="([^"]+)"', body)[1] for body in portal.bodies]
        assert len(ids) == 2 and ids[0] != ids[1], ids
        i.sql("UPDATE outbox SET lease = 0, due = 0")
        _put_in(i, "two")
        node.wait(lambda: _row(i, "two").startswith("done"), "the next one was sent")
        assert len(portal.bodies) == 3, portal.bodies


def an_address_inside_is_refused_unless_the_operator_names_it():
    i, portal = _with_party()
    with i.node(outbound_ca=portal.certificate, listen_metrics=f"unix:{i.metrics_socket}") as node:
        assert node.metrics()["kontor_outbox_failing"] == "0"
        _put_in(i, "one")
        node.wait(lambda: "not_reached" in _row(i, "one"), "it was refused")
        assert _row(i, "one").startswith("waiting|not_reached|1"), _row(i, "one")
        assert "not one we may send to" in node.log() and "outbox_failed" in node.log(), node.log()
        assert portal.bodies == [], portal.bodies
        node.wait(lambda: [node.metrics()[f"kontor_outbox_{what}"] for what in ("waiting", "failing")]
                  == ["1", "1"], "it is counted")


def _sessions_of(i, name):
    """Sessions of that account at the portal, one and two; and one of somebody else."""
    i.add_account(name)
    i.add_account("somebody")
    now = int(time.time())
    for who, sid in ((name, "s1"), (name, "s2"), ("somebody", "s3")):
        mine = i.sql("SELECT encode(subject, 'hex') FROM audit WHERE event = 'account_created' "
                     "ORDER BY seq").split()[0 if who == name else 1]
        i.sql("INSERT INTO session (sid, id_hash, acting, sso_group, created, last_used, expires) "
              f"VALUES ('{sid}', sha256('{sid}'), '\\x{mine}', 'portalverbund', {now}, {now}, {now + 3600})",
              "INSERT INTO session_participant (sid, party, dialect, name_id, session_index, at) "
              f"VALUES ('{sid}', '{PARTY}', 'saml', 'name-{who}', 'index-{sid}', {now})")


def portals_hear_of_an_account_that_is_closed():
    """By disabling and by deleting; of nobody else's sessions, and by the nodes that run."""
    for verb in ("disable", "delete"):
        i, portal = _with_party()
        _sessions_of(i, "erika")
        i.ok("account", verb, "erika")
        assert i.sql("SELECT sid FROM session") == "s3"
        assert i.sql("SELECT count(*) FROM outbox") == "1"
        with i.node(outbound_inside="127.0.0.0/8 ::1", outbound_ca=portal.certificate) as node:
            node.wait(lambda: i.sql("SELECT state FROM outbox") == "done", "it is told")
        assert len(portal.bodies) == 1 and "name-erika" in portal.bodies[0], portal.bodies
        assert "index-s1" in portal.bodies[0] and "index-s2" in portal.bodies[0], portal.bodies
        if verb == "disable":
            i.ok("account", "enable", "erika")
            assert i.sql("SELECT count(*) FROM outbox") == "1"


TEMPLATE = make_template(sys.argv[1])
if __name__ == "__main__":
    tap.run([a_sender_killed_in_the_middle_sends_again_and_never_after_an_answer,
             an_address_inside_is_refused_unless_the_operator_names_it,
             portals_hear_of_an_account_that_is_closed])
