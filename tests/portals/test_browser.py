"""The demo's browser keeps the rules that the real ones keep."""
import sys
from email.message import Message
from pathlib import Path
from urllib.parse import parse_qs

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from browser import Browser, BrowserError, Cookie, Page, site  # noqa: E402

KONTO, PORTAL = "https://konto.localhost:8443", "https://portal.localhost:8444"


class Scripted(Browser):
    """Answers come from a table {(method, url): (status, headers, body)}; requests are kept."""

    def __init__(self, answers):
        super().__init__(None)
        self.answers, self.requests = answers, []

    def _send(self, method, url, headers, body):
        self.requests.append((method, url, headers, body))
        status, given, text = self.answers[method, url]
        message = Message()
        message["Content-Type"] = "text/html; charset=utf-8"
        for name, value in given:
            message[name] = value
        return Page(url, status, message, text.encode())


def _refused(action, part):
    try:
        action()
    except BrowserError as e:
        assert part in str(e), e
    else:
        raise AssertionError(f"not refused: {part}")


def names_below_localhost_are_sites_of_their_own():
    assert site(KONTO) != site(PORTAL)
    assert site("https://a.konto.localhost") == site(KONTO)


def a_lax_cookie_does_not_go_with_a_post_from_another_site():
    c = Cookie("s=1; Secure; SameSite=Lax", KONTO + "/", 0)
    assert c.goes_to(KONTO + "/x", "POST", False, 0) and c.goes_to(KONTO + "/x", "GET", True, 0)
    assert not c.goes_to(KONTO + "/x", "POST", True, 0)


def a_cookie_without_samesite_is_lax():
    assert not Cookie("s=1; Secure", KONTO + "/", 0).goes_to(KONTO + "/", "POST", True, 0)


def a_samesite_none_cookie_goes_everywhere_but_must_be_secure():
    assert Cookie("s=1; Secure; SameSite=None", KONTO, 0).goes_to(KONTO, "POST", True, 0)
    _refused(lambda: Cookie("s=1; SameSite=None", KONTO, 0), "without Secure")


def cookies_stay_with_their_host_and_path():
    c = Cookie("s=1; Path=/oidc", KONTO, 0)
    assert c.goes_to(KONTO + "/oidc/x", "GET", False, 0)
    assert not c.goes_to(KONTO + "/oidcx", "GET", False, 0)
    assert not c.goes_to(PORTAL + "/oidc", "GET", False, 0)
    assert not c.goes_to("https://a.konto.localhost/oidc", "GET", False, 0)
    assert Cookie("s=1; Domain=konto.localhost", KONTO, 0).goes_to("https://a.konto.localhost/", "GET", False, 0)


def cookies_for_somebody_else_are_refused():
    _refused(lambda: Cookie("s=1; Domain=portal.localhost", KONTO, 0), "sets a cookie for")
    _refused(lambda: Cookie("s=1; Domain=localhost", KONTO, 0), "public suffix")
    _refused(lambda: Cookie("__Host-s=1; Path=/", KONTO, 0), "prefix")
    _refused(lambda: Cookie("__Host-s=1; Secure; Path=/x", KONTO, 0), "prefix")


def an_expired_cookie_is_forgotten():
    b = Scripted({("GET", KONTO + "/a"): (200, [("Set-Cookie", "s=1; Secure")], ""),
                  ("GET", KONTO + "/b"): (200, [("Set-Cookie", "s=; Secure; Max-Age=0")], "")})
    b.get(KONTO + "/a")
    assert [c.value for c in b.cookies_for("konto.localhost")] == ["1"]
    b.get(KONTO + "/b")
    assert b.requests[1][2]["Cookie"] == "s=1" and not b.cookies_for("konto.localhost")


FORM = """<form method=post action="/go"><input name=a value="1 &amp; 2"><input type=hidden name=t value=x>
<input type=checkbox name=c value=yes checked><input type=checkbox name=d><input type=radio name=r value=1>
<input type=radio name=r value=2 checked><input name=off disabled><select name=s></select>
<button name=do value=ok>OK</button><button name=do value=no>No</button></form>"""


def a_form_is_sent_as_a_browser_would():
    b = Scripted({("GET", KONTO + "/f"): (200, [], FORM), ("POST", KONTO + "/go"): (200, [], "")})
    b.get(KONTO + "/f")
    b.submit(b.page.forms[0], {"a": "3", "r": "1"}, button="no")
    method, _, headers, body = b.requests[1]
    assert parse_qs(body.decode(), keep_blank_values=True) == {
        "a": ["3"], "t": ["x"], "c": ["yes"], "r": ["1"], "s": [""], "do": ["no"]}, body
    assert method == "POST" and headers["Origin"] == KONTO


def a_box_can_be_unticked_and_an_unknown_field_is_an_error():
    b = Scripted({("GET", KONTO + "/f"): (200, [], FORM), ("POST", KONTO + "/go"): (200, [], "")})
    b.get(KONTO + "/f")
    _refused(lambda: b.submit(b.page.forms[0], {"nosuch": "1"}), "no field nosuch")
    b.submit(b.page.forms[0], untick=["c"])
    assert "c" not in parse_qs(b.requests[1][3].decode())


def a_redirect_after_post_is_followed_by_get_and_brings_lax_cookies():
    b = Scripted({
        ("GET", PORTAL + "/"): (200, [], f"<form method=post action='{KONTO}/sso'><input name=x></form>"),
        ("POST", KONTO + "/sso"): (303, [("Location", "/flow/1"), ("Set-Cookie", "b=2; Secure")], ""),
        ("GET", KONTO + "/flow/1"): (200, [], "here")})
    b.cookies = {1: Cookie("s=1; Secure", KONTO, 0)}
    b.get(PORTAL + "/")
    b.submit(b.page.forms[0])
    assert "Cookie" not in b.requests[1][2] and b.requests[2][2]["Cookie"] == "s=1; b=2"
    assert b.page.text == "here"


def a_redirect_that_repeats_the_post_is_an_error():
    b = Scripted({("GET", KONTO + "/f"): (200, [], FORM),
                  ("POST", KONTO + "/go"): (307, [("Location", PORTAL + "/")], "")})
    b.get(KONTO + "/f")
    _refused(lambda: b.submit(b.page.forms[0]), "repeats a POST")


def form_action_holds_for_the_target_and_for_redirects():
    policy = [("Content-Security-Policy", "default-src 'none'; form-action 'self'")]
    answers = {("GET", KONTO + "/f"): (200, policy, FORM),
               ("POST", KONTO + "/go"): (303, [("Location", PORTAL + "/")], ""),
               ("GET", PORTAL + "/"): (200, [], "")}
    b = Scripted(answers)
    b.get(KONTO + "/f")
    _refused(lambda: b.submit(b.page.forms[0]), "form-action 'self'")
    answers["GET", KONTO + "/f"] = (200, [("Content-Security-Policy", f"form-action 'self' {PORTAL}")], FORM)
    b = Scripted(answers)
    b.get(KONTO + "/f")
    assert b.submit(b.page.forms[0]).url == PORTAL + "/"
    for schemes, allowed in (("http: https:", True), ("http:", False)):
        answers["GET", KONTO + "/f"] = (200, [("Content-Security-Policy", f"form-action 'self' {schemes}")], FORM)
        b = Scripted(answers)
        b.get(KONTO + "/f")
        if allowed:
            assert b.submit(b.page.forms[0]).url == PORTAL + "/"
        else:
            _refused(lambda: b.submit(b.page.forms[0]), "form-action 'self'")


def plain_http_and_other_machines_are_refused():
    b = Scripted({})
    _refused(lambda: b.get("http://konto.localhost/"), "not HTTPS")
    _refused(lambda: b.get("https://example.org/"), "not on this machine")


tap.run_all(dict(globals()))
