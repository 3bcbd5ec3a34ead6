"""`kontor party check`, as who builds a portal meets it: files that are good, hurried and wrong, and
what it says of them."""
import http.server
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import DENIED, OK, Said, make_template, says  # noqa: E402

VECTORS = HERE.parent / "vectors/saml"
STATUS = {"ok": 0, "note": 0, "warning": 1, "error": 2}


def _check(*words):
    """Without configuration, without a database."""
    return Said(subprocess.run([kontor, "--config", "/none/such", "party", "check", *map(str, words)],
                               capture_output=True, text=True, timeout=60))


def what_is_said_of_each_file_is_as_written():
    files = sorted((VECTORS / "check").glob("*.xml"))
    assert len(files) >= 6
    for file in files:
        said, wanted = _check(file), file.with_suffix(".want")
        assert said.out == wanted.read_text(), (file.name, said)
        assert said.err == "", said


def json_and_text_say_the_same():
    for file in sorted((VECTORS / "check").glob("*.xml")):
        text, said = _check(file), _check(file, "--json")
        answer = said.json()
        lines = [f"{f['severity']}: {f['rule']}: {f['text']} ({f['clause']})" for f in answer["findings"]]
        assert text.out.splitlines()[:len(lines)] == lines, file.name
        assert said.status == text.status == STATUS[answer["result"]], (file.name, said.status)
        assert answer["result"] == answer["findings"][0]["severity"]
        assert ("works" in answer) == ("id" in answer), file.name


def each_file_of_the_test_vectors_is_judged_as_it_is_read():
    for file in sorted((VECTORS / "good").glob("4*.xml")):
        said = _check(file, "--json", *(["--id", "https://portal.example/sp"] if "aggregate" in file.name else []))
        assert said.status in (0, 1), (file.name, said)
    bad = [f for f in sorted((VECTORS / "bad").glob("4*.xml")) if b"EntityDescriptor" in f.read_bytes()]
    assert bad
    for file in bad:
        assert _check(file).status == 2, file.name


def one_entity_of_several_and_the_policy_are_named():
    both = VECTORS / "check/two-entities.xml"
    said = _check(both, "--id", "https://bafoeg.example/saml/metadata", "--json")
    assert said.json()["id"] == "https://bafoeg.example/saml/metadata", said
    says(_check(both, "--id", "https://none.example"), 2, "error: entity: ", "no such entity")
    good = VECTORS / "check/good.xml"
    works = {w["what"]: w["text"] for w in _check(good, "--json", "--suite", "ps256", "--nameid", "transient",
                                                  "--attribute", "email:required").json()["works"]}
    assert works["signature"].startswith("none"), works  # its metadata list ECDSA alone
    assert works["name"].startswith("transient") and works["attributes"].endswith("(email) required"), works
    says(_check(VECTORS / "check/refused.xml", "--encrypt", "always"), 2,
         "encryption  none, so there are no answers: ", "there is no key for it")
    says(_check(good, "--suite", "md5"), 2, "suite")
    says(_check(good, "--no-such"), 2, "unexpected '--no-such'")
    says(_check(), 2, "FILE or URL is missing")
    says(_check(VECTORS / "none.xml"), 3)


def a_service_that_requires_what_nobody_has_is_said_to_get_no_answer():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sp.xml"
        file.write_text((VECTORS / "check/hurried.xml").read_text().replace("urn:oid:2.5.4.4", "urn:oid:2.5.4.18"))
        said = _check(file)
        assert "no answers" in said.out and "requires urn:oid:2.5.4.18" in said.out, said
        # What the operator writes down goes first.
        assert "no answers" not in _check(file, "--attribute", "email").out


class _Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/")
        self.end_headers()
        self.wfile.write((VECTORS / "check/good.xml").read_bytes())

    def log_message(self, *words):
        pass


def http_is_for_this_machine_when_it_is_said():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        says(_check(url), 2, "an https URL is needed")
        says(_check(url, "--local-http"), 0, "ok: xml: ")
        says(_check(url + "moved", "--local-http"), 2, "the server answered 302")
        says(_check("http://192.0.2.1/", "--local-http"), 5, "for this machine itself alone")
    finally:
        server.shutdown()
        server.server_close()


def registering_finds_the_same():
    with template.copy() as i:
        for name, status in (("hurried", OK), ("refused", DENIED)):
            file = VECTORS / "check" / f"{name}.xml"
            added = i.run("party", "add", file)
            checked = [f for f in _check(file, "--json").json()["findings"] if f["severity"] != "ok"]
            assert added.status == status, added
            if status == OK:
                assert json.loads(i.run("party", "add", file, "--json").out)["findings"] == checked
            first = checked[0]
            assert f"{first['rule']}: {first['text']} ({first['clause']})" in added.out + added.err, added


if __name__ == "__main__":
    kontor = sys.argv[1]
    template = make_template(kontor)
    tap.run_all(dict(globals()))
