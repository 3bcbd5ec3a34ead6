"""The three portals that are not ours: Apache with a module each, configured as in docs/integrate.md.

A portal is made (keys, certificate, configuration), started, and hands out what an operator
registers with Kontor.  It learns of Kontor by the metadata or discovery document alone.
"""
import base64
import secrets
from pathlib import Path
from string import Template
from urllib.parse import quote

from browser import Browser, answers

SOURCE = Path(__file__).resolve().parent


def fill(stage, path, **values):
    """The file of that path here, with ${...} filled in, as a file of the stage."""
    template = Template((SOURCE / path).read_text(encoding="utf-8"))
    return stage.write(path, template.substitute(values))


class Portal:
    """What the three have in common.  `key` names the folder here and in the stage."""

    key = name = logout_path = None

    def __init__(self, stage, authority, port):
        self.stage, self.authority, self.port = stage, authority, port
        self.host = f"{self.key}.localhost"
        self.base = f"https://{self.host}:{port}"
        self.logout_url = self.base + self.logout_path + quote(self.base + "/", safe="")
        self.folder = stage.folder(self.key)

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
        self.stage.copy(SOURCE / self.key / "httpd.conf", f"{self.key}/httpd.conf")

    def make_keys(self):
        raise NotImplementedError

    def start_apache(self, **defines):
        values = {"PORTAL": self.name, "NAME": self.host, "PORT": self.port,
                  "STATE": self.folder, "PAGE": self.folder / "page",
                  "LOGOUT": self.logout_url, **defines}
        lines = [f'Define {k} "{v}"' for k, v in values.items()]
        lines += [f'Include "{self.folder}/{name}"' for name in ("common.conf", "httpd.conf")]
        conf = self.stage.write(f"{self.key}/site.conf", "\n".join(lines) + "\n")
        program = self.stage.start(self.key, "apache2", "-f", conf, "-DFOREGROUND")
        program.wait_ready(lambda: answers(self.authority.cert, self.base + "/"))


class Amt24(Portal):
    """mod_auth_mellon: SAML, RSA signatures."""

    key, name = "amt24", "Amt24"
    logout_path = "/mellon/logout?ReturnTo="

    def make_keys(self):
        self.authority.self_signed(f"{self.key}/saml", "rsa", self.host)

    def metadata_file(self):
        return self.folder / "metadata.xml"

    def start_with(self, idp_metadata):
        self.stage.write(f"{self.key}/idp.xml", idp_metadata)
        pem = (self.folder / "saml.crt").read_text(encoding="ascii")
        fill(self.stage, f"{self.key}/metadata.xml", name=self.host, port=self.port,
             certificate="".join(pem.splitlines()[1:-1]))
        self.start_apache()


class Gewerbeportal(Portal):
    """mod_shib and a shibd of its own: SAML, ECDSA signatures, encrypted assertions."""

    key, name = "gewerbeportal", "Gewerbeportal"
    logout_path = "/Shibboleth.sso/Logout?return="

    @property
    def party_id(self):
        return self.base + "/shibboleth"

    def make_keys(self):
        self.authority.self_signed(f"{self.key}/sign", "ec", self.host)
        self.authority.self_signed(f"{self.key}/decrypt", "rsa", self.host)

    def metadata_file(self):
        """What mod_shib says about itself."""
        page = Browser(self.authority.cert).get(self.base + "/Shibboleth.sso/Metadata")
        return self.stage.write(f"{self.key}/metadata.xml", page.body.decode())

    def start_with(self, idp_metadata, idp_entity_id):
        self.stage.write(f"{self.key}/idp.xml", idp_metadata)
        self.stage.copy(SOURCE / self.key / "attribute-map.xml", f"{self.key}/attribute-map.xml")
        for name in ("shibd.logger", "native.logger"):
            self.stage.write(f"{self.key}/{name}", LOGGER.format(
                file=self.folder / "log" / name.replace(".logger", ".log")))
        conf = fill(self.stage, f"{self.key}/shibboleth2.xml", state=self.folder, name=self.host,
                    port=self.port, idp_entity_id=idp_entity_id)
        daemon = self.stage.start("shibd", "shibd", "-F", "-f", "-c", conf,
                                  "-p", self.folder / "run" / "shibd.pid", "-w", "30")
        daemon.wait_ready((self.folder / "run" / "shibd.sock").is_socket)
        self.start_apache()


LOGGER = """log4j.rootCategory=WARN, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.fileName={file}
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{{%Y-%m-%d %H:%M:%S}} %p %c %x: %m%n
"""


class Stadtportal(Portal):
    """mod_auth_openidc: OpenID Connect, code flow with PKCE."""

    key, name = "stadtportal", "Stadtportal"
    logout_path = "/oidc/callback?logout="
    def make_keys(self):
        self.authority.self_signed(f"{self.key}/client", "rsa", self.host)

    def client_file(self):
        """What is registered with Kontor (RFC 7591)."""
        modulus = self.stage.run("openssl", "rsa", "-in", self.folder / "client.key", "-noout",
                                 "-modulus").partition("=")[2].strip()
        n = base64.urlsafe_b64encode(bytes.fromhex(modulus)).decode().rstrip("=")
        return fill(self.stage, f"{self.key}/client.json", name=self.host, port=self.port, n=n)

    def start_with(self, issuer, client_id):
        self.party_id = client_id
        self.stage.copy(self.authority.cert, f"{self.key}/ca.crt")
        self.start_apache(ISSUER=issuer, CLIENT_ID=client_id,
                          PASSPHRASE=secrets.token_urlsafe(24))
