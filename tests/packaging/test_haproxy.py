"""The shipped HAProxy configuration: who asks, how long, over which TLS, and which node answers.

What it does with odd requests is in test_oddities.py.
"""
import base64
import re
import ssl
import sys
import time
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from balanced import Stage  # noqa: E402

warnings.simplefilter("ignore", DeprecationWarning)  # old TLS is what is tested


def the_client_cannot_name_itself():
    stage.forget()
    stage.say(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n"
              b"Forwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nConnection: close\r\n\r\n")
    request = stage.node.seen[0].lower()
    assert request.count(b"x-forwarded-for:") == 1 and b"x-forwarded-for: 127.0.0.1\r\n" in request
    assert b"1.2.3.4" not in request and b"5.6.7.8" not in request


def _shown(request):
    """Client-Cert and the verdict on it, as they reached a node."""
    found = [re.findall(name + rb": ([^\r]*)\r\n", request, re.I)
             for name in (b"client-cert", b"x-client-cert-verify")]
    assert all(len(lines) < 2 for lines in found), request
    return [lines[0] if lines else None for lines in found]


def certificates_are_passed_on_from_where_they_are_asked_for():
    lies = b"Client-Cert: :AAAA:\r\nX-Client-Cert-Verify: 0\r\nClient-Cert: :BBBB:\r\n"
    ask = b"POST /oidc/token HTTP/1.1\r\nHost: a\r\n" + lies + b"Connection: close\r\n" \
        b"Content-Length: 0\r\n\r\n"
    with Stage(certificates=True) as one:
        der = {name: base64.b64encode(ssl.PEM_cert_to_DER_cert(
            (one.folder / f"{name}.crt").read_text())) for name in ("known", "own")}
        for shown, port, want in (("known", one.mtls_port, b"0"), ("own", one.mtls_port, b"18"),
                                  (None, one.mtls_port, None), ("known", one.port, None)):
            for versions in ((ssl.TLSVersion.TLSv1_2,) * 2, (ssl.TLSVersion.TLSv1_3,) * 2):
                one.forget()
                assert one.say(ask, versions, shown, port)[:12] == b"HTTP/1.1 200", shown
                certificate, verdict = _shown(one.node.seen[0])
                assert verdict == want, (shown, verdict)
                assert certificate == (want and b":" + der[shown] + b":"), (shown, certificate)


def long_requests_of_honest_peers_pass():
    stage.forget()
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
