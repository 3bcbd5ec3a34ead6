"""One instance as OpenID Provider of another: real calls between two nodes, and one person's browser."""
import base64
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import OK, PASSWORD, make_template, says  # noqa: E402
from walk import CALLBACK, Walk, authorize_url, make_certificate, register_client  # noqa: E402

PERSON = "test.person@example.org"
OUT = {"outbound_inside": "127.0.0.0/8 ::1"}


def _fetched(here):
    """Nodes fetch what the provider says of itself within seconds."""
    until = time.monotonic() + 60
    while "fetched" not in (said := here.ok("upstream", "show", "baden")):
        assert time.monotonic() < until, said
        time.sleep(0.2)


def _offered(here, there, here_node, there_node, **members):
    """Register both at each other."""
    client = there.folder / "sachsen.json"
    client.write_text(json.dumps({
        "client_id": "sachsen", "profile": "oauth", "scope": "openid profile email",
        "redirect_uris": [f"{here_node.base}/oidc/callback/baden"],
        "jwks_uri": f"{here_node.base}/oidc/jwks", "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256"} | members))
    there.ok("client", "add", client, "--attribute", "family_name", "--attribute", "email")
    here.ok("upstream", "add", "baden", "--kind", "oidc", "--issuer", there_node.base, "--client-id",
            "sachsen", "--display-name", "Konto von nebenan", "--attribute-level", "basic")
    _fetched(here)


def _log_in_there(walk, here_node):
    """From the portal through both."""
    walk.get(authorize_url(here_node.base, kc_idp_hint="baden"))
    walk.log_in(PERSON, PASSWORD)
    for _ in range(2):  # there, unless that is stored, and here
        if not walk.page.url.startswith(CALLBACK):
            walk.agree()
    return walk.code()


def who_has_an_account_at_one_uses_a_portal_of_the_other():
    with template.copy() as here, template.copy() as there:
        make_certificate(here.folder)
        for name in ("tls.crt", "tls.key"):
            (there.folder / name).write_bytes((here.folder / name).read_bytes())
        out = OUT | {"outbound_ca": here.folder / "tls.crt"}
        secret = register_client(here, ["family_name", "email"])
        there.add_account(PERSON, "--attribute", "family_name=Muster", "--attribute",
                          "email=test.person@example.org")
        with here.tls_node(**out) as here_node, there.tls_node(**out) as there_node:
            _offered(here, there, here_node, there_node)
            subs = set()
            for _ in range(2):
                walk = Walk(here.folder / "tls.crt", here_node.base)
                said = json.loads(walk.redeem(_log_in_there(walk, here_node), secret).body)
                claims = json.loads(walk.userinfo(said["access_token"]).body)
                payload = said["id_token"].split(".")[1]
                told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
                assert claims["family_name"] == "Muster", claims
                assert told["iss"] == here_node.base and told["sub"].startswith("oidc."), told
                assert "sid" not in told, told
                subs.add(told["sub"])
            assert len(subs) == 1
            # Neither an account nor a session of theirs is here.
            assert here.sql("SELECT count(*) FROM subject", "SELECT count(*) FROM session") == "0\n0"
            says(here.run("upstream", "disable", "baden"), OK, "baden is disabled")


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
