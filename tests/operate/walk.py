"""A citizen who logs in to a portal through a real client over TLS, and what the portal then does."""
import base64
import hashlib
import json
import subprocess
import sys
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "portals")]

from browser import Browser  # noqa: E402

VERIFIER = "v" * 43
CALLBACK = "https://portal.localhost/cb"


class Walk(Browser):
    """Keeps what came and went besides the pages."""

    def __init__(self, ca_file, base):
        super().__init__(ca_file)
        self.base, self.secrets = base, set()

    def _exchange(self, method, url, body, initiator):
        if url.startswith(CALLBACK):
            page = type(self.page)(url, 200, self.page.headers, b"")
            self.secrets.add(urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["code"][0])
            return page
        page = super()._exchange(method, url, body, initiator)
        self.secrets |= {c.value for c in self.cookies.values() if len(c.value) > 8}
        for form in page.forms:
            self.secrets |= {v for _, v in form.fields if len(v) > 8}
        return page

    def log_in(self, name, password):
        form = self.page.form_with("login_name", "password")
        assert form, (self.page.url, self.page.status, self.page.text[:500])
        return self.submit(form, {"login_name": name, "password": password})

    def agree(self):
        """To the portal, with a code if everything is well; who agreed before is there already."""
        for form in self.page.forms:
            if ("do", "agree") in form.buttons:
                return self.submit(form, button="agree")
        return self.page

    def code(self):
        return urllib.parse.parse_qs(urllib.parse.urlsplit(self.page.url).query)["code"][0]

    def redeem(self, code, secret):
        return self.post("/oidc/token", code_fields(code) | {"client_secret": secret})

    def userinfo(self, token):
        return self._send("GET", self.base + "/oidc/userinfo", {"Authorization": f"Bearer {token}"}, None)

    def post(self, path, fields):
        return self._send("POST", self.base + path,
                          {"Content-Type": "application/x-www-form-urlencoded"},
                          urllib.parse.urlencode(fields).encode())


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=konto.localhost",
                    "-addext", "subjectAltName=DNS:konto.localhost", "-keyout", folder / "tls.key",
                    "-out", folder / "tls.crt"], check=True, capture_output=True)


def register(i, attributes):
    file = i.folder / "client.json"
    file.write_text(json.dumps({
        "client_id": "portal", "redirect_uris": [CALLBACK], "scope": "openid profile email",
        "token_endpoint_auth_method": "client_secret_post"}))
    words = [w for name in attributes for w in ("--attribute", name)]
    return i.ok("client", "add", file, *words)["client_secret"]


def authorize_url(base, **more):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
    query = {"response_type": "code", "client_id": "portal", "redirect_uri": CALLBACK,
             "scope": "openid profile email", "state": "st-" + "s" * 30, "nonce": "no-" + "n" * 30,
             "code_challenge": challenge.decode(), "code_challenge_method": "S256"} | more
    return base + "/oidc/authorize?" + urllib.parse.urlencode(query)


def code_fields(code):
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER, "client_id": "portal"}
