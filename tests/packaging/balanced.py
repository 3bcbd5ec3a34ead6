"""HAProxy with the shipped file on loopback, before bare sockets that keep the octets which arrive."""
import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HAPROXY = shutil.which("haproxy") or "/usr/sbin/haproxy"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE_S = 60
HEALTH = b"GET /health/ready "
MOST_BODY = 1 << 17
NOT_READY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class Node:
    """Answers every request and keeps what it was sent, health checks left out.

    `octets` are all that arrived, `seen` the requests that arrived whole.
    """

    def __init__(self, path):
        self.seen, self.octets, self.ready, self.dies = [], b"", True, False
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Nobody listens any more."""
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(ConnectionError), connection:
            self._answer(connection)

    def _answer(self, connection):
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
            if not data.startswith(HEALTH):
                self.octets += chunk
            while end := _request_end(data):
                checked = data.startswith(HEALTH)
                if not checked:
                    self.seen.append(data[:end])
                data = data[end:]
                if self.dies and not checked:
                    return
                connection.sendall(ANSWER if self.ready or not checked else NOT_READY)


def _request_end(data):
    """Where the first request ends; 0: it is not here whole."""
    found = re.match(rb".*?\r\n\r\n", data, re.S)
    if not found:
        return 0
    head = found[0]
    if re.search(rb"\r\ntransfer-encoding: *chunked\r\n", head, re.I):
        body = re.compile(rb"(?:.*?\r\n)?0\r\n(?:[^\r\n]+\r\n)*\r\n", re.S).match(data, len(head))
        return body.end() if body else 0
    length = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.I)
    length = int(length[1]) if length else 0
    if length > MOST_BODY:  # answered before it is here, as Kontor does
        return len(data)
    return len(head) + length if len(data) >= len(head) + length else 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=konto.example", "-keyout", folder / "key",
                    "-out", folder / "crt"], check=True, capture_output=True)
    (folder / "pem").write_bytes((folder / "crt").read_bytes() + (folder / "key").read_bytes())


def _openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_client_certificates(folder):
    """ca.crt; known.pem of that authority, own.pem that signs itself: certificate and key."""
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in ("ca", "own"):
        _openssl("req", "-x509", *new, "-days", "2", "-subj", f"/CN={name}.example",
                 "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")
    _openssl("req", *new, "-subj", "/CN=known.example", "-keyout", folder / "known.key",
             "-out", folder / "known.csr")
    _openssl("x509", "-req", "-in", folder / "known.csr", "-CA", folder / "ca.crt", "-CAkey",
             folder / "ca.key", "-set_serial", "2", "-days", "2", "-out", folder / "known.crt")
    for name in ("known", "own"):
        (folder / f"{name}.pem").write_bytes(
            (folder / f"{name}.crt").read_bytes() + (folder / f"{name}.key").read_bytes())


def exchange(connection, octets):
    """What comes back until the other side closes; a request that ends nothing must not be sent."""
    answer = b""
    with contextlib.suppress(ConnectionError, BrokenPipeError, ssl.SSLError):
        connection.sendall(octets)
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


class Stage:
    """HAProxy with the shipped file, on loopback, before one Node or two, or before `backend`.

    With certificates it also listens at `mtls_port`, and knows the authority of `folder`/ca.crt.
    """

    def __init__(self, nodes=1, backend=None, certificates=False):
        self.folder = Path(tempfile.mkdtemp(prefix="kontor-haproxy-"))
        _make_certificate(self.folder)
        self.nodes = [] if backend else [Node(str(self.folder / f"node{n}")) for n in range(nodes)]
        self.node = self.nodes[0] if self.nodes else None
        places = [backend] if backend else [f"unix@{self.folder / f'node{n}'}" for n in range(nodes)]
        self.port = free_port()
        env = dict(os.environ, KONTOR_BIND=f"127.0.0.1:{self.port}",
                   KONTOR_CRT=str(self.folder / "pem"))
        env |= dict(zip(("KONTOR_NODE", "KONTOR_NODE2"), places))
        if certificates:
            make_client_certificates(self.folder)
            self.mtls_port = free_port()
            env |= {"KONTOR_MTLS_BIND": f"127.0.0.1:{self.mtls_port}",
                    "KONTOR_MTLS_CA": str(self.folder / "ca.crt")}
        self.process = subprocess.Popen(
            [HAPROXY, "-db", "-f", ROOT / "packaging" / "haproxy.cfg"], env=env,
            stderr=subprocess.PIPE)
        self._wait()

    def _wait(self):
        until = time.monotonic() + 20
        up = b"GET /health/live HTTP/1.1\r\nHost: konto.example\r\nConnection: close\r\n\r\n"
        while self.say(up)[:12] != b"HTTP/1.1 200":
            assert time.monotonic() < until and self.process.poll() is None, \
                "HAProxy does not start"
            time.sleep(0.05)
        self.forget()

    def forget(self):
        for node in self.nodes:
            node.seen, node.octets = [], b""

    def count(self):
        return [len(node.seen) for node in self.nodes]

    def ask(self, method, path):
        """Status of the answer to a request of a browser."""
        body = b"a=b" if method == "POST" else b""
        answer = self.say(f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return int(answer[9:12] or 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def say(self, octets, versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3), shown=None,
            port=None):
        """What comes back until the connection closes; shown: a client's certificate, if asked."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")  # so that old versions are the server's to refuse
        context.minimum_version, context.maximum_version = versions
        if shown:
            context.load_cert_chain(self.folder / f"{shown}.pem")
        try:
            with socket.create_connection(("127.0.0.1", port or self.port), timeout=PATIENCE_S) as plain, \
                    context.wrap_socket(plain) as tls:
                return exchange(tls, octets)
        except (OSError, ssl.SSLError):
            return b""

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
