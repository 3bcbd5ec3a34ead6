"""What was refused to a client or a portal, as an operator is told: of all nodes, few rows whatever is
sent, gone with the client. And whether its URLs can be reached."""
import base64
import http.client
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from instance import NOT_FOUND, OK, USAGE, make_template, says  # noqa: E402

PARTY = "https://amt.example/sp"
METADATA = f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{PARTY}">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://amt.example/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"""


def _add_client(i, name="stadtportal", **members):
    metadata = {"client_id": name, "profile": "oauth", "scope": "openid",
                "redirect_uris": ["https://stadt.example/cb"],
                "token_endpoint_auth_method": "client_secret_basic"} | members
    path = i.folder / "client.json"
    path.write_text(json.dumps(metadata))
    return i.ok("client", "add", path).get("client_secret")


def _token(node, name, secret, code):
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
    connection.request("POST", "/oidc/token", urllib.parse.urlencode(
        {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://stadt.example/cb",
         "code_verifier": "v" * 43}), {
             "Host": node.host, "Content-Type": "application/x-www-form-urlencoded",
             "Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def _await(i, words, holds):
    """What the command says once it says that; a node writes every five seconds."""
    until = time.monotonic() + 60
    while True:
        said = i.ok(*words)
        if holds(said["refusals"]):
            return said
        assert time.monotonic() < until, said
        time.sleep(0.3)


def what_two_nodes_refuse_is_told_in_one_place():
    with template.copy() as i:
        secret = _add_client(i)
        says(i.run("client", "check", "stadtportal"), OK, "nothing was refused in two weeks")
        party = i.folder / "sp.xml"
        party.write_text(METADATA)
        i.ok("party", "add", party)
        with i.node() as one, i.node() as two:
            for node in (one, two, two):
                assert _token(node, "stadtportal", secret, "lost") == 400
            assert _token(one, "stadtportal", "wrong", "lost") == 401
            # As many different ones as there are, in its name and from anybody.
            for n in range(60):
                status, _ = two.get(f"/oidc/authorize?client_id=stadtportal&response_type=x{n}&scope=openid"
                                    f"&redirect_uri=https://stadt.example/cb&prompt=y{n}")
                assert status in (303, 400), status
            assert one.get(f"/saml/unsolicited?providerId={PARTY}")[0] == 403
            said = _await(i, ("client", "check", "stadtportal"), lambda rows: any(
                r["error"] == "invalid_grant" and r["times"] == 3 for r in rows) and any(
                    r["endpoint"] == "/oidc/authorize" for r in rows) and any(
                        r["error"] == "invalid_client" for r in rows))
            told = _await(i, ("party", "refused", PARTY), bool)
        rows = said["refusals"]
        own = next(r for r in rows if r["error"] == "invalid_grant")
        assert own["proven"] and own["endpoint"] == "/oidc/token" and own["reason"], own
        assert own["ref"] in one.log() + two.log() and own["first"] <= own["last"], own
        assert not next(r for r in rows if r["error"] == "invalid_client")["proven"], rows
        assert len(rows) < 12 and "lost" not in json.dumps(rows), rows
        said = i.run("client", "check", "stadtportal")
        says(said, OK, "refused lately:\n", "/oidc/token invalid_grant: ", f"reference {own['ref']}, 3 since",
             "refused in its name, whoever sent it:\n", "/oidc/token invalid_client: ")
        assert [r["endpoint"] for r in told["refusals"]] == ["/saml/unsolicited"], told
        says(i.run("party", "refused", PARTY), OK, "takes answers to its own requests only")
        says(i.run("party", "refused", "stadtportal"), NOT_FOUND)
        says(i.run("party", "refused"), USAGE, "ID is missing")
        i.ok("client", "remove", "stadtportal")
        assert i.sql("SELECT count(*) FROM refusal WHERE party = 'stadtportal'") == "0"


class _Portal:
    """A portal's host: keys, and places that are told things."""

    def __init__(self, folder):
        self.certificate, asked = folder / "portal.crt", []
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=portal.localhost", "-addext", "subjectAltName=DNS:portal.localhost",
                        "-keyout", folder / "portal.key", "-out", self.certificate],
                       check=True, capture_output=True)
        der = subprocess.run(["openssl", "x509", "-in", self.certificate, "-outform", "DER"],
                             check=True, capture_output=True).stdout
        text = subprocess.run(["openssl", "x509", "-in", self.certificate, "-noout", "-pubkey"],
                              check=True, capture_output=True).stdout
        point = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=text,
                               check=True, capture_output=True).stdout[-64:]

        def b64(octets):
            return base64.urlsafe_b64encode(octets).decode().rstrip("=")

        key = {"kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig",
               "x": b64(point[:32]), "y": b64(point[32:]), "x5c": [base64.b64encode(der).decode()]}
        self.jwks, self.asked = {"keys": [key]}, asked
        document = json.dumps(self.jwks).encode()

        class _Handler(BaseHTTPRequestHandler):
            def answer(self, status, body):
                asked.append((self.command, self.path))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.answer(200, document)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                self.answer(400, b"")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "portal.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"https://portal.localhost:{self.server.server_address[1]}"


def a_client_s_urls_are_tried_as_they_will_be_called():
    with template.copy() as i:
        portal = _Portal(i.folder)
        _add_client(i, token_endpoint_auth_method="private_key_jwt", jwks_uri=f"{portal.url}/jwks",
                    backchannel_logout_uri=f"{portal.url}/out")
        words = ("client", "check", "stadtportal", "--reach")
        rows = i.ok(*words)["reach"]
        assert [(r["member"], r["reached"]) for r in rows] == [
            ("jwks_uri", False), ("backchannel_logout_uri", False)], rows
        assert portal.asked == []
        i.write_conf(outbound_ca=portal.certificate, outbound_inside="127.0.0.1")
        rows = i.ok(*words)["reach"]
        assert [(r["reached"], r["what"]) for r in rows] == [
            (True, "keys: 1"), (True, "it answers with 400")], rows
        assert portal.asked == [("GET", "/jwks"), ("POST", "/out")]
        says(i.run(*words), OK, f"reached: jwks_uri: {portal.url}/jwks: keys: 1")
        assert "reach" not in i.ok("client", "check", "stadtportal")
        i.write_conf(outbound_ca=portal.certificate)
        says(i.run(*words), OK, f"warning: backchannel_logout_uri: {portal.url}/out: ")


def what_cannot_be_right_is_told():
    with template.copy() as i:
        portal = _Portal(i.folder)
        _add_client(i, token_endpoint_auth_method="private_key_jwt", jwks=portal.jwks,
                    backchannel_logout_uri="https://10.1.2.3/out")
        said = {w["member"]: w for w in i.ok("client", "check", "stadtportal")["warnings"]}
        assert "outbound_inside does not name it" in said["backchannel_logout_uri"]["what"], said
        assert said["jwks"]["what"].startswith("the certificate of k1 ends 20"), said
        i.write_conf(outbound_inside="10.0.0.0/8")
        assert "backchannel_logout_uri" not in {
            w["member"] for w in i.ok("client", "check", "stadtportal")["warnings"]}
        broken = {"keys": [portal.jwks["keys"][0] | {"x5c": ["AAAA"]}]}
        _add_client(i, token_endpoint_auth_method="private_key_jwt", jwks=broken,
                    backchannel_logout_uri="https://localhost:8443/out")
        says(i.run("client", "check", "stadtportal"), OK, "the certificate of k1 cannot be read",
             "https://localhost:8443/out is not public")
        _add_client(i, token_endpoint_auth_method="private_key_jwt", jwks_uri="https://[::1]/jwks")
        says(i.run("client", "check", "stadtportal"), OK, "https://[::1]/jwks is not public",
             "https://[::1]/jwks, fetched never, next 20")


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
