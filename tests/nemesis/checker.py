"""Judges a history: what the clients heard against what the database and its audit trail hold.

Pure: operations and marks (history.read), a World (gathered afterwards), and out come violations,
each with the name of the rule it breaks.  An operation without a clear answer may have happened or
not, but never both; what is asked only after a revocation was acknowledged must not succeed.
"""
import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import NamedTuple

NS = {"a": "urn:oasis:names:tc:SAML:2.0:assertion", "p": "urn:oasis:names:tc:SAML:2.0:protocol"}
FAMILY_NAME = {"saml": "surname", "oidc": "family_name"}
CLOCK_S = 3         # a node may be 2 s off the database; the history's own clock is another
LINGERS_S = 15      # a request that nobody waits for any more may still be carried out so long
CRASH_LOSES_S = 2   # what PostgreSQL commits lazily is on disk after 0.6 s (wal_writer_delay)
RETRIES = 2         # of HAProxy, for what it may send again
LAZY = {"login", "register", "answer"}  # begin with rows that a crash of PostgreSQL may lose

# What a change leaves in the audit trail: event, operations, whether by party.
TRAIL = [("account_created", {"register"}, False), ("login", {"register", "login", "totp", "enroll"}, False),
         ("consent_given", {"consent"}, True), ("consent_withdrawn", {"withdraw"}, True),
         ("assertion", {"answer"}, True), ("code_redeemed", {"redeem"}, True),
         ("session_ended", {"logout"}, False), ("account_state", {"disable", "enable"}, False),
         ("means_added", {"enroll"}, False)]
BESIDE = {"login_refused", "grant_revoked"}  # the client's own doing, counted elsewhere


class Violation(NamedTuple):
    rule: str
    text: str


@dataclass
class World:
    """What was there when all was over."""
    issuer: str = ""
    accounts: dict = field(default_factory=dict)      # login name: subject id, None: none
    states: dict = field(default_factory=dict)        # subject: state
    totp: Counter = field(default_factory=Counter)    # subject: how many apps
    consents: dict = field(default_factory=dict)      # (subject, party): given
    parties: dict = field(default_factory=dict)       # party: enabled
    participants: dict = field(default_factory=dict)  # (party, name id, session index): sid
    acting: dict = field(default_factory=dict)        # the same: subject
    sessions: set = field(default_factory=set)        # sids that live
    codes: dict = field(default_factory=dict)         # hash: taken
    tokens: set = field(default_factory=set)          # hashes
    audit: list = field(default_factory=list)         # (event, subject, party, details)
    unsigned: set = field(default_factory=set)        # operations whose signature does not hold


def dated_hash(purpose, text):
    """db/dated.c: what is stored of a code or a token."""
    return hashlib.sha256(purpose.encode() + b"\0" + text.encode()).hexdigest()


def claims_of(id_token):
    body = id_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def assertion_of(response):
    """The facts of a Response, as a portal reads them."""
    root = ET.fromstring(base64.b64decode(response))
    a = root.find("a:Assertion", NS)
    confirmed = a.find("a:Subject/a:SubjectConfirmation/a:SubjectConfirmationData", NS)
    return {
        "destination": root.get("Destination"), "in_response_to": root.get("InResponseTo"),
        "issuer": a.findtext("a:Issuer", namespaces=NS),
        "issued_at": datetime.fromisoformat(a.get("IssueInstant").replace("Z", "+00:00")).timestamp(),
        "name_id": a.findtext("a:Subject/a:NameID", namespaces=NS),
        "recipient": confirmed.get("Recipient"), "confirms": confirmed.get("InResponseTo"),
        "audience": [e.text for e in a.findall("a:Conditions/a:AudienceRestriction/a:Audience", NS)],
        "session_index": a.find("a:AuthnStatement", NS).get("SessionIndex"),
        "level": a.findtext("a:AuthnStatement/a:AuthnContext/a:AuthnContextClassRef", namespaces=NS),
        "attributes": {e.get("FriendlyName"): [v.text for v in e.findall("a:AttributeValue", NS)]
                       for e in a.findall("a:AttributeStatement/a:Attribute", NS)},
    }


def told(op):
    """Under which name and session a party heard of it: the key of a participant's row."""
    if "response" in op:
        a = assertion_of(op["response"])
        return op["party"], a["name_id"], a["session_index"]
    claims = claims_of(op["id_token"])
    return op["party"], claims["sub"], claims["sid"]


def _text(op):
    shown = {k: v for k, v in op.items() if k in (
        "n", "client", "op", "account", "party", "session", "flow", "request", "code", "step", "why")}
    return f"{op['outcome']} {shown}"


class Checker:
    def __init__(self, ops, marks, world, at_once_s=1.0, service_s=30.0):
        self.ops, self.marks, self.world = ops, marks, world
        self.at_once_s, self.service_s = at_once_s, service_s
        self.found = []
        self.by_kind = defaultdict(list)
        for op in ops:
            op.setdefault("balanced", False)
            self.by_kind[op["op"]].append(op)
        self.crashes = [m["at"] for m in marks if m["mark"] == "crash"]
        self.answers = {o["code"]: o for o in self.by_kind["answer"] if "code" in o}

    def say(self, rule, text):
        self.found.append(Violation(rule, text))

    def ok(self, *kinds):
        return [o for k in kinds for o in self.by_kind[k] if o["outcome"] == "ok"]

    def _may_be_lost(self, op):
        """Committed lazily, just before PostgreSQL died."""
        return op["op"] in LAZY and op.get("front") != "saml" and any(
            op["to"] - 0.1 <= at <= op["to"] + CRASH_LOSES_S for at in self.crashes)

    # ---- each one-time thing at most once ----

    def once(self):
        things = defaultdict(list)
        for op in self.ok("redeem"):
            things["code", op["code"]].append(op)
        for op in self.ok("answer"):
            if op["front"] == "saml":
                things["request", op["party"], op["request"]].append(op)
            if op.get("flow"):
                things["flow", op["flow"]].append(op)
        for op in self.ok("totp", "enroll"):
            things["step", op["account"], op["step"]].append(op)
        for thing, ops in things.items():
            if len(ops) > 1:
                self.say("once", f"{thing[0]} counted {len(ops)} times: {'; '.join(map(_text, ops))}")
        steps = defaultdict(list)
        for op in self.ok("totp", "enroll"):
            steps[op["account"]].append(op)
        for ops in steps.values():
            for a in ops:
                for b in ops:
                    if a["to"] < b["from"] and b["step"] < a["step"]:
                        self.say("once", f"a step went back: {_text(a)} then {_text(b)}")

    def second_use(self):
        """A code used twice takes back what its first use gave."""
        uses = defaultdict(list)
        for op in self.by_kind["redeem"]:
            if op["outcome"] == "ok" or "invalid_grant" in op.get("why", ""):
                uses[op["code"]].append(op)
        for op in self.ok("userinfo"):
            ended = [u for u in uses[op["code"]] if u["to"] < op["from"]]
            if len(ended) > 1 and any(u["outcome"] == "ok" for u in ended):
                self.say("second-use", f"{_text(op)} after {len(ended)} redemptions")

    # ---- what was acknowledged is there ----

    def _final(self, ops, effect):
        """The states that a sequence of changes may have left; empty: no change was acknowledged."""
        done = [o for o in ops if o["outcome"] == "ok"]
        if not done:
            return set()
        last = max(done, key=lambda o: o["to"])
        left = {effect[last["op"]]}
        for o in ops:
            if o["outcome"] != "ok" and (o["to"] is None or o["to"] + LINGERS_S > last["from"]) \
                    and (o["outcome"] == "unknown" or o["balanced"]):
                left.add(effect[o["op"]])
        return left

    def lost(self):
        w = self.world
        changes, consents, switches = defaultdict(list), defaultdict(list), defaultdict(list)
        for op in self.by_kind["register"]:
            if op["outcome"] == "ok" and w.accounts.get(op["account"]) is None:
                self.say("lost", f"the account of {_text(op)}")
        for op in self.ok("enroll"):
            if w.totp[w.accounts.get(op["account"])] < 1:
                self.say("lost", f"the app of {_text(op)}")
        for op in self.by_kind["disable"] + self.by_kind["enable"]:
            changes[op["account"]].append(op)
        for op in self.by_kind["consent"] + self.by_kind["withdraw"]:
            consents[op["account"], op["party"]].append(op)
        for op in self.by_kind["party-on"] + self.by_kind["party-off"]:
            switches[op["party"]].append(op)
        for account, ops in changes.items():
            may = self._final(ops, {"disable": "disabled", "enable": "active"})
            is_now = w.states.get(w.accounts.get(account))
            if may and is_now not in may:
                self.say("lost", f"{account} is {is_now}, after {_text(ops[-1])}")
        for (account, party), ops in consents.items():
            may = self._final(ops, {"consent": True, "withdraw": False})
            is_now = w.consents.get((w.accounts.get(account), party))
            if may and is_now not in may:
                self.say("lost", f"consent of {account} for {party} is {is_now}, not {may}")
        for party, ops in switches.items():
            may = self._final(ops, {"party-on": True, "party-off": False})
            if may and w.parties.get(party) not in may:
                self.say("lost", f"{party}: enabled is {w.parties.get(party)}, after {_text(ops[-1])}")
        for op in self.ok("answer"):
            if "code" in op and dated_hash("code", op["code"]) not in w.codes \
                    and not self._may_be_lost(op):
                self.say("lost", f"the code of {_text(op)}")
        self._ended_sessions()

    def _given(self):
        """Assertions and ID tokens."""
        return [o for o in self.ok("answer") if "response" in o] + self.ok("redeem")

    def _ended_sessions(self):
        ended = {o["session"] for o in self.ok("logout")}
        for op in self._given():
            sid = self.world.participants.get(told(op))
            if op["session"] in ended and sid in self.world.sessions:
                self.say("lost", f"the logout of {op['session']}, which {_text(op)} was given in")

    # ---- nothing without its row ----

    def recorded(self):
        w = self.world
        for op in self._given():
            if told(op) not in w.participants:
                self.say("unrecorded", f"no participant's row of {_text(op)}")
            elif w.acting[told(op)] != w.accounts.get(op["account"]):
                self.say("content", f"it is somebody else's: {_text(op)}")
        for op in self.ok("redeem"):
            if dated_hash("access-token", op["token"]) not in w.tokens:
                self.say("unrecorded", f"no row of the token of {_text(op)}")
            if not w.codes.get(dated_hash("code", op["code"])):
                self.say("unrecorded", f"the code is not marked as taken: {_text(op)}")

    # ---- nothing after a revocation ----

    @staticmethod
    def _undone(revoked, again, op):
        """Was it allowed anew before op ended?"""
        return any(o["from"] > revoked["from"] and o["from"] < op["to"] and o["outcome"] != "fail"
                   for o in again)

    def _origin(self, op):
        """When what is used here was given."""
        return self.answers.get(op.get("code"), op) if op["op"] in ("redeem", "userinfo") else op

    def _revocations(self, op):
        """Those that op falls under: the revocation, what undoes it, from when on it counts."""
        for r in self.ok("disable"):
            if r["account"] == op["account"]:
                yield r, [e for e in self.by_kind["enable"] if e["account"] == r["account"]], 0
        if op["op"] == "login":
            return
        for r in self.ok("logout"):
            if r["session"] == op.get("session"):
                yield r, [], 0
        for r in self.ok("withdraw"):
            if (r["account"], r["party"]) == (op["account"], op["party"]) and \
                    (op["op"] == "answer" or (self._origin(op)["to"] or 0) < r["from"]):
                yield r, [c for c in self.by_kind["consent"]
                          if (c["account"], c["party"]) == (r["account"], r["party"])], 0
        for r in self.ok("party-off"):
            if r["party"] == op["party"]:
                yield r, [e for e in self.by_kind["party-on"] if e["party"] == r["party"]], \
                    self.at_once_s

    def after_revocation(self):
        for op in self.ok("answer", "redeem", "userinfo", "login"):
            for revoked, again, grace in self._revocations(op):
                if revoked["to"] + grace < op["from"] and not self._undone(revoked, again, op):
                    self.say("after-revocation", f"{_text(op)} after {_text(revoked)}")

    # ---- one audit row per change ----

    @staticmethod
    def _bounds(ops, may_be_lost):
        least = most = 0
        for o in ops:
            least += o["outcome"] == "ok" and not may_be_lost(o)
            most += o["outcome"] != "fail"
            if o["balanced"]:  # it may have come to a node more than once
                most += RETRIES + (o["outcome"] == "fail")
        return least, most

    def audit(self):
        rows, asked = Counter(), defaultdict(list)
        for event, subject, party, _ in self.world.audit:
            by_party = next((p for e, _, p in TRAIL if e == event), None)
            rows[subject, event, party if by_party else None] += 1
        logins = {s: n for n, s in self.world.accounts.items() if s is not None}
        for event, kinds, by_party in TRAIL:
            for kind in kinds:
                for op in self.by_kind[kind]:
                    subject = self.world.accounts.get(op["account"])
                    asked[subject, event, op["party"] if by_party else None].append(op)
        for key in rows.keys() | asked.keys():
            subject, event, party = key
            if subject not in logins or event in BESIDE:
                continue
            least, most = self._bounds(asked[key], self._may_be_lost)
            if not least <= rows[key] <= most:
                self.say("audit", f"{logins[subject]}: {rows[key]} rows of {event} {party or ''}, "
                                  f"{least} to {most} are right")
        self._audit_switches()
        self._audit_revoked()

    def _audit_switches(self):
        """A switch that was in its place already is no change."""
        switches, rows = defaultdict(list), Counter()
        for event, _, party, _ in self.world.audit:
            rows[party] += event == "party_enabled"
        for op in self.by_kind["party-on"] + self.by_kind["party-off"]:
            switches[op["party"]].append(op)
        for party, ops in switches.items():
            ops.sort(key=lambda o: o["from"])
            least, before = 0, {"op": "party-on", "outcome": "ok"}
            for op in ops:
                least += op["outcome"] == before["outcome"] == "ok" and op["op"] != before["op"]
                before = op
            most = sum(o["outcome"] != "fail" for o in ops)
            if not least <= rows[party] <= most:
                self.say("audit", f"{party}: {rows[party]} rows of party_enabled, "
                                  f"{least} to {most} are right")

    def _audit_revoked(self):
        """A grant is revoked once: not more often than codes were given."""
        revoked, given = Counter(), Counter()
        for event, subject, party, _ in self.world.audit:
            revoked[subject, party] += event == "grant_revoked"
        for op in self.by_kind["answer"]:
            if op["outcome"] != "fail" or op["balanced"]:
                given[self.world.accounts.get(op["account"]), op["party"]] += 1 + RETRIES * op["balanced"]
        for key, n in revoked.items():
            if key[0] in self.world.accounts.values() and n > given[key]:
                self.say("audit", f"{key}: {n} grants revoked of {given[key]}")

    # ---- what was said is right ----

    def _expect(self, op, what, is_now, right):
        if is_now != right:
            self.say("content", f"{what} is {is_now!r}, right is {right!r}: {_text(op)}")

    def _timely(self, op, at):
        if not op["from"] - CLOCK_S <= at <= op["to"] + CLOCK_S:
            self.say("content", f"its time is {at - op['from']:.0f} s off: {_text(op)}")

    def content(self):
        for op in self.ok("answer"):
            if op.get("least") == "substantial":
                self._expect(op, "level", op["level"], "substantial")
            if "response" in op:
                self._assertion(op, assertion_of(op["response"]))
        for op in self.ok("redeem"):
            self._id_token(op, claims_of(op["id_token"]))
        for op in self.ok("userinfo"):
            self._expect(op, "name", op["claims"].get("family_name"), op["family"])
        for n in self.world.unsigned:
            self.say("content", f"the signature does not hold: operation {n}")
        self._names()

    def _assertion(self, op, a):
        self._expect(op, "issuer", a["issuer"], self.world.issuer + "/saml/metadata")
        self._expect(op, "audience", a["audience"], [op["party"]])
        self._expect(op, "destination", a["destination"], op["acs"])
        self._expect(op, "recipient", a["recipient"], op["acs"])
        self._expect(op, "InResponseTo", a["in_response_to"], op["request"])
        self._expect(op, "InResponseTo of the subject", a["confirms"], op["request"])
        self._expect(op, "level", a["level"], op["level"])
        self._expect(op, "attributes", a["attributes"], {FAMILY_NAME["saml"]: [op["family"]]})
        self._timely(op, a["issued_at"])

    def _id_token(self, op, claims):
        asked = self.answers.get(op["code"])
        if asked is None:
            self.say("content", f"a code that nobody was given: {_text(op)}")
            return
        half = hashlib.sha256(op["token"].encode()).digest()[:16]
        self._expect(op, "party", op["party"], asked["party"])
        self._expect(op, "iss", claims["iss"], self.world.issuer)
        self._expect(op, "aud", claims["aud"], op["party"])
        self._expect(op, "nonce", claims.get("nonce"), asked["request"])
        self._expect(op, "acr", claims["acr"], asked["level"])
        self._expect(op, "amr", sorted(claims["amr"]), ["mfa", "otp", "pwd"] if asked["stepped"]
                     else ["pwd"])
        self._expect(op, "at_hash", claims["at_hash"],
                     base64.urlsafe_b64encode(half).decode().rstrip("="))
        self._timely(op, claims["iat"])

    def _names(self):
        """One name for an account at a party, and nobody else's."""
        subs, owners = defaultdict(set), defaultdict(set)
        for op in self.ok("redeem"):
            sub = claims_of(op["id_token"])["sub"]
            subs[op["account"], op["party"]].add(sub)
            owners[op["party"], sub].add(op["account"])
        for key, several in [*subs.items(), *owners.items()]:
            if len(several) > 1:
                self.say("content", f"{key} has {len(several)} names or owners: {sorted(several)}")

    # ---- service ----

    def service(self):
        for m in self.marks:
            if m["mark"] == "surprise":
                self.say("surprise", f"{m['client']}: {m['text'][-600:]}")
            if m["mark"] == "served" and not m["seconds"] <= self.service_s:
                self.say("service", f"{m['node']} served {m['seconds']} s after {m['fault']}")
            if m["mark"] == "missed":
                self.say(m["rule"], m["text"])

    def run(self):
        for judge in (self.once, self.second_use, self.lost, self.recorded, self.after_revocation,
                      self.audit, self.content, self.service):
            judge()
        return self.found


def check(ops, marks, world, **limits):
    return Checker(ops, marks, world, **limits).run()
