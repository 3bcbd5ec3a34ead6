"""kontor upstream: other providers as an operator registers, changes and switches them."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import NOT_FOUND, OK, USAGE, make_template, says  # noqa: E402

SAML = "urn:oasis:names:tc:SAML:2.0:"
ENTITY = "https://konto.hessen.example/idp"


def _certificate():
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=hessen", "-days", "30",
                        "-keyout", Path(folder) / "key.pem", "-out", pem],
                       check=True, capture_output=True)
        return "".join(pem.read_text().splitlines()[1:-1])


def _metadata(i, key=True, binding="HTTP-Redirect", name="Servicekonto Hessen"):
    """A file of an identity provider's metadata."""
    organization = "" if name is None else (
        '<md:Organization><md:OrganizationName xml:lang="de">x</md:OrganizationName>'
        f'<md:OrganizationDisplayName xml:lang="de">{name}</md:OrganizationDisplayName>'
        '<md:OrganizationURL xml:lang="de">https://hessen.example/</md:OrganizationURL></md:Organization>')
    described = "" if not key else (
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f'<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>')
    path = i.folder / "idp.xml"
    path.write_text(
        f'<md:EntityDescriptor xmlns:md="{SAML}metadata" entityID="{ENTITY}">'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAML}protocol">{described}'
        f'<md:SingleSignOnService Binding="{SAML}bindings:{binding}" Location="https://konto.hessen.example/sso"/>'
        f'</md:IDPSSODescriptor>{organization}</md:EntityDescriptor>')
    return path


def a_provider_is_registered_shown_switched_and_removed():
    with template.copy() as i:
        said = i.ok("upstream", "add", "hessen", _metadata(i), "--kind", "fink", "--level-cap", "high",
                    "--scope", "hessen.example", "--scope", "kassel.example", "--first", "yes")
        assert said == {"upstream": "hessen", "now": "saved"}, said
        row = i.ok("upstream", "show", "hessen")
        assert row["display_name"] == "Servicekonto Hessen" and row["kind"] == "fink", row
        assert row["entity_id"] == ENTITY and row["enabled"], row
        assert row["policy"] == {"level-cap": "high", "scope": ["hessen.example", "kassel.example"],
                                 "first": "yes"}, row
        says(i.run("upstream", "list"), OK, "hessen  fink  Servicekonto Hessen\n")
        for verb in ("disable", "enable"):
            i.ok("upstream", verb, "hessen")
            assert i.ok("upstream", "list")["upstreams"][0]["enabled"] == (verb == "enable")
        i.ok("upstream", "remove", "hessen")
        assert i.ok("upstream", "list") == {"upstreams": []}
        told = [json.loads(d)["now"] for d in i.sql(
            "SELECT details FROM audit WHERE event = 'upstream' ORDER BY seq").split("\n") if d]
        assert told == ["saved", "disabled", "enabled", "removed"], told


def what_is_not_given_again_stays():
    with template.copy() as i:
        i.ok("upstream", "add", "hessen", _metadata(i), "--kind", "bundid", "--display-name", "Hessen",
             "--encrypted", "yes", "--scope", "a.example")
        i.ok("upstream", "disable", "hessen")
        says(i.run("upstream", "add", "hessen", _metadata(i, name="Anders"), "--scope", "b.example",
                   "--level-cap", "low"), OK, "it stays disabled")
        row = i.ok("upstream", "show", "hessen")
        assert (row["kind"], row["display_name"], row["enabled"]) == ("bundid", "Hessen", False), row
        assert row["policy"] == {"encrypted": "yes", "scope": ["b.example"], "level-cap": "low"}, row
        says(i.run("upstream", "list"), OK, "  disabled")


def what_is_over_is_not_taken_and_said():
    with template.copy() as i:
        file = _metadata(i)
        plain = file.read_text()
        file.write_text(plain.replace(" entityID=", ' validUntil="2020-01-01T00:00:00Z" entityID=', 1))
        says(i.run("upstream", "add", "hessen", file), USAGE, "validUntil of the metadata has passed")
        file.write_text(plain)
        i.ok("upstream", "add", "hessen", file)
        assert "problem" not in i.ok("upstream", "show", "hessen")
        i.sql("UPDATE upstream SET document = convert_to(replace(convert_from(document, 'UTF8'), ' entityID=',"
              " ' validUntil=\"2020-01-01T00:00:00Z\" entityID='), 'UTF8')")
        assert "has passed" in i.ok("upstream", "show", "hessen")["problem"]


def without_a_name_it_is_called_by_its_host():
    with template.copy() as i:
        i.ok("upstream", "add", "hessen", _metadata(i, name=None))
        row = i.ok("upstream", "show", "hessen")
        assert (row["kind"], row["display_name"]) == ("saml", "konto.hessen.example"), row


def what_could_not_be_used_is_not_registered():
    with template.copy() as i:
        good = _metadata(i)
        for words, part in (
                (("hessen",), "which provider? ID, and FILE or --issuer"),
                ((), "which provider? ID, and FILE or --issuer"),
                (("Hessen", good), "1 to 32 letters"),
                (("x" * 33, good), "1 to 32 letters"),
                (("hessen", good, "--kind", "ldap"), "no kind 'ldap'"),
                (("hessen", good, "--level-cap", "best"), "level-cap: not a level"),
                (("hessen", good, "--level-cap", "low", "--level-cap", "high"), "--level-cap: given twice"),
                (("hessen", good, "--attribute", "shoe_size"), "unknown attribute 'shoe_size'"),
                (("hessen", good, "--attribute-level", "none"), "attribute-level: not a level"),
                (("hessen", good, "--level-word", "urn:x"), "WORD=LEVEL expected"),
                (("hessen", good, "--level-word", "=high"), "WORD=LEVEL expected"),
                (("hessen", good, "--signed", "nothing"), "both, response or assertion"),
                (("hessen", good, "--encrypted", "maybe"), "yes or no"),
                (("hessen", good, "--first", "second"), "yes or no"),
                (("hessen", good, "--scope", "a b"), "visible ASCII"),
                (("hessen", good, "--identify", ""), "visible ASCII"),
                (("hessen", good, "--service-id", "x" * 257), "visible ASCII"),
                (("hessen", good, "--old-until", "tomorrow"), "YYYY-MM-DD"),
                (("hessen", good, "--old-until", "2027-02-30"), "YYYY-MM-DD"),
                (("hessen", good, *(f"--scope=s{n}.example" for n in range(65))), "a list of at most 64"),
                (("hessen", good, "--colour", "red"), "--colour"),
                (("hessen", good, "another"), "another")):
            says(i.run("upstream", "add", *words), USAGE, part)
        says(i.run("upstream", "add", "hessen", i.folder / "none.xml"), NOT_FOUND, "none.xml")
        says(i.run("upstream", "add", "hessen", _metadata(i, key=False)), USAGE, "no usable key to sign with")
        says(i.run("upstream", "add", "hessen", _metadata(i, binding="SOAP")), USAGE, "no SingleSignOnService")
        assert i.ok("upstream", "list") == {"upstreams": []}


def whom_nobody_knows_is_said():
    with template.copy() as i:
        for verb in ("show", "enable", "disable", "remove"):
            says(i.run("upstream", verb), USAGE, "ID is missing")
            says(i.run("upstream", verb, "hessen"), NOT_FOUND, "hessen: no such provider")
            says(i.run("upstream", verb, "hessen", "bayern"), USAGE, "bayern")
        says(i.run("upstream", "list", "hessen"), USAGE, "hessen")


if __name__ == "__main__":
    certificate = _certificate()
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
