"""HAProxy before the demo's nodes, with the file that is shipped."""
import http.client
import socket
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2] / "packaging" / "haproxy.cfg"


class UnixConnection(http.client.HTTPConnection):
    """What HAProxy has to a node."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Balancer:
    """Ends TLS with tls.crt and tls.key of `folder`; `sockets` are the nodes'."""

    def __init__(self, stage, folder, port, sockets):
        self.stage, self.folder, self.port, self.sockets = stage, folder, port, sockets

    def start(self, is_ready):
        pair = "".join((self.folder / f"tls.{kind}").read_text(encoding="ascii")
                       for kind in ("crt", "key"))
        env = {"KONTOR_BIND": f"127.0.0.1:{self.port}",
               "KONTOR_CRT": self.stage.write(self.folder / "tls.pem", pair)}
        for name, path in zip(("KONTOR_NODE", "KONTOR_NODE2"), self.sockets, strict=True):
            env[name] = f"unix@{path}"
        conf = self.stage.copy(SHIPPED, self.folder / "haproxy.cfg")
        program = self.stage.start("haproxy", "haproxy", "-db", "-f", conf, env=env)
        program.wait_ready(is_ready)
