#!/usr/bin/python3
"""The page of a demo portal (CGI): what the portal's identity module received.

`/` is open and offers login and logout; `/konto` wants a login and shows its level and each
attribute with value and level; `/konto/json` says the same for programs.  A module hands over
what it received as KONTO_<name> (SAML: the portal's configuration maps the names) or as
OIDC_CLAIM_<name> (OpenID Connect).
"""
import html
import json
import os
from pathlib import Path

# Attributes by their names in SAML and in OpenID Connect (docs/integrate.md).
LABELS = {
    "givenName": "Vornamen", "given_name": "Vornamen",
    "surname": "Familienname", "family_name": "Familienname",
    "birthName": "Geburtsname", "birth_family_name": "Geburtsname",
    "personalTitle": "Titel", "title": "Titel",
    "birthdate": "Geburtsdatum",
    "placeOfBirth": "Geburtsort", "place_of_birth.locality": "Geburtsort",
    "nationality": "Staatsangehörigkeit", "nationalities": "Staatsangehörigkeit",
    "postalAddress": "Straße und Hausnummer", "postalCode": "Postleitzahl",
    "localityName": "Ort", "country": "Land",
    "address.street_address": "Straße und Hausnummer", "address.postal_code": "Postleitzahl",
    "address.locality": "Ort", "address.country": "Land",
    "mail": "E-Mail", "email": "E-Mail",
    "telephoneNumber": "Telefon", "phone_number": "Telefon",
}
# Claims about the login itself, not about the person.
PROTOCOL_CLAIMS = {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp",
                   "sid", "at_hash", "c_hash", "s_hash", "jti", "nbf", "claim_levels"}

PAGE = """<!doctype html>
<html lang="de">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; color: #1a1a1a }}
header {{ border-bottom: .3rem solid {colour}; margin-bottom: 1.5rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #bbb; vertical-align: top }}
a.button {{ display: inline-block; padding: .5rem 1rem; background: {colour}; color: #fff;
            text-decoration: none; border-radius: .3rem; margin: .5rem .5rem .5rem 0 }}
dd {{ margin: 0 0 .5rem; overflow-wrap: anywhere }}
dt {{ font-weight: bold }}
</style>
<header><h1>{portal}</h1></header>
<main>
{body}
</main>
</html>
"""
COLOURS = {"Amt24": "#00597a", "Gewerbeportal": "#7a4300", "Stadtportal": "#2d5f2e",
           "service-bw": "#6b5a00", "Rathaus Ulm": "#7a1f2b"}


def saml_levels(text):
    """NAME=LEVEL pairs, joined by ";"."""
    return dict(pair.split("=", 1) for pair in text.split(";") if "=" in pair)


def claim_values(claims):
    """Claims about the person; the members of an object by their path, a list as one text."""
    values = {}
    for name, text in claims.items():
        if name in PROTOCOL_CLAIMS:
            continue
        value = json.loads(text) if text[:1] in ("{", "[") else text
        if isinstance(value, dict):
            values |= {f"{name}.{member}": str(v) for member, v in value.items()}
        else:
            values[name] = ", ".join(value) if isinstance(value, list) else value
    return values


def received(env):
    """What the module handed over, as one record; None without a login."""
    saml = {k[len("KONTO_"):]: v for k, v in env.items() if k.startswith("KONTO_")}
    claims = {k[len("OIDC_CLAIM_"):]: v for k, v in env.items() if k.startswith("OIDC_CLAIM_")}
    if not saml and not claims:
        return None
    # mod_shib joins several values by ";" and so writes "\\;" for the character itself.
    values = {k: v.replace("\\;", ";") for k, v in saml.items() if not k.isupper()}
    values |= claim_values(claims)
    levels = saml_levels(saml.get("ATTRIBUTE_LEVELS", ""))
    levels |= json.loads(claims.get("claim_levels", "{}"))
    return {
        "portal": env["PORTAL"],
        "protocol": "OpenID Connect" if claims else "SAML",
        "subject": saml.get("SUBJECT") or env.get("MELLON_NAME_ID") or claims.get("sub", ""),
        "level": saml.get("LEVEL", claims.get("acr", "")),
        "authn_at": env.get("Shib_Authentication_Instant", ""),
        "session": claims.get("sid", env.get("MELLON_SESSION", env.get("Shib_Session_Index", ""))),
        "attributes": {name: {"value": value, "level": levels.get(name, "")}
                       for name, value in sorted(values.items())},
    }


def front(env):
    return (f'<p>Willkommen bei {html.escape(env["PORTAL"])}. '
            "Dies ist eine Vorführung mit erfundenen Personen.</p>\n"
            '<p><a class="button" href="/konto">Anmelden mit dem Servicekonto</a></p>\n' + guide())


def guide():
    """How to try it, where the demo says so."""
    file = Path(__file__).with_name("guide.html")
    return file.read_text(encoding="utf-8") if file.exists() else ""


def account(env, record):
    rows = "\n".join(
        f"<tr><th scope=row>{html.escape(LABELS.get(name, name))}"
        f"<td>{html.escape(a['value']) or '–'}<td>{html.escape(a['level']) or '–'}"
        for name, a in record["attributes"].items())
    return (
        f'<p><a class="button" href="{html.escape(env["LOGOUT"])}">Abmelden</a></p>\n'
        f"<dl><dt>Anmeldung<dd>{html.escape(record['protocol'])}, "
        f"Vertrauensniveau <b>{html.escape(record['level'])}</b>"
        f"<dt>Kennung bei diesem Portal<dd>{html.escape(record['subject'])}</dl>\n"
        "<table><thead><tr><th scope=col>Angabe<th scope=col>Wert<th scope=col>Niveau</thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>")


def main():
    env = os.environ
    record = received(env)
    if env.get("PATH_INFO", "").startswith("/json"):
        kind, text = "application/json", json.dumps(record, ensure_ascii=False, indent=1)
    else:
        inside = env["SCRIPT_NAME"] == "/konto" and record is not None
        kind = "text/html; charset=utf-8"
        text = PAGE.format(title=html.escape(env["PORTAL"]), portal=html.escape(env["PORTAL"]),
                           colour=COLOURS.get(env["PORTAL"], "#444"),
                           body=account(env, record) if inside else front(env))
    data = text.encode()
    head = f"Content-Type: {kind}\r\nCache-Control: no-store\r\nContent-Length: {len(data)}\r\n\r\n"
    os.write(1, head.encode() + data)


if __name__ == "__main__":
    main()
