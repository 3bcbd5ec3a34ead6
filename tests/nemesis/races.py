"""One-time things used at two nodes at once (race.c), and what the database says of it afterwards."""
import base64
import contextlib
import json
import os
import subprocess
import time
from typing import Callable, NamedTuple

from clients import PASSWORD
from place import ACCOUNTS

FIRST_S, UP_S, DOWN_S = 0.3, 3, 0.3  # the database, when it comes and goes
SETTLED_S = 1                        # what was written lazily is on disk
BACK = {"redirect_uris": ["https://portal.example/back"], "scope": "openid profile"}
LASTING = BACK | {"scope": "openid profile offline_access",
                  "grant_types": ["authorization_code", "refresh_token"]}
OWN = {"grant_types": ["client_credentials"], "scope": "openid read", "resource_scopes": ["read"]}
BY_KEY = {"token_endpoint_auth_method": "private_key_jwt"}
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CIBA = "urn:openid:params:grant-type:ciba"
# Rows that there are, and what the audit trail says.
COUNTS = """SELECT (SELECT json_object_agg(event, n) FROM
  (SELECT event, count(*) AS n FROM audit GROUP BY event) a)::jsonb || jsonb_build_object(
 'codes', (SELECT count(*) FROM grant_code), 'taken', (SELECT count(taken_at) FROM grant_code),
 'tokens', (SELECT count(*) FROM access_token), 'revoked', (SELECT count(revoked_at) FROM access_token),
 'families', (SELECT count(*) FROM refresh_token), 'marks', (SELECT count(*) FROM seen))"""


class Kind(NamedTuple):
    """What the client's record has; the rows that so many tries, uses and threads leave, where
    nothing fails."""
    record: dict
    rows: Callable
    most: int = 1 << 31  # tries, by a limit of the product's


def _taken_back(tries, *_):
    return {"taken": tries, "tokens": tries, "revoked": tries, "code_redeemed": tries,
            "grant_revoked": tries, "families": 0}


def _kept(tries, *_):
    return {"taken": tries, "tokens": tries, "revoked": 0, "code_redeemed": tries, "grant_revoked": 0,
            "families": 0}


def _asked(tries, _, threads):
    """And a code for each thread, by which the client knows whom to ask for."""
    return {what: n + threads if n else 0 for what, n in _kept(tries).items()} | {"request_made": tries}


def _refreshed(_, uses, threads):
    return {"families": threads, "tokens": uses + threads, "revoked": 0, "tokens_refreshed": uses,
            "grant_revoked": 0}


def _client_token(tries, *_):
    return {"tokens": tries, "marks": tries, "client_token": tries}


# The name is race_kinds.c's.
KINDS = {
    "code": Kind(LASTING, _taken_back),
    "pushed": Kind(BACK, lambda tries, _, threads: {"codes": tries + threads, "taken": 0}),
    "object": Kind(BACK, lambda tries, _, threads: {"codes": tries + threads, "taken": 0,
                                                    "marks": tries}),
    "refresh": Kind(LASTING, _refreshed),
    "stable": Kind(LASTING | BY_KEY | {"profile": "fapi2"}, _refreshed),
    "assertion": Kind(OWN | BY_KEY, _client_token),
    "dpop": Kind(OWN | {"dpop_bound_access_tokens": True}, _client_token),
    "device": Kind(BACK | {"grant_types": ["authorization_code", DEVICE]}, _kept),
    # A person is asked by a client a thousand times an hour at most (cluster.py).
    "ciba": Kind(BACK | {"grant_types": ["authorization_code", CIBA],
                         "backchannel_token_delivery_mode": "poll"}, _asked, 600 * ACCOUNTS),
}


class Races:
    """The clients, registered; each kind can be raced several times."""

    def __init__(self, place, tool, seed, threads=8):
        self.place, self.tool, self.seed, self.threads = place, tool, seed, threads
        self.env = dict(os.environ)
        made = place.instance
        for i in range(ACCOUNTS):
            made.ok("account", "add", f"bench{i}", "--attribute", "family_name=Mustermann",
                    stdin=PASSWORD + "\n")
        self._make_key()
        for name, kind in KINDS.items():
            self._register(f"tokens{name}" if kind.record["scope"].endswith("access") else name, kind)

    def _make_key(self):
        def openssl(*words):
            return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout
        pem, der = (self.place.instance.folder / f"race.{kind}" for kind in ("pem", "der"))
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", pem)
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER", "-out", der)
        point = openssl("pkey", "-in", pem, "-pubout", "-outform", "DER")[-64:]
        x, y = (base64.urlsafe_b64encode(half).decode().rstrip("=") for half in (point[:32], point[32:]))
        self.jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        self.env |= {"RACE_KEY": str(der), "RACE_JWK": json.dumps(self.jwk)}

    def _register(self, name, kind):
        file = self.place.instance.folder / "race.json"
        record = {"client_id": f"bench-{name}", "profile": "oauth",
                  "token_endpoint_auth_method": "client_secret_basic",
                  "id_token_signed_response_alg": "ES256",
                  "jwks": {"keys": [self.jwk | {"kid": "race", "alg": "ES256"}]}} | kind.record
        if "resource_scopes" in record:
            record["resource_uris"] = record["resources"] = [f"https://{name}.example/"]
        file.write_text(json.dumps(record))
        said = self.place.instance.ok("client", "add", file)
        self.env[f"BENCH_SECRET_{name}"] = said.get("client_secret", "none")

    def _counts(self):
        return json.loads(self.place.sql(COUNTS))

    def _begin(self, name, tries, seconds, *more):
        race = subprocess.Popen(
            [self.tool, name, self.place.host, str(tries), str(seconds), str(self.threads), str(self.seed),
             *(str(n.port) for n in self.place.nodes), *more], env=self.env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert race.stdout.readline() == "ready\n", race.communicate()
        return race

    @staticmethod
    def _tally(race, out, err):
        assert race.returncode == 0, err
        return json.loads(out)

    def run(self, name, tries, seconds=3600):
        """The tally, and what is wrong with it."""
        before = self._counts()
        race = self._begin(name, min(tries, KINDS[name].most), seconds)
        tally = self._tally(race, *race.communicate("\n"))
        after = self._counts()
        tally["rows"] = {what: n - before.get(what, 0) for what, n in after.items()}
        wrong = self._wrong(tally) + [
            f"{n} tries: {what}" for what, n in (
                ("no use succeeded", tally["none"]), ("there was no answer", tally["unheard"])) if n]
        wrong += [f"{tally['rows'].get(what, 0)} {what}, right is {n}"
                  for what, n in KINDS[name].rows(
                      tally["tries"], tally["uses"], self.threads).items()
                  if tally["rows"].get(what, 0) != n]
        if min(tally["won"]) == 0:
            wrong.append(f"only one node ever gave something: {tally['won']}")
        return tally, wrong

    def run_with_outages(self, name, tries, most, seconds=3600):
        """The same while PostgreSQL dies, up to so often, and comes back.  A thing may be lost then,
        and never counts twice; what was heard of is there."""
        race = self._begin(name, tries, seconds, "outages")
        time.sleep(SETTLED_S)
        before, crashes, up = self._counts(), 0, FIRST_S
        race.stdin.write("\n")
        race.stdin.flush()
        while crashes < most and not self._ends(race, up):
            self.place.postgres.kill()
            time.sleep(DOWN_S)
            self.place.postgres.revive()  # a server ends with the thread that started it
            crashes, up = crashes + 1, UP_S
        tally = self._tally(race, *race.communicate())
        after = self._counts()
        tally |= {"crashes": crashes, "tokens": after["tokens"] - before["tokens"]}
        wrong, rows = self._wrong(tally), KINDS[name].rows(1, 2, 0)
        if "tokens" in rows and tally["tokens"] < sum(tally["won"]):
            wrong.append(f"{sum(tally['won'])} tokens were given, {tally['tokens']} are there")
        if rows.get("tokens") == 1 and tally["tokens"] > tally["tries"]:
            wrong.append(f"{tally['tokens']} tokens of {tally['tries']} tries")
        if "tokens_refreshed" in rows and tally["none"]:
            wrong.append(f"{tally['none']} refresh tokens got lost")
        if crashes == 0:
            wrong.append("it was over before PostgreSQL died")
        return tally, wrong

    @staticmethod
    def _ends(race, seconds):
        with contextlib.suppress(subprocess.TimeoutExpired):
            race.wait(seconds)
        return race.returncode is not None

    @staticmethod
    def _wrong(tally):
        return [f"{n} tries: {what}" for what, n in (
            ("more than one use counted", tally["twice"]),
            ("what was given is not as it should be afterwards", tally["wrong"]),
            ("an answer of another kind", tally["other"])) if n]
