"""Codes redeemed at two nodes at once (race.c), and what the database says of it afterwards."""
import json
import os
import subprocess

from clients import PASSWORD
from place import ACCOUNTS

THREADS = 8
# One row for each: the code taken, the token revoked, and what the audit trail says of both.
COUNTS = """SELECT json_build_object(
 'codes', (SELECT count(*) FROM grant_code), 'taken', (SELECT count(taken_at) FROM grant_code),
 'tokens', (SELECT count(*) FROM access_token), 'revoked', (SELECT count(revoked_at) FROM access_token),
 'code_redeemed', (SELECT count(*) FROM audit WHERE event = 'code_redeemed'),
 'grant_revoked', (SELECT count(*) FROM audit WHERE event = 'grant_revoked'))"""


def run(place, tool, tries, seed):
    """The tally, and what is wrong with it."""
    made = place.instance
    for i in range(ACCOUNTS):
        made.ok("account", "add", f"bench{i}", "--attribute", "family_name=Mustermann",
                stdin=PASSWORD + "\n")
    file = made.folder / "race.json"
    file.write_text(json.dumps({
        "client_id": "bench-es256", "profile": "oauth", "redirect_uris": ["https://portal.example/back"],
        "token_endpoint_auth_method": "client_secret_basic", "scope": "openid profile",
        "id_token_signed_response_alg": "ES256"}))
    secret = made.ok("client", "add", file)["client_secret"]
    before = json.loads(place.sql(COUNTS))
    done = subprocess.run(
        [tool, place.base.split("//")[1], str(tries), str(THREADS), str(seed),
         *(str(n.port) for n in place.nodes)], env=os.environ | {"BENCH_SECRET_es256": secret},
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout)
    after = json.loads(place.sql(COUNTS))
    tally["rows"] = {name: after[name] - before[name] for name in after}
    # The code of each browser's first login is never redeemed.
    right = {"codes": tries + THREADS, "taken": tries, "tokens": tries, "revoked": tries,
             "code_redeemed": tries, "grant_revoked": tries}
    wrong = [f"{n} tries: {what}" for what, n in (
        ("no redemption succeeded", tally["none"]), ("more than one succeeded", tally["twice"]),
        ("the token outlived the second use", tally["alive"]),
        ("an answer of another kind", tally["other"])) if n]
    wrong += [f"{tally['rows'][name]} {name}, right is {n}" for name, n in right.items()
              if tally["rows"][name] != n]
    if min(tally["won"]) == 0:
        wrong.append(f"only one node ever gave a token: {tally['won']}")
    return tally, wrong
