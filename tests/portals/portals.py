"""The portals that are not ours: three of the demo, Apache with a module each, configured as in
docs/integrate.md, and one on pysaml2 that the tests add.

A portal is made (keys, certificate, configuration), started, and hands out what an operator
registers with Kontor.  It learns of Kontor by the metadata or discovery document alone.
"""
import base64
import datetime
import json
import secrets
from pathlib import Path
from string import Template
from urllib.parse import quote

from browser import Browser, answers

SOURCE = Path(__file__).resolve().parent


def fill(stage, source, path, **values):
    """The file `source` of here, with ${...} filled in, as a file of the stage."""
    template = Template((SOURCE / source).read_text(encoding="utf-8"))
    return stage.write(path, template.substitute(values))


class Portal:
    """What they have in common.  `key` names the folder in the stage, `source` the one here."""

    key = name = source = logout_path = None

    def __init__(self, stage, authority, port):
        self.stage, self.authority, self.port = stage, authority, port
        self.host = f"{self.key}.localhost"
        self.base = f"https://{self.host}:{port}"
        self.logout_url = self.base + self.logout_path + quote(self.base + "/", safe="")
        self.folder = stage.folder(self.key)
        self.program = None
        self.more = []  # lines that end Apache's configuration

    def make(self):
        """Keys and certificates once; configuration anew at each start, from the files here."""
        for part in ("run", "log", "page"):
            self.stage.folder(self.key, part)
        if not (self.folder / "tls.crt").exists():
            self.make_keys()
            self.authority.tls(f"{self.key}/tls", self.host)
        # Copies: the checkout may be closed to the user that Apache runs as.
        self.stage.copy(SOURCE / "page.py", f"{self.key}/page/page.py", 0o755)
        self.stage.copy(SOURCE / "common.conf", f"{self.key}/common.conf")
        self.stage.copy(SOURCE / self.source / "httpd.conf", f"{self.key}/httpd.conf")

    def make_keys(self):
        raise NotImplementedError

    def start_apache(self, **defines):
        values = {"PORTAL": self.name, "NAME": self.host, "PORT": self.port,
                  "STATE": self.folder, "PAGE": self.folder / "page",
                  "LOGOUT": self.logout_url, **defines}
        lines = [f'Define {k} "{v}"' for k, v in values.items()]
        lines += [f'Include "{self.folder}/{name}"' for name in ("common.conf", "httpd.conf")]
        lines += self.more
        conf = self.stage.write(f"{self.key}/site.conf", "\n".join(lines) + "\n")
        self.run(self.key, "apache2", "-f", conf, "-DFOREGROUND")

    def run(self, *command):
        """Start the portal's own program, in place of the one that runs, until it answers."""
        if self.program is not None:
            self.stage.end(self.program)
        self.program = self.stage.start(*command)
        self.program.wait_ready(lambda: answers(self.authority.cert, self.base + "/"))


class Amt24(Portal):
    """mod_auth_mellon: SAML, RSA signatures."""

    key, name, source = "amt24", "Amt24", "amt24"
    logout_path = "/mellon/logout?ReturnTo="

    def make_keys(self):
        self.authority.self_signed(f"{self.key}/saml", "rsa", self.host)

    def __init__(self, stage, authority, port):
        super().__init__(stage, authority, port)
        self.sign = "saml"        # the key that signs and opens
        self.shown = ["saml"]     # the keys in the metadata that verify
        self.encryption = []      # those that assertions are encrypted for
        self.acs = "POST", "postResponse"  # how it has its answers: it asks for none by name

    def metadata_file(self):
        def keys(use, stems, methods=""):
            return "".join(KEY_DESCRIPTOR.format(use=use, methods=methods, certificate="".join(
                (self.folder / f"{stem}.crt").read_text(encoding="ascii").splitlines()[1:-1]))
                for stem in stems)

        return fill(self.stage, f"{self.source}/metadata.xml", f"{self.key}/metadata.xml",
                    title=self.name, name=self.host, port=self.port,
                    acs=ACS.format(*self.acs, base=self.base), keys=keys("signing", self.shown) +
                    keys("encryption", self.encryption, ENCRYPTION_METHODS))

    def start_with(self, idp_metadata):
        self.stage.write(f"{self.key}/idp.xml", idp_metadata)
        self.stage.copy(self.authority.cert, f"{self.key}/ca.crt")
        self.metadata_file()
        self.start_apache(KEY=self.sign)

    def join(self, kontor):
        """Start, and be registered there."""
        self.start_with(kontor.metadata())
        # Lasso, the library of mod_auth_mellon, knows RSA PKCS#1 v1.5 alone: marked old.
        kontor.add_party(self.metadata_file(), "--suite", "rs256", "--old-until",
                         (datetime.date.today() + datetime.timedelta(days=365)).isoformat())


ACS = ('<md:AssertionConsumerService index="0" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:'
       'bindings:HTTP-{}" Location="{base}/mellon/{}"/>')
KEY_DESCRIPTOR = """<md:KeyDescriptor use="{use}">
      <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}
    </md:KeyDescriptor>"""
# What Lasso opens.
ENCRYPTION_METHODS = "".join(f'\n      <md:EncryptionMethod Algorithm="{uri}"/>' for uri in (
    "http://www.w3.org/2009/xmlenc11#aes128-gcm", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"))


class Gewerbeportal(Portal):
    """mod_shib and a shibd of its own: SAML, ECDSA signatures, encrypted assertions."""

    key, name, source = "gewerbeportal", "Gewerbeportal", "gewerbeportal"
    logout_path = "/Shibboleth.sso/Logout?return="

    def __init__(self, stage, authority, port):
        super().__init__(stage, authority, port)
        self.daemon = None
        self.signs = ["sign"]  # its keys: the first one signs, all are shown
        self.initiators = ""   # more ways to begin a login

    @property
    def party_id(self):
        return self.base + "/shibboleth"

    @property
    def artifact_url(self):
        """Where mod_shib asks for its answer by artifact (its third endpoint)."""
        return (f"{self.base}/Shibboleth.sso/Login?acsIndex=3"
                "&authnContextClassRef=STORK-QAA-Level-3&authnContextComparison=minimum"
                f"&target={quote(self.base + '/konto', safe='')}")

    def make_keys(self):
        self.authority.self_signed(f"{self.key}/sign", "ec", self.host)
        self.authority.self_signed(f"{self.key}/decrypt", "rsa", self.host)

    def metadata_file(self):
        """What mod_shib says about itself."""
        page = Browser(self.authority.cert).get(self.base + "/Shibboleth.sso/Metadata")
        return self.stage.write(f"{self.key}/metadata.xml", page.body.decode())

    def start_with(self, idp_metadata, idp_entity_id):
        self.stage.write(f"{self.key}/idp.xml", idp_metadata)
        self.stage.copy(SOURCE / self.source / "attribute-map.xml", f"{self.key}/attribute-map.xml")
        for name in ("shibd.logger", "native.logger"):
            self.stage.write(f"{self.key}/{name}", LOGGER.format(
                file=self.folder / "log" / name.replace(".logger", ".log")))
        conf = fill(self.stage, f"{self.source}/shibboleth2.xml", f"{self.key}/shibboleth2.xml",
                    state=self.folder, name=self.host, port=self.port,
                    idp_entity_id=idp_entity_id, initiators=self.initiators,
                    signers="\n    ".join(SIGNER.format(stem=self.folder / stem)
                                          for stem in self.signs))
        if self.daemon is not None:
            self.stage.end(self.daemon)
        self.daemon = self.stage.start("shibd", "shibd", "-F", "-f", "-c", conf,
                                       "-p", self.folder / "run" / "shibd.pid", "-w", "30")
        self.daemon.wait_ready((self.folder / "run" / "shibd.sock").is_socket)
        self.start_apache()

    def join(self, kontor):
        self.start_with(kontor.metadata(), kontor.entity_id)
        kontor.add_party(self.metadata_file(), "--ecp", "yes")


SIGNER = '<CredentialResolver type="File" use="signing" key="{stem}.key" certificate="{stem}.crt"/>'
LOGGER = """log4j.rootCategory=WARN, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.fileName={file}
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{{%Y-%m-%d %H:%M:%S}} %p %c %x: %m%n
"""


class Stadtportal(Portal):
    """mod_auth_openidc: OpenID Connect, code flow with PKCE."""

    key, name, source = "stadtportal", "Stadtportal", "stadtportal"
    logout_path = "/oidc/callback?logout="

    def make_keys(self):
        self.authority.self_signed(f"{self.key}/client", "rsa", self.host)

    def client_file(self):
        """What is registered with Kontor (RFC 7591)."""
        modulus = self.stage.run("openssl", "rsa", "-in", self.folder / "client.key", "-noout",
                                 "-modulus").partition("=")[2].strip()
        n = base64.urlsafe_b64encode(bytes.fromhex(modulus)).decode().rstrip("=")
        return fill(self.stage, f"{self.source}/client.json", f"{self.key}/client.json",
                    key=self.key, title=self.name, name=self.host, port=self.port, n=n)

    def start_with(self, issuer, client_id):
        self.party_id = client_id
        self.stage.copy(self.authority.cert, f"{self.key}/ca.crt")
        self.start_apache(ISSUER=issuer, CLIENT_ID=client_id,
                          PASSPHRASE=secrets.token_urlsafe(24))

    def join(self, kontor):
        client = kontor.add_client(self.client_file(), "--attribute", "given_names:required",
                                   "--attribute", "family_name:required", "--attribute", "email")
        self.start_with(kontor.base, client["client_id"])


class Buergerportal(Portal):
    """pysaml2: SAML, RSA signatures, encrypted assertions; told of a logout by the browser alone."""

    key, name = "buergerportal", "Bürgerportal"
    logout_path = "/logout?"

    def __init__(self, stage, authority, port):
        super().__init__(stage, authority, port)
        self.settings = {"host": self.host, "port": port, "key": "saml", "opens": ["saml"],
                         "shown": ["saml"]}

    def make(self):
        self.make_keys()
        self.authority.tls(f"{self.key}/tls", self.host)
        for name in (f"{self.key}/portal.py", "page.py"):
            self.stage.copy(SOURCE / name, f"{self.key}/{Path(name).name}")

    def make_keys(self):
        self.authority.self_signed(f"{self.key}/saml", "rsa", self.host)

    def metadata_file(self):
        self.stage.write(f"{self.key}/settings.json", json.dumps(self.settings))
        return self.stage.write(f"{self.key}/metadata.xml", self.stage.run(
            "/usr/bin/python3", self.folder / "portal.py", self.folder, "--metadata"))

    def start_with(self, idp_metadata):
        self.stage.write(f"{self.key}/idp.xml", idp_metadata)
        self.stage.write(f"{self.key}/settings.json", json.dumps(self.settings))
        self.run(self.key, "/usr/bin/python3", self.folder / "portal.py", self.folder)
