"""The lives of keys: signing keys, master keys and epoch keys, as `kontor key` moves them."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import DENIED, NOT_FOUND, OK, USAGE, make_template, says  # noqa: E402


def a_key_goes_forward_only():
    with template.copy() as i:
        active = next(k["kid"] for k in i.ok("key", "list")["keys"]
                      if k["purpose"] == "saml-sign" and k["type"] == "p256")
        for words in (("saml-sign", "secret"), ("saml-sign",), ("nothing", "p256")):
            says(i.run("key", "generate", *words), USAGE, "a purpose and a type")
        kid = i.ok("key", "generate", "saml-sign", "p256")["kid"]
        for verb in ("activate", "retire"):
            says(i.run("key", verb, kid), DENIED, "no move from planned")
        i.ok("key", "publish", kid)
        says(i.run("key", "publish", kid, "--emergency"), USAGE, "--emergency is for activate")
        says(i.run("key", "activate", kid), DENIED, "say --emergency")
        says(i.run("key", "destroy", active), DENIED, "no move from active")
        assert i.ok("key", "activate", kid, "--emergency")["retired"] == active
        says(i.run("key", "activate", active), DENIED, "no move from retired")
        i.ok("key", "destroy", active)
        says(i.run("key", "publish", active), DENIED, "no move from gone")
        says(i.run("key", "publish", "nobody"), NOT_FOUND)
        assert "SINCE" in i.run("key", "list").out


def each_type_is_made_for_what_takes_it():
    with template.copy() as i:
        for purpose in ("saml-sign", "decrypt"):
            for kind in ("p384", "bp256", "bp384"):
                kid = i.ok("key", "generate", purpose, kind)["kid"]
                i.ok("key", "publish", kid)
                i.ok("key", "activate", kid)
        for purpose in ("oidc-sign", "federation-sign", "cookie"):
            says(i.run("key", "generate", purpose, "bp384"), USAGE, "a purpose and a type")
        for purpose in ("saml-sign", "decrypt"):
            says(i.run("key", "generate", purpose, "rsa3072-pss"), USAGE, "a purpose and a type")
        for kind in ("p384", "rsa3072-pss"):
            i.ok("key", "generate", "oidc-sign", kind)
        made = [k for k in i.ok("key", "list")["keys"]
                if k["type"] in ("p384", "bp256", "bp384") and k["purpose"] != "oidc-sign"]
        assert len(made) == 6
        assert all(k["state"] == "active" and k["certificate_not_after"] > 0 for k in made)
        i.ok("status")


def a_master_key_that_still_seals_is_not_pushed_out():
    with template.copy() as i:
        i.ok("key", "master")
        says(i.run("key", "master"), DENIED, "run kontor key rewrap first")
        assert i.ok("key", "rewrap")["keys"] == 12
        assert i.ok("key", "rewrap")["keys"] == 0
        assert {k["sealed_under"] for k in i.ok("key", "list")["keys"]} == {2}
        i.ok("key", "master")
        says(i.run("status"), OK)


def an_old_epoch_key_goes_when_no_backup_needs_it():
    with template.copy() as i:
        i.add_account("erika", "--attribute", "given_names=Erika")
        i.add_account("max")

        def epochs():
            return [(e["epoch"], e["accounts"], e["kept_until"] > 0)
                    for e in i.ok("key", "epochs")["epochs"]]

        i.ok("key", "epoch")
        assert epochs() == [(1, 2, False), (2, 0, False)]
        i.add_account("eva")
        assert i.ok("key", "rewrap")["accounts"] == 2
        assert epochs() == [(1, 0, True), (2, 3, False)]
        # Promised for 30 days: it stays so long.
        assert i.ok("key", "destroy-epochs")["destroyed"] == 0
        i.sql("UPDATE epoch_settled SET at = at - 30 * 86400")
        old = i.master.read_text()
        assert i.ok("key", "destroy-epochs")["destroyed"] == 1
        assert epochs() == [(2, 3, False)] and i.master.read_text() in old.replace(
            old[old.index("epoch 1"):old.index("epoch 2")], "")
        assert i.ok("account", "show", "erika")["attributes"][0]["value"] == "Erika"
        assert i.ok("key", "destroy-epochs")["destroyed"] == 0
        assert i.sql("SELECT details->>'number' FROM audit WHERE event = 'epoch_key_destroyed'"
                     ) == "1"


def an_epoch_in_use_is_kept_whatever_was_noted():
    with template.copy() as i:
        i.add_account("erika")
        i.ok("key", "epoch")
        i.sql("INSERT INTO epoch_settled VALUES (2, 1)")  # noted before the account was there
        assert i.ok("key", "destroy-epochs")["destroyed"] == 0
        assert i.ok("key", "rewrap")["accounts"] == 1
        assert i.ok("key", "destroy-epochs")["destroyed"] == 0  # its time begins anew


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
