"""Other providers under the same load, one after another: ./dev bench --peers.

npm's oidc-provider runs on the Node of web/, Debian's SimpleSAMLphp under php-fpm and nginx.
"""
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

from place import HOST, await_port, free_port

HERE = Path(__file__).resolve().parent / "peers"
NODE = HERE.parents[2] / "web" / "node_modules" / "node" / "bin" / "node"
PHP_WORKERS = 4


class Peer:
    """A provider on the server's cores; the load reads where to go from variables.  rows: what is measured,
    by which load at Kontor and by which there, over how many connections."""

    def __init__(self, place):
        self.place, self.port, self.processes = place, free_port(), []
        self.folder = place.folder / self.name
        self.folder.mkdir()

    def run(self, *words, env=None, cwd=None):
        with open(self.folder / "log", "ab") as log:
            self.processes.append(subprocess.Popen(
                words, env={**os.environ, **(env or {})}, cwd=cwd, stdout=log, stderr=log,
                preexec_fn=lambda: os.sched_setaffinity(0, self.place.server_cores)))

    def measure(self, seconds):
        """What each of its rows gave."""
        try:
            self.start()
            await_port(self.port)
            return [self.place.load(theirs, connections, seconds, self.port)
                    for _, _, theirs, connections in self.rows]
        finally:
            while self.processes:
                process = self.processes.pop()
                process.terminate()
                process.wait(20)


class OidcProvider(Peer):
    name = "oidc-provider"
    # A refresh token is one browser's.
    rows = (("login", "oidc-rs256", "oidc-provider", 32),
            ("userinfo", "userinfo-tokensrs", "userinfo-provider", 16),
            ("introspection", "introspection-api", "introspection-apiprovider", 16),
            ("refresh, RS256", "refresh-tokensrs", "refresh-tokensprovider", 16),
            ("client credentials, RS256 JWT", "credentials-apirs", "credentials-jwtprovider", 16),
            ("client credentials, opaque", "credentials-api", "credentials-apiprovider", 16),
            ("discovery", "discovery", "discovery", 32))
    clients = "provider", "tokensprovider", "apiprovider", "jwtprovider"

    def start(self):
        if not (HERE / "node_modules").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True,
                           stdout=sys.stderr)
        secret = secrets.token_urlsafe(24)
        self.place.env |= {f"BENCH_SECRET_{name}": secret for name in self.clients}
        self.run(NODE, HERE / "oidc-provider.mjs", str(self.port), HOST, secret,
                 env={"NODE_ENV": "production"})


class SimpleSamlPhp(Peer):
    name = "simplesamlphp"
    rows = (("SAML login, RSA", "saml-rs256", "saml-php", 32),)
    root = Path("/usr/share/simplesamlphp/www")

    def start(self):
        (fpm,) = Path("/usr/sbin").glob("php-fpm*.*")
        self._certificate()
        for file in ("config.php", "authsources.php", "saml20-idp-hosted.php", "saml20-sp-remote.php",
                     "nginx.conf", "php-fpm.conf"):
            text = (HERE / "simplesamlphp" / file).read_text(encoding="utf-8")
            for mark, value in {"@FOLDER@": self.folder, "@PORT@": self.port, "@HOST@": HOST,
                                "@ROOT@": self.root, "@WORKERS@": PHP_WORKERS}.items():
                text = text.replace(mark, str(value))
            (self.folder / file).write_text(text, encoding="utf-8")
        for name in ("sessions", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "fpm.sock").unlink(missing_ok=True)
        self.run(fpm, "-F", "-R", "-y", self.folder / "php-fpm.conf",
                 env={"SIMPLESAMLPHP_CONFIG_DIR": str(self.folder)})
        while not (self.folder / "fpm.sock").exists():
            time.sleep(0.05)
        self.run("nginx", "-c", self.folder / "nginx.conf", "-g", "daemon off;")
        self.place.env |= {"BENCH_METADATA": "/simplesaml/saml2/idp/metadata.php",
                           "BENCH_SSO": "/simplesaml/saml2/idp/SSOService.php"}

    def _certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                        f"/CN={HOST}", "-keyout", self.folder / "idp.key", "-out",
                        self.folder / "idp.crt"], check=True, capture_output=True)
