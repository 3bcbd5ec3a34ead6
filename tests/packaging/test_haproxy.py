"""The shipped HAProxy configuration: what no node may see never reaches one.

Bare sockets stand in for nodes and keep the octets that arrive; each oddity is sent over TLS.
"""
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

import tap  # noqa: E402

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


NOT_READY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class Node:
    """Answers every request and keeps what it was sent, health checks left out."""

    def __init__(self, path):
        self.seen, self.ready, self.dies = [], True, False
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
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
            while (head := data.find(b"\r\n\r\n")) >= 0:
                length = re.search(rb"\r\ncontent-length: (\d+)\r\n", data[:head + 2], re.I)
                end = head + 4 + (int(length[1]) if length else 0)
                if re.search(rb"\r\ntransfer-encoding: chunked\r\n", data[:head + 2], re.I):
                    end = data.find(b"0\r\n\r\n", head) + 5
                    if end < 5:
                        break
                if len(data) < end:
                    break
                checked = data.startswith(b"GET /health/ready ")
                if not checked:
                    self.seen.append(data[:end])
                data = data[end:]
                if self.dies and not checked:
                    connection.close()
                    return
                connection.sendall(ANSWER if self.ready or not checked else NOT_READY)
        connection.close()


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=konto.example", "-keyout", folder / "key",
                    "-out", folder / "crt"], check=True, capture_output=True)
    (folder / "pem").write_bytes((folder / "crt").read_bytes() + (folder / "key").read_bytes())


class Stage:
    """HAProxy with the shipped file, on loopback, before one Node or two."""

    def __init__(self, nodes=1):
        self.folder = Path(tempfile.mkdtemp(prefix="kontor-haproxy-"))
        _make_certificate(self.folder)
        self.nodes = [Node(str(self.folder / f"node{n}")) for n in range(nodes)]
        self.node = self.nodes[0]
        self.port = _free_port()
        env = dict(os.environ, KONTOR_BIND=f"127.0.0.1:{self.port}",
                   KONTOR_CRT=str(self.folder / "pem"))
        for name, n in zip(("KONTOR_NODE", "KONTOR_NODE2"), range(nodes)):
            env[name] = f"unix@{self.folder / f'node{n}'}"
        self.process = subprocess.Popen(
            [HAPROXY, "-db", "-f", ROOT / "packaging" / "haproxy.cfg"], env=env,
            stderr=subprocess.PIPE)
        self._wait()

    def _wait(self):
        until = time.monotonic() + 20
        while self.say(b"GET /up HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n")[:12] != b"HTTP/1.1 200":
            assert time.monotonic() < until and self.process.poll() is None, \
                "HAProxy does not start"
            time.sleep(0.05)
        self.forget()

    def forget(self):
        for node in self.nodes:
            node.seen.clear()

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

    def say(self, octets, versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)):
        """What comes back until the connection closes or goes quiet."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")  # so that old versions are the server's to refuse
        context.minimum_version, context.maximum_version = versions
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain, \
                    context.wrap_socket(plain) as tls:
                tls.sendall(octets)
                tls.settimeout(0.5)
                while chunk := tls.recv(65536):
                    answer += chunk
        except (OSError, ssl.SSLError):
            pass
        return answer

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


warnings.simplefilter("ignore", DeprecationWarning)  # old TLS is what is tested
HAPROXY = shutil.which("haproxy") or "/usr/sbin/haproxy"

REFUSED = [
    ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("two lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ("two authorizations", b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nAuthorization: y\r\n\r\n"),
    ("an unknown coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: cow\r\n\r\n"),
    ("a NUL in a header", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ("a control character in a header", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n"),
    ("a bare CR in a header", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    ("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    ("%00 in the query", b"GET /?a=%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("an escaped slash", b"GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("dot segments", b"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("escaped dots", b"GET /%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("non-ASCII in the target", b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("another method", b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no version", b"GET /\r\n\r\n"),
]

# HAProxy takes these and writes them anew: what arrives must be clean.
REWRITTEN = [
    ("bare line feeds", b"GET / HTTP/1.1\nHost: a\nX: b\n\n"),
    ("a folded header", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n"),
    ("length and coding", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    ("two equal lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"),
]


def _is_clean(request):
    head = request[:request.index(b"\r\n\r\n") + 4]
    lines = head.split(b"\r\n")[:-2]
    names = [line.split(b":", 1)[0].lower() for line in lines[1:]]
    return (b"\0" not in head and b"\n" not in head.replace(b"\r\n", b"")
            and all(re.fullmatch(rb"[!#-'*+.0-9A-Z^-z|~-]+", name) for name in names)
            and all(names.count(name) <= 1 for name in (b"host", b"content-length", b"authorization"))
            and not (b"content-length" in names and b"transfer-encoding" in names))


def what_nobody_sends_is_refused():
    for what, octets in REFUSED:
        stage.node.seen.clear()
        answer = stage.say(octets)
        assert answer[:10] == b"HTTP/1.1 4", f"{what}: {answer[:80]}"
        assert not stage.node.seen, f"{what}: the node saw {stage.node.seen}"


def what_is_rewritten_arrives_clean():
    for what, octets in REWRITTEN:
        stage.node.seen.clear()
        answer = stage.say(octets)
        assert answer.count(b"HTTP/1.1 ") == 1, f"{what}: {answer}"
        assert len(stage.node.seen) <= 1, f"{what}: the node saw {stage.node.seen}"
        assert all(_is_clean(request) for request in stage.node.seen), f"{what}: {stage.node.seen}"


def nothing_is_smuggled_behind_a_request():
    inner = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    for framing in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                    b"Transfer-Encoding: chunked\r\nContent-Length: 40\r\n",
                    b"Content-Length: 0\r\nTransfer-Encoding : chunked\r\n"):
        stage.node.seen.clear()
        stage.say(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"Connection: close\r\n\r\n0\r\n\r\n"
                  + inner)
        assert not any(b"/smuggled" in request.split(b"\r\n", 1)[0] for request in stage.node.seen), \
            f"{framing}: {stage.node.seen}"


def the_client_cannot_name_itself():
    stage.node.seen.clear()
    stage.say(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n"
              b"Forwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nConnection: close\r\n\r\n")
    request = stage.node.seen[0].lower()
    assert request.count(b"x-forwarded-for:") == 1 and b"x-forwarded-for: 127.0.0.1\r\n" in request
    assert b"1.2.3.4" not in request and b"5.6.7.8" not in request


def long_requests_of_honest_peers_pass():
    stage.node.seen.clear()
    query = b"SAMLRequest=" + b"a" * 15000
    answer = stage.say(b"GET /saml/sso?" + query + b" HTTP/1.1\r\nHost: a\r\nCookie: " + b"c" * 12000
                       + b"\r\nConnection: close\r\n\r\n")
    assert answer[:12] == b"HTTP/1.1 200", answer[:80]
    assert query in stage.node.seen[0]


def old_tls_is_refused():
    old = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)
    assert stage.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", old) == b""


def nodes_take_turns():
    with Stage(2) as two:
        assert [two.ask("GET", "/") for _ in range(6)] == [200] * 6
        assert two.count() == [3, 3], two.count()


def what_reached_no_node_goes_to_the_other():
    with Stage(2) as two:
        two.node.close()
        for method in ("GET", "POST") * 2:
            assert two.ask(method, "/oidc/token") == 200
        assert two.count() == [0, 4], two.count()


def what_a_node_died_over_is_sent_again_only_where_that_is_harmless():
    for method, path, again in (("GET", "/saml/sso", True), ("POST", "/flow/password/x", True),
                                ("POST", "/oidc/token", False), ("POST", "/logout", False)):
        with Stage(2) as two:
            for node in two.nodes:
                node.dies = True
            while sum(two.count()) == 0:
                status = two.ask(method, path)
            assert status == 502, status
            assert (sum(two.count()) > 1) == again, f"{method} {path}: {two.count()}"
            assert (min(two.count()) > 0) == again, f"{method} {path}: {two.count()}"


def a_node_that_is_not_ready_gets_nothing_new():
    with Stage(2) as two:
        two.node.ready = False
        time.sleep(2)  # `stop_announce` of docs/operate.md
        two.forget()
        assert [two.ask("GET", "/") for _ in range(4)] == [200] * 4
        assert two.count() == [0, 4], two.count()


if __name__ == "__main__":
    stage = Stage()
    try:
        tap.run_all(dict(globals()))
    finally:
        stage.stop()
