"""An instance whose signing keys lie in an HSM: logins, outages, and that no other key signs instead.

SoftHSM is the token.  Arguments: the program, and a module (tests/keys/p11_fault.c) that does what
SoftHSM does but for the faults that a file commands.
"""
import base64
import contextlib
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import (DENIED, NOT_FOUND, OK, PASSWORD, UNAVAILABLE, USAGE, make_template,  # noqa: E402
                      says)
from walk import (Walk, authorize_url, make_certificate, register_client, register_party,  # noqa: E402
                  sso_url)

SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
PIN, HSM_USER = "5678", "daemon"


class Token:
    """A SoftHSM token in the folder of an instance, and the settings that lead to it."""

    def __init__(self, i):
        self.instance, self.folder = i, i.folder / "tokens"
        self.folder.mkdir()
        conf = i.folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.folder}\nobjectstore.backend = file\n")
        self._fault = i.folder / "fault"
        os.environ |= {"SOFTHSM2_CONF": str(conf), "KONTOR_P11_REAL": SOFTHSM,
                       "KONTOR_P11_FAULT": str(self._fault)}
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "kontor", "--so-pin",
                        "1234", "--pin", PIN], check=True, capture_output=True)
        self.pin_file = i.folder / "hsm.pin"
        self.pin_file.write_text(PIN + "\n")
        self.pin_file.chmod(0o600)
        self.settings = {"hsm_module": FAULT_MODULE, "hsm_token": "kontor",
                         "hsm_pin_file": self.pin_file}
        i.write_conf(**self.settings)

    @contextlib.contextmanager
    def fault(self, command):
        beside = self._fault.with_suffix(".new")
        beside.write_text(command)
        beside.rename(self._fault)
        try:
            yield
        finally:
            self._fault.unlink(missing_ok=True)

    def activate(self, purpose, kind):
        """A key in it, active in the place of the one that `kontor key init` made."""
        i = self.instance
        made = i.ok("key", "generate", purpose, kind, "--hsm")
        i.ok("key", "publish", made["kid"])
        i.ok("key", "activate", made["kid"], "--emergency")
        return made["kid"]


class Portals:
    """One of each dialect, and a citizen's browser that has logged in at them."""

    def __init__(self, i, kids):
        self.instance, self.kids, self._number = i, kids, 0
        make_certificate(i.folder)
        i.add_account("erika", "--attribute", "given_names=Erika", "--attribute",
                      "family_name=Mustermann")
        register_party(i, "amt", "family_name")
        self.secrets = {alg: register_client(i, ["given_names", "family_name"], alg.lower(), alg)
                        for alg in ("ES256", "RS256")}

    def enter(self, node):
        self.walk = Walk(self.instance.folder / "tls.crt", node.base)
        self.walk.get(self._sso())
        self.walk.log_in("erika", PASSWORD)
        self.walk.agree()

    def _sso(self):
        self._number += 1
        return sso_url(self.walk.base, "amt", f"{os.getpid()}-{self._number}")

    def saml(self):
        """Another login with the session there is: the page that comes."""
        self.walk.get(self._sso())
        return self.walk.agree()

    def check_saml(self):
        """The Response on the page verifies with the key in the HSM, says xmlsec1."""
        response = self.walk.saml_response()
        assert response and b"Mustermann" in response, self.walk.page.text[:500]
        file, cert = (self.instance.folder / name for name in ("response.xml", "signer.pem"))
        file.write_bytes(response)
        der = self.instance.sql("SELECT encode(certificate, 'base64') FROM key WHERE kid = "
                                f"'{self.kids['saml-sign']}'")
        cert.write_text(f"-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
        subprocess.run(["xmlsec1", "--verify", "--enabled-key-data", "rsa,ec", "--pubkey-cert-pem",
                        cert, "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response",
                        "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", file],
                       check=True, capture_output=True)

    def code(self, alg="ES256"):
        self.walk.get(authorize_url(self.walk.base, alg.lower()))
        self.walk.agree()
        return self.walk.code()

    def redeem(self, code, alg="ES256"):
        return self.walk.redeem(code, self.secrets[alg], alg.lower())

    def check_tokens(self, answer):
        """The ID token verifies with the key in the HSM, says OpenSSL."""
        assert answer.status == 200, answer.body
        signed, _, signature = json.loads(answer.body)["id_token"].rpartition(".")
        header = json.loads(_base64url(signed.split(".")[0]))
        assert header["alg"] == "ES256" and header["kid"] == self.kids["oidc-sign"], header
        raw = _base64url(signature)
        files = [self.instance.folder / name for name in ("pub.pem", "sig.der", "signed")]
        spki = self.instance.sql("SELECT encode(spki, 'base64') FROM key WHERE kid = "
                                 f"'{header['kid']}'")
        files[0].write_text(f"-----BEGIN PUBLIC KEY-----\n{spki}\n-----END PUBLIC KEY-----\n")
        files[1].write_bytes(_sequence(_integer(raw[:32]) + _integer(raw[32:])))
        files[2].write_text(signed)
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", *files[:1], "-signature",
                        *files[1:]], check=True, capture_output=True)


def _base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _integer(octets):
    octets = octets.lstrip(b"\0")
    octets = b"\0" + octets if octets[0] & 0x80 else octets
    return bytes([2, len(octets)]) + octets


def _sequence(content):
    return bytes([0x30, len(content)]) + content


@contextlib.contextmanager
def _instance(**more):
    """A node with both signing keys of P-256 in the HSM, and the portals that a citizen is in at."""
    with template.copy() as i:
        token = Token(i)
        kids = {purpose: token.activate(purpose, "p256") for purpose in ("saml-sign", "oidc-sign")}
        portals = Portals(i, kids)
        with i.tls_node(**token.settings | {"listen_metrics": f"unix:{i.metrics_socket}"} | more
                        ) as node:
            portals.enter(node)
            yield i, token, node, portals


def _uses(node, kid):
    return int(node.metrics()[f'kontor_signer_key_uses_total{{kid="{kid}"}}'])


def _unused_are_the_others(node, kids):
    """The keys that `kontor key init` made for the same purpose, retired and still shown."""
    retired = node.instance.sql("SELECT kid FROM key WHERE state = 'retired'").split()
    assert len(retired) == 2, retired
    for kid in retired:
        assert _uses(node, kid) == 0, kid
    for kid in kids.values():
        assert _uses(node, kid) > 0, kid


def _is_ready(node):
    return node.get("/health/ready") == (200, "ready\n")


def _is_without(node):
    return node.get("/health/ready") == (503, "hsm\n")


def _is_refused_page(page):
    """503 for a person: what to do, and a reference id that the log has."""
    assert page.status == 503, (page.status, page.text[:300])
    assert int(page.headers["Retry-After"]) > 0
    return re.search(r'class="kontor-ref"[^>]*>([^<]+)<', page.body.decode())[1]


def one_login_of_each_dialect_is_signed_in_the_hsm():
    with _instance() as (i, token, node, portals):
        portals.check_saml()
        portals.check_tokens(portals.redeem(portals.code()))
        _unused_are_the_others(node, portals.kids)
        node.wait(lambda: _is_ready(node), "ready")
        assert node.metrics()["kontor_hsm_ready"] == "1"
        # The process is killed: nothing else is, and it is back by itself.
        before = node.children()
        os.kill(before["hsm"], signal.SIGKILL)
        node.wait(lambda: node.children().get("hsm") not in (None, before["hsm"]), "a new process")
        node.wait(lambda: portals.saml().status == 200, "answers")
        portals.check_saml()
        # What the one before was seen to do is not held against this one.
        portals.check_tokens(portals.redeem(portals.code()))
        assert {k: v for k, v in node.children().items() if k != "hsm"} == \
            {k: v for k, v in before.items() if k != "hsm"}
        # The token itself goes, and comes back.
        away = token.folder.with_name("away")
        token.folder.rename(away)
        node.wait(lambda: _is_without(node), "not ready")
        away.rename(token.folder)
        node.wait(lambda: _is_ready(node), "ready again")
        # Another session than the one that was looked with may only now find that it was lost.
        node.wait(lambda: portals.redeem(portals.code()).status == 200, "tokens")
        portals.check_tokens(portals.redeem(portals.code()))
        # And with the others: the signer does not need it, nor it the signer.
        os.kill(node.children()["signer"], signal.SIGKILL)
        node.wait(lambda: portals.saml().status == 200, "answers")
        portals.check_saml()
        node.process.send_signal(signal.SIGHUP)
        node.wait(lambda: '"reloaded"' in node.log(), "reloaded")
        node.wait(lambda: portals.saml().status == 200, "answers")
        portals.check_saml()


def an_outage_is_503_and_no_other_key_signs():
    with _instance() as (i, token, node, portals):
        kept = portals.code()
        elsewhere = portals.code("RS256")
        metadata = node.get("/saml/metadata")
        assert metadata[0] == 200
        with token.fault("fail 0xe0"):  # CKR_TOKEN_NOT_PRESENT
            node.wait(lambda: _is_without(node), "not ready")
            ref = _is_refused_page(portals.saml())
            assert any(f'"{ref}"' in line and "HSM" in line for line in node.log().splitlines())
            refused = portals.redeem(kept)
            assert refused.status == 503 and int(refused.headers["Retry-After"]) > 0, refused.body
            assert json.loads(refused.body)["error"] == "temporarily_unavailable"
            assert node.metrics()["kontor_hsm_ready"] == "0"
            # What needs no key there goes on: another algorithm's, and what is switched off meanwhile.
            assert portals.redeem(elsewhere, "RS256").status == 200
            i.ok("party", "disable", "https://portal.example/amt")
            node.wait(lambda: portals.saml().status not in (200, 503), "the portal switched off")
            i.ok("party", "enable", "https://portal.example/amt")
            assert node.get("/saml/metadata") == metadata
            says(i.run("status"), UNAVAILABLE, "CKR_TOKEN_NOT_PRESENT")
        node.wait(lambda: _is_ready(node), "ready again")
        portals.check_tokens(portals.redeem(kept))
        node.wait(lambda: portals.saml().status == 200, "the portal switched on")
        portals.check_saml()
        says(i.run("status"), OK)
        _unused_are_the_others(node, portals.kids)
        node.wait(lambda: node.get("/saml/metadata") != metadata, "metadata signed anew")
        assert node.log().count('"hsm_away"') == 1 == node.log().count('"hsm_back"'), node.log()


def a_stall_is_503_in_time_and_holds_up_nothing_else():
    with _instance(hsm_timeout="500ms") as (i, token, node, portals):
        elsewhere = portals.code("RS256")
        first = node.children()["hsm"]
        with token.fault("stall"):
            _is_refused_page(portals.saml())
            assert portals.redeem(elsewhere, "RS256").status == 200
            # A call that does not come back for ten times that ends the process; so does its heir's.
            node.wait(lambda: node.children().get("hsm") not in (None, first), "a new process")
            _is_refused_page(portals.saml())
        node.wait(lambda: _is_ready(node), "ready again")
        # Half a second may be too short for a busy machine: once more, then.
        node.wait(lambda: portals.saml().status == 200, "answers")
        portals.check_saml()
        node.wait(lambda: portals.redeem(portals.code()).status == 200, "tokens")
        _unused_are_the_others(node, portals.kids)


def a_node_starts_without_its_hsm_and_gets_it_later():
    with template.copy() as i:
        token = Token(i)
        token.activate("saml-sign", "p256")
        with contextlib.ExitStack() as fault:
            fault.enter_context(token.fault("fail 0xe0"))
            with i.node(**token.settings) as node:
                # It serves what it can, and no balancer sends anybody.
                assert node.get("/")[0] == 200
                node.wait(lambda: _is_without(node), "not ready")
                assert node.get("/saml/metadata")[0] == 503
                fault.close()
                node.wait(lambda: _is_ready(node), "ready")
                node.wait(lambda: node.get("/saml/metadata")[0] == 200, "metadata")
        # Keys in an HSM and none in the configuration is the same outage.
        with i.node() as node:
            node.wait(lambda: _is_without(node), "not ready")
            assert node.get("/saml/metadata")[0] == 503
            assert '"no HSM is set up"' in node.log()


def the_hsm_process_is_a_user_of_its_own():
    """Also for commands: what they make in the token must be that user's to use."""
    if os.geteuid() != 0:
        raise tap.Skip("needs root, to become other users")
    with template.copy() as i:
        token = Token(i)
        subprocess.run(["chown", "-R", HSM_USER, token.folder], check=True)
        settings = token.settings | {"hsm_module": SOFTHSM, "hsm_user": HSM_USER}
        i.write_conf(**settings)
        token.activate("saml-sign", "p256")
        owner = pwd.getpwnam(HSM_USER).pw_uid
        made = [path for path in token.folder.rglob("*") if path.stat().st_uid != owner]
        assert not made, made
        with i.node(**settings) as node:
            node.wait(lambda: _is_ready(node), "ready")
            process = Path(f"/proc/{node.children()['hsm']}")
            assert (process / "mem").stat().st_uid == 0, "dumpable: these are root's, whoever it runs as"
            assert f"Uid:\t{owner}\t{owner}\t{owner}" in (process / "status").read_text()
            assert "NoNewPrivs:\t1" in (process / "status").read_text()
            assert re.search(r"Max core file size +0 +0 ", (process / "limits").read_text())


def commands_say_what_is_wrong():
    with template.copy() as i:
        says(i.run("key", "generate", "saml-sign", "p256", "--hsm"), UNAVAILABLE, "no HSM is set up")
        token = Token(i)
        says(i.run("key", "generate", "cookie", "secret", "--hsm"), USAGE, "a secret does not lie")
        says(i.run("key", "generate", "saml-sign", "p256", "--hsm", "--hsm-object", "x"), USAGE)
        says(i.run("key", "generate", "saml-sign", "p256", "--hsm-object", "x"), DENIED, "there is none")
        says(i.run("check-config"), OK)
        made = i.run("key", "generate", "oidc-sign", "p256", "--hsm")
        says(made, OK, "in the HSM it is called 'sachsen-oidc-sign-")
        kid = made.out.strip()
        row = next(k for k in i.ok("key", "list")["keys"] if k["kid"] == kid)
        assert row["place"] == "hsm" and row["state"] == "planned", row
        assert i.sql("SELECT details->>'object' FROM audit WHERE details->>'kid' = "
                     f"'{kid}'").startswith("sachsen-oidc-sign-")
        # Sealed anew under another master key, it is still the same key.
        i.ok("key", "master")
        assert i.ok("key", "rewrap")["keys"] == 13
        assert {k["sealed_under"] for k in i.ok("key", "list")["keys"]} == {2}
        says(i.run("key", "destroy", kid), OK, "still in the HSM")
        says(i.run("key", "destroy", "nobody"), NOT_FOUND)
        with token.fault("pin"):
            says(i.run("key", "generate", "oidc-sign", "p256", "--hsm"), UNAVAILABLE,
                 "CKR_PIN_INCORRECT")
        token.pin_file.chmod(0o644)
        says(i.run("check-config"), USAGE, "hsm_pin_file", "open to others")
        says(i.run("serve"), DENIED, "open to others")


if __name__ == "__main__":
    FAULT_MODULE = sys.argv[2]
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
