"""Builds the tree with a switch at each check, and runs tests with one check taken out."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import refusal_checks

RUNTIME = Path(__file__).with_name("refusal_runtime.c")
OBSERVED_S = 600  # a program that takes longer hangs
END_S = 20        # beside twice what the program takes with all checks in place
FAILED_LINE = re.compile(rb"^not ok \d+ - (.*)$", re.M)


class Broken(Exception):
    """The tool itself cannot go on; the text says why."""


def run_quiet(argv, **how):
    done = subprocess.run(argv, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **how)
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, argv[:4]))} failed:\n{done.stdout[-4000:]}")
    return done.stdout


@dataclass
class Case:
    """One cmocka case, or (name None) a program that runs as a whole."""
    program: "Program"
    name: str | None
    seconds: float = 0.0
    refusing: set = field(default_factory=set)  # numbers of checks that refused in it

    def __str__(self):
        return self.program.name + (f": {self.name}" if self.name else "")


@dataclass
class Program:
    name: str       # saml/xmlsig
    argv: list
    env: dict
    cases: list = field(default_factory=list)


class Build:
    """FOLDER/src is a copy of the tree with switches, FOLDER/build what meson makes of it."""

    def __init__(self, root, folder, options):
        self.root, self.folder, self.options = root, folder, options
        self.src, self.out = folder / "src", folder / "build"
        self.scratch = folder / "scratch"

    def _files(self):
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=self.root, check=True, stdout=subprocess.PIPE, text=True).stdout
        return [p for p in listed.split("\0") if p and (self.root / p).is_file()]

    @staticmethod
    def _write(path, octets):
        """Only when it says something else: ninja goes by the time of change."""
        if not path.exists() or path.read_bytes() != octets:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(octets)

    def copy(self, besides):
        """The tree as it stands; files of `besides` come with their switches later."""
        wanted = set(self._files())
        for path in wanted:
            to = self.src / path
            if path not in besides or not to.exists():
                self._write(to, (self.root / path).read_bytes())
            to.chmod((self.root / path).stat().st_mode & 0o777)
        for old in (p for p in self.src.rglob("*") if p.is_file()):
            if str(old.relative_to(self.src)) not in wanted and "node_modules" not in old.parts:
                old.unlink()
        modules = self.root / "web" / "node_modules"
        if modules.exists() and not (self.src / "web" / "node_modules").exists():
            (self.src / "web" / "node_modules").symlink_to(modules)

    def configure(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        runtime = self.folder / "runtime.o"
        run_quiet(["cc", "-O1", "-fPIC", "-c", str(RUNTIME), "-o", str(runtime)])
        if not (self.out / "build.ninja").exists():
            run_quiet(["meson", "setup", str(self.out), str(self.src), "-Dwerror=false",
                       f"-Dc_link_args=['{runtime}', '-Wl,--wrap=_cmocka_run_group_tests']",
                       *self.options])
        run_quiet(["ninja", "-C", str(self.out), "build.ninja"])  # files may have come and gone

    def flags(self):
        """path -> what clang has to know to read it, and the folder from where."""
        found = {}
        text = (self.out / "compile_commands.json").read_text(encoding="utf-8")
        for entry in json.loads(text):
            path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), self.src)
            found.setdefault(path, [
                re.sub(r"^-I(?!/)", f"-I{entry['directory']}/", a)
                for a in shlex.split(entry["command"]) if a.startswith(("-I", "-D", "-std"))])
        return found

    def checks(self, paths):
        """path -> its checks, numbered so that one file's change leaves the others alone."""
        flags, found = self.flags(), {}
        refusing = refusal_checks.refusing_macros(
            (self.root / p).read_text(encoding="utf-8") for p in self._files()
            if p.endswith((".c", ".h")))
        for at, path in enumerate(paths):
            source = (self.root / path).read_text(encoding="utf-8")
            found[path] = refusal_checks.find(path, source, flags.get(path, []), refusing,
                                              str(self.root / path))
            for i, check in enumerate(found[path], 1):
                check.number = at * 1000 + i
            self._write(self.src / path,
                        refusal_checks.with_switches(source, found[path]).encode())
        return found

    def compile(self, programs):
        wanted = {os.path.relpath(arg, self.out) for p in programs for arg in p.argv
                  if arg.startswith("/")}
        run_quiet(["ninja", "-C", str(self.out), *sorted(w for w in wanted if w[:2] != "..")])

    def programs(self, suites):
        listed = json.loads(run_quiet(["meson", "introspect", "--tests", str(self.out)]))
        found = []
        for test in listed:
            suite = test["suite"][0].split(":")[-1]
            argv = test["cmd"]
            if "--" in argv and argv[0].endswith("pg-temp"):
                if "--own" in argv:
                    continue  # it stops and starts the server: nothing beside it
                argv = argv[argv.index("--") + 1:]
            native = not argv[0].endswith((".py", "python3", ".sh", "node"))
            # meson names what it builds as seen from its folder.
            argv = [str(self.out / a) if "/" in a and a[0] not in "/-" else a for a in argv]
            if suite in suites and native and test["protocol"] == "tap":
                found.append(Program(f"{suite}/{test['name']}", argv, dict(test["env"])))
        return found


class Runner:
    """Runs programs, several at a time; a failure is seen at its first line."""

    def __init__(self, build, database, kept):
        self.build, self.database, self.kept = build, database, kept
        self.map_bytes = 0
        build.scratch.mkdir(exist_ok=True)

    def run(self, program, names, mutant, seconds, map_path=None, span=None):
        """None: all went well; else the case that failed, or how it ended."""
        env = dict(os.environ, **program.env, KONTOR_MUTANT=str(mutant))
        if span is not None:
            env["KONTOR_MUTANT_SPAN"] = str(span)
        env.pop("KONTOR_TEST_FULL", None)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):  # nobody reads where a check less leads to
            env[name] = env.get(name, "") + ":symbolize=0"
        if self.database:
            env["KONTOR_TEST_DB"] = self.database
        if names is not None:
            env["KONTOR_MUTANT_CASES"] = ",".join(names)
        if map_path is not None:
            env["KONTOR_MUTANT_MAP"] = str(map_path)
        folder = tempfile.mkdtemp(dir=self.build.scratch)
        env["TMPDIR"] = folder
        child = subprocess.Popen(program.argv, env=env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                 start_new_session=True, cwd=self.build.out)
        late = threading.Event()

        def end():
            late.set()
            self._kill(child)
        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            failed = None
            for line in child.stdout:
                m = FAILED_LINE.match(line)
                if m:
                    failed = m[1].decode(errors="replace").strip()
                    break
            self._kill(child) if failed else None
            status = child.wait()
        finally:
            timer.cancel()
            self._kill(child)
            child.stdout.close()
            shutil.rmtree(folder, ignore_errors=True)
        if failed:
            return failed
        if late.is_set():
            return f"no end within {seconds:.0f} s"
        return None if status == 0 else f"ended with status {status}"

    @staticmethod
    def _kill(child):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    # ---- what refuses where ----

    def list_cases(self, program):
        env = dict(os.environ, **program.env, KONTOR_MUTANT_CASES="?")
        done = subprocess.run(program.argv, env=env, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=600,
                              cwd=self.build.out) if "cmocka" in self._libraries(program) else None
        names = re.findall(rb"^case (.*)$", done.stdout, re.M) if done else []
        program.cases = [Case(program, n.decode()) for n in names] or [Case(program, None)]

    @staticmethod
    def _libraries(program):
        done = subprocess.run(["ldd", program.argv[0]], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
        return done.stdout

    def observe(self, program):
        """Run all its cases in one go with all checks in place; note which refused in which."""
        path, n = self.build.scratch / f"map-{threading.get_ident()}", self.map_bytes
        path.write_bytes(bytes(n * (len(program.cases) + 1)))
        start = time.monotonic()
        why = self.run(program, None, 0, OBSERVED_S, path, n)
        seconds = (time.monotonic() - start) / len(program.cases)
        if why is None:
            parts = path.read_bytes()
            for i, case in enumerate(program.cases, 1):
                case.seconds = seconds
                case.refusing = {at for at in range(n) if parts[at] or parts[n * i + at]}
        return why

    # ---- without a check ----

    def _by_itself(self, program, chosen, why, seconds):
        """Does what is said to notice go well without the others, and with the check in place?"""
        names = [c.name for c in chosen]
        alone = self.kept.alone(program)
        if why in names:
            if why in alone:
                return True
            names = [why]
        well = self.run(program, names, 0, seconds) is None
        if well and names == [why]:
            alone.append(why)
        return well

    def notice(self, check, cases):
        """Which case misses the check; None: no one."""
        by_program = {}
        for case in cases:
            if check.number in case.refusing:
                by_program.setdefault(case.program.name, []).append(case)
        for chosen in sorted(by_program.values(), key=lambda c: sum(x.seconds for x in c)):
            program = chosen[0].program
            names = None if chosen[0].name is None else [c.name for c in chosen]
            # Of a case it is not known how long it takes, but of all together.
            limit = END_S + 2 * sum(c.seconds for c in program.cases)
            why = self.run(program, names, check.number, limit)
            if why is not None and names and not self._by_itself(program, chosen, why, limit):
                # One of these needs what those before it left.
                why = self.run(program, None, check.number, limit)
            if why is not None:
                return f"{program.name}: {why}"
        return None


def each(function, items, workers):
    """(item, function(item)) as they get ready."""
    pool = ThreadPoolExecutor(workers)
    try:
        futures = {pool.submit(function, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)  # when interrupted, what has not begun never will
