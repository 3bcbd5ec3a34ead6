#!/usr/bin/python3
"""A service provider and a writer on Debian's pysaml2 for test_pysaml2.c, which gives it files.

read FOLDER ENTITY ACS FILE...     each file holds a base64 Response to the request _request1; says
                                   "NameID givenName" of each, or "refused: why"
request FOLDER ENTITY SSO          writes a signed AuthnRequest for each algorithm that it may sign
                                   with: FOLDER/ALGORITHM.query (Redirect) and .form (POST)
query FOLDER ENTITY URL NAME       writes a signed AttributeQuery about NAME: FOLDER/query.soap
encrypt FOLDER CERT OUT            an element encrypted for that certificate, in OUT

FOLDER has idp.xml, sp.key and sp.crt.
"""
import base64
import logging
import sys
import urllib.parse
from pathlib import Path

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, xmldsig
from saml2.client import Saml2Client
from saml2.config import Config
from saml2.pack import make_soap_enveloped_saml_thingy
from saml2.sigver import get_xmlsec_binary, CryptoBackendXmlSec1, pre_encryption_part

logging.disable(logging.CRITICAL)


def client(folder, entity, acs):
    key, cert = str(folder / "sp.key"), str(folder / "sp.crt")
    config = Config()
    config.load({
        "entityid": entity, "xmlsec_binary": get_xmlsec_binary(), "allow_unknown_attributes": True,
        "key_file": key, "cert_file": cert,
        "encryption_keypairs": [{"key_file": key, "cert_file": cert}],
        "metadata": {"local": [str(folder / "idp.xml")]},
        "service": {"sp": {
            "endpoints": {"assertion_consumer_service": [(acs, BINDING_HTTP_POST)]},
            "authn_requests_signed": True, "want_response_signed": True,
            "want_assertions_signed": True, "allow_unsolicited": False}}})
    return Saml2Client(config)


def read(folder, entity, acs, *files):
    sp = client(Path(folder), entity, acs)
    for file in files:
        try:
            got = sp.parse_authn_request_response(Path(file).read_text(), BINDING_HTTP_POST,
                                                  outstanding={"_request1": "/"})
            print(got.name_id.text, got.ava["givenName"][0])
        except Exception as e:  # whatever it says: it was not accepted
            print("refused:", type(e).__name__, e)


def request(folder, entity, sso):
    folder = Path(folder)
    sp = client(folder, entity, "https://amt24.example/saml/acs")
    for name, uri in xmldsig.SIG_ALLOWED_ALG:
        _, sent = sp.create_authn_request(sso, binding=BINDING_HTTP_POST, sign=False)
        made = sp.apply_binding(BINDING_HTTP_REDIRECT, str(sent), sso, sign=True, sigalg=uri)
        query = urllib.parse.urlsplit(dict(made["headers"])["Location"]).query
        (folder / f"{name}.query").write_text(query)
        _, sent = sp.create_authn_request(sso, binding=BINDING_HTTP_POST, sign=True, sign_alg=uri,
                                          digest_alg=xmldsig.DIGEST_SHA256)
        (folder / f"{name}.form").write_text(
            "SAMLRequest=" + urllib.parse.quote_plus(base64.b64encode(str(sent).encode())))
        print(name)


def query(folder, entity, url, name):
    sp = client(Path(folder), entity, "https://amt24.example/saml/acs")
    made = sp.create_attribute_query(
        url, name, sign=True, sign_alg=xmldsig.SIG_RSA_SHA256,
        digest_alg=xmldsig.DIGEST_SHA256,
        format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")
    message = made[1] if isinstance(made, tuple) else made
    sent = make_soap_enveloped_saml_thingy(str(message))
    (Path(folder) / "query.soap").write_text(sent if isinstance(sent, str) else sent.decode())


def encrypt(folder, cert, out):
    """As pysaml2 encrypts an assertion, but with the algorithms that are permitted."""
    folder = Path(folder)
    template = pre_encryption_part(
        msg_enc="http://www.w3.org/2009/xmlenc11#aes128-gcm",
        key_enc="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p")
    statement = ('<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
                 '<saml:Assertion ID="_a"><saml:Subject>x</saml:Subject></saml:Assertion>'
                 "</saml:EncryptedAssertion>")
    made = CryptoBackendXmlSec1(get_xmlsec_binary()).encrypt_assertion(
        statement, cert, str(template), key_type="aes-128",
        node_xpath="/*[local-name()='EncryptedAssertion']/*[local-name()='Assertion']")
    Path(out).write_text(made if isinstance(made, str) else made.decode())


if __name__ == "__main__":
    {"read": read, "request": request, "query": query, "encrypt": encrypt}[sys.argv[1]](*sys.argv[2:])
