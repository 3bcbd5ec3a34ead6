"""tools/check_refusals.py finds each check of a file, and names the one that no test misses."""
import argparse
import contextlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import check_refusals  # noqa: E402
import refusal_checks  # noqa: E402
import tap  # noqa: E402

HEAD = """#include <stdbool.h>
#include <stddef.h>
#define FAIL(...) (g(0), false)
#define DENY(x) FAIL(x)
struct err;
bool f(int x);
bool g(int x);
bool two(int x, bool y);
struct s { bool field; int n; };
"""


def _checks(body, head="static bool\nt(int a, int b, const char *s, struct err *err)"):
    source = HEAD + head + "\n{\n" + body + "\n}\n"
    refusing = refusal_checks.refusing_macros([source])
    return [(c.text, c.forced) for c in refusal_checks.find("t.c", source, ["-std=c17"], refusing)]


def _expect(body, *wanted, **how):
    assert _checks(body, **how) == list(wanted), _checks(body, **how)


def a_refusal_is_taken_out_operand_by_operand():
    _expect("if (a < 0 || !f(b)) return false; return true;", ("a < 0", False), ("f(b)", True))
    _expect("if (!(f(a) && f(b))) return DENY(1); return true;", ("f(a)", True), ("f(b)", True))


def operands_that_refuse_only_together_are_one_check():
    _expect("if (a && b && s != NULL) return false; return true;",
            ("a && b && s != NULL", False))
    _expect("if (a && (f(a) || f(b))) return false; return true;", ("f(a)", False), ("f(b)", False))


def each_link_of_a_chain_is_a_check():
    _expect("return f(a) && (s == NULL || (f(b) && g(a)));",
            ("f(a)", True), ("f(b)", True), ("g(a)", True))
    _expect("return s != NULL || DENY(2);", ("s != NULL", True))


def an_acceptance_is_forced_and_passed_over():
    _expect("if (f(a) && b > 0) return true; return false;",
            ("f(a) && b > 0", False), ("f(a)", True), ("b > 0", True))
    _expect("if (f(a)) return s; return NULL;", ("f(a)", False), ("f(a)", True),
            head="static const char *\nt(int a, const char *s)")


def what_cannot_be_told_from_here_is_a_check_both_ways():
    _expect("if (a) g(b); return true;", ("a", False), ("a", True))
    _expect("bool x = a && b; return x;", ("a && b", False), ("a", True), ("b", True), ("x", True))


def what_a_predicate_answers_is_a_check_both_ways():
    """It has no err to say why, so whoever asks it knows whether true lets through."""
    predicate = "static bool\nt(int a, const char *s)"
    _expect("return f(a) || s == NULL;", ("f(a) || s == NULL", True), ("f(a)", False),
            ("s == NULL", False), head=predicate)
    _expect("return f(a) && s == NULL;", ("f(a) && s == NULL", False), ("f(a)", True),
            ("s == NULL", True), head=predicate)


def what_is_handed_on_is_a_check_both_ways():
    both = ("a && b", False), ("a", True), ("b", True)
    _expect("two(a, a && b); return true;", *both)
    _expect("return two(a, a && b);", ("two(a, a && b)", True), *both)
    _expect("struct s x = {.n = a && b, .field = a && b}; return f(x.n);", *both, ("f(x.n)", True))
    _expect("two(a, !b); return true;")


def candidates_are_passed_over_and_searches_end():
    _expect("for (int i = 0; i < a; i++) { if (!f(i)) continue; g(i); } return true;",
            ("f(i)", True))
    _expect("int i = 0; while (i < a && !f(i)) i++; return i < b;",
            ("f(i)", True), ("i < b", True))


def a_choice_with_a_refusal_is_a_check():
    _expect("return f(a) ? s : NULL;", ("f(a)", True),
            head="static const char *\nt(int a, const char *s)")


def switches_leave_the_lines_where_they_are():
    source = HEAD + "bool\nt(int a, struct err *err)\n{\n\treturn f(a) &&\n\t       !g(a);\n}\n"
    checks = refusal_checks.find("t.c", source, ["-std=c17"], {"FAIL"})
    for number, check in enumerate(checks, 7):
        check.number = number
    text = refusal_checks.with_switches(source, checks)
    assert "return kontor_mutant(7, (f(a)), true) &&\n\t       !kontor_mutant(8, (g(a)), false)" \
        in text, text
    source = HEAD + ("bool h(int a, struct err *err);\n"
                     "bool\nt(int a, struct err *err)\n{\n\treturn h(a, err);\n}\n")
    checks = refusal_checks.find("t.c", source, ["-std=c17"], {"FAIL"})
    assert "kontor_mutant(-1, (h(a, kontor_mutant_err(-1, err))), true)" in \
        refusal_checks.with_switches(source, checks)
    source = (HEAD + "struct err { int kind; };\nbool h(int *a, struct err *err);\n"
              "bool\nt(int a)\n{\n\tstruct err why = {0};\n\treturn h(&a, &why) && two(1, &a);\n}\n")
    checks = refusal_checks.find("t.c", source, ["-std=c17"], {"FAIL"})
    switched = refusal_checks.with_switches(source, checks)
    assert "(h(&a, kontor_mutant_err(-1, &why)))" in switched, switched
    assert "(two(1, &a))" in switched, switched
    source = (HEAD + "struct err { int kind; };\nstruct work { struct err err; };\n"
              "bool h(int a, struct err *err);\n"
              "bool\nt(struct work *w)\n{\n\treturn h(1, &w->err) && h(2, &w->err);\n}\n")
    switched = refusal_checks.with_switches(source, refusal_checks.find("t.c", source, ["-std=c17"], {"FAIL"}))
    assert "(h(1, &w->err))" in switched and "mutant_err(-1" not in switched, switched
    source = HEAD + "bool\nt(int a, struct err *err)\n{\n\treturn f(a) &&\n\t       !g(a);\n}\n"
    assert text.split("#line 1\n")[1].count("\n") == source.count("\n")


PLANTED = """#include <stdbool.h>
bool gate(int a, int b, int c);
bool
gate(int a, int b, int c)
{
	if (a < 0)
		return false;
	if (b < 0)
		return false;
	/* second line: the caller gives no other */
	if (c < 0)
		return false;
	return true;
}
"""
PLANTED_TEST = """#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
bool gate(int a, int b, int c);
static int ran;
static void a_is_refused(void **state) { (void)state; ran++; assert_false(gate(-1, 1, 1)); }
static void b_is_seen(void **state) { (void)state; gate(1, -1, 1); assert_true(gate(1, 1, 1)); }
static void c_is_refused(void **state) { (void)state; %s; }
int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_is_refused),
		cmocka_unit_test(b_is_seen),
		cmocka_unit_test(c_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
"""
PLANTED_BUILD = """project('planted', 'c', default_options: ['c_std=c17'])
test('gate', executable('test_gate', 'gate.c', 'test_gate.c', dependencies: dependency('cmocka')),
  suite: 'planted', protocol: 'tap', env: ['CMOCKA_MESSAGE_OUTPUT=TAP'])
"""


def _run_planted(root, c_test, planted=PLANTED):
    """(number of complaints, what was said)"""
    for name, text in (("gate.c", planted), ("test_gate.c", PLANTED_TEST % c_test),
                       ("meson.build", PLANTED_BUILD)):
        (root / name).write_text(text, encoding="utf-8")
    args = argparse.Namespace(files=[], fresh=False, list=False, jobs=2)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        wrong = check_refusals.check_refusals(root, root / "build-refusals", args,
                                              scope=("gate.c",), suites={"planted"}, options=())
    return wrong, said.getvalue()


def a_planted_check_without_a_test_is_named():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "init", "-q", folder], check=True)
        wrong, said = _run_planted(root, "")
        assert wrong == 1, said
        assert "gate.c: 3 checks, 1 missed by a test when taken out, 2 not\n" in said, said
        assert "gate.c:8: gate: b < 0 [taken as false; it refuses in 1 cases]: no test" in said, said
        assert "gate.c:10: second line: the caller gives no other" in said, said
        # The same again when the source has changed.
        planted = f"{PLANTED}int other(void);\nint\nother(void)\n{{\n\treturn 1;\n}}\n"
        again = _run_planted(root, "", planted)
        assert again == (wrong, said), again
        # A test that misses the second line shows that it is none.
        wrong, said = _run_planted(root, "assert_false(gate(1, 1, -1))")
        assert wrong == 2 and "gate.c:10: no second line: planted/gate: c_is_refused" in said, said


def a_case_that_needs_those_before_it_does_not_count_when_it_fails_without_them():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "init", "-q", folder], check=True)
        wrong, said = _run_planted(root, "assert_int_equal(ran, 1); gate(1, 1, -1)")
        assert wrong == 1, said
        assert "gate.c:10: second line: the caller gives no other" in said, said


tap.run_all(dict(globals()))
