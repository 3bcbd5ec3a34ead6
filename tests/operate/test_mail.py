"""Mail through a mail server as operators have one: an Exim of the test's own, on a port of its own. What
it takes arrives as it was meant, what it puts off is sent again, what it refuses is given up."""
import base64
import email
import email.policy
import json
import os
import pwd
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
import walk  # noqa: E402
from instance import PASSWORD, make_template  # noqa: E402

EXIM = "/usr/sbin/exim4"
CONF = """
primary_hostname = relay.localhost
spool_directory = {dir}/spool
log_file_path = {dir}/log-%s
pid_file_path = {dir}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts = *
tls_certificate = {dir}/relay.crt
tls_privatekey = {dir}/relay.key
tls_on_connect_ports = {tls_port}
keep_environment =
queue_run_max = 0
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  defer condition = ${{if exists{{{dir}/later}}}}
        message = come again
  deny  condition = ${{if exists{{{dir}/never}}}}
        message = nobody here
  accept
data:
  deny  condition = ${{if exists{{{dir}/bad}}}}
        message = not such a letter
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = {dir}/box
  maildir_format
  create_directory = false
  envelope_to_add
  return_path_add
  user = {user}
"""


class _Relay:
    """A mail server that keeps what it gets in a maildir."""

    def __init__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="kontor-mail-", ignore_cleanup_errors=True)
        self.dir = Path(self._temporary.name)
        self.dir.chmod(0o755)
        # Started by root it is another user's by itself; by anybody else it stays theirs.
        user = "Debian-exim" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        for name in ("spool", "box", "box/tmp", "box/new", "box/cur"):
            (self.dir / name).mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=relay.localhost", "-addext", "subjectAltName=DNS:relay.localhost",
                        "-keyout", self.dir / "relay.key", "-out", self.dir / "relay.crt"],
                       check=True, capture_output=True)
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            self.port, self.tls_port = one.getsockname()[1], two.getsockname()[1]
        self.conf = self.dir / "exim.conf"
        self.conf.write_text(CONF.format(dir=self.dir, port=f"{self.port} : {self.tls_port}",
                                         tls_port=self.tls_port, user=user))
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "Debian-exim:Debian-exim", self.dir], check=True)
            subprocess.run(["chown", "root:root", self.dir, self.conf], check=True)
            self.dir.chmod(0o777)  # the pid file and the logs
        self.certificate, self.process = self.dir / "relay.crt", None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self._temporary.cleanup()

    def start(self):
        self.process = subprocess.Popen([EXIM, "-C", str(self.conf), "-bdf"], stdin=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while True:
            assert self.process.poll() is None and time.monotonic() < until, self.log()
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), 1).close()
                return
            except OSError:
                time.sleep(0.05)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=60)

    def log(self):
        return "".join(p.read_text() for p in self.dir.glob("log-*"))

    def says(self, *flags):
        """From now on these of later, never, bad."""
        for name in ("later", "never", "bad"):
            path = self.dir / name
            if name in flags:
                path.touch()
            elif path.exists():
                path.unlink()

    def letters(self, n=None):
        """What arrived, oldest first; `n`: wait for so many."""
        until = time.monotonic() + 60
        while True:
            files = sorted((self.dir / "box/new").iterdir(), key=lambda p: p.stat().st_mtime_ns)
            if n is None or len(files) >= n:
                return [p.read_bytes() for p in files]
            assert time.monotonic() < until, (len(files), self.log())
            time.sleep(0.05)


MESSAGE = b"From: <a@konto.example>\r\nSubject: x\r\n\r\n.\r\n..two\r\n.three\r\nend\r\n"


def _give(relay, url, message=MESSAGE, ca=None, to="erika@example.invalid"):
    done = subprocess.run([give, url, "" if ca is None else str(ca), "konto@konto.example", to],
                          input=message, capture_output=True, check=True, timeout=60)
    return done.stdout.decode().strip()


def a_relay_s_answers_are_told_apart():
    with _Relay() as relay:
        here = f"smtp://127.0.0.1:{relay.port}"
        assert _give(relay, here) == "taken"
        (letter,) = relay.letters(1)
        # What begins with a dot arrives with that dot (RFC 5321 4.5.2).
        assert letter.endswith(b"\n\n.\n..two\n.three\nend\n"), letter
        assert b"Return-path: <konto@konto.example>" in letter, letter
        assert b"Envelope-to: erika@example.invalid" in letter, letter
        for flag, kind in (("later", "unavailable"), ("never", "denied"), ("bad", "denied")):
            relay.says(flag)
            said = _give(relay, here)
            assert said.startswith(f"{kind} the relay did not take it ("), (flag, said)
        relay.says()
        relay.stop()
        assert _give(relay, here).startswith("unavailable "), relay.log()
        relay.start()
        assert _give(relay, here) == "taken"
        assert len(relay.letters(2)) == 2


def a_relay_elsewhere_is_spoken_to_by_tls_alone():
    with _Relay() as relay:
        away, by_tls = (f"smtp://relay.localhost:{relay.port}", f"smtps://relay.localhost:{relay.tls_port}")
        for url in (away, by_tls):
            assert _give(relay, url, ca=relay.certificate) == "taken", relay.log()
            # No authority that we trust has vouched for it.
            assert _give(relay, url).startswith("unavailable "), relay.log()
            # A name that the certificate is not for.
            other = url.replace("relay.", "other.")
            assert _give(relay, other, ca=relay.certificate).startswith("unavailable "), relay.log()
        assert len(relay.letters(2)) == 2
        assert relay.log().count(" X=TLS1.") == 2, relay.log()
    relay = _Relay()
    conf = relay.conf.read_text().replace("tls_advertise_hosts = *", "tls_advertise_hosts =")
    relay.conf.write_text(conf)
    with relay:
        url = f"smtp://relay.localhost:{relay.port}"
        assert _give(relay, url, ca=relay.certificate).startswith("unavailable "), relay.log()
        assert relay.letters() == []


def _client(i):
    grant = "urn:openid:params:grant-type:ciba"
    # What a portal is called goes into no header.
    return walk.register_client(i, ["email"], grant_types=["authorization_code", grant],
                                backchannel_token_delivery_mode="poll",
                                client_name="Bürgerbüro\u0085 Bcc: <x@example.invalid>")


def _ask(browser, secret, sub):
    answer = browser.post("/oidc/backchannel", {"client_id": "portal", "client_secret": secret,
                                                "scope": "openid", "login_hint": sub})
    return answer.status, json.loads(answer.body)


def a_person_is_told_by_mail_that_a_portal_waits():
    with template.copy() as i, _Relay() as relay:
        walk.make_certificate(i.folder)
        for name, address in (("erika", "erika@example.invalid"), ("karl", "karl@example.invalid")):
            i.add_account(name, "--attribute", f"email={address}")
        secret = _client(i)
        with i.tls_node(mail_relay=f"smtp://relay.localhost:{relay.port}", outbound_ca=relay.certificate,
                        mail_from="konto@konto.example", site_name="Servicekonto für Sachsen") as node:
            known = {}
            for name in ("erika", "karl"):
                browser = walk.Walk(str(i.folder / "tls.crt"), node.base)
                browser.get(walk.authorize_url(node.base, scope="openid email"))
                browser.log_in(name, PASSWORD)
                browser.agree()
                told = json.loads(browser.redeem(browser.code(), secret).body)
                claims = told["id_token"].split(".")[1]
                known[name] = json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]
            assert relay.letters() == []
            relay.says("later")
            status, answer = _ask(browser, secret, known["erika"])
            assert status == 200, answer
            node.wait(lambda: i.sql("SELECT result FROM outbox WHERE kind = 'mail'") == "not_taken", "put off")
            relay.says()
            raw, = relay.letters(1)
            relay.says("never")
            assert _ask(browser, secret, known["karl"])[0] == 200
            node.wait(lambda: i.sql("SELECT count(*) FROM outbox WHERE kind = 'mail' AND state <> 'waiting'")
                      == "2", "given up")
            assert i.sql("SELECT result FROM outbox WHERE kind = 'mail' ORDER BY result") == "refused\ntaken"
            log = node.log()
        assert len(relay.letters()) == 1
        _read(raw, node)
        assert "@example.invalid" not in log and i.sql(
            "SELECT count(*) FROM outbox WHERE content LIKE '%@%'") == "0"


def _read(raw, node):
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert not letter.defects, letter.defects
    assert letter["Return-path"] == "<konto@konto.example>", raw
    assert letter["Envelope-to"] == "erika@example.invalid", raw
    assert str(letter["From"]) == "konto@konto.example" and str(letter["To"]) == "erika@example.invalid", raw
    assert letter["Bcc"] is None and b"Bcc:" not in raw.split(b"\n\n")[0], raw
    # RFC 3834 5: no answering machine answers it.
    assert letter["Auto-Submitted"] == "auto-generated", raw
    assert letter["Subject"] == "Eine Anfrage wartet auf Sie / A request is waiting for you", raw
    assert letter["Message-ID"].endswith("@konto.localhost>"), raw
    assert abs(letter["Date"].datetime.timestamp() - time.time()) < 600, raw
    assert letter.get_content_type() == "text/plain" and letter.get_content_charset() == "utf-8", raw
    assert all(len(line) <= 76 for line in raw[raw.index(b"\nFrom:"):].split(b"\n")), raw
    text = letter.get_content()
    for part in ("Bürgerbüro� Bcc: <x@example.invalid> bittet Sie um eine Anmeldung mit Ihrem Konto",
                 "bei Servicekonto für Sachsen", "„Anfragen“", "asks you to log in", "“Requests”",
                 f"{node.base}/requests"):
        assert part in text, (part, text)


if __name__ == "__main__":
    if not Path(EXIM).exists():  # another mail server is there, and setup takes none away
        print("1..0 # SKIP no exim4")
        raise SystemExit(0)
    template, give = make_template(sys.argv[1]), sys.argv[2]
    tap.run_all(dict(globals()))
