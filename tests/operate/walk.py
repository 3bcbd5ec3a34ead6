"""Whole logins at a node over TLS, as a browser and a portal's server make them."""
import base64
import hashlib
import json
import subprocess
import sys
import time
import urllib.parse
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "portals"), str(HERE.parent / "bench")]

from browser import Browser  # noqa: E402
from place import METADATA  # noqa: E402

VERIFIER = "v" * 43
CALLBACK = "https://portal.localhost/cb"
ENTITY = "https://portal.example/"


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=konto.localhost",
                    "-addext", "subjectAltName=DNS:konto.localhost", "-keyout", folder / "tls.key",
                    "-out", folder / "tls.crt"], check=True, capture_output=True)


def register_client(i, attributes, name="portal", alg="ES256", **more):
    """An OpenID Connect client; its secret.  `more` are members of its record."""
    file = i.folder / "client.json"
    file.write_text(json.dumps({
        "client_id": name, "profile": "oauth", "redirect_uris": [CALLBACK], "scope": "openid profile email",
        "token_endpoint_auth_method": "client_secret_post", "id_token_signed_response_alg": alg} | more))
    words = [w for attribute in attributes for w in ("--attribute", attribute)]
    return i.ok("client", "add", file, *words)["client_secret"]


def register_party(i, name, attribute):
    """A SAML service provider that does not sign its requests."""
    file = i.folder / "party.xml"
    file.write_text(METADATA.format(name=name, key=""))
    i.ok("party", "add", file, "--accept-unsigned", "yes", "--attribute", attribute, "--encrypt",
         "never")


def authorize_url(base, client="portal", **more):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
    query = {"response_type": "code", "client_id": client, "redirect_uri": CALLBACK,
             "scope": "openid profile email", "state": "st-" + "s" * 30, "nonce": "no-" + "n" * 30,
             "code_challenge": challenge.decode(), "code_challenge_method": "S256"} | more
    return base + "/oidc/authorize?" + urllib.parse.urlencode(query)


def sso_url(base, name, number):
    """A fresh AuthnRequest by Redirect."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    request = (f'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
               f'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r{number}" Version="2.0" '
               f'IssueInstant="{now}" Destination="{base}/saml/sso">'
               f'<saml:Issuer>{ENTITY}{name}</saml:Issuer></samlp:AuthnRequest>')
    deflate = zlib.compressobj(wbits=-15)
    packed = base64.b64encode(deflate.compress(request.encode()) + deflate.flush())
    return base + "/saml/sso?" + urllib.parse.urlencode({"SAMLRequest": packed})


class Walk(Browser):
    """A browser; a redirect to the portal ends its way, the portal being nowhere."""

    def __init__(self, ca_file, base):
        super().__init__(ca_file)
        self.base = base

    def _exchange(self, method, url, body, initiator):
        if url.startswith(CALLBACK):
            return type(self.page)(url, 200, self.page.headers, b"")
        return super()._exchange(method, url, body, initiator)

    def log_in(self, name, password):
        form = self.page.form_with("login_name", "password")
        assert form, (self.page.url, self.page.status, self.page.text[:500])
        return self.submit(form, {"login_name": name, "password": password})

    def agree(self):
        """Where consent is asked for."""
        form = next((f for f in self.page.forms if ("do", "agree") in f.buttons), None)
        return self.page if form is None else self.submit(form, button="agree")

    def code(self):
        """What came back to the portal in the address."""
        assert self.page.url.startswith(CALLBACK), (self.page.url, self.page.text[:500])
        return urllib.parse.parse_qs(urllib.parse.urlsplit(self.page.url).query)["code"][0]

    def saml_response(self):
        """What the page shown posts to the portal; None: it does not."""
        form = self.page.form_with("SAMLResponse")
        return form and base64.b64decode(dict(form.fields)["SAMLResponse"])

    def post(self, path, fields, basic=None):
        """basic: name and secret, with a colon between."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(basic).decode()
        return self._send("POST", self.base + path, headers, urllib.parse.urlencode(fields).encode())

    def redeem(self, code, secret, client="portal"):
        return self.post("/oidc/token", {
            "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER, "client_id": client, "client_secret": secret})

    def refresh(self, token, secret, client="portal"):
        return self.post("/oidc/token", {"grant_type": "refresh_token", "refresh_token": token,
                                         "client_id": client, "client_secret": secret})

    def userinfo(self, token):
        return self._send("GET", self.base + "/oidc/userinfo", {"Authorization": f"Bearer {token}"}, None)
