"""What is there when all is over, gathered for the checker; and whether signatures hold."""
import base64
import hashlib
import json
import re
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from checker import World, told

AT_ONCE = 100  # files of one call of xmlsec1
RESPONSE = "urn:oasis:names:tc:SAML:2.0:protocol:Response"
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 9.2


def _rows(place, query):
    return json.loads(place.sql(f"SELECT coalesce(json_agg(q), '[]') FROM ({query}) q"))


def _reference(place, login):
    """The reference id of what made the account; None: there is no such account."""
    said = place.cli("audit", "list", "--login", login, "--event", "account_created")
    if said.status == 3:  # idp/cli.h: not found
        return None
    assert said.status == 0, said
    events = said.json()["events"]
    assert len(events) == 1, (login, events)
    return events[0]["ref"]


def _accounts(place, ops, acting, made):
    """The subject behind each login name.  Whom a party was told of is known by that; the others
    are looked up by the command line, which takes its time."""
    found = {}
    for op in ops:
        if op["outcome"] == "ok" and ("response" in op or "id_token" in op):
            found.setdefault(op["account"], acting.get(told(op)))
    rest = sorted({o["account"] for o in ops if o["op"] == "register"} - found.keys())
    with ThreadPoolExecutor(4) as pool:
        for login, ref in zip(rest, pool.map(lambda l: _reference(place, l), rest)):
            found[login] = ref and made[ref]
    return found


def gather(place, ops):
    w = World(issuer=place.base)
    audit = _rows(place, "SELECT event, ref, encode(subject, 'hex') AS subject, party, details"
                         " FROM audit ORDER BY seq")
    made = {a["ref"]: a["subject"] for a in audit if a["event"] == "account_created"}
    w.audit = [(a["event"], a["subject"], a["party"], a["details"]) for a in audit]
    w.states = {r["id"]: r["state"]
                for r in _rows(place, "SELECT encode(id, 'hex') AS id, state FROM subject")}
    w.totp = Counter(r["id"] for r in _rows(
        place, "SELECT encode(subject, 'hex') AS id FROM credential WHERE kind = 'totp'"))
    w.consents = {(r["id"], r["party"]): r["given"] for r in _rows(
        place, "SELECT DISTINCT ON (acting, party) encode(acting, 'hex') AS id, party, given"
               " FROM consent ORDER BY acting, party, consent.id DESC")}
    w.parties = {r["id"]: r["enabled"] for r in _rows(place, "SELECT id, enabled FROM party")}
    told_of = {(r["party"], r["name_id"], r["session_index"]): r for r in _rows(
        place, "SELECT party, name_id, session_index, sid, encode(acting, 'hex') AS acting"
               " FROM nemesis.participant")}
    w.participants = {key: r["sid"] for key, r in told_of.items()}
    w.acting = {key: r["acting"] for key, r in told_of.items()}
    w.accounts = _accounts(place, ops, w.acting, made)
    w.sessions = {r["sid"] for r in _rows(place, "SELECT sid FROM session")}
    w.codes = {r["hash"]: r["taken"] for r in _rows(
        place, "SELECT encode(hash, 'hex') AS hash, taken_at IS NOT NULL AS taken FROM grant_code")}
    w.tokens = {r["hash"] for r in _rows(
        place, "SELECT encode(hash, 'hex') AS hash FROM access_token")}
    keys = Keys(place)
    w.unsigned = keys.unsigned(ops)
    keys.prove(ops)
    return w


class Keys:
    """The instance's public keys, and two verifiers that are not ours."""

    def __init__(self, place):
        self.folder = place.instance.folder
        metadata = place.nodes[0].get("/saml/metadata")[1]
        self.certificate = self.folder / "saml.pem"
        self.certificate.write_text("".join(
            f"-----BEGIN CERTIFICATE-----\n{c}\n-----END CERTIFICATE-----\n"
            for c in re.findall(r"<ds:X509Certificate>\s*([^<]+?)\s*<", metadata)[:1]))
        self.jwks = {k["kid"]: k for k in json.loads(place.nodes[0].get("/oidc/jwks")[1])["keys"]}

    def unsigned(self, ops):
        """Numbers of the operations whose signature does not hold."""
        given = [o for o in ops if o["outcome"] == "ok"]
        bad = {o["n"] for o in given if "id_token" in o and not self.signed(o["id_token"])}
        files = {}
        for o in given:
            if "response" in o:
                file = self.folder / f"response-{o['n']}.xml"
                file.write_bytes(base64.b64decode(o["response"]))
                files[o["n"]] = file
        numbers = list(files)
        for i in range(0, len(numbers), AT_ONCE):
            some = numbers[i:i + AT_ONCE]
            if not self._verify([files[n] for n in some]):
                bad |= {n for n in some if not self._verify([files[n]])}
        for file in files.values():
            file.unlink()
        return bad

    def prove(self, ops):
        """These verifiers can refuse: a changed octet is noticed."""
        for of, kind in (("response", "answer"), ("id_token", "redeem")):
            op = next((dict(o) for o in ops if o["op"] == kind and of in o), None)
            if op is None:
                continue
            text = op[of] if of == "id_token" else base64.b64decode(op[of]).decode()
            changed = text.replace(">low<", ">high<", 1).replace(">substantial<", ">high<", 1) \
                if of == "response" else text.replace(".eyJ", ".eyI", 1)
            assert changed != text, text[:200]
            op[of] = changed if of == "id_token" else base64.b64encode(changed.encode()).decode()
            assert self.unsigned([op]) == {op["n"]}, f"a changed {of} passes"

    def _verify(self, files):
        return subprocess.run(
            ["xmlsec1", "--verify", "--pubkey-cert-pem", self.certificate, "--id-attr:ID", RESPONSE,
             *files], capture_output=True, check=False).returncode == 0

    def signed(self, token):
        """RS256 (RFC 8017 8.2.2) by the key that the token names."""
        head, body, signature = token.split(".")
        key = self.jwks.get(json.loads(_octets(head))["kid"])
        if key is None or key["kty"] != "RSA":
            return False
        n, e = (int.from_bytes(_octets(key[m]), "big") for m in "ne")
        size = (n.bit_length() + 7) // 8
        digest = SHA256_INFO + hashlib.sha256(f"{head}.{body}".encode()).digest()
        right = b"\0\1" + b"\xff" * (size - 3 - len(digest)) + b"\0" + digest
        return pow(int.from_bytes(_octets(signature), "big"), e, n).to_bytes(size, "big") == right


def _octets(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
