#!/usr/bin/env python3
"""./dev check-refusals: which refusals would no test miss?

usage: check_refusals.py [--fresh] [--jobs N] [--list] [--tests SUITE,...] [FILE...]

Takes each check (refusal_checks.py says what one is) out in turn and runs the tests in which it
refuses until one fails.  All checks lie in one build behind switches, so nothing is compiled
again.  Prints a line for each file and one for each check that no test misses; exits 1 when there
is one.  A verdict is kept (build-refusals/verdicts.json) until the function or the test that
noticed changes.

  FILE     only these files; default: all of SCOPE
  --fresh  forget kept verdicts
  --list   say what would be taken out, and run nothing
  --tests  look for a test in these folders only: a first look, faster than the whole

Two kinds of checks need no test.  EXCUSED names calls that no input brings to fail; only such as refuse
in no case at all.  A second line of defence, behind which nothing changes when it is taken out,
says so in the source: `/* second line: why */` in the check's line or before its statement.  It
is listed, and when a test does miss it, the comment is what is wrong.
"""
import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import refusal_checks
import refusal_run
from refusal_run import Broken, Build, Case, Runner, each

ROOT = Path(__file__).resolve().parent.parent

SCOPE = ("saml/*.c", "oidc/*.c", "idp/gate.c", "idp/request.c", "idp/csrf.c", "idp/cookie.c",
         "idp/session.c", "idp/flow*.c", "idp/front*.c", "idp/ep_*.c", "idp/login*.c", "idp/consent.c",
         "idp/release.c", "idp/grant*.c", "idp/level.c", "idp/acr.c", "idp/saml_*.c", "idp/ask.c",
         "idp/logout*.c", "idp/outbox.c", "idp/fetch.c", "idp/vocabulary.c", "idp/party_suite.c",
         "idp/policy.c", "idp/lane.c", "idp/home*.c", "idp/upstream.c", "idp/federation*.c",
         "idp/publication.c", "idp/client_keys.c", "idp/client_proof.c", "idp/evidence.c",
         "idp/cors.c", "idp/refusal.c", "idp/simulate*.c")
SUITES = {"saml", "oidc", "idp", "flow", "fuzz"}
OPTIONS = ("-Db_sanitize=address,undefined", "-Darena_debug=true")  # as ./dev test builds

# What no input brings to refuse, by function.  Only a check that refuses in no case at all is
# excused by its name: one that refuses somewhere has to be noticed there.
EXCUSED = {
    "memory or a cap far above what comes": (
        "buf_finish buf_finish_str xmlw_finish soap_write soap_end soap_write_fault deflate_all "
        "deflate_message show_page "
        "json_keep consent_show_missing saml_send totp_secret_text qr_path oidc_return_code "
        "oidc_return_error front_oidc_refuse logout_show_done logout_go_on login_show_first"),
    "nothing: it answers true": "flow_lead_on",
    "a library that fails for want of memory only": (
        "xmlMemSetup thread_is_known inflateInit2 deflateInit2 deflate EVP_PKEY_fromdata_init "
        "EVP_PKEY_get_bn_param BN_bn2binpad EVP_PKEY_get_raw_public_key OBJ_obj2txt "
        "curl_easy_setopt pthread_create totp_match OSSL_PARAM_BLD_push_BN hash_named cert_ec_point cert_spki_build envelope_agree envelope_wrap_aes envelope_seal put_number"),
    # saml_schema_check and xml_check_children have refused what these would (saml/test_schema.c).
    # By name only: that something came before is for whoever writes the reader (docs/tests.md).
    "reading a shape that is settled": (
        "xml_child xml_child_opt xml_need_attr xml_text find_child saml_attr_time saml_attr_short "
        "saml_attr_bool saml_attr_duration"),
}
CALL = re.compile(r"\(?(?:\w+ [!=]= NULL (?:&&|\|\|) )?!?(\w+)\(")
# The result of one of these, compared with NULL.
MADE_BY_LIBRARY = re.compile(r"(?:EVP_\w+_new\w*|EVP_PKEY_CTX_new\w*|OSSL_PARAM_BLD_\w+|BN_\w+|"
                             r"curl_easy_init|arena_create|xmlCreate\w+|xmlNew\w+|d2i_\w+|EVP_PKEY_new\w*|number|rsa_params|make_key)\(")


@contextmanager
def database(root):
    """A PostgreSQL for as long as the run takes."""
    memory = Path("/dev/shm")  # a database for each program that is run: files come and go
    env = dict(os.environ, TMPDIR=str(memory)) if os.access(memory, os.W_OK) else None
    server = subprocess.Popen([str(root / "tools" / "pg-temp"), "run", "--fast", "--own"], env=env,
                              stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


class Kept:
    """Verdicts and observations of earlier runs, as far as they still hold."""

    def __init__(self, root, folder, fresh):
        self.root, self.path = root, folder / "verdicts.json"
        known = {} if fresh or not self.path.exists() else json.loads(self.path.read_text())
        self.verdicts, self.seen = known.get("verdicts", {}), known.get("observed", {})
        self.stood = known.get("alone", {})

    def save(self):
        text = json.dumps({"verdicts": self.verdicts, "observed": self.seen, "alone": self.stood})
        self.path.write_text(text, encoding="utf-8")

    @staticmethod
    def _digest(*octets):
        return hashlib.sha256(b"\0".join(octets)).hexdigest()

    def _test_text(self, program):
        suite, name = program.split("/", 1)
        text = ""
        for test in (self.root / "tests" / suite / f for f in (f"test_{name}.c", f"{name}.c")):
            text += test.read_text(encoding="utf-8") if test.exists() else ""
        return text

    def _state(self, check, by):
        """The function with the check, and the case that noticed (else the whole of its file)."""
        program, _, case = by.partition(": ")
        text = self._test_text(program)
        found = re.search(rf"^{re.escape(case)}\(.*?^}}", text, re.M | re.S) if case else None
        return self._digest(check.body.encode(), (found[0] if found else text).encode())

    def verdict(self, check):
        by, state = self.verdicts.get(check.key(), (None, None))
        return by if by is not None and state == self._state(check, by) else None

    def keep(self, check, by):
        if by is None:
            self.verdicts.pop(check.key(), None)
        else:
            self.verdicts[check.key()] = (by, self._state(check, by))

    def _program_state(self, program):
        files = []
        for arg in map(Path, program.argv):
            files += sorted(arg.rglob("*")) if arg.is_dir() else [arg]
        return self._digest(*(f.read_bytes() for f in files if f.is_file()))

    def observed(self, program):
        """Whether the program's cases are known from a run of these very octets."""
        state, cases = self.seen.get(program.name, (None, []))[:2]
        if state != self._program_state(program):
            return False
        program.cases = [Case(program, n, s, set(r)) for n, s, r in cases]
        return True

    def keep_observed(self, program):
        self.seen[program.name] = (self._program_state(program), [
            (c.name, c.seconds, sorted(c.refusing)) for c in program.cases])

    def alone(self, program):
        """Names of those cases of a test, as it is written now, that ran well by themselves."""
        now = self._digest(self._test_text(program.name).encode())
        text, names = self.stood.get(program.name, (None, None))
        if text != now:
            names = []
            self.stood[program.name] = (now, names)
        return names


class Progress:
    def __init__(self):
        self.last = 0.0

    def __call__(self, text, done, of):
        if time.monotonic() - self.last > (0.2 if sys.stderr.isatty() else 30) or done == of:
            self.last = time.monotonic()
            end = "\r" if sys.stderr.isatty() and done < of else "\n"
            print(f"\033[K{text} {done}/{of}" if sys.stderr.isatty() else f"{text} {done}/{of}",
                  end=end, file=sys.stderr, flush=True)


def observe_all(runner, kept, programs, workers, progress):
    """Every program, with every check in place: which checks refuse in which of its cases?"""
    fresh = [p for p in programs if not kept.observed(p)]
    for program, _ in each(runner.list_cases, fresh, workers):
        pass
    for done, (program, why) in enumerate(each(runner.observe, fresh, workers), 1):
        progress("looking what refuses in which program", done, len(fresh))
        if why is not None:
            why = runner.observe(program)  # on a busy machine one may be late
        if why is not None:
            raise Broken(f"{program.name} fails with every check in place: {why}")
        kept.keep_observed(program)
        kept.save()


def take_out_all(runner, kept, programs, checks, workers, progress):
    """check number -> which test misses it, or None."""
    cases = [c for p in programs for c in p.cases]
    verdicts = {c.number: kept.verdict(c) for c in checks}
    todo = [c for c in checks if verdicts[c.number] is None]
    for done, (check, by) in enumerate(
            each(lambda c: runner.notice(c, cases), todo, workers), 1):
        verdicts[check.number] = by
        kept.keep(check, by)
        if by is None and check.mark is None and excused_by_name(check) is None:
            print(f"{describe(check, cases)}: no test misses it", file=sys.stderr)  # as it comes
        progress("taking checks out", done, len(todo))
        if done % 100 == 0:
            kept.save()
    kept.save()
    return verdicts


def excused_by_name(check):
    """Why no input brings this call to refuse; None: it may."""
    call = CALL.match(check.text)
    if check.text.endswith("over"):
        return "memory or a cap far above what comes"
    for why, names in EXCUSED.items():
        if call and call[1] in names.split():
            return why
    made = re.match(r"\*?(\w+) [!=]= NULL\b", check.text)
    asked = r"(?:\w+ == NULL \? NULL : |\w+\(\) \? )?"
    if made and re.search(rf"\b{made[1]} = {asked}{MADE_BY_LIBRARY.pattern}", check.body):
        return "a library that fails for want of memory only"
    return None


def excused_all(checks, verdicts, reached):
    """check number -> why it needs no test; also what only hands on the result of such a function."""
    why, grown = {}, True
    while grown:
        grown = False
        for check in checks:
            if check.number in why or check.number in reached or verdicts[check.number]:
                continue
            reason = excused_by_name(check)
            call = CALL.match(check.text)
            inner = [c for c in checks if call and c.function == call[1] and c.path == check.path]
            inner = [c for c in inner if c.gives_false]
            if reason is None and inner and all(c.number in why or c.mark for c in inner):
                reason = why.get(inner[0].number, "a second line handed on")
            if reason is not None:
                why[check.number] = reason
                grown = True
    return why


def describe(check, cases):
    reached = sum(check.number in c.refusing for c in cases)
    return (f"{check.path}:{check.line}: {check.function}: {check.text} "
            f"[taken as {str(check.forced).lower()}; it refuses in {reached} cases]")


def report(found, verdicts, cases):
    """Says it all; the number of checks that stand against nothing, or wrongly as a second line."""
    wrong, second, excused = [], set(), Counter()
    reached = set().union(*(c.refusing for c in cases)) if cases else set()
    for path, checks in found.items():
        why, noticed = excused_all(checks, verdicts, reached), 0
        for check in checks:
            by = verdicts[check.number]
            if by is not None:
                noticed += 1
            elif check.number in why:
                excused[why[check.number]] += 1
            elif check.mark is not None:
                second.add(check.mark)
            else:
                wrong.append(describe(check, cases) + ": no test misses it")
        without = len(checks) - noticed
        print(f"{path}: {len(checks)} checks, {noticed} missed by a test when taken out"
              + (f", {without} not" if without else ""))
    marks = {c.mark: verdicts[c.number] for cs in found.values() for c in cs if c.mark}
    wrong += [f"{m.path}:{m.line}: no second line: {by} misses it"
              for m, by in marks.items() if m not in second]
    for m in sorted(second, key=lambda m: (m.path, m.line)):
        print(f"{m.path}:{m.line}: second line: {m.reason}")
    for line in wrong:
        print(line)
    for reason, n in excused.items():
        print(f"{n} never refuse: {reason}")
    total = sum(map(len, found.values()))
    noticed = sum(verdicts[c.number] is not None for checks in found.values() for c in checks)
    print(f"{total} checks, {noticed} missed by a test, {excused.total()} excused, "
          f"{len(second)} second lines, {len(wrong)} wrong")
    return len(wrong)


def scope_of(root, scope):
    return sorted({str(p.relative_to(root)) for pattern in scope for p in root.glob(pattern)})


def check_refusals(root, folder, args, scope=SCOPE, suites=SUITES, options=OPTIONS):
    paths = scope_of(root, scope)
    wanted = [os.path.relpath(Path(f).resolve(), root) for f in args.files] or paths
    for path in set(wanted) - set(paths):
        raise Broken(f"{path} is not in the scope of this tool")
    build = Build(root, folder, options)
    build.copy(set(paths))
    build.configure()
    found = build.checks(paths)
    chosen = {p: c for p, c in found.items() if p in wanted}
    if args.list:
        for check in (c for checks in chosen.values() for c in checks):
            print(f"{check.path}:{check.line}: {check.text} -> {str(check.forced).lower()}")
        return 0
    print("building with a switch at each check …", file=sys.stderr)
    programs = build.programs(suites)
    build.compile(programs)
    progress, kept = Progress(), Kept(root, folder, args.fresh)
    with database(root) if "flow" in suites else contextmanager(lambda: (yield None))() as db:
        runner = Runner(build, db, kept)
        runner.map_bytes = len(paths) * 1000 + 1000
        observe_all(runner, kept, programs, args.jobs, progress)
        verdicts = take_out_all(runner, kept, programs,
                                [c for checks in chosen.values() for c in checks], args.jobs,
                                progress)
    return report(chosen, verdicts, [c for p in programs for c in p.cases])


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--tests", type=lambda s: set(s.split(",")), default=SUITES)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the database stops, too
    try:
        wrong = check_refusals(ROOT, ROOT / "build-refusals", args, suites=args.tests)
        sys.exit(1 if wrong else 0)
    except (Broken, ValueError) as e:
        sys.exit(f"check-refusals: {e}")


if __name__ == "__main__":
    main()
