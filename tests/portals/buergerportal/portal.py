#!/usr/bin/python3
"""Bürgerportal: a SAML portal on Debian's pysaml2 that can ask in every way the library knows.

usage: portal.py FOLDER [--metadata]

FOLDER has settings.json (host, port, key: the stem of the key that signs, opens: the stems of all
keys that open, shown: the stems of all whose certificates stand in the metadata), the keys, the
certificates, tls.key, tls.crt and Kontor's metadata idp.xml.  --metadata prints what the portal
says about itself and ends.

`/konto` wants a login, `/login?binding=post&force=1&passive=1&level=CLASS&comparison=WORD` begins
one in that way, `/logout` ends it by Kontor; Kontor ends it by the browser at `/saml/slo`.
"""
import http.cookies
import json
import logging
import secrets
import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, xmldsig
from saml2.client import Saml2Client
from saml2.config import SPConfig
from saml2.metadata import create_metadata_string
from saml2.saml import NAMEID_FORMAT_PERSISTENT, AuthnContextClassRef
from saml2.samlp import RequestedAuthnContext
from saml2.sigver import get_xmlsec_binary

sys.path[:0] = [str(Path(__file__).resolve().parent)]

import page  # noqa: E402

RSA_SHA256, SHA256 = xmldsig.SIG_RSA_SHA256, xmldsig.DIGEST_SHA256
BINDINGS = {"redirect": BINDING_HTTP_REDIRECT, "post": BINDING_HTTP_POST}


def configuration(folder, s):
    base = f"https://{s['host']}:{s['port']}"

    def pair(stem):
        return {"key_file": str(folder / f"{stem}.key"), "cert_file": str(folder / f"{stem}.crt")}

    config = SPConfig()
    config.load({
        "entityid": base + "/saml/metadata", "xmlsec_binary": get_xmlsec_binary(),
        "allow_unknown_attributes": True, **pair(s["key"]),
        "additional_cert_files": [pair(stem)["cert_file"] for stem in s["shown"] if stem != s["key"]],
        "encryption_keypairs": [pair(stem) for stem in s["opens"]],
        "metadata": {"local": [str(folder / "idp.xml")]} if (folder / "idp.xml").exists() else {},
        "organization": {"name": ("Bürgerportal", "de"), "display_name": ("Bürgerportal", "de"),
                         "url": (base + "/", "de")},
        "service": {"sp": {
            "name": "Bürgerportal",
            "endpoints": {
                "assertion_consumer_service": [(base + "/saml/acs", BINDING_HTTP_POST)],
                # By POST alone: the signature in a query of ours is nothing that pysaml2 verifies.
                "single_logout_service": [(base + "/saml/slo", BINDING_HTTP_POST)]},
            "name_id_policy_format": NAMEID_FORMAT_PERSISTENT, "name_id_format_allow_create": True,
            "name_id_format": [NAMEID_FORMAT_PERSISTENT],
            "required_attributes": ["givenName"], "optional_attributes": ["mail"],
            "authn_requests_signed": True, "logout_requests_signed": True,
            "logout_responses_signed": True, "want_response_signed": True,
            "want_assertions_signed": True, "allow_unsolicited": False}}})
    return base, config


class Portal:
    def __init__(self, folder, settings):
        self.base, self.config = configuration(folder, settings)
        self.client = Saml2Client(self.config)
        self.idp = next(iter(self.client.metadata.keys()))
        self.asked = {}     # requests without an answer yet
        self.sessions = {}  # by the value of the cookie

    def ask(self, wanted):
        """Where the browser is sent, or the form it posts, for a login in this way."""
        more = {}
        if "level" in wanted:
            more["requested_authn_context"] = RequestedAuthnContext(
                authn_context_class_ref=[AuthnContextClassRef(text=wanted["level"])],
                comparison=wanted.get("comparison", "minimum"))
        if "force" in wanted:
            more["force_authn"] = "true"
        if "passive" in wanted:
            more["is_passive"] = "true"
        number, _, info = self.client.prepare_for_negotiated_authenticate(
            entityid=self.idp, binding=BINDINGS[wanted.get("binding", "redirect")], sign=True,
            sigalg=RSA_SHA256, digest_alg=SHA256, **more)
        self.asked[number] = "/"
        return info

    def take(self, message):
        """The session that an answer begins."""
        got = self.client.parse_authn_request_response(message, BINDING_HTTP_POST, self.asked)
        self.asked.pop(got.in_response_to, None)
        statement = got.assertion.authn_statement[0]
        env = {"PORTAL": "Bürgerportal", "KONTO_SUBJECT": got.name_id.text,
               "KONTO_LEVEL": statement.authn_context.authn_context_class_ref.text,
               "Shib_Authentication_Instant": statement.authn_instant,
               "Shib_Session_Index": statement.session_index}
        for attributes in got.assertion.attribute_statement:
            for a in attributes.attribute:
                values = ";".join(v.text or "" for v in a.attribute_value)
                name = "ATTRIBUTE_LEVELS" if a.name == "urn:kontor:attribute-levels" else a.friendly_name
                env[f"KONTO_{name or a.name}"] = values
        cookie = secrets.token_urlsafe(16)
        self.sessions[cookie] = got.name_id, page.received(env)
        return cookie

    def leave(self, cookie):
        """Where the browser goes to end this session everywhere."""
        name_id, _ = self.sessions.pop(cookie)
        sent = self.client.do_logout(name_id, [self.idp], None, None, sign=True,
                                     expected_binding=BINDING_HTTP_REDIRECT, sign_alg=RSA_SHA256)
        return sent[self.idp][1]

    def told(self, message, relay_state):
        """Kontor's LogoutRequest: every session of that person ends; the answer to it."""
        request = self.client.parse_logout_request(message, BINDING_HTTP_POST)
        name_id = request.message.name_id
        for cookie, (known, _) in list(self.sessions.items()):
            if known.text == name_id.text:
                del self.sessions[cookie]
        return self.client.handle_logout_request(message, name_id, BINDING_HTTP_POST, sign=True,
                                                 sign_alg=RSA_SHA256, digest_alg=SHA256,
                                                 relay_state=relay_state)


class Handler(BaseHTTPRequestHandler):
    portal = None  # set below
    timeout = 20

    def send(self, status, text, kind="text/html; charset=utf-8", headers=()):
        data = text.encode()
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("Content-Length", str(len(data))),
                            ("Cache-Control", "no-store"), ("Connection", "close"), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def carry_out(self, info):
        """What apply_binding made of a message: a redirect or a page with a form."""
        where = dict(info["headers"]).get("Location")
        if where:
            self.send(303, "", headers=[("Location", where)])
        else:
            self.send(200, info["data"] if isinstance(info["data"], str) else "".join(info["data"]))

    def go(self, path, headers=()):
        self.send(303, "", headers=[("Location", self.portal.base + path), *headers])

    def cookie(self):
        jar = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        return jar["session"].value if "session" in jar else None

    def shown(self, body, status=200):
        self.send(status, page.PAGE.format(title="Bürgerportal", portal="Bürgerportal",
                                           colour="#4b2d7a", body=body))

    def route(self, path, fields):
        portal, cookie = self.portal, self.cookie()
        _, record = portal.sessions.get(cookie, (None, None))
        env = {"PORTAL": "Bürgerportal", "LOGOUT": "/logout"}
        if path == "/":
            self.shown(page.front(env))
        elif path == "/saml/acs":
            new = portal.take(fields["SAMLResponse"])
            self.go("/konto", [("Set-Cookie", f"session={new}; Secure; HttpOnly; Path=/")])
        elif path == "/saml/slo":
            if "SAMLRequest" in fields:
                self.carry_out(portal.told(fields["SAMLRequest"], fields.get("RelayState", "")))
            else:
                portal.client.parse_logout_request_response(fields["SAMLResponse"], BINDING_HTTP_POST)
                self.go("/")
        elif path == "/login" or (path == "/konto" and record is None):
            self.carry_out(portal.ask(fields))
        elif path == "/logout" and record is not None:
            self.carry_out(portal.leave(cookie))
        elif path == "/konto/json":
            self.send(200, json.dumps(record), "application/json")
        elif path == "/konto":
            self.shown(page.account(env, record))
        else:
            self.go("/")

    def answer(self, query):
        try:
            self.route(urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(query).items()})
        except Exception as e:  # whatever it says: nothing was accepted
            logging.exception("refused")
            self.shown(f"<p>Nicht angemeldet: {type(e).__name__}</p>", 403)

    def do_GET(self):
        self.answer(urlsplit(self.path).query)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())


def main():
    folder = Path(sys.argv[1])
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    if "--metadata" in sys.argv:
        print(create_metadata_string(None, config=configuration(folder, settings)[1],
                                     sign=False).decode())
        return
    Handler.portal = Portal(folder, settings)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    server = HTTPServer(("127.0.0.1", settings["port"]), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
