"""npm's openid-client against a node: openid_client.mjs holds the cases and says TAP.

Arguments: the program, the Node of web/package-lock.json.  What the library cannot do itself is done
here for it, by a server on a loopback address: the operator registers a client, the person's browser goes
where it is sent.
"""
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "operate")]

from instance import PASSWORD, make_template  # noqa: E402
from walk import CALLBACK, Walk, make_certificate  # noqa: E402

PAGES_MOST = 5  # of one visit that want an answer
PERSON = "test.person@example.org"
REGISTRATION = {"given_names": "Testa", "family_name": "Muster", "birth_date_day": "1", "birth_date_month": "2",
                "birth_date_year": "1990", "country": "DE", "email": "new.person@example.org",
                "login_name": "new.person@example.org", "new_password": PASSWORD, "password_repeat": PASSWORD,
                "store_consent": "1"}


class Hand:
    """What operator and person do for the library's tests."""

    def __init__(self, instance, node):
        self.instance, self.node = instance, node
        self.browsers, self.heard = {}, []

    def pings(self):
        """What the client's notification endpoint was told."""
        return self.heard

    def register(self, metadata, attributes):
        file = self.instance.folder / f"{metadata['client_id']}.json"
        file.write_text(json.dumps(metadata))
        said = self.instance.ok("client", "add", file,
                                *[w for name in attributes for w in ("--attribute", name)])
        self.node.wait(lambda: self._is_known(metadata, said), "the client known")
        return said

    def details_type(self, document):
        """A type of authorization details; a client that is added next is known after it is."""
        file = self.instance.folder / "details-type.json"
        file.write_text(json.dumps(document))
        return self.instance.ok("details-type", "add", file)

    def _is_known(self, metadata, said):
        """Nodes hear of it a moment after the command."""
        walk = Walk(self.instance.folder / "tls.crt", self.node.base)
        if metadata.get("redirect_uris"):
            query = urllib.parse.urlencode({"client_id": metadata["client_id"],
                                            "redirect_uri": metadata["redirect_uris"][0]})
            return walk.get(f"{self.node.base}/oidc/authorize?{query}").url.startswith(CALLBACK)
        both = f"{metadata['client_id']}:{said['client_secret']}".encode()
        return walk.post("/oidc/introspect", {"token": "none"}, both).status == 200

    def visit(self, url, browser="one", password=True):
        """Go there, log in and agree where asked; where the browser ends."""
        if browser not in self.browsers:
            self.browsers[browser] = Walk(self.instance.folder / "tls.crt", self.node.base)
        walk = self.browsers[browser]
        walk.get(url)
        for _ in range(PAGES_MOST):
            buttons = [b for f in walk.page.forms for b in f.buttons]
            if password and walk.page.form_with("login_name", "password"):
                walk.log_in(PERSON, PASSWORD)
            elif ("do", "look") in buttons:  # a code of a device, filled in already
                walk.submit(walk.page.form_with("user_code"), button="look")
            elif walk.page.form_with("new_password"):
                walk.submit(walk.page.form_with("new_password"), REGISTRATION, button="register")
            elif ("do", "agree") in buttons:
                walk.agree()
            else:
                break
        return {"url": walk.page.url, "status": walk.page.status, "text": walk.page.text,
                "forms": [{"action": f.action, "method": f.method, "fields": f.fields}
                          for f in walk.page.forms]}


def _serve(hand):
    """One thread: what is asked for happens one after the other."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, said = 200, getattr(hand, self.path.strip("/"))(**asked)
            except Exception as e:  # pylint: disable=broad-except
                status, said = 500, repr(e)
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def _hear(hand, folder):
    """The notification endpoint of a client, by TLS."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hand.heard.append({"authorization": self.headers["Authorization"], "body": json.loads(body)})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://konto.localhost:{server.server_port}/ping"


def main(program, node_program):
    with make_template(program).copy() as i:
        for kind in ("p384", "rsa3072-pss"):  # for clients that ask for ES384 and PS256
            kid = i.ok("key", "generate", "oidc-sign", kind)["kid"]
            i.ok("key", "publish", kid)
            i.ok("key", "activate", kid, "--emergency")
        make_certificate(i.folder)
        i.add_account(PERSON, "--attribute", "given_names=Testa", "--attribute", "family_name=Muster")
        with i.tls_node(outbound_ca=i.folder / "tls.crt", outbound_inside="127.0.0.1") as node:
            hand = Hand(i, node)
            told = {"base": node.base, "hand": _serve(hand), "callback": CALLBACK,
                    "notify": _hear(hand, i.folder),
                    "ca": (i.folder / "tls.crt").read_text()}
            return subprocess.run(
                [node_program, f"--test-reporter={HERE.parent / 'browser' / 'tap.mjs'}",
                 HERE / "openid_client.mjs"], check=False, timeout=540,
                env=os.environ | {"KONTOR_TOLD": json.dumps(told)}).returncode


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
