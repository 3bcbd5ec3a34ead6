"""What is aimed at: each goal a ratio that one run on one machine gives.

S, P, K: raw RSA-2048 signatures, P-256 signatures, Argon2id hashes a second, of one core.
A row reads what bench.py measured (m) and gives the figure to compare, or None when this run
has not measured it.
"""
from typing import Callable, NamedTuple


class Goal(NamedTuple):
    number: str
    what: str
    at_least: bool  # else at most
    goal: float
    unit: str
    read: Callable


def ratio(what):
    """To its limit, taken just before and after."""
    return lambda m: m["ratio"][what]


def p99_to_p50(m):
    return m["oidc_es256"]["p99_ms"] / m["oidc_es256"]["p50_ms"]


def two_cores(kind):
    return lambda m: m["two_cores"][kind]


def peer(name, field="per_s"):
    """Ours beside a peer's, one after another."""
    return lambda m: m["peers"][name][f"{field}_ratio"]


def grown(kind):
    def read(m):
        pair = m.get("growth", {}).get(kind)
        return pair[1] / pair[0] if pair else None
    return read


def overloaded(field, of=max):
    """Of the loads that were ten times too much."""
    def read(m):
        return of(row[field] for row in m["overload"].values())
    return read


def goodput(kind):
    return lambda m: m["overload"][kind]["goodput"]


def of_sizes(m):
    return m["members"]["10000"]["ours_s"] / m["members"]["1000"]["ours_s"]


def kib_of_a_member(m):
    few, many = m["partners"]["10"]["mib"], m["partners"]["10000"]["mib"]
    return max(0, many - few) * 1024 / (10_000 - 10)


GOALS = [
    Goal("1", "client credentials, RS256 JWT", True, 0.75, "S", ratio("credentials_rs256")),
    Goal("2", "client credentials, ES256 JWT", True, 0.15, "P", ratio("credentials_es256")),
    Goal("3", "OIDC login, RS256, durable", True, 0.35, "S", ratio("oidc_rs256")),
    Goal("4", "OIDC login, ES256, durable", True, 0.50, "S", ratio("oidc_es256")),
    Goal("5", "OIDC login beside oidc-provider in memory", True, 2, "x",
         peer("oidc-provider: login")),
    Goal("6", "login with password, of 1 / (1/K + 1/login)", True, 0.85, "", ratio("full")),
    Goal("7", "SAML login, RSA, both signed", True, 0.30, "S", ratio("saml_rs256")),
    Goal("7a", "SAML login, P-256, both signed", True, 0.70, "S", ratio("saml_es256")),
    Goal("7a", "SAML login, P-256, both signed, encrypted", True, 0.60, "S",
         ratio("saml_enc")),
    Goal("8", "SAML login beside SimpleSAMLphp", True, 10, "x", peer("simplesamlphp: SAML login, RSA")),
    Goal("9", "userinfo", True, 3, "S", ratio("userinfo")),
    Goal("9", "introspection", True, 3, "S", ratio("introspection")),
    Goal("9", "userinfo beside oidc-provider in memory", True, 2.5, "x", peer("oidc-provider: userinfo")),
    Goal("9", "introspection beside oidc-provider in memory", True, 2.5, "x",
         peer("oidc-provider: introspection")),
    Goal("10", "JWKS, of the smallest handler", True, 0.8, "", ratio("jwks")),
    Goal("10", "discovery, of the smallest handler", True, 0.8, "",
         ratio("discovery")),
    Goal("10", "SAML metadata, of the smallest handler", True, 0.8, "",
         ratio("metadata")),
    Goal("11", "OIDC login, p99 of p50", False, 2, "x", p99_to_p50),
    Goal("11", "OIDC login, p99 of oidc-provider's", False, 0.5, "x",
         peer("oidc-provider: login", "p99_ms")),
    Goal("12", "p99 of light requests beside 8 password logins", False, 15, "ms",
         lambda m: m["light"]["p99_ms"] if "light" in m else None),
    Goal("13", "OIDC login, two cores of one", True, 1.8, "x", two_cores("oidc")),
    Goal("13", "SAML login, two cores of one", True, 1.8, "x", two_cores("saml")),
    Goal("14", "10,000 members taken, of xmlsec1 --verify on the file", False, 0.2, "x",
         lambda m: m["members"]["10000"]["ratio"]),
    Goal("15", "memory that takes, above idle, whatever the size", False, 32, "MiB",
         lambda m: max(r["ours_mib"] for r in m["members"].values())),
    Goal("16", "10,000 members taken, of 1,000", False, 11, "x", of_sizes),
    Goal("16", "SAML login p50, 10,000 members of 10", False, 1.2, "x", lambda m: m["partners"]["p50_ratio"]),
    Goal("16", "memory of a member that is not used", False, 1, "KiB", kib_of_a_member),
    Goal("17", "SAML login p99 while copies are taken and read, of without", False, 2, "x",
         lambda m: m["partners"]["meanwhile"]["p99_ms"] / m["partners"]["alone"]["p99_ms"]),
    Goal("18", "memory idle, 100 portals", False, 25, "MiB", lambda m: m.get("idle_mib")),
    Goal("19", "memory under load, less a block for each hash worker", False, 40, "MiB",
         lambda m: m.get("loaded_mib")),
    Goal("19", "memory at the end of the long run, of its beginning", False, 1.05, "x",
         lambda m: m.get("memory_growth")),
    Goal("20", "start to first answer", False, 150, "ms", lambda m: m.get("start_ms")),
    Goal("20", "start with 10,000 members, of none", False, 1.5, "x",
         lambda m: m["partners"]["10000"]["start_ms"] / m["partners"]["start_none_ms"]),
    Goal("21", "name look-up, most accounts of fewest", True, 0.2, "x", grown("look_up")),
    Goal("21", "login with password, most accounts of fewest", True, 0.95, "x", grown("full")),
    Goal("21", "OIDC login, most accounts of fewest", True, 0.8, "x", grown("oidc")),
    Goal("22", "OIDC login, most sessions of fewest", True, 0.8, "x", grown("sessions")),
    Goal("23", "refresh, rotated, RS256", True, 0.45, "S", ratio("refresh_rs256")),
    Goal("23", "refresh, rotated, ES256", True, 1.0, "S", ratio("refresh_es256")),
    Goal("24", "errors in all of it", False, 0, "", lambda m: m["errors"]),
    Goal("25", "OIDC logins done when ten times as many begin", True, 0.8, "", goodput("oidc_es256")),
    Goal("25", "SAML logins done when ten times as many begin", True, 0.8, "", goodput("saml_es256")),
    Goal("25", "logins with password done when ten times as many begin", True, 0.8, "", goodput("full")),
    Goal("25", "p99 of light requests meanwhile", False, 50, "ms", overloaded("light_p99_ms")),
    Goal("25", "p99 of refusals meanwhile", False, 100, "ms", overloaded("refused_p99_ms")),
    Goal("25", "memory of a connection meanwhile", False, 128, "KiB", overloaded("connection_kib")),
    Goal("26", "memory after the soak, of after its beginning", False, 1.01, "x",
         lambda m: m["soak"]["memory_mib"][-1] / m["soak"]["memory_mib"][0]),
    Goal("26", "descriptors left open by the soak", False, 0, "",
         lambda m: m["soak"]["descriptors"][-1] - m["soak"]["descriptors"][0]),
]


def judged(measured):
    """(goal, figure, met) of each row; figure and met None where nothing was measured."""
    for goal in GOALS:
        try:
            figure = goal.read(measured)
        except KeyError:  # not in this run
            figure = None
        met = None if figure is None else figure >= goal.goal if goal.at_least else figure <= goal.goal
        yield goal, figure, met
