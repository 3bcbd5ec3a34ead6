"""Every command as an operator tries it: good and bad words, exit codes, sentences that help."""
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import (CONFLICT, DENIED, NOT_FOUND, OK, PASSWORD, UNAVAILABLE,  # noqa: E402
                      USAGE, Instance, make_template, says)

METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{}">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://amt.example/acs" index="0" isDefault="true"/>
</md:SPSSODescriptor></md:EntityDescriptor>
"""
CLIENT = """{{"client_id": "{}", "profile": "oauth", "redirect_uris": ["https://stadt.example/cb"],
"token_endpoint_auth_method": "client_secret_basic", "scope": "openid profile"}}
"""


def _empty():
    return Instance(sys.argv[1])


def _make():
    return template.copy()


def without_a_schema_the_next_step_is_named_at_once():
    with _empty() as i:
        for words in (("status",), ("key", "list"), ("key", "init"), ("party", "list")):
            says(i.run(*words), DENIED, "the schema (0) is older", "kontor migrate")
        assert not i.master.exists()  # made and not spoken of, nobody would keep a copy
        says(i.run("migrate"), OK, "(was 0)")
        says(i.run("status"), NOT_FOUND, "master key file", "No such file")
        says(i.run("key", "init"), OK, "keep a copy apart", "12 keys made")
        says(i.run("key", "init"), OK, "0 keys made")
        says(i.run("status"), OK, "in order")


def without_a_database_it_is_said_in_one_sentence():
    with _empty() as i:
        conf = i.write_conf(database="host=/nowhere dbname=x")
        for words in (("status",), ("migrate",), ("key", "list"), ("account", "show", "erika")):
            said = i.run(*words, conf=conf)
            says(said, UNAVAILABLE, "/nowhere", "No such file")
            assert "?" not in said.err.replace("connections on that socket?", ""), said


def a_master_key_file_that_does_not_fit_is_found():
    with _make() as i:
        i.master.chmod(0o644)
        says(i.run("status"), DENIED, str(i.master), "chmod 600")
        i.master.chmod(0o600)
        i.master.rename(i.folder / "lost")
        says(i.run("status"), NOT_FOUND, str(i.master))
        says(i.run("key", "init"), DENIED, "keys of another master key file")
        assert not i.master.exists()
        (i.folder / "lost").rename(i.master)
        i.master.write_text(i.master.read_text().replace("master 1 ", "master 1 AAAA")[:-4])
        says(i.run("status"), USAGE, "line 3")


def the_configuration_is_judged_with_all_it_names():
    with _make() as i:
        says(i.run("check-config"), OK, "in order")
        for settings, part in (
                ({"head_timeout": "5"}, ":6: head_timeout: unknown or missing unit"),
                ({"password_memory": "19 MB"}, ":6: password_memory: unknown or missing unit"),
                ({"user": "nobody-of-us"}, ":6: user: no such user"),
                ({"listen_group": "none-of-us"}, ":6: listen_group: no such group"),
                ({"theme_dir": "/nowhere"}, ":6: theme_dir: "),
                ({"database": "no conninfo"}, ":4: database: "),
                ({"master_key_file": "/tmp"}, ":5: master_key_file: "),
                ({"contact_email": "nobody"}, ":6: contact_email: NAME@HOST"),
                ({"colour": "red"}, ":6: unknown key 'colour'"),
                ({"database": None}, "missing key 'database'")):
            conf = i.write_conf(i.folder / "wrong.conf", **settings)
            says(i.run("check-config", conf=conf), USAGE, "wrong.conf" + part
                  if part[0] == ":" else part)


def a_certificate_for_another_key_is_found():
    with _make() as i:
        for name in ("a", "b"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=k",
                            "-keyout", i.folder / f"{name}.key", "-out", i.folder / f"{name}.crt"],
                           check=True, capture_output=True)
        good = {"tls_certificate": i.folder / "a.crt", "tls_key": i.folder / "a.key"}
        says(i.run("check-config", conf=i.write_conf(**good)), OK)
        for change, part in (({"tls_key": i.folder / "b.key"}, "for another key"),
                             ({"tls_key": i.folder / "a.crt"}, "no private key"),
                             ({"tls_certificate": i.folder / "a.key"}, "no certificate")):
            conf = i.write_conf(**(good | change))
            says(i.run("check-config", conf=conf), USAGE, ":6: tls_certificate: ", part)


def an_account_is_added_once_and_with_each_attribute_once():
    with _make() as i:

        def add(*words, password=PASSWORD):
            return i.run("account", "add", *words, stdin=password + "\n")

        says(add("erika", "--attribute", "given_names=A", "--attribute", "given_names=B"), USAGE,
              "'given_names': given twice")
        says(add("erika", "--attribute", "birth_name=A", "--empty", "birth_name"), USAGE,
              "'birth_name': given twice")
        says(add("erika", "--attribute", "given_name=A"), USAGE, "unknown attribute 'given_name'")
        says(add("erika", "--attribute"), USAGE, "--attribute: a value is missing")
        says(add("erika", "--attribute", "given_names"), USAGE, "NAME=VALUE expected")
        says(add("erika", password="kurz"), USAGE, "too short")
        says(add("erika", password="passwordpassword"), USAGE, "too easy to guess")
        says(i.run("account", "add", "erika"), USAGE, "standard input")
        says(i.run("account", "show", "erika"), NOT_FOUND, "no account of this login name")
        says(add("erika", "--attribute", "given_names=Erika"), OK, "account made")
        says(add("ERIKA"), CONFLICT, "this login name is taken")


def two_named_operators_vouch_for_a_proofing():
    with _make() as i:
        i.add_account("erika")
        scan = i.folder / "scan"
        scan.write_text("evidence")

        def verify(*words, attribute=("--attribute", "birth_date=1964-08-12")):
            return i.run("account", "verify", "erika", "--document", "id-card", "--evidence", scan,
                         *attribute, *words)

        says(verify("--operator", "A"), USAGE, "--operator is needed twice")
        says(verify("--operator", "A", "--operator", " A "), DENIED, "must differ")
        says(verify("--operator", "A", "--operator", " "), USAGE, "a name is needed")
        says(verify("--operator", "A", "--operator", "B", attribute=()), USAGE, "nothing was")
        says(verify("--operator", "A", "--operator", "B", "--empty", "birth_date"), USAGE,
              "given twice")
        says(verify("--operator", "A", "--operator", "B", "--level", "basic"), USAGE, "--level")
        says(verify("--operator", "A", "--operator", "B", "--method", "by phone"), USAGE, "--method: in-person")
        says(verify("--operator", "A", "--operator", "B"), OK, "1 attributes verified")
        shown = i.ok("account", "show", "erika")["attributes"]
        assert shown[0]["level"] == "substantial" and shown[0]["source"] == "proofing", shown


def a_deleted_account_is_gone_also_after_a_restore():
    with _make() as i:
        i.add_account("erika", "--attribute", "given_names=Erika")
        i.add_account("max")
        backup = i.sql("SELECT state, encode(account_key, 'hex') FROM subject s JOIN login_name n"
                       " ON n.subject = s.id ORDER BY s.created LIMIT 1")
        i.ok("account", "disable", "erika")
        assert i.ok("account", "show", "erika")["state"] == "disabled"
        i.ok("account", "enable", "erika")
        i.ok("account", "delete", "erika")
        assert backup and i.sql("SELECT count(*) FROM subject WHERE account_key IS NULL") == "1"
        assert i.sql("SELECT count(*) FROM attribute") == "0"
        says(i.run("account", "show", "erika"), NOT_FOUND)
        ledger = i.run("account", "deleted").out
        assert len(ledger.split()) == 1 and i.ok("account", "deleted")["deleted"] == ledger.split()
        # A restore brings it back; the ledger from outside the backup deletes it again.
        identity = ledger.strip()
        other = i.copy()
        other.sql("DELETE FROM subject WHERE state = 'deleted'")
        other.sql(f"INSERT INTO subject (id, kind, origin, state, account_key, created) VALUES "
                  f"(decode('{identity}', 'hex'), 'person', 'local', 'active', '\\x00', 1)")
        file = i.folder / "ledger"
        file.write_text(ledger + "00" * 16 + "\n")
        says(other.run("account", "delete-again", file), OK, "1 accounts deleted again")
        says(other.run("account", "delete-again", file), OK, "0 accounts deleted again")
        assert other.sql("SELECT state FROM subject ORDER BY state").split() == ["active", "deleted"]
        file.write_text("beef\n")
        says(other.run("account", "delete-again", file), USAGE, "id 1")
        says(other.run("account", "delete-again"), USAGE, "FILE is missing")
        says(other.run("account", "delete-again", i.folder / "none"), NOT_FOUND)


def the_trail_shows_events_without_values():
    with _make() as i:
        i.add_account("erika", "--attribute", "given_names=Erika-Sophie")
        i.add_account("max")
        i.ok("account", "disable", "erika")
        events = i.ok("audit", "list", "--login", "erika")["events"]
        assert [e["event"] for e in events] == ["account_created", "account_state"], events
        assert events[1]["details"] == {"state": "disabled"}
        text = i.run("audit", "list", "--limit", "1000").out
        assert "key_added" in text and "Sophie" not in text and "erika" not in text
        one = i.ok("audit", "list", "--ref", events[1]["ref"])["events"]
        assert len(one) == 1 and one[0]["subject"] == events[0]["subject"]
        assert len(i.ok("audit", "list", "--event", "account_created")["events"]) == 2
        assert len(i.ok("audit", "list", "--limit", "1")["events"]) == 1
        assert i.ok("audit", "list", "--party", "nobody")["events"] == []
        says(i.run("audit", "list", "--limit", "0"), USAGE, "--limit")
        says(i.run("audit", "list", "--event", "party"), USAGE, "unknown event 'party'")
        says(i.run("audit", "list", "--login", "nobody"), NOT_FOUND, "no account")
        says(i.run("audit", "events"), OK, "key_moved", "A key changed its state.")


def one_name_is_one_party_of_one_kind():
    with _make() as i:
        party, client = i.folder / "sp.xml", i.folder / "client.json"
        party.write_text(METADATA.format("stadtportal"))
        client.write_text(CLIENT.format("stadtportal"))
        i.ok("client", "add", client)
        says(i.run("party", "add", party), CONFLICT, "stadtportal is registered already",
              "kontor client")
        for verb in ("show", "enable", "disable", "remove"):
            says(i.run("party", verb, "stadtportal"), NOT_FOUND, "is an OpenID Connect client")
        i.ok("client", "remove", "stadtportal")
        says(i.run("client", "remove", "stadtportal"), NOT_FOUND, "stadtportal is not registered")
        i.ok("party", "add", party)
        says(i.run("client", "add", client), CONFLICT, "registered already", "kontor party")
        says(i.run("client", "disable", "stadtportal"), NOT_FOUND, "is a SAML party")
        says(i.run("party", "add", party, "--ca", "/x"), USAGE, "--ca is for a URL")
        says(i.run("party", "add", "http://amt.example/x"), USAGE, "https")
        says(i.run("party", "add", i.folder / "none"), NOT_FOUND)
        says(i.run("party", "add", party, "--encrypt", "always"), DENIED, "there is no key for it")


def an_update_does_not_switch_on_what_was_switched_off():
    with _make() as i:
        party, client = i.folder / "sp.xml", i.folder / "client.json"
        party.write_text(METADATA.format("https://amt.example/sp"))
        client.write_text(CLIENT.format("stadtportal"))
        i.ok("party", "add", party)
        i.ok("client", "add", client)
        i.ok("party", "disable", "https://amt.example/sp")
        i.ok("client", "disable", "stadtportal")
        says(i.run("party", "add", party), OK, "it stays disabled")
        i.ok("client", "add", client)
        for kind in ("party", "client"):
            assert not i.ok(kind, "list")["parties"][0]["enabled"]


def _add_client(i, **members):
    """Register a client of these members; None takes one out."""
    metadata = {"client_id": "stadtportal", "profile": "oauth", "scope": "openid",
                "redirect_uris": ["https://stadt.example/cb"],
                "token_endpoint_auth_method": "client_secret_basic"} | members
    path = i.folder / "client.json"
    path.write_text(json.dumps({k: v for k, v in metadata.items() if v is not None}))
    return i.run("client", "add", path)


def a_client_that_says_too_little_is_told_what_to_say():
    with _make() as i:
        says(_add_client(i, profile=None, token_endpoint_auth_method=None), USAGE,
             "token_endpoint_auth_method", "give one of them, or another profile")
        says(_add_client(i, redirect_uris=None), USAGE, "redirect_uris: missing or empty")
        says(_add_client(i, token_endpoint_auth_method="private_key_jwt"), USAGE,
             "jwks: private_key_jwt needs keys, or a jwks_uri")
        says(i.run("client", "add"), USAGE, "FILE is missing")


def a_client_s_record_is_told_in_words():
    with _make() as i:
        exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
        says(_add_client(i, resources=["https://api.example/"], scope="openid read", may_act=["api"]), OK)
        says(_add_client(i, client_id="quiet", jwks_uri="https://stadt.example/jwks",
                         token_endpoint_auth_method="private_key_jwt", dpop_bound_access_tokens=True,
                         backchannel_logout_uri="https://stadt.example/out"), OK)
        says(i.run("client", "check", "stadtportal"), OK, "stadtportal, enabled",
             "demands PKCE", "client_secret_basic", "https://stadt.example/cb", "https://api.example/",
             "warning: token_endpoint_auth_method", "(RFC 9700 2.5)",
             "warning: dpop_bound_access_tokens", "(RFC 9700 2.2.1)",
             "warning: backchannel_logout_uri: it is not told",
             "warning: resources: https://api.example/ is nobody's", "(RFC 8707 2)",
             "warning: may_act: api is no client that exchanges")
        says(_add_client(i, client_id="api", redirect_uris=None, response_types=[], grant_types=[exchange],
                         resource_uris=["https://api.example/"], resource_scopes=["read"]), OK)
        said = i.ok("client", "check", "stadtportal")
        assert {w["member"] for w in said["warnings"]} == {
            "token_endpoint_auth_method", "dpop_bound_access_tokens", "backchannel_logout_uri"}, said
        assert said["allows"]["acts with its tokens"] == "api", said
        said = i.ok("client", "check", "api")
        assert "there is no service" in said["warnings"][-1]["what"], said
        assert "learns" not in said["allows"], said
        assert said["allows"]["exchanges tokens"] == "of tokens for it, by delegation", said
        # Its keys were not fetched yet; no other warning is left.
        said = i.ok("client", "check", "quiet")
        assert [w["member"] for w in said["warnings"]] == ["jwks"], said
        says(_add_client(i, client_id="app", application_type="native", token_endpoint_auth_method="none",
                         redirect_uris=["http://127.0.0.1/cb"],
                         frontchannel_logout_uri=None), OK)
        said = i.run("client", "check", "app")
        says(said, OK, "warning: redirect_uris: http://127.0.0.1/cb is not encrypted", "(RFC 8252 8.3)")
        says(said, OK, "no attribute of a person", "hears a level up to   low")
        says(_add_client(i, client_id="app2", scope="openid email phone"), OK)
        assert i.ok("client", "check", "app2")["allows"]["learns"] == "email, phone_number"
        says(_add_client(i, frontchannel_logout_uri="https://stadt.example/frame"), OK)
        says(i.run("client", "check", "stadtportal"), OK, "by a frame", "nobody confirms a logout in a frame")
        i.ok("client", "disable", "api")
        says(i.run("client", "check", "api"), OK, "api, disabled")
        says(i.run("client", "check", "nobody"), NOT_FOUND, "nobody is not registered")
        says(i.run("client", "check"), USAGE, "ID is missing")


def an_invitation_is_made_listed_and_taken_back():
    with _make() as i:
        says(i.run("client", "invite"), USAGE, "NAME is missing")
        for words, part in ((("--count", "0"), "--count: a number from 1"),
                            (("--count", "10001"), "--count: a number from 1"),
                            (("--days", "400"), "--days: a number from 1"),
                            (("--level-cap", "sky"), "sky is no level"),
                            (("--profile", "best"), "best is no profile"),
                            (("--statement-signers", "/nowhere"), "/nowhere")):
            said = i.run("client", "invite", "fair", *words)
            says(said, said.status, part)
            assert said.status in (USAGE, NOT_FOUND), said
        made = i.ok("client", "invite", "fair", "--count", "3", "--days", "2", "--host", "stadt.example",
                    "--scope", "openid", "--scope", "profile", "--subject-type", "public")
        assert len(made["initial_access_token"]) == 43, made
        assert made["registration_endpoint"].endswith("/oidc/register"), made
        (told,) = i.ok("client", "invited")["invitations"]
        assert (told["name"], told["remaining"], told["counts"]) == ("fair", 3, True), told
        assert told["rules"] == {"hosts": ["stadt.example"], "scopes": ["openid", "profile"],
                                 "subject_types": ["public"]}, told
        says(i.run("client", "invited"), OK, "fair  3 left until ")
        says(i.run("client", "uninvite"), USAGE, "NAME is missing")
        says(i.run("client", "uninvite", "nobody"), NOT_FOUND)
        says(i.run("client", "uninvite", "fair"), OK, "fair is taken back")
        assert i.ok("client", "invited")["invitations"] == []
        assert len(i.ok("audit", "list", "--event", "client_invited")["events"]) == 2


def what_is_not_for_this_user_is_said():
    with _make() as i:
        if i.master.stat().st_uid == 0:
            said = i.run("check-config", user=65534)
            says(said, USAGE, "master_key_file: cannot read the file: Permission denied")
            i.conf.chmod(0o600)
            says(i.run("check-config", user=65534), NOT_FOUND, f"{i.conf}: Permission denied")


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
