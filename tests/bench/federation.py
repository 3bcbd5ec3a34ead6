"""Federations of many members: what taking, reading and keeping their signed metadata costs, beside
xmlsec1 on the same file, and what logins notice of it."""
import json
import os
import statistics
import subprocess
import threading
import time
from pathlib import Path

from place import family

SIZES = (1000, 5000, 10_000)
FEW = 10
SOURCE = "bench"
SAML = "urn:oasis:names:tc:SAML:2.0"
MORE = "urn:oasis:names:tc:SAML:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
QUIET_S = 0.5

SIGNATURE = f"""<ds:Signature><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<ds:Reference URI="#_bench"><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"/>
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>
<ds:SignatureValue/></ds:Signature>"""

# As large as those of eduGAIN: two certificates, names in two languages, attributes, four endpoints.
MEMBER = """<md:EntityDescriptor entityID="https://e{i}.example/saml">
  <md:Extensions>
    <mdrpi:RegistrationInfo registrationAuthority="https://registrar.example" registrationInstant="2020-01-01T00:00:00Z"/>
    <mdattr:EntityAttributes>{attributes}
    </mdattr:EntityAttributes>
  </md:Extensions>
  <md:IDPSSODescriptor protocolSupportEnumeration="{saml}:protocol">
    <md:Extensions>
      <mdui:UIInfo>{ui}
      </mdui:UIInfo>
    </md:Extensions>{keys}
    <md:NameIDFormat>{saml}:nameid-format:transient</md:NameIDFormat>{endpoints}
  </md:IDPSSODescriptor>
  <md:Organization>
    <md:OrganizationName xml:lang="de">Organisation {i}</md:OrganizationName>
    <md:OrganizationDisplayName xml:lang="de">Organisation {i}</md:OrganizationDisplayName>
    <md:OrganizationURL xml:lang="de">https://e{i}.example/</md:OrganizationURL>
  </md:Organization>
  <md:ContactPerson contactType="technical"><md:GivenName>Technik</md:GivenName>
    <md:EmailAddress>mailto:technik@e{i}.example</md:EmailAddress></md:ContactPerson>
</md:EntityDescriptor>
"""


def _lines(texts):
    return "".join(f"\n        {text}" for text in texts)


def _member(i, certificate):
    return MEMBER.format(
        i=i, saml=SAML,
        attributes=_lines(
            f'<saml:Attribute Name="http://macedir.org/entity-category" NameFormat="{SAML}:attrname-format:uri">'
            f'<saml:AttributeValue xsi:type="xs:string">http://example.org/category/{k}</saml:AttributeValue>'
            "</saml:Attribute>" for k in range(3)),
        ui=_lines(
            f'<mdui:DisplayName xml:lang="{lang}">Anbieter Nummer {i} für Prüfungen</mdui:DisplayName>'
            f'<mdui:Description xml:lang="{lang}">Eine längere Beschreibung des Anbieters {i} mit Umlauten äöü '
            "&amp; Zeichen, wie sie in Metadaten oft steht, und mit noch einem Halbsatz.</mdui:Description>"
            f'<mdui:InformationURL xml:lang="{lang}">https://e{i}.example/info</mdui:InformationURL>'
            for lang in ("de", "en")),
        keys=_lines(f'<md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}'
                    "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
                    for use in ("signing", "encryption")),
        endpoints=_lines(f'<md:SingleSignOnService Binding="{SAML}:bindings:HTTP-{b}" '
                         f'Location="https://e{i}.example/{b}"/>'
                         for b in ("POST", "Redirect", "Artifact", "POST-SimpleSign")))


class Federation:
    """A signer, and a source that counts what it signs."""

    def __init__(self, place):
        self.place, self.folder = place, place.folder
        self.key, self.certificate = self.folder / "signer.pem", self.folder / "signer.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out",
                        self.certificate, "-subj", "/CN=signer", "-days", "30"], check=True, capture_output=True)
        # As signers send them, in lines.
        self.member_key = self.certificate.read_text(encoding="utf-8").split("-----")[2]
        self.rules = self.folder / "rules.json"
        self.rules.write_text(json.dumps({"approval": "whole", "gone-percent": 100}), encoding="utf-8")

    def sign(self, n, edition=""):
        """A file of n members; another edition says something else of one of them."""
        unsigned, signed = self.folder / "unsigned.xml", self.folder / f"signed{n}{edition}.xml"
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 20 * 86400))
        with open(unsigned, "w", encoding="utf-8") as out:
            out.write(f'<md:EntitiesDescriptor xmlns:md="{SAML}:metadata" xmlns:ds="{DS}" '
                      f'xmlns:mdui="{MORE}:ui" xmlns:mdattr="{MORE}:attribute" xmlns:mdrpi="{MORE}:rpi" '
                      f'xmlns:saml="{SAML}:assertion" '
                      'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                      f'xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="_bench" Name="{edition or "first"}" '
                      f'validUntil="{until}">{SIGNATURE}\n')
            for i in range(n):
                out.write(_member(i, self.member_key))
            out.write("</md:EntitiesDescriptor>\n")
        subprocess.run(["xmlsec1", "--sign", "--privkey-pem", self.key, "--id-attr:ID", "EntitiesDescriptor",
                        "--output", signed, unsigned], check=True, capture_output=True)
        return signed

    def add(self):
        self.place.cli("federation", "add", SOURCE, "--file", "--metadata-signer", str(self.certificate), "--rules",
                       str(self.rules))

    def remove(self):
        self.place.cli("federation", "remove", SOURCE)

    def load(self, file):
        return self._run(self.place.program, "federation", "load", SOURCE, file, "--config", self.place.conf)

    def verify(self, file):
        """The same signature, by xmlsec1."""
        return self._run("xmlsec1", "--verify", "--pubkey-cert-pem", self.certificate, "--id-attr:ID",
                         "EntitiesDescriptor", file)

    def idle_mib(self):
        """Of the program when it does next to nothing."""
        return self._run(self.place.program, "federation", "list", "--config", self.place.conf)[1]

    def _run(self, *words):
        """(seconds, most memory in MiB) of a program on the server's cores."""
        begin = time.monotonic()
        with subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.place.server_cores)) as p:
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        assert p.returncode == 0, words
        return time.monotonic() - begin, usage.ru_maxrss / 1024

    def settled(self):
        """Wait until Kontor has read what counts: it has nothing to do any more."""
        before = -1
        while (now := self._ticks()) != before:
            before = now
            time.sleep(QUIET_S)

    def _ticks(self):
        return sum(int(x) for pid in family(self.place.process.pid)
                   for x in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[11:13])


def sizes(federation, pairs, step):
    """Of each size: Kontor's and xmlsec1's seconds, by turns, and most memory."""
    rows = {}
    for n in SIZES:
        step(f"{n:,} members, Kontor and xmlsec1 by turns")
        file = federation.sign(n)
        ours, theirs = [], []
        for _ in range(pairs):
            federation.add()
            ours.append(federation.load(file))
            federation.remove()
            theirs.append(federation.verify(file))
        rows[str(n)] = {
            "mib": file.stat().st_size / 2**20,
            "ours_s": statistics.median(s for s, _ in ours), "theirs_s": statistics.median(s for s, _ in theirs),
            "ratio": statistics.median(a[0] / b[0] for a, b in zip(ours, theirs)),
            "ours_mib": max(mib for _, mib in ours) - federation.idle_mib(), "theirs_mib": max(mib for _, mib in theirs)}
    return rows


def few_and_many(federation, run, scenario, rounds):
    """Logins, start and memory with few members and with many, by turns."""
    place = run.place
    found = {"start_none_ms": statistics.median(place.restart() for _ in range(3))}
    files = {n: federation.sign(n) for n in (FEW, SIZES[-1])}
    rows = {n: [] for n in files}
    for _ in range(rounds):
        for n, file in files.items():
            run.step(f"logins with {n:,} members")
            federation.add()
            federation.load(file)
            start = place.restart()
            federation.settled()
            rows[n].append({"p50_ms": run.quiet(lambda: run.slice(scenario, 1))["p50_ms"], "start_ms": start,
                            "mib": place.memory_mib("Anonymous")})
            if n == FEW:
                federation.remove()
        if len(rows[SIZES[-1]]) < rounds:
            federation.remove()
    for n, measured in rows.items():
        found[str(n)] = {key: statistics.median(row[key] for row in measured) for key in measured[0]}
    found["p50_ratio"] = statistics.median(many["p50_ms"] / few["p50_ms"] for few, many in zip(*rows.values()))
    return found


def logins(federation, run, scenario, rounds):
    """The same, and p99 while others are taken and read."""
    place, found = run.place, few_and_many(federation, run, scenario, rounds)
    found["alone"] = run.quiet(lambda: place.load(scenario, 16))
    run.step("logins while copies are taken and read")
    editions = [federation.sign(SIZES[-1], edition) for edition in ("one", "two")]
    taken, stop = [], threading.Event()

    def take():
        while not stop.is_set():
            federation.load(editions[len(taken) % 2])
            taken.append(1)
    thread = threading.Thread(target=take)
    load = place.begin_load(scenario, 16)
    thread.start()
    try:
        found["meanwhile"] = place.end_load(load)[0]
    finally:
        stop.set()
        thread.join()
    federation.remove()
    return found
