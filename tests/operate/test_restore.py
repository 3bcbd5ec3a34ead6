"""Restores: what a backup gives back, and what nobody may get back by it (docs/operate.md, "Restoring")."""
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import NOT_FOUND, OK, PASSWORD, make_template, says  # noqa: E402
from walk import Walk, authorize_url, make_certificate, register_client  # noqa: E402

NAMES = {"erika": "Erika-Sophie", "max": "Max-Emanuel", "eva": "Eva-Luise"}
BACKUP_TIME_S = 30 * 86400


def _make(**more):
    i = template.copy()
    make_certificate(i.folder)
    for login, name in NAMES.items():
        i.add_account(login, "--attribute", f"given_names={name}")
    return i, register_client(i, ["given_names"], **more)


def _logs_in(node, login):
    """Whether the page of the own account comes up."""
    walk = Walk(node.instance.folder / "tls.crt", node.base)
    walk.get(node.base + "/login")
    walk.log_in(login, PASSWORD)
    return walk.page.url == node.base + "/account" and NAMES[login] in walk.page.text


def _opens(i, login):
    """The given names, read with this instance's keys; None: they cannot be."""
    said = i.run("account", "show", login, "--json")
    assert (said.status == OK) == (NAMES[login] in said.out), said
    return NAMES[login] if said.status == OK else None


# What docs/operate.md says to keep beside the newest backup, and to do with it.
SAVE_KEYS = r"\copy (SELECT id, account_key FROM subject WHERE account_key IS NOT NULL) TO '{file}'"
LOAD_KEYS = (r"CREATE TEMPORARY TABLE newer (id bytea, account_key bytea)", r"\copy newer FROM '{file}'",
             "UPDATE subject s SET account_key = n.account_key FROM newer n"
             " WHERE s.id = n.id AND s.account_key IS NOT NULL")


def _granted(node, login, secret):
    """What a portal holds after a login without an end: access token and refresh token."""
    walk, code = _code(node, login, scope="openid profile offline_access")
    got = json.loads(walk.redeem(code, secret).body)
    return got["access_token"], got["refresh_token"]


def _told(node, secret, access, refresh):
    """The name that a portal is told for the access token, and for one that it refreshes; None: neither gives anything."""
    walk = Walk(node.instance.folder / "tls.crt", node.base)
    answer = walk.refresh(refresh, secret)
    tokens = [access, json.loads(answer.body)["access_token"]] if answer.status == 200 else [access]
    told = [walk.userinfo(token) for token in tokens]
    # What we cannot open is our fault, and nobody loses a token by it.
    assert {answer.status} | {a.status for a in told} in ({200}, {503}), (answer, told)
    names = {json.loads(a.body).get("given_name") for a in told}
    assert len(names) == 1, told
    return names.pop()


def a_deleted_account_stays_closed_in_a_backup_and_the_others_open():
    i, secret = _make(grant_types=["authorization_code", "refresh_token"],
                      scope="openid profile email offline_access")
    dump, keys, ledger = (i.folder / name for name in ("dump", "keys", "ledger"))
    with i.tls_node() as node:
        granted = {login: _granted(node, login, secret) for login in ("erika", "max")}
    i.dump(dump)
    i.ok("account", "delete", "erika")
    ledger.write_text(i.run("account", "deleted").out)
    i.ok("key", "epoch")
    assert i.ok("key", "rewrap")["accounts"] == 2
    i.sql(SAVE_KEYS.format(file=keys))

    # As long as backups are promised the old epoch's key is there, and opens them: all of them.
    early = i.restored(dump)
    assert [_opens(early, login) for login in NAMES] == list(NAMES.values())

    i.sql(f"UPDATE epoch_settled SET at = at - {BACKUP_TIME_S}")
    assert i.ok("key", "destroy-epochs")["destroyed"] == 1
    late = i.restored(dump)
    assert [_opens(late, login) for login in NAMES] == [None] * 3
    late.sql(*(line.format(file=keys) for line in LOAD_KEYS))
    assert [_opens(late, login) for login in NAMES] == [None, NAMES["max"], NAMES["eva"]]
    with late.tls_node() as node:
        assert not _logs_in(node, "erika")
        assert _logs_in(node, "max") and _logs_in(node, "eva")
        assert [_told(node, secret, *granted[login]) for login in granted] == [None, NAMES["max"]]
    says(late.run("account", "delete-again", ledger), OK, "1 accounts deleted again")
    says(late.run("account", "show", "erika"), NOT_FOUND)
    assert [_opens(late, login) for login in ("max", "eva")] == [NAMES["max"], NAMES["eva"]]


def _code(node, login, scope="openid profile"):
    """A citizen at the portal, not redeemed yet."""
    walk = Walk(node.instance.folder / "tls.crt", node.base)
    walk.get(authorize_url(node.base, scope=scope))
    walk.log_in(login, PASSWORD)
    walk.agree()
    return walk, walk.code()


def _asks_for_a_login(walk):
    return walk.get(walk.base + "/account").form_with("login_name", "password") is not None


DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def _polls(walk, secret, code):
    """What a device that waits is told."""
    answer = walk.post("/oidc/token", {"grant_type": DEVICE_GRANT, "device_code": code,
                                       "client_id": "portal", "client_secret": secret})
    return json.loads(answer.body)["error"]


def what_was_used_or_ended_after_the_cut_is_dead_after_the_restore():
    i, secret = _make(grant_types=["authorization_code", DEVICE_GRANT])
    i.ok("account", "totp", "max")
    dump = i.folder / "dump"
    with i.tls_node() as node:
        port = node.port
        max_, code = _code(node, "max")
        eva, other_code = _code(node, "eva")
        token = json.loads(eva.redeem(_code(node, "eva")[1], secret).body)["access_token"]
        waiting = Walk(i.folder / "tls.crt", node.base)
        waiting.get(authorize_url(node.base, scope="openid profile"))
        device = json.loads(waiting.post("/oidc/device_authorization", {
            "client_id": "portal", "client_secret": secret, "scope": "openid profile"}).body)["device_code"]
        i.dump(dump)
        # After the cut: codes are taken, a session ends.
        for taken in (code, other_code):
            assert max_.redeem(taken, secret).status == 200
        assert not _asks_for_a_login(max_)
        max_.submit(max_.get(node.base + "/logout").forms[-1])
        assert _asks_for_a_login(max_)
        assert not _asks_for_a_login(eva)

    again = i.restored(dump)
    with again.tls_node(port=port) as node:
        # All of it is back: this is what the command is for.
        assert eva.redeem(other_code, secret).status == 200
        assert eva.userinfo(token).status == 200 and not _asks_for_a_login(eva)
        assert _polls(waiting, secret, device) == "authorization_pending"
        done = again.ok("restored")
        assert done["polled"] == 1 and _polls(waiting, secret, device) == "invalid_grant", done
        assert min(done[what] for what in ("sessions", "flows", "codes", "tokens")) >= 1, done
        assert max_.redeem(code, secret).status == 400
        assert eva.redeem(other_code, secret).status == 400
        assert eva.userinfo(token).status == 401
        assert _asks_for_a_login(eva)
        assert waiting.log_in("max", PASSWORD).status >= 400, waiting.page.text[:300]
        assert done["one_time_codes"] == 1
        assert int(again.sql("SELECT last_step FROM credential WHERE kind = 'totp'")) >= time.time() // 30
        assert _logs_in(node, "eva")
        assert eva.redeem(_code(node, "eva")[1], secret).status == 200
    assert "database_restored" in again.run("audit", "list").out
    assert again.ok("restored")["codes"] == 1 and again.ok("restored")["codes"] == 0


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
