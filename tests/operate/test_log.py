"""The log of whole logins, good and bad, holds no personal data and no secret; each error is found in it.

A citizen with names nobody else has logs in through a real client over TLS, with the log at its
most talkative; then every value that went over the wire is looked for in it.
"""
import base64
import hashlib
import json
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "portals")]

import tap  # noqa: E402
from browser import Browser  # noqa: E402
from instance import PASSWORD, make_template  # noqa: E402

ATTRIBUTES = {"given_names": "Zerlina", "family_name": "Quastenflosser", "birth_date": "1907-03-19",
              "email": "zerlina.quastenflosser@mail.example"}
LOGIN = "zq-kennung-771"
WRONG = "Falsches-Kennwort-4711"
VERIFIER = "v" * 43
CALLBACK = "https://portal.localhost/cb"


class _Walk(Browser):
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

    def post(self, path, fields):
        return self._send("POST", self.base + path,
                          {"Content-Type": "application/x-www-form-urlencoded"},
                          urllib.parse.urlencode(fields).encode())


def _make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=konto.localhost",
                    "-addext", "subjectAltName=DNS:konto.localhost", "-keyout", folder / "tls.key",
                    "-out", folder / "tls.crt"], check=True, capture_output=True)


def _register(i):
    file = i.folder / "client.json"
    file.write_text(json.dumps({
        "client_id": "portal", "redirect_uris": [CALLBACK], "scope": "openid profile email",
        "token_endpoint_auth_method": "client_secret_post"}))
    words = [w for name in ATTRIBUTES for w in ("--attribute", name)]
    return i.ok("client", "add", file, *words)["client_secret"]


def _authorize_url(base, **more):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
    query = {"response_type": "code", "client_id": "portal", "redirect_uri": CALLBACK,
             "scope": "openid profile email", "state": "st-" + "s" * 30, "nonce": "no-" + "n" * 30,
             "code_challenge": challenge.decode(), "code_challenge_method": "S256"} | more
    return base + "/oidc/authorize?" + urllib.parse.urlencode(query)


def _good_login(walk, secret):
    """To the tokens and back from userinfo."""
    walk.get(_authorize_url(walk.base))
    walk.log_in(LOGIN, WRONG)
    walk.log_in("nobody-" + LOGIN, PASSWORD)
    walk.log_in(LOGIN, PASSWORD)
    walk.submit(next(f for f in walk.page.forms if ("do", "agree") in f.buttons), button="agree")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(walk.page.url).query)["code"][0]
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
              "code_verifier": VERIFIER, "client_id": "portal"}
    refused = walk.post("/oidc/token", fields | {"client_secret": "wrong-" + "w" * 30})
    assert refused.status == 401, refused.body
    answer = walk.post("/oidc/token", fields | {"client_secret": secret})
    assert answer.status == 200, answer.body
    tokens = json.loads(answer.body)
    walk.secrets |= {tokens["access_token"], tokens["id_token"], *tokens["id_token"].split(".")}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    claims = json.loads(walk._send("GET", walk.base + "/oidc/userinfo", headers, None).body)
    assert claims["family_name"] == ATTRIBUTES["family_name"], claims
    walk.secrets.add(claims["sub"])
    assert walk.post("/oidc/token", fields | {"client_secret": secret}).status == 400  # used up


def _bad_requests(walk):
    """Requests that end as an error page or an error of the protocol; their reference ids."""
    found = []
    for path in ("/nowhere/" + ATTRIBUTES["family_name"],
                 "/oidc/authorize?client_id=" + ATTRIBUTES["email"],
                 "/saml/sso?SAMLRequest=" + ATTRIBUTES["family_name"]):
        page = walk.get(walk.base + path)
        assert page.status >= 400, (path, page.status)
        ref = re.search(r'class="kontor-ref"[^>]*>([^<]+)<', page.body.decode())
        assert ref, (path, page.status, page.body)
        found.append(ref[1])
    return found


def nothing_of_a_person_is_in_the_log():
    with template.copy() as i:
        _make_certificate(i.folder)
        secret = _register(i)
        i.add_account(LOGIN, *[w for kv in ATTRIBUTES.items() for w in ("--attribute", "=".join(kv))])
        with i.tls_node(log_level="debug") as node:
            walk = _Walk(i.folder / "tls.crt", node.base)
            walk.get(walk.base + "/")
            _good_login(walk, secret)
            refs = _bad_requests(walk)
        log = node.log()
        assert log.count('"request"') > 12, log
        for value in (*ATTRIBUTES.values(), LOGIN, PASSWORD, WRONG, secret, VERIFIER, "127.0.0.1",
                      "s" * 30, "n" * 30, "w" * 30, *walk.secrets):
            assert value not in log and urllib.parse.quote(value, safe="") not in log, value
        for ref in refs:
            lines = [line for line in log.splitlines() if f'"{ref}"' in line]
            assert lines, f"{ref} is not in the log"
        for line in log.splitlines():
            json.loads(line)  # a line, an object
        trail = i.run("audit", "list", "--limit", "1000").out
        for value in (*ATTRIBUTES.values(), LOGIN, PASSWORD, *walk.secrets):
            assert value not in trail, value
        assert "login_refused" in trail and "code_redeemed" in trail, trail


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
