"""A client's certificate on its whole way: TLS at the shipped HAProxy, to a node, to the token that is bound to it."""
import json
import re
import sys
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "operate")]

import tap  # noqa: E402
from balanced import Stage  # noqa: E402
from instance import PASSWORD, Node, make_template  # noqa: E402
from walk import CALLBACK, VERIFIER, Walk, authorize_url, make_certificate  # noqa: E402

MTLS = "mtls.localhost"
CLIENT = {"client_id": "portal", "profile": "oauth", "redirect_uris": [CALLBACK], "scope": "openid profile",
          "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=known.example",
          "tls_client_certificate_bound_access_tokens": True, "id_token_signed_response_alg": "ES256"}


class Behind(Node):
    """In plain HTTP behind HAProxy, under the name of the node where people log in."""

    def configure(self, base_url, **settings):
        self.host = urllib.parse.urlsplit(base_url).netloc
        super().configure(base_url=base_url, mtls_url=f"https://{MTLS}", trusted_proxy="127.0.0.1", **settings)


def _says(stage, method, path, fields=None, shown=None, mtls=True, headers=()):
    """Status and body of what HAProxy answers a program that shows a certificate, or none."""
    body = urllib.parse.urlencode(fields or {})
    lines = [f"{method} {path} HTTP/1.1", f"Host: {MTLS if mtls else stage.host}", "Connection: close",
             "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}", *headers]
    answer = stage.say(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), shown=shown,
                       port=stage.mtls_port if mtls else None).decode()
    head, _, rest = answer.partition("\r\n\r\n")
    if re.search("transfer-encoding: chunked", head, re.I):
        rest = "".join(re.findall(r"[0-9a-f]+\r\n(.*?)\r\n", rest, re.S))
    return int(answer[9:12] or 0), rest


def _code(front):
    walk = Walk(front.instance.folder / "tls.crt", front.base)
    walk.get(authorize_url(front.base, scope="openid profile"))
    walk.log_in("erika", PASSWORD)
    walk.agree()
    return walk.code()


def a_certificate_proves_the_client_and_binds_its_tokens():
    i = template
    make_certificate(i.folder)
    i.add_account("erika", "--attribute", "given_names=Erika-Sophie")
    file = i.folder / "client.json"
    file.write_text(json.dumps(CLIENT))
    i.ok("client", "add", file, "--attribute", "given_names")
    with i.tls_node() as front:
        node = Behind(i, {"base_url": front.base})
        try:
            with Stage(backend=f"127.0.0.1:{node.port}", certificates=True) as stage:
                stage.host = node.host
                _whole_way(front, stage)
        finally:
            node.stop()


def _whole_way(front, stage):
    redeem = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
              "client_id": "portal", "code": _code(front)}
    # Who the client is, is asked before the code is looked at.
    lie = ("Client-Cert: :AAAA:", "X-Client-Cert-Verify: 0")
    for shown, mtls, headers in (("own", True, ()), (None, True, lie), ("known", False, ())):
        status, body = _says(stage, "POST", "/oidc/token", redeem, shown, mtls, headers)
        assert (status, json.loads(body)["error"]) == (401, "invalid_client"), (shown, status, body)
    status, body = _says(stage, "POST", "/oidc/token", redeem, "known")
    assert status == 200, (status, body)
    bearer = (f"Authorization: Bearer {json.loads(body)['access_token']}",)
    for shown, mtls in (("own", True), (None, True), ("known", False)):
        status, body = _says(stage, "GET", "/oidc/userinfo", None, shown, mtls, bearer)
        assert status == 401 and "Erika" not in body, (shown, status, body)
    status, body = _says(stage, "GET", "/oidc/userinfo", None, "known", headers=bearer)
    assert status == 200 and json.loads(body)["given_name"] == "Erika-Sophie", (status, body)


if __name__ == "__main__":
    template = make_template(sys.argv[1]).copy()
    tap.run_all(dict(globals()))
