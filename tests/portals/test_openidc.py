"""Every way of asking that mod_auth_openidc has, against one Kontor.

usage: test_openidc.py KONTOR

Each way is a client of its own and the module's configuration for it.  docs/tests.md has the table: what
the module can, and what it cannot and why.
"""
import base64
import html
import json
import re
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import demo  # noqa: E402
import test_demo  # noqa: E402
from browser import Browser  # noqa: E402
from kontor import PERSONS  # noqa: E402
from portals import SOURCE, Stadtportal  # noqa: E402
from selfcheck import OIDC, Citizen, World, expected, values  # noqa: E402

PORTS = 9643
ATTRIBUTES = ["--attribute", "given_names:required", "--attribute", "family_name:required",
              "--attribute", "email"]
CALLBACK = "/oidc/callback"
REQUEST_OBJECT = {"request_object_type": "request", "crypto": {"sign_alg": "RS256"}, "copy_from_request": [
    "response_type", "client_id", "scope", "redirect_uri", "state", "nonce", "code_challenge",
    "code_challenge_method"]}
BASIC = {"token_endpoint_auth_method": "client_secret_basic"}
ASKS = {"ProviderTokenEndpointAuth": "client_secret_basic"}  # what the module has to be told of it
LASTING = BASIC | {"grant_types": ["authorization_code", "refresh_token"], "refresh_tokens": "session"}


def directives(settings):
    """OIDC... lines, quoted as Apache reads them."""
    return [f"OIDC{name} '{value}'" for name, value in settings.items() if value is not None]


class Way:
    """A client's record and the module's directives; what went over the wire is looked at by `look`."""

    def __init__(self, title, method, record, look=None, lines=(), pkce="S256", **settings):
        self.title, self.method, self.look, self.lines = title, method, look, list(lines)
        self.record = {"token_endpoint_auth_method": method} | record
        self.settings = {"ProviderTokenEndpointAuth": method, "PKCEMethod": pkce} | settings


def went(erika, name):
    """A parameter of the last authorization request; None without it."""
    url = next(url for _, url, _ in reversed(erika.history) if "/oidc/authorize?" in url)
    return parse_qs(urlsplit(url).query).get(name, [None])[0]


def header_of(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))


def proven(checks, erika, _):
    checks.equal("the request has a challenge", went(erika, "code_challenge_method"), "S256")


def by_form(checks, erika, _):
    checks.equal("the answer was asked for by form_post", went(erika, "response_mode"), "form_post")
    checks.equal("and came by it", [m for m, url, _ in erika.history if CALLBACK in url], ["POST"])


def hybrid(checks, erika, _):
    checks.equal("an ID token came with the code", "id_token" in erika.posted, True)


def signed_request(checks, erika, _):
    checks.equal("the request was a signed one", header_of(went(erika, "request"))["alg"], "RS256")


WAYS = [
    Way("client_secret_basic, code with PKCE", "client_secret_basic", {}, proven),
    Way("client_secret_post, answer by form_post", "client_secret_post", {}, by_form,
        ResponseMode="form_post", CookieSameSite="Off"),
    Way("client_secret_jwt, without PKCE", "client_secret_jwt",
        {"client_assertion_audience": "token_endpoint", "profile": "oidc"}, pkce=None),
    Way("a public client", "none", {}, proven),
    Way("code id_token", "client_secret_basic", {"response_types": ["code id_token"]}, hybrid,
        ResponseType="code id_token", ResponseMode="form_post", CookieSameSite="Off"),
    Way("private_key_jwt, signed request object", "private_key_jwt",
        {"client_assertion_audience": "token_endpoint", "token_endpoint_auth_signing_alg": "RS256",
         "require_signed_request_object": True}, signed_request,
        RequestObject=json.dumps(REQUEST_OBJECT)),
    Way("ID token by RS256, userinfo signed by ES256, asked for by POST", "client_secret_basic",
        {"id_token_signed_response_alg": "RS256", "userinfo_signed_response_alg": "ES256"},
        IDTokenSignedResponseAlg="RS256", UserInfoSignedResponseAlg="ES256",
        UserInfoTokenMethod="post_param"),
]


class Walker(Citizen):
    """Keeps what the browser posted to the portal."""

    def __init__(self, world, person):
        super().__init__(world, person)
        self.posted = {}

    def answer_page(self, untick=(), enroll=True):
        form = next((f for f in self.page.forms if CALLBACK in f.action), None)
        if form is None:
            return super().answer_page(untick, enroll)
        self.posted = dict(form.fields)
        self.submit(form)
        return True

    def begin(self, portal):
        self.posted, self.history = {}, []
        self.forget(portal)
        return self.visit(portal)

    def json(self, url):
        before = self.page
        page = self.get(url)
        self.page, self.json_headers = before, page.headers
        return json.loads(page.body) if page.headers.get_content_type() == "application/json" else None


class Program(Browser):
    """A client without a person."""

    def post(self, url, form, name, secret):
        pair = base64.b64encode(f"{name}:{secret}".encode()).decode()
        return json.loads(self._send("POST", url, {
            "Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"},
            urlencode(form).encode()).body or "{}")

    def ask(self, url, token):
        return self._send("GET", url, {"Authorization": f"Bearer {token}"} if token else {}, None)


class Openidc(demo.Demo):
    federates = False

    def __init__(self, args, out):
        super().__init__(args, out)
        self.ports = {"Kontor": PORTS, Stadtportal.name: PORTS + 1}
        self.stadtportal = Stadtportal(self.stage, self.authority, self.ports[Stadtportal.name])
        self.portals = [self.stadtportal]
        self.number = 0

    def start_portals(self):
        """One way after the other."""

    def register(self, record, policy=ATTRIBUTES):
        """Its client_id, and its secret if it has one."""
        self.number += 1
        made = json.loads(self.stadtportal.client_file().read_text(encoding="utf-8"))
        for name in ("client_assertion_audience", "token_endpoint_auth_signing_alg"):
            del made[name]
        made |= {"client_id": f"weg-{self.number}"} | record
        file = self.stage.write("stadtportal/way.json", json.dumps(
            {name: value for name, value in made.items() if value is not None}))
        said = self.kontor.add_client(file, *policy)
        return said["client_id"], said.get("client_secret")

    def start_as(self, client_id, secret, settings, lines=()):
        """The portal anew, with these directives in place of the demo's."""
        conf = (SOURCE / "stadtportal" / "httpd.conf").read_text(encoding="utf-8")
        settings = {"ClientSecret": secret} | settings
        kept = [line for line in conf.splitlines()
                if not any(line.startswith(f"OIDC{name} ") for name in settings)]
        self.stage.write("stadtportal/httpd.conf", "\n".join(
            kept + directives(settings) + list(lines)) + "\n")
        self.stadtportal.start_with(self.kontor.base, client_id)

    def check(self, checks):
        world = World(self.out, self.authority.cert, self.kontor, self.portals, PERSONS)
        with self.kontor.visitor(PERSONS["erika"]) as person:
            erika = Walker(world, person)
            for way in WAYS:
                self.walk(checks, way, erika)
            refreshed(checks, self, erika)
            logouts(checks, self, erika)
        resources(checks, self)

    def walk(self, checks, way, erika):
        with checks.scene(way.title):
            self.start_as(*self.register(way.record), way.settings, way.lines)
            record = erika.begin(self.stadtportal)
            checks.true("the portal knows who is there", record is not None, erika.page.text[:300])
            attributes = erika.person.attributes
            checks.equal("with what was agreed to", values(record),
                         expected(attributes, OIDC, "given_names", "family_name", "email"))
            if way.look is not None:
                way.look(checks, erika, self)


def refreshed(checks, stage, erika):
    """The module renews the access token when it is asked to, and by itself before it ends."""
    portal = stage.stadtportal
    token = ["Header set X-Access-Token expr=%{reqenv:OIDC_access_token}"]
    with checks.scene("refresh"):
        stage.start_as(*stage.register(LASTING), ASKS, token)
        erika.begin(portal)
        tokens = [erika.json_headers["X-Access-Token"]]
        for _ in range(2):
            erika.get(f"{portal.base}{CALLBACK}?" + urlencode(
                {"refresh": portal.base + "/konto/json", "access_token": tokens[-1]}))
            checks.equal("the hook leads back", erika.page.url, portal.base + "/konto/json")
            erika.received(portal)
            tokens.append(erika.json_headers["X-Access-Token"])
        checks.equal("each time another access token came", len(set(tokens)), 3)
        erika.get(f"{portal.base}{CALLBACK}?" + urlencode(
            {"refresh": portal.base + "/konto/json", "access_token": tokens[0]}))
        checks.true("the module wants the token that it has", "error_code=" in erika.page.url,
                    erika.page.url)
    with checks.scene("refresh before the token ends"):
        early = ["<Location /konto>", "OIDCRefreshAccessTokenBeforeExpiry 3600 logout_on_error",
                 "</Location>"]
        stage.start_as(*stage.register(LASTING), ASKS, token + early)
        erika.begin(portal)
        tokens = []
        for _ in range(3):
            record = erika.received(portal)
            tokens.append(erika.json_headers["X-Access-Token"])
        checks.true("the login goes on", record is not None, erika.page.text[:300])
        checks.equal("with another access token each time", len(set(tokens)), 3)


def logouts(checks, stage, erika):
    portal, kontor = stage.stadtportal, stage.kontor
    with checks.scene("logout at the portal"):
        erika.begin(portal)
        page = erika.leave(portal.logout_url)
        checks.equal("the way ends at the portal's front page", page.url.split("?")[0],
                     portal.base + "/")
        checks.equal("the portal no longer knows who is there", erika.received(portal), None)
        erika.begin(portal)
        checks.equal("Kontor asks for the password again", erika.shown, ["password"])
    with checks.scene("logout at Kontor, by the back channel"):
        checks.true("there is a login", erika.received(portal) is not None, erika.page.text[:300])
        erika.get(kontor.base + "/konto")
        erika.leave(kontor.base + "/logout")
        checks.equal("the portal no longer knows who is there", erika.received(portal), None)
    with checks.scene("logout at Kontor, by the front channel"):
        front = {"backchannel_logout_uri": None, "backchannel_logout_session_required": None,
                 "frontchannel_logout_uri": f"{portal.base}{CALLBACK}?logout=get"}
        stage.start_as(*stage.register(BASIC | front), ASKS | {"CookieSameSite": "Off"})
        erika.begin(portal)
        checks.true("there is a login", erika.received(portal) is not None, erika.page.text[:300])
        erika.get(kontor.base + "/konto")
        page = erika.leave(kontor.base + "/logout")
        frames = re.findall(r'<iframe[^>]* src="([^"]+)"', page.body.decode())
        checks.equal("the page has the portal in a frame", [html.unescape(f).split("&")[0] for f in frames],
                     [front["frontchannel_logout_uri"]])
        for frame in frames:
            erika.get(html.unescape(frame))
        checks.equal("the portal no longer knows who is there", erika.received(portal), None)


def resources(checks, stage):
    """The module before an interface: tokens by introspection, and those that are signed."""
    portal, kontor = stage.stadtportal, stage.kontor
    program = Program(stage.authority.cert)
    inside = ["<Location /dienst>", "AuthType oauth20", "OIDCUnAuthAction 401", "Require valid-user",
              "</Location>"]
    for kind in ("opaque", "jwt"):
        api = f"{portal.base}/dienst/{kind}"
        with checks.scene(f"resource server, {kind} tokens"):
            name, secret = stage.register(
                {"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": None,
                 "post_logout_redirect_uris": None, "backchannel_logout_uri": None,
                 "backchannel_logout_session_required": None,
                 "token_endpoint_auth_method": "client_secret_basic", "scope": "openid lesen",
                 "resource_scopes": ["lesen"], "resource_uris": [api], "resources": [api],
                 "access_token_format": kind}, ())
            how = {"OAuthVerifyJwksUri": kontor.base + "/oidc/jwks"} if kind == "jwt" else {
                "OAuthIntrospectionEndpoint": kontor.base + "/oidc/introspect",
                "OAuthIntrospectionEndpointAuth": "client_secret_basic",
                "OAuthClientID": name, "OAuthClientSecret": secret,
                "OAuthTokenIntrospectionInterval": -1}
            stage.start_as(name, secret, how | {"OAuthRemoteUserClaim": "client_id"},
                           [f'ScriptAlias /dienst/{kind} "{portal.folder}/page/page.py"', *inside])
            said = program.post(kontor.base + "/oidc/token", {
                "grant_type": "client_credentials", "scope": "lesen"}, name, secret)
            token = said["access_token"]
            page = program.ask(api + "/json", token)
            checks.equal("the token is good", page.status, 200)
            checks.true("and says who asks", name in page.body.decode(), page.body[:300])
            checks.equal("nothing without a token", program.ask(api + "/json", None).status, 401)
            at = len(token) // 2
            other = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
            checks.equal("nothing with another", program.ask(api + "/json", other).status, 401)
            program.post(kontor.base + "/oidc/revoke", {"token": token}, name, secret)
            if kind == "opaque":
                checks.equal("nothing when it is revoked", program.ask(api + "/json", token).status, 401)


if __name__ == "__main__":
    sys.exit(test_demo.run(PORTS, sys.argv[1], [], Openidc))
