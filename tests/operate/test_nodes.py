"""Running nodes: what one learns all learn at once; children that are killed come back; reload, stop.

The second argument is how long "within a second" is here: more with sanitizers.
"""
import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import make_template, psql  # noqa: E402

AT_ONCE_S = 5 * float(sys.argv[2])  # an hour is what it would be without notice


class _Load:
    """Requests without end from some threads; what came back, by time."""

    def __init__(self, node, path="/oidc/jwks", threads=4):
        self.node, self.path, self.answers, self._ends = node, path, [], False
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def _run(self):
        while not self._ends:
            status, body = self.node.get(self.path)
            self.answers.append((time.monotonic(), status, body[:100]))
            if status == 0:
                time.sleep(0.005)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.node.wait(lambda: len(self.answers) > 20, "load")
        return self

    def __exit__(self, *_):
        self._ends = True
        for thread in self._threads:
            thread.join()

    def failures(self):
        return [a for a in self.answers if a[1] != 200]


def _kids(node):
    return {k["kid"] for k in json.loads(node.get("/oidc/jwks")[1])["keys"]}


def _certificates(node):
    """Of our role as identity provider; another role has them once more."""
    role = node.get("/saml/metadata")[1].partition("</md:IDPSSODescriptor>")[0]
    return len(re.findall("X509Certificate>[^<]", role))


def a_key_is_seen_on_every_node_at_once():
    with template.copy() as i, i.node() as one, i.node() as two:
        def both(holds, what):
            for node in (one, two):
                node.wait(lambda n=node: holds(n), what, AT_ONCE_S)

        first = _certificates(one)
        old = next(k["kid"] for k in i.ok("key", "list")["keys"]
                   if k["purpose"] == "oidc-sign" and k["type"] == "p256")
        kid = i.ok("key", "generate", "oidc-sign", "p256")["kid"]
        saml = i.ok("key", "generate", "saml-sign", "p256")["kid"]
        time.sleep(1)
        assert kid not in _kids(one) | _kids(two) and _certificates(two) == first  # planned
        i.ok("key", "publish", kid)
        i.ok("key", "publish", saml)
        both(lambda n: kid in _kids(n), "published in the JWKS")
        both(lambda n: _certificates(n) == first + 1, "published in the metadata")
        i.ok("key", "activate", kid, "--emergency")
        both(lambda n: {kid, old} <= _kids(n), "the one before is still shown")
        i.ok("key", "destroy", old)
        both(lambda n: old not in _kids(n) and kid in _kids(n), "gone")


def what_is_over_goes_however_much_it_is():
    with template.copy() as i:
        i.sql("INSERT INTO artifact (hash, party, sealed, created, expires) "
              "SELECT sha256(g::text::bytea), 'p', '\\x00', 1, 2 FROM generate_series(1, 10001) g")
        with i.node() as node:
            # Less than the pause after which the next batch would come.
            node.wait(lambda: i.sql("SELECT count(*) FROM artifact") == "0", "three batches", 40)


def a_killed_child_is_back_within_a_second_under_load():
    with template.copy() as i, i.node() as node:
        for kind in ("http", "signer", "http", "signer"):
            with _Load(node) as load:
                before = node.children()[kind]
                os.kill(before, signal.SIGKILL)
                killed = time.monotonic()
                node.wait(lambda k=kind, b=before: node.children().get(k) not in (None, b),
                          f"a new {kind}")
                node.wait(lambda t=killed, n=load: any(
                    at > t + 0.05 and status == 200 for at, status, _ in n.answers), "answers")
                took = time.monotonic() - killed
                assert took < float(sys.argv[2]), f"{kind}: {took:.2f} s"
            if kind == "signer":
                assert not load.failures(), load.failures()[:5]
        assert node.log().count('"child_died"') >= 4


def a_reload_refuses_nobody():
    with template.copy() as i, i.node() as node:
        with _Load(node) as load:
            node.configure(site_name="Neuer Name")
            node.process.send_signal(signal.SIGHUP)
            node.wait(lambda: '"reloaded"' in node.log(), "reloaded")
            node.wait(lambda: "Neuer Name" in node.get("/")[1], "the new name")
            node.configure(site_name="Falsch", colour="red")
            node.process.send_signal(signal.SIGHUP)
            node.wait(lambda: '"reload_refused"' in node.log(), "refused")
            assert "unknown key 'colour'" in node.log()
            assert "Neuer Name" in node.get("/")[1]
        assert not load.failures(), load.failures()[:5]


def a_stop_ends_what_runs_and_says_so():
    with template.copy() as i, i.node() as node:
        with _Load(node):
            children = node.children()
            assert node.stop() == 0, node.log()
        assert '"stopped"' in node.log().splitlines()[-1]
        assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())


def without_the_database_readiness_and_requests_say_503():
    with template.copy() as i:
        admin = os.environ["KONTOR_TEST_DB"]
        with i.node() as node:
            psql(admin, f"ALTER DATABASE {i.name} ALLOW_CONNECTIONS false")
            psql(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        f" WHERE datname = '{i.name}'")
            node.wait(lambda: node.get("/health/ready")[0] == 503, "not ready")
            assert node.get("/health/live")[0] == 200
            assert node.get("/oidc/jwks")[0] == 200  # prebuilt
            psql(admin, f"ALTER DATABASE {i.name} ALLOW_CONNECTIONS true")
            node.wait(lambda: node.get("/health/ready")[0] == 200, "ready again")


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
