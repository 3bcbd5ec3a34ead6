"""A portal's own end of an artifact: the browser that carries it no further, and the signed
ArtifactResolve by SOAP, made by hand, so that it can be sent to whichever node and however often."""
import base64
import hashlib
import secrets
import subprocess
import time
from email.message import Message
from urllib.parse import parse_qs, urlsplit

from browser import Page
from selfcheck import Citizen

SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


class Carrying(Citizen):
    """Takes an artifact to the portal's door and shows it there to nobody."""

    def _send(self, method, url, headers, body):
        if "SAMLart=" not in url:
            return super()._send(method, url, headers, body)
        self.artifact = parse_qs(urlsplit(url).query)["SAMLart"][0]
        return Page(url, 200, Message(), b"")

    def fetch(self, portal):
        """A new artifact for this portal."""
        self.artifact = None
        self.get(portal.artifact_url)
        while self.artifact is None and self.answer_page():
            pass
        return self.artifact


def base64_of(octets):
    return base64.b64encode(octets).decode()


def ecdsa(key_file, text):
    """r and s side by side (XMLDSIG 1.1 6.4.3), of what openssl writes as DER."""
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key_file], input=text,
                         capture_output=True, check=True).stdout
    at, numbers = 2, b""
    for _ in range(2):
        n = der[at + 1]
        numbers += der[at + 2:at + 2 + n].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + n
    return numbers


def signature(key_file, element_id, text):
    """In canonical form, over an element's canonical form."""
    info = (f'<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{ECDSA}"></ds:SignatureMethod>'
            f'<ds:Reference URI="#{element_id}"><ds:Transforms>'
            f'<ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform>'
            f'<ds:Transform Algorithm="{C14N}"></ds:Transform></ds:Transforms>'
            '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256">'
            f'</ds:DigestMethod><ds:DigestValue>{base64_of(hashlib.sha256(text).digest())}'
            '</ds:DigestValue></ds:Reference></ds:SignedInfo>')
    value = ecdsa(key_file, f'<ds:SignedInfo xmlns:ds="{DS}">{info}'.encode())
    return (f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}<ds:SignatureValue>'
            f'{base64_of(value)}</ds:SignatureValue></ds:Signature>')


def resolve_request(portal, kontor, artifact):
    """The envelope, with an ID of its own."""
    own = "_" + secrets.token_hex(16)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    head = (f'<samlp:ArtifactResolve xmlns:samlp="{SAMLP}" Destination="{kontor.base}/saml/artifact"'
            f' ID="{own}" IssueInstant="{now}" Version="2.0">'
            f'<saml:Issuer xmlns:saml="{SAML}">{portal.party_id}</saml:Issuer>')
    tail = f'<samlp:Artifact>{artifact}</samlp:Artifact></samlp:ArtifactResolve>'
    proof = signature(portal.folder / "sign.key", own, (head + tail).encode())
    return (f'<S:Envelope xmlns:S="{SOAP}"><S:Body>{head}{proof}{tail}</S:Body></S:Envelope>'
            ).encode()


def resolve(node, envelope):
    """Whether this node gave the message; anything but an ArtifactResponse is an error."""
    page = node.ask("/saml/artifact", "POST", {"Content-Type": "text/xml; charset=utf-8"}, envelope)
    if page.status != 200 or b"ArtifactResponse" not in page.body:
        raise RuntimeError(f"{node.name}: {page.status} {page.text[:300]}")
    return b"<samlp:Response " in page.body
