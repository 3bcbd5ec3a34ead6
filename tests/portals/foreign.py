"""A provider of another make: Debian's SimpleSAMLphp as a member of the federation."""
import secrets
from pathlib import Path

from browser import Browser
from portals import Portal, fill

FILES = ("config.php", "authsources.php", "saml20-idp-hosted.php", "php-fpm.conf")


class SimpleSamlPhp(Portal):
    """As an identity provider: `person` has an account there."""

    key, name, source = "simplesamlphp", "Servicekonto Ausland", "simplesamlphp"
    logout_path = "/simplesaml/saml2/idp/SingleLogoutService.php?ReturnTo="
    person = "ida"

    def __init__(self, stage, authority, port):
        super().__init__(stage, authority, port)
        self.entity_id = self.base + "/simplesaml"
        self.password = secrets.token_urlsafe(12)

    def make_keys(self):
        self.authority.self_signed(f"{self.key}/saml", "rsa", self.host)

    def metadata(self):
        return Browser(self.authority.cert).get(
            self.base + "/simplesaml/saml2/idp/metadata.php?output=xml").body.decode()

    def start_with(self, aggregate):
        """`aggregate`: what the federation says of its members."""
        self.stage.write(f"{self.key}/aggregate.xml", aggregate)
        for name in FILES:
            fill(self.stage, f"{self.source}/{name}", f"{self.key}/{name}", base=self.base,
                 state=self.folder, host=self.host, entity_id=self.entity_id,
                 password=self.password, salt=self.password)
        (fpm,) = Path("/usr/sbin").glob("php-fpm[0-9]*")
        daemon = self.stage.start("php-fpm", fpm, "-F", "-y", self.folder / "php-fpm.conf")
        daemon.wait_ready((self.folder / "run" / "fpm.sock").is_socket)
        self.start_apache()
