"""Which signatures and which encryption a portal gets, as an operator meets them: refused at
registration, warned of in time, told by `party show` and `status`."""
import base64
import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import DENIED, OK, USAGE, make_template, says  # noqa: E402

ID = "https://portal.example/metadata"
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
 xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
 xmlns:alg="urn:oasis:names:tc:SAML:metadata:algsupport" entityID="%s">
<md:SPSSODescriptor AuthnRequestsSigned="true"
 protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{extensions}
{keys}<md:AssertionConsumerService index="0"
 Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://portal.example/acs"/>
</md:SPSSODescriptor></md:EntityDescriptor>""" % ID
KEY = """<md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{cert}
</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}</md:KeyDescriptor>
"""
XENC, XENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
TR = "TR-03116-4"


def _cert(*algorithm):
    der = subprocess.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-keyout",
                          "/dev/null", "-subj", "/CN=portal.example", "-days", "30", "-outform", "DER"],
                         capture_output=True, check=True).stdout
    return base64.b64encode(der).decode()


CERTS = {"rsa": _cert("rsa:3072"), "p384": _cert("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
         "bp256": _cert("ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1")}


def _day(days):
    return (datetime.datetime.now(datetime.timezone.utc).date() +
            datetime.timedelta(days=days)).isoformat()


def _metadata(i, sign="rsa", encrypt=None, signing=(), digests=(), methods=()):
    listed = [f'<alg:SigningMethod Algorithm="{m}"/>' for m in signing]
    listed += [f'<alg:DigestMethod Algorithm="{m}"/>' for m in digests]
    keys = KEY.format(use="signing", cert=CERTS[sign], methods="")
    if encrypt:
        keys += KEY.format(use="encryption", cert=CERTS[encrypt], methods="".join(
            f'<md:EncryptionMethod Algorithm="{m}"/>' for m in methods))
    file = i.folder / "portal.xml"
    file.write_text(METADATA.format(
        keys=keys, extensions=f"<md:Extensions>{''.join(listed)}</md:Extensions>" if listed else ""))
    return file


def _add(i, *policy, **metadata):
    return i.run("party", "add", _metadata(i, **metadata), *policy)


def _suite(i):
    return i.ok("party", "show", ID)["suite"]


def what_knows_only_sha1_or_cbc_is_refused_with_the_clause():
    with template.copy() as i:
        says(_add(i, signing=["http://www.w3.org/2000/09/xmldsig#rsa-sha1"]), DENIED,
             "signing-methods", "SHA-1 is none", TR)
        says(_add(i, digests=["http://www.w3.org/2000/09/xmldsig#sha1"]), DENIED,
             "signing-methods", TR)
        says(_add(i, encrypt="rsa", methods=[XENC + "aes256-cbc", XENC11 + "rsa-oaep"]), DENIED,
             "encryption-methods", "CBC is none", TR, "XMLENC 1.1 5.2.4")
        says(_add(i, encrypt="rsa", methods=[XENC11 + "aes256-gcm", XENC + "rsa-1_5"]), DENIED,
             "encryption-methods", "RSA 1.5 is none", TR, "XMLENC 1.1 5.5.2")
        says(_add(i, signing=[MORE + "rsa-sha256"]), DENIED, "old-signatures", "--old-until", TR)
        says(_add(i, "--suite", "rs256"), DENIED, "rsa-sha256 is for parties marked old alone")
        says(_add(i, "--suite", "ps256", signing=[MORE + "ecdsa-sha256"]), DENIED,
             "its metadata permit no signature")
        assert i.ok("party", "list")["parties"] == []


def the_suite_follows_metadata_keys_and_record():
    with template.copy() as i:
        says(_add(i), OK)
        suite = _suite(i)
        assert (suite["signature"], suite["key_type"]) == ("ecdsa-sha256", "p256"), suite
        assert "content" not in suite or suite["content"] is None, suite
        # On the curve of its own key, once we have a key there.
        says(_add(i, sign="p384"), OK)
        assert _suite(i)["key_type"] == "p256"
        kid = i.ok("key", "generate", "saml-sign", "p384")["kid"]
        i.ok("key", "publish", kid)
        i.ok("key", "activate", kid)
        assert _suite(i)["signature"] == "ecdsa-sha384"
        # Named by the record, without a key of that type: registered, and said.
        says(_add(i, "--suite", "bp256"), OK, "warning: suite: no active saml-sign key of type bp256")
        assert "no active saml-sign key of type bp256" in _suite(i)["problem"]
        says(i.run("status"), OK, f"warning: {ID}: no active saml-sign key of type bp256")
        says(_add(i, "--suite", "auto", encrypt="bp256",
                  methods=[XENC11 + "aes128-gcm", XENC11 + "ECDH-ES", XENC + "kw-aes128"]), OK)
        suite = _suite(i)
        assert (suite["content"], suite["key_transport"]) == ("aes128-gcm", "ecdh-es"), suite
        says(_add(i, "--content", "aes256-gcm", "--key-transport", "rsa-oaep-mgf1p", encrypt="rsa"), OK,
             "old-key-transport")
        suite = _suite(i)
        assert (suite["content"], suite["key_transport"]) == ("aes256-gcm", "rsa-oaep-mgf1p"), suite
        says(_add(i, "--key-transport", "ecdh-es", encrypt="rsa"), USAGE,
             "no key for the content or key-transport of its record")


def an_old_portal_is_warned_of_and_then_refused():
    with template.copy() as i:
        old = {"signing": [MORE + "rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"]}
        # Far: registered, told by show alone.
        says(_add(i, "--old-until", _day(400), **old), OK)
        suite = _suite(i)
        assert suite["signature"] == "rsa-sha256" and suite["old_until"] == _day(400), suite
        assert suite.get("warning") is None, suite
        assert i.ok("status")["warnings"] == []
        # Near: told by all.
        says(_add(i, "--old-until", _day(30), **old), OK, f"ends for it on {_day(30)}")
        text = f"rsa-sha256 ends for it on {_day(30)} (old-until), in 3"
        assert _suite(i)["warning"].startswith(text), _suite(i)
        warnings = i.ok("status")["warnings"]
        assert [w["party"] for w in warnings] == [ID] and warnings[0]["text"].startswith(text), warnings
        with i.node() as node:
            node.wait(lambda: _logged(node), "a word of it in the log")
            assert [r["party"] for r in _logged(node)] == [ID]
            assert _logged(node)[0]["level"] == "warn" and _logged(node)[0]["text"].startswith(text)
        # Past: cannot be registered so; one that is, is told as ended.
        says(_add(i, "--old-until", _day(-1), **old), DENIED, "old-until")
        i.sql("UPDATE party SET policy = jsonb_set(policy, '{old-until}', "
              f"to_jsonb('{_day(-1)}'::text))")
        assert "has ended for this party" in _suite(i)["problem"]
        says(i.run("status"), OK, f"warning: {ID}: rsa-sha256 ended for it on {_day(-1)}",
             f"warning: {ID}: rsa-sha256 has ended for this party")
        with i.node() as node:
            node.wait(lambda: _logged(node), "a word of it in the log")
            assert _logged(node)[0]["text"].startswith("rsa-sha256 ended for it"), node.log()
        # Switched off, nobody needs to be told.
        i.ok("party", "disable", ID)
        assert i.ok("status")["warnings"] == []


def a_portal_reads_our_metadata_for_it_at_its_own_address():
    def keys(node):
        status, body = node.get(path)
        assert status == 200, status
        return re.findall(r"<md:KeyDescriptor use=\"signing\">.*?X509Certificate>([^<]*)<", body), body

    with template.copy() as i:
        added = _add(i)
        says(added, OK, "our metadata for it: https://")
        url = i.ok("party", "show", ID)["metadata_url"]
        assert url in added.out, added
        path = "/saml/metadata/" + url.rpartition("/")[2]
        with i.node() as node:
            ours, body = keys(node)
            assert len(ours) == 1 and "#rsa-sha256" not in body
            general = node.get("/saml/metadata")[1]
            assert ours[0] in general and general.count('use="signing"') == 4  # in two roles
            # Its record changes, and with it what it reads, at the same address.
            says(_add(i, "--old-until", _day(400), "--suite", "rs256"), OK)
            node.wait(lambda: keys(node)[0] != ours, "another key")
            old, body = keys(node)
            assert len(old) == 1 and old[0] in general and old != ours
            assert "#rsa-sha256" in body
            # The key that follows is shown while it is only published.
            kid = i.ok("key", "generate", "saml-sign", "rsa3072")["kid"]
            i.ok("key", "publish", kid)
            node.wait(lambda: len(keys(node)[0]) == 2, "the next key")
            i.ok("party", "disable", ID)
            node.wait(lambda: node.get(path)[0] == 404, "nothing for who is switched off")


def _logged(node):
    return [json.loads(line) for line in node.log().splitlines() if '"old_suite"' in line]


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
