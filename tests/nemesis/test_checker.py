#!/usr/bin/env python3
"""The checker itself: a right history passes, and each violation planted in it is named."""
import base64
import copy
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tap  # noqa: E402
from checker import World, check, dated_hash  # noqa: E402

BASE, ACS, SAML, OIDC = "https://konto.localhost", "https://p.localhost/acs", "urn:p", "client"
SUBJECT, FAMILY = "aa", "Nemesis Muster"
RESPONSE = """<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" Destination="{acs}" InResponseTo="{request}">
<a:Assertion IssueInstant="{at}"><a:Issuer>{issuer}</a:Issuer><a:Subject><a:NameID>{name}</a:NameID>
<a:SubjectConfirmation><a:SubjectConfirmationData Recipient="{recipient}" InResponseTo="{confirms}"/>
</a:SubjectConfirmation></a:Subject><a:Conditions><a:AudienceRestriction><a:Audience>{audience}</a:Audience>
</a:AudienceRestriction></a:Conditions><a:AuthnStatement SessionIndex="{index}"><a:AuthnContext>
<a:AuthnContextClassRef>{level}</a:AuthnContextClassRef></a:AuthnContext></a:AuthnStatement>
<a:AttributeStatement><a:Attribute FriendlyName="surname"><a:AttributeValue>{family}</a:AttributeValue>
</a:Attribute></a:AttributeStatement></a:Assertion></p:Response>"""


def _response(**other):
    facts = {"acs": ACS, "request": "_r", "at": "1970-01-01T00:00:21Z", "confirms": "_r", "name": "_n",
             "issuer": BASE + "/saml/metadata", "recipient": ACS, "audience": SAML, "index": "_i",
             "level": "low", "family": FAMILY} | other
    return base64.b64encode(RESPONSE.format(**facts).encode()).decode()


def _id_token(token="tok", **other):
    half = hashlib.sha256(token.encode()).digest()[:16]
    claims = {"iss": BASE, "sub": "sub", "aud": OIDC, "nonce": "non", "acr": "low", "amr": ["pwd"],
              "iat": 31, "sid": "sid", "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("=")}
    body = base64.urlsafe_b64encode(json.dumps(claims | other).encode()).decode()
    return f"h.{body}.s"


class _Past:
    """One account: registered, an assertion, a code redeemed, consents given and withdrawn, an app,
    a logout, disabled and enabled, a portal switched off and on; each step takes a second."""

    def __init__(self):
        self.ops, self.marks, self.at = [], [], 0
        self.session = "s1"
        self.add("register")
        self.at = 10
        self.add("consent", party=SAML, flow="f1")
        self.at = 20
        self.saml = self.add("answer", front="saml", party=SAML, request="_r", flow="f1",
                             response=_response(), acs=ACS, level="low", stepped=False)
        self.add("consent", party=OIDC, flow="f2")
        self.oidc = self.add("answer", front="oidc", party=OIDC, request="non", flow="f2", code="c1",
                             level="low", stepped=False)
        self.at = 30
        self.redeem = self.add("redeem", party=OIDC, code="c1", token="tok", id_token=_id_token())
        self.userinfo = self.add("userinfo", party=OIDC, code="c1", token="tok",
                                 claims={"sub": "sub", "family_name": FAMILY})
        self.replay = self.add("redeem", party=OIDC, code="c1", why="400 invalid_grant")
        self.withdraw = self.add("withdraw", party=OIDC)
        self.enroll = self.add("enroll", step=1)
        self.totp = self.add("totp", step=2)
        self.logout = self.add("logout")
        self.disable = self.add("disable")
        self.enable = self.add("enable")
        self.login = self.add("login")
        self.off = self.add("party-off", party=SAML)
        self.at += 10
        self.on = self.add("party-on", party=SAML)
        self.world = World(
            issuer=BASE, accounts={"kim": SUBJECT}, states={SUBJECT: "active"},
            totp=Counter([SUBJECT]), consents={(SUBJECT, SAML): True, (SUBJECT, OIDC): False},
            parties={SAML: True, OIDC: True}, sessions=set(),
            participants={(SAML, "_n", "_i"): "row1", (OIDC, "sub", "sid"): "row1"},
            acting={(SAML, "_n", "_i"): SUBJECT, (OIDC, "sub", "sid"): SUBJECT},
            codes={dated_hash("code", "c1"): True}, tokens={dated_hash("access-token", "tok")},
            audit=[(e, SUBJECT, p, {}) for e, p in (
                ("account_created", None), ("login", None), ("consent_given", SAML),
                ("assertion", SAML), ("consent_given", OIDC), ("assertion", OIDC),
                ("code_redeemed", OIDC), ("grant_revoked", OIDC), ("consent_withdrawn", OIDC),
                ("means_added", None), ("login", None), ("login", None), ("session_ended", None),
                ("account_state", None), ("account_state", None), ("login", None))] +
            [("party_enabled", None, SAML, {})] * 2)

    def add(self, kind, **facts):
        op = {"n": len(self.ops) + 1, "client": "c", "op": kind, "account": "kim", "family": FAMILY,
              "session": self.session, "balanced": False, "from": self.at, "to": self.at + 0.5,
              "outcome": "fail" if "why" in facts else "ok"} | facts
        self.ops.append(op)
        self.at += 1
        return op

    def again(self, op, at, **other):
        """The same once more."""
        more = copy.deepcopy(op) | {"n": len(self.ops) + 1, "from": at, "to": at + 0.5} | other
        self.ops.append(more)
        return more

    def rules(self, **limits):
        return {v.rule for v in check(self.ops, self.marks, self.world, **limits)}


def _breaks(rule, plant, also=()):
    """One violation planted; the checker names its rule and none that do not come with it."""
    past = _Past()
    plant(past)
    found = past.rules()
    assert rule in found and found <= {rule, *also}, f"planted {rule}, found {found}"


def _holds(plant):
    past = _Past()
    plant(past)
    found = check(past.ops, past.marks, past.world)
    assert not found, found


def _set(op, **facts):
    op.update(facts)


def a_right_history_breaks_nothing():
    _holds(lambda p: None)


def what_counts_once_counts_once():
    _breaks("once", lambda p: p.again(p.redeem, 31.2, token="tok"), also=("audit",))
    _breaks("once", lambda p: p.again(p.saml, 21.2, flow="f9"), also=("audit",))
    _breaks("once", lambda p: p.again(p.saml, 21.2, request="_r2", response=_response(
        request="_r2", confirms="_r2")), also=("audit",))
    _breaks("once", lambda p: p.again(p.totp, 36), also=("audit",))
    _breaks("once", lambda p: _set(p.totp, step=0))


def a_second_use_takes_back_what_the_first_gave():
    _breaks("second-use", lambda p: p.again(p.userinfo, 32.8))


def an_acknowledged_change_is_there():
    _breaks("lost", lambda p: p.world.accounts.update(kim=None), also=("audit", "content"))
    _breaks("lost", lambda p: p.world.states.update({SUBJECT: "disabled"}))
    _breaks("lost", lambda p: p.world.totp.clear())
    _breaks("lost", lambda p: p.world.consents.update({(SUBJECT, OIDC): True}))
    _breaks("lost", lambda p: p.world.consents.pop((SUBJECT, SAML)))
    _breaks("lost", lambda p: p.world.parties.update({SAML: False}))
    _breaks("lost", lambda p: p.world.codes.clear(), also=("unrecorded",))
    _breaks("lost", lambda p: p.world.sessions.add("row1"))


def what_was_given_has_its_row():
    _breaks("unrecorded", lambda p: p.world.participants.pop((SAML, "_n", "_i")))
    _breaks("unrecorded", lambda p: p.world.participants.pop((OIDC, "sub", "sid")))
    _breaks("unrecorded", lambda p: p.world.tokens.clear())
    _breaks("unrecorded", lambda p: p.world.codes.update({dated_hash("code", "c1"): False}))


def nothing_is_given_after_a_revocation():
    def saml_at(p, at, **other):
        p.world.audit.append(("assertion", SUBJECT, SAML, {}))
        p.world.participants[SAML, "_n2", "_i"] = "row2"
        p.world.acting[SAML, "_n2", "_i"] = SUBJECT
        seconds = f"{int(at):02}"
        p.again(p.saml, at, request="_r9", flow=None, session="s2", response=_response(
            request="_r9", confirms="_r9", name="_n2", at=f"1970-01-01T00:00:{seconds}Z"), **other)

    _holds(lambda p: saml_at(p, p.enable["to"] + 0.2))
    _breaks("after-revocation", lambda p: saml_at(p, p.disable["to"] + 0.1, to=p.enable["from"] - 0.1))
    _breaks("after-revocation", lambda p: saml_at(p, p.off["to"] + 2))
    _holds(lambda p: saml_at(p, p.off["to"] + 0.5))  # within a second
    _breaks("after-revocation", lambda p: _set(p.userinfo, **{
        "from": p.logout["to"] + 0.1, "to": p.logout["to"] + 0.2}), also=("second-use",))
    _breaks("after-revocation", lambda p: _set(p.userinfo, session="s9", **{
        "from": p.withdraw["to"] + 0.1, "to": p.withdraw["to"] + 0.2}), also=("second-use",))
    _breaks("after-revocation", lambda p: _set(p.redeem, session="s9", id_token=_id_token(iat=34), **{
        "from": p.withdraw["to"] + 0.1, "to": p.withdraw["to"] + 0.2}))
    _breaks("after-revocation", lambda p: _set(p.login, **{
        "from": p.disable["to"] + 0.1, "to": p.disable["to"] + 0.2}))

    def without_consent(p):
        p.world.audit.append(("assertion", SUBJECT, OIDC, {}))
        p.world.codes[dated_hash("code", "c2")] = False
        p.again(p.oidc, p.withdraw["to"] + 0.1, to=p.withdraw["to"] + 0.2, code="c2", flow=None)

    _breaks("after-revocation", without_consent)


def the_trail_has_one_row_for_each_change():
    for i in range(16):
        past = _Past()
        event = past.world.audit[i][0]
        if event == "grant_revoked":
            continue
        del past.world.audit[i]
        assert past.rules() == {"audit"}, (event, past.rules())
        past = _Past()
        past.world.audit.append(past.world.audit[i])
        assert past.rules() == {"audit"}, (event, past.rules())
    _breaks("audit", lambda p: p.world.audit.pop())
    _breaks("audit", lambda p: p.world.audit.append(p.world.audit[-1]))
    _breaks("audit", lambda p: p.world.audit.append(("grant_revoked", SUBJECT, OIDC, {})))
    _breaks("audit", lambda p: p.world.audit.append(("means_removed", SUBJECT, None, {})))


def an_unknown_change_happened_once_or_not_at_all():
    def unknown(p, rows):
        p.again(p.withdraw, 34, outcome="unknown")
        p.world.audit += [("consent_withdrawn", SUBJECT, OIDC, {})] * rows

    _holds(lambda p: unknown(p, 0))
    _holds(lambda p: unknown(p, 1))
    _breaks("audit", lambda p: unknown(p, 2))
    # It may undo what was acknowledged before it, and only that.
    _holds(lambda p: (p.again(p.disable, p.enable["to"] + 0.1, outcome="unknown", to=None),
                      p.world.states.update({SUBJECT: "disabled"})))
    _breaks("lost", lambda p: (p.again(p.disable, p.enable["to"] + 0.1, outcome="unknown", to=None),
                               p.world.states.update({SUBJECT: "deleted"})))


def what_a_crash_may_lose_is_no_more_than_that():
    def lose(p, at):
        p.oidc.pop("code")
        p.oidc["code"] = "c0"
        p.again(p.oidc, p.oidc["from"], code="c1", outcome="ok", flow="f3")
        p.world.audit.append(("assertion", SUBJECT, OIDC, {}))
        p.marks.append({"mark": "crash", "at": at})

    past = _Past()
    lose(past, past.oidc["to"] + 0.3)
    assert not past.rules(), past.rules()
    past = _Past()
    lose(past, past.oidc["to"] + 5)
    assert past.rules() == {"lost"}, past.rules()
    # What was committed before it was answered is never lost.
    _breaks("lost", lambda p: (p.world.consents.pop((SUBJECT, SAML)),
                               p.marks.append({"mark": "crash", "at": 10.6})))
    _breaks("unrecorded", lambda p: (p.world.tokens.clear(),
                                     p.marks.append({"mark": "crash", "at": 30.6})))


def what_was_said_is_right():
    for wrong in ({"audience": "urn:other"}, {"acs": "https://evil.localhost/"}, {"recipient": "x"},
                  {"request": "_other"}, {"confirms": "_other"}, {"level": "substantial"},
                  {"family": "Somebody Else"}, {"issuer": "x"}, {"at": "1970-01-01T00:01:51Z"},
                  {"at": "1969-12-31T23:58:51Z"}):
        _breaks("content", lambda p, w=wrong: _set(p.saml, response=_response(**w)))
    for wrong in ({"iss": "x"}, {"aud": "other"}, {"nonce": "other"}, {"acr": "substantial"},
                  {"amr": ["mfa", "otp", "pwd"]}, {"at_hash": "x"}, {"iat": 121}, {"iat": -59}):
        _breaks("content", lambda p, w=wrong: _set(p.redeem, id_token=_id_token(**w)))
    _breaks("content", lambda p: p.userinfo["claims"].update(family_name="Somebody Else"))
    _breaks("content", lambda p: _set(p.saml, least="substantial"))
    _breaks("content", lambda p: p.world.acting.update({(SAML, "_n", "_i"): "bb"}))
    _breaks("content", lambda p: p.world.unsigned.add(3))
    _breaks("content", lambda p: _set(p.oidc, code="c7"), also=("lost", "unrecorded"))


def one_name_is_one_persons():
    def second(p, **other):
        p.world.accounts["max"] = "bb"
        p.world.codes |= {dated_hash("code", "c2"): True}
        p.world.tokens.add(dated_hash("access-token", "tok2"))
        p.world.participants[OIDC, other.get("sub", "sub"), "sid"] = "row3"
        p.world.acting[OIDC, other.get("sub", "sub"), "sid"] = "bb"
        p.world.audit += [("assertion", "bb", OIDC, {}), ("code_redeemed", "bb", OIDC, {})]
        p.again(p.oidc, 23, account="max", code="c2", flow="f7", request="non2")
        p.again(p.redeem, 30, account="max", code="c2", token="tok2", session="s7",
                id_token=_id_token("tok2", nonce="non2", **other))

    _holds(lambda p: second(p, sub="sub2"))
    _breaks("content", second)


def service_comes_back_in_time_and_no_page_is_unknown():
    served = {"mark": "served", "fault": "http", "node": "node1"}
    _holds(lambda p: p.marks.append(served | {"seconds": 29}))
    _breaks("service", lambda p: p.marks.append(served | {"seconds": 31}))
    _breaks("service", lambda p: p.marks.append(served | {"seconds": float("inf")}))
    _breaks("surprise", lambda p: p.marks.append({"mark": "surprise", "client": "c", "text": "t"}))
    _breaks("clock", lambda p: p.marks.append({"mark": "missed", "rule": "clock", "text": "t"}))


def through_the_balancer_a_request_may_come_again():
    _holds(lambda p: (_set(p.login, balanced=True), p.world.audit.append(("login", SUBJECT, None, {}))))
    _breaks("audit", lambda p: (_set(p.login, balanced=True), p.world.audit.extend(
        [("login", SUBJECT, None, {})] * 3)))


if __name__ == "__main__":
    tap.run_all(dict(globals()))
