"""A client without a browser (SAML ECP): a program that signs on at a portal by name and password.

It does what the profile asks of it: takes the portal's envelope apart without touching what is
signed in it, brings the request to Kontor by SOAP, compares where Kontor and the portal want the
answer taken, and takes it there.
"""
import base64
import json
import re
import xml.etree.ElementTree as ET
from urllib.parse import urlsplit

from browser import Browser, BrowserError

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
ECP = "{urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp}"
PAOS = "{urn:liberty:paos:2003-08}"
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
SOAP_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
SPEAKS = {"Accept": "text/html; application/vnd.paos+xml",
          "PAOS": 'ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"'}
HEADER = re.compile(rb"<(\w+:)?Header\b.*?</(\w+:)?Header>", re.S)


def endpoint_of(metadata):
    """Where Kontor takes requests by SOAP, by its metadata."""
    return next(e.get("Location") for e in ET.fromstring(metadata).iter(f"{MD}SingleSignOnService")
                if e.get("Binding") == SOAP_BINDING)


class Client(Browser):
    """`status` of Kontor's answer, `told` its StatusMessage, `challenged` what it asked for; of the
    last sign_on."""

    def __init__(self, ca_file, metadata):
        super().__init__(ca_file)
        self.provider = endpoint_of(metadata)
        self.challenged = self.told = self.signed_on = self.status = None

    def sign_on(self, url, person, password=None, beforehand=False):
        """Ask for what needs a login.  The password goes to Kontor when it asks for one, or
        beforehand.  Returns the portal's record of the person."""
        self.challenged = self.told = self.signed_on = None
        page = self._exchange("GET", url, None, None, SPEAKS)
        if page.headers.get_content_type() != "application/vnd.paos+xml":
            raise BrowserError(f"{url} does not speak PAOS: {page.status} {page.body[:300]}")
        asked = ET.fromstring(page.body).find(f"{SOAP}Header")
        back = asked.find(f"{PAOS}Request").get("responseConsumerURL")
        answer = self._ask_provider(HEADER.sub(b"", page.body), person, password, beforehand)
        self.status = answer.status
        if answer.status != 200:
            return None
        self._take_back(back, asked.find(f"{ECP}RelayState"), answer.body)
        return self.signed_on

    def forget(self, url):
        """As if the portal's session had ended."""
        self.cookies = {k: c for k, c in self.cookies.items() if c.domain != urlsplit(url).hostname}

    def _ask_provider(self, envelope, person, password, beforehand):
        pair = f"{person.login_name}:{password or person.password}".encode()
        known = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        soap = {"Content-Type": "text/xml; charset=utf-8"}
        page = self._exchange("POST", self.provider, envelope, self.provider,
                              {**soap, **(known if beforehand else {})})
        if page.status == 401 and not beforehand:
            self.challenged = page.headers["WWW-Authenticate"]
            page = self._exchange("POST", self.provider, envelope, self.provider, {**soap, **known})
        return page

    def _take_back(self, back, relay_state, envelope):
        root = ET.fromstring(envelope)
        to = root.find(f"{SOAP}Header/{ECP}Response").get("AssertionConsumerServiceURL")
        if to != back:
            raise BrowserError(f"the portal wants it at {back}, Kontor sends it to {to}")
        message = root.find(f"{SOAP}Body/{SAMLP}Response/{SAMLP}Status/{SAMLP}StatusMessage")
        self.told = None if message is None else message.text
        header = b""
        if relay_state is not None:
            header = b"<S:Header xmlns:S='%s'>%s</S:Header>" % (
                SOAP[1:-1].encode(), ET.tostring(relay_state))
        page = self._exchange("POST", to, HEADER.sub(header, envelope, count=1), to,
                              {"Content-Type": "application/vnd.paos+xml"})
        if page.status in (302, 303):
            page = self._exchange("GET", page.headers["Location"], None, None)
        if page.headers.get_content_type() == "application/json":
            self.signed_on = json.loads(page.body)
