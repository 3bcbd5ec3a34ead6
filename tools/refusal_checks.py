"""Which conditions of a C file refuse, and the same file with a switch at each of them.

A check is a condition, or an operand of its && and ||, together with the value that takes it out:
the value with which what it guards against is let through.  Which value that is follows from where
the condition stands:

- `if (E) return false;`: E is taken as false, each operand of || by itself.  Refusals are false,
  NULL, negative and zero numbers, FAIL and the macros and functions that stand for it, every
  enumerator but those that accept, `continue` (a candidate is passed over), `goto`, and `return;`.
- `return E;`: E is taken as true, each operand of && by itself.  A function that takes no err says
  nothing of why, so that its E is a check both ways.
- `if (E) return true;` may accept, or be done before what comes after: a check both ways.
- `if (E) return f(...);`, `if (E) do_this();`, and bool values that are kept for later, handed on to a
  function or put into a field: nobody knows from here, so each is a check both ways.
- `while (more && !fits(x))`: what ends a search is taken as found.

The operand is evaluated all the same; only its answer is put aside, and with it what it would say
through `err`: the first word there stands, and would hide that something else refused.
"""
import bisect
import re
from collections import Counter
from dataclasses import dataclass, field

from clang import cindex
from clang.cindex import CursorKind as K

ACCEPTING = {"true", "GATE_PASS", "FLOW_ANSWER", "1"}
REFUSING = {"false", "NULL", "0"}
REFUSING_CALLS = {"FAIL", "err_name"}
SAYS_WHY = re.compile(rb"\w+\([^;]*?((?<![>.])\berr|&\w+)\)", re.S)  # a call that may be given err
OWN_ERR = re.compile(r"\bstruct err (\w+) = ")             # another that a function has
MARK = re.compile(r"/\*\s*second line:\s*(.*?)\s*\*/", re.S)

PASS, STOP, UNKNOWN = "pass", "stop", "unknown"  # what a branch does with the one who comes


@dataclass(frozen=True)
class Mark:
    path: str
    line: int
    reason: str


@dataclass
class Check:
    path: str
    line: int
    function: str
    text: str
    forced: bool
    start: int
    end: int
    body: str = field(repr=False)  # of the whole function: what a kept verdict rests on
    mark: Mark | None = None       # the comment that says it is a second line
    gives_false: bool = False      # its refusal is the function's
    nth: int = 0                   # of those in the function that read the same
    number: int = -1               # what KONTOR_MUTANT names it by

    def key(self):
        return f"{self.path} {self.function} {self.forced} {self.nth} {self.text}"


def refusing_macros(texts):
    """Names of macros that end in FAIL, through any number of steps."""
    found = set(REFUSING_CALLS)
    defines = [m.groups() for text in texts
               for m in re.finditer(r"^#define (\w+)\([^)]*\)((?:.*\\\n)*.*)$", text, re.M)]
    grown = True
    while grown:
        grown = False
        for name, body in defines:
            if name not in found and re.match(r"[\s\\(]*(\w+)\(", body) and \
                    re.match(r"[\s\\(]*(\w+)\(", body)[1] in found:
                found.add(name)
                grown = True
    return found


class Finder:
    """Walks the functions of one file; `checks` is what it found."""

    def __init__(self, path, source, args, refusing, real_path=None):
        self.path, self.source, self.refusing = path, source, refusing
        unit = cindex.Index.create().parse(
            real_path or path, args=args, unsaved_files=[(real_path or path, source)])
        errors = [d for d in unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
        if errors:
            raise ValueError(f"{path}: clang cannot read it: {errors[0]}")
        # libclang counts octets; the sources are cut as octets, too.
        self.octets = source.encode()
        self.starts = [0] + [m.end() for m in re.finditer(b"\n", self.octets)]
        self.marks = {}
        for m in MARK.finditer(source):
            self._mark(m, source)
        self.checks, self.function, self.body = [], None, ""
        self.gives_false = False
        for cursor in unit.cursor.get_children():
            if cursor.kind == K.FUNCTION_DECL and cursor.is_definition() and \
                    cursor.location.file and cursor.location.file.name == unit.spelling:
                self.function = cursor
                self.body = self._text(cursor)
                self._statement(list(cursor.get_children())[-1])

    def _mark(self, match, source):
        """A comment in a line of code is about that line, else about the statement after it."""
        first = source.count("\n", 0, match.start()) + 1
        last = first
        if source[source.rfind("\n", 0, match.start()) + 1:match.start()].isspace():
            end = re.compile(r"[;{]|\)$", re.M).search(source, match.end())
            last = source.count("\n", 0, end.start()) + 1
        for n in range(first, last + 1):
            self.marks[n] = Mark(self.path, first, " ".join(match[1].replace("*", " ").split()))

    # ---- the source under a cursor ----

    def _line(self, offset):
        return bisect.bisect_right(self.starts, offset)

    def _text(self, cursor):
        return self.octets[cursor.extent.start.offset:cursor.extent.end.offset].decode()

    def _between(self, left, right):
        text = self.octets[left.extent.end.offset:right.extent.start.offset].decode()
        return re.sub(r"/\*.*?\*/", "", text, flags=re.S).strip("() \t\n")

    @staticmethod
    def _bare(cursor):
        """Without parentheses and conversions that are not written."""
        while cursor.kind in (K.UNEXPOSED_EXPR, K.PAREN_EXPR):
            children = list(cursor.get_children())
            if len(children) != 1:
                break
            cursor = children[0]
        return cursor

    def _operands(self, cursor):
        """(operator, [left, right]) of && and ||; ('!', [x]); else (None, [])."""
        children = list(cursor.get_children())
        if cursor.kind == K.BINARY_OPERATOR and len(children) == 2:
            written = self._between(*children)
            if written in ("&&", "||"):
                return written, children
        if cursor.kind == K.UNARY_OPERATOR and self._text(cursor).startswith("!"):
            return "!", children
        return None, []

    def _flat(self, cursor, operator):
        """The operands of a && b && c, however they hang together."""
        cursor = self._bare(cursor)
        if self._operands(cursor)[0] != operator:
            return [cursor]
        return [x for side in self._operands(cursor)[1] for x in self._flat(side, operator)]

    def _joins(self, cursor):
        operator, operands = self._operands(self._bare(cursor))
        return self._joins(operands[0]) if operator == "!" else operator is not None

    def _refuses(self, cursor):
        return any(self._text(cursor).startswith(name + "(") for name in self.refusing)

    # ---- checks ----

    def _add(self, cursor, forced):
        text = self._text(cursor)
        if not text or text in ACCEPTING | REFUSING or text.count("(") != text.count(")"):
            return  # written by a macro, or a constant
        if self._refuses(cursor):
            return
        line = self._line(cursor.extent.start.offset)
        self.checks.append(Check(
            self.path, line, self.function.spelling, " ".join(text.split()), forced,
            cursor.extent.start.offset, cursor.extent.end.offset, self.body, self.marks.get(line),
            self.gives_false))

    def _operand_checks(self, cursor, forced):
        """Take out each part of a condition that by itself can give another answer than `forced`."""
        bare = self._bare(cursor)
        operator, operands = self._operands(bare)
        if operator == "!":
            before = len(self.checks)
            self._operand_checks(operands[0], not forced)
            return len(self.checks) - before
        if bare.kind == K.CONDITIONAL_OPERATOR:
            return self._conditional_checks(bare, forced)
        before = len(self.checks)
        if operator == "||" and forced and self._refuses(operands[1]):
            return self._operand_checks(operands[0], True)  # x || FAIL(...)
        if operator == ("&&" if forced else "||"):
            for operand in operands:
                self._operand_checks(operand, forced)
        elif operator is not None:
            # One operand is enough to give `forced`: the whole is one check, unless it holds some.
            for operand in self._flat(bare, operator):
                if self._joins(operand):
                    self._operand_checks(operand, forced)
            if len(self.checks) == before:
                self._add(bare, forced)
        else:
            self._add(bare, forced)
        return len(self.checks) - before

    def _conditional_checks(self, cursor, forced):
        """E ? A : B where a truth value is wanted."""
        before = len(self.checks)
        condition, left, right = cursor.get_children()
        self._both(condition)
        self._operand_checks(left, forced)
        self._operand_checks(right, forced)
        return len(self.checks) - before

    def _both(self, cursor):
        self._operand_checks(cursor, False)
        self._operand_checks(cursor, True)

    def _guard(self, condition, effect):
        if effect == STOP:
            self._operand_checks(condition, False)
        else:
            self._both(condition)

    # ---- what a branch does ----

    def _value_effect(self, text):
        text = text.strip().rstrip(";").strip()
        if text in ACCEPTING:
            return PASS
        if text in REFUSING or re.fullmatch(r"-\w+|[A-Z][A-Z0-9_]+", text):
            return STOP
        if re.match(r"\(?(?:%s)\(" % "|".join(self.refusing), text):
            return STOP
        if self.function.result_type.kind == cindex.TypeKind.POINTER and "(" not in text:
            return PASS  # found
        return UNKNOWN

    def _effect(self, branch):
        children = list(branch.get_children())
        if branch.kind == K.COMPOUND_STMT:
            return self._effect(children[-1]) if children else UNKNOWN
        if branch.kind == K.RETURN_STMT:
            return self._value_effect(self._text(children[0])) if children else STOP
        if branch.kind in (K.CONTINUE_STMT, K.GOTO_STMT):
            return STOP
        if any(self._text(branch).startswith(name + "(") for name in ("err_set", *self.refusing)):
            return STOP
        return UNKNOWN

    @staticmethod
    def _passes_over(branch):
        """A candidate in a loop is left; the function goes on."""
        while branch.kind == K.COMPOUND_STMT:
            children = list(branch.get_children())
            if not children:
                return False
            branch = children[-1]
        return branch.kind == K.CONTINUE_STMT

    # ---- walking ----

    def _statement(self, cursor):
        children = list(cursor.get_children())
        if cursor.kind == K.IF_STMT:
            self._if(children)
        elif cursor.kind == K.RETURN_STMT and children:
            self._return(children[0])
            return
        elif cursor.kind == K.WHILE_STMT and self._text(cursor).startswith("while"):
            self._loop(children[0])
        elif cursor.kind == K.FOR_STMT and self._text(cursor).startswith("for"):
            self._for(cursor, children)
        elif cursor.kind == K.CONDITIONAL_OPERATOR:
            self._choice(children)
        elif self._keeps_bool(cursor, children):
            self._both(children[-1])
            return
        elif self._hands_on_bool(cursor):
            self._both(cursor)
            return
        for child in children:
            self._statement(child)

    def _if(self, children):
        effect = self._effect(children[1])
        self.gives_false = effect == STOP and not self._passes_over(children[1])
        if len(children) == 3 and effect == UNKNOWN:
            other = self._effect(children[2])
            effect = {PASS: STOP, STOP: PASS, UNKNOWN: UNKNOWN}[other]
        self._guard(children[0], effect)
        self.gives_false = False

    def _return(self, value):
        bare = self._bare(value)
        if self.function.result_type.spelling in ("bool", "_Bool"):
            self.gives_false = True
            self._operand_checks(value, True)
            if self._is_predicate():
                self._operand_checks(value, False)
            self.gives_false = False
        elif bare.kind == K.CONDITIONAL_OPERATOR:
            self._choice(list(bare.get_children()))
        self._inner(bare)

    def _is_predicate(self):
        """Nothing is said of why: whether true lets through is known where it is asked, not here."""
        arguments = self.function.get_arguments()
        return not any(a.type.spelling == "struct err *" for a in arguments)

    def _inner(self, cursor):
        """Choices and bool values inside an expression."""
        for child in cursor.get_children():
            if child.kind == K.CONDITIONAL_OPERATOR:
                if cursor.kind != K.RETURN_STMT:
                    self._choice(list(child.get_children()))
            if self._hands_on_bool(child):
                self._both(child)
            self._inner(child)

    def _loop(self, condition):
        operator, operands = self._operands(self._bare(condition))
        if operator == "&&":
            for operand in operands:
                self._loop(operand)
        elif "(" in self._text(condition) and "ARRAY_LEN" not in self._text(condition):
            self._operand_checks(condition, False)

    def _for(self, cursor, children):
        text = self._text(cursor)
        first = cursor.extent.start.offset + text.index(";")
        for child in children[:-1]:
            before = self.octets[first:child.extent.start.offset].decode()
            if child.extent.start.offset > first and before.count(";") == 1:
                self._loop(child)

    def _choice(self, children):
        condition, left, right = children
        effects = [self._value_effect(self._text(c)) for c in (left, right)]
        if effects[0] == STOP != effects[1]:
            self._operand_checks(condition, False)
        elif effects[1] == STOP != effects[0]:
            self._operand_checks(condition, True)

    def _keeps_bool(self, cursor, children):
        """`bool b = E`, `b = E` where E says more than a name or a call."""
        if not children:
            return False
        if cursor.kind == K.VAR_DECL:
            if cursor.storage_class == cindex.StorageClass.STATIC:
                return False
            is_bool = cursor.type.spelling in ("bool", "_Bool", "const bool")
        elif cursor.kind == K.BINARY_OPERATOR and len(children) == 2 and \
                self._between(*children) == "=":
            is_bool = children[0].type.spelling in ("bool", "_Bool")
        else:
            return False
        return is_bool and self._operands(self._bare(children[-1]))[0] in ("&&", "||")

    def _hands_on_bool(self, cursor):
        """`f(x, E)`, `{.field = E}` where E says as much: made a bool there, without a word."""
        return cursor.kind == K.UNEXPOSED_EXPR and cursor.type.spelling in ("bool", "_Bool") and \
            self._operands(self._bare(cursor))[0] in ("&&", "||")


def find(path, source, args, refusing, real_path=None):
    """The checks of one file, in order, each once."""
    seen, found = set(), []
    for check in Finder(path, source, args, refusing, real_path).checks:
        at = (check.start, check.end, check.forced)
        if at not in seen:
            seen.add(at)
            found.append(check)
    found.sort(key=lambda c: (c.start, -c.end, c.forced))
    alike = Counter()
    for check in found:
        same = check.key()
        check.nth = alike[same]
        alike[same] += 1
    return found


def with_switches(source, checks):
    """The source with a call of kontor_mutant around each check; lines stay where they are."""
    inserts = []
    octets = source.encode()
    for depth, c in enumerate(sorted(checks, key=lambda c: (c.start, -c.end))):
        says = SAYS_WHY.fullmatch(octets[c.start:c.end])
        if says and says[1].decode() in {"err", *("&" + e for e in OWN_ERR.findall(c.body))}:
            inserts.append((c.end - len(says[1]) - 1, 1, depth, f"kontor_mutant_err({c.number}, "))
            inserts.append((c.end - len(")"), 0, -depth, ")"))
        # At one place what ends goes before what begins, and the inner ends before the outer.
        inserts.append((c.start, 1, depth, f"kontor_mutant({c.number}, ("))
        inserts.append((c.end, 0, -depth, f"), {str(c.forced).lower()})"))
    out, at = [], 0
    for offset, _, _, text in sorted(inserts):
        out += [octets[at:offset], text.encode()]
        at = offset
    out.append(octets[at:])
    head = (b"_Bool kontor_mutant(unsigned number, _Bool answer, _Bool forced);\n"
            b"void *kontor_mutant_err(unsigned number, void *err);\n#line 1\n")
    return (head + b"".join(out)).decode()
