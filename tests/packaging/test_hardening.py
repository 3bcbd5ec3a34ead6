"""The built program carries what compiler and linker can do against exploits.

Its file is read with binutils.  _FORTIFY_SOURCE and sanitizers exclude each other, so one library
is compiled aside, the way ./dev build does it.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

import tap  # noqa: E402

PROGRAM = sys.argv[1]


def _run(*args, **more):
    done = subprocess.run(args, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{' '.join(map(str, args))}: {done.stdout}{done.stderr}"
    return done.stdout


def _segments():
    """Segment type -> its flags, as R, RW, R E."""
    found = {}
    for kind, flags in re.findall(r"^  (\w+) +(?:0x\w+ +){5}([RWE ]{3})", _run(
            "readelf", "--segments", "--wide", PROGRAM), re.M):
        found.setdefault(kind, []).append(flags.strip())
    return found


def it_lies_at_an_address_nobody_knows():
    assert re.search(r"FLAGS_1\).* PIE", _run("readelf", "--dynamic", "--wide", PROGRAM))


def its_tables_of_functions_are_read_only_before_main():
    assert "GNU_RELRO" in _segments()
    assert re.search(r"FLAGS_1\).* NOW", _run("readelf", "--dynamic", "--wide", PROGRAM))


def no_memory_can_be_written_and_run():
    segments = _segments()
    assert segments["GNU_STACK"] == ["RW"], segments
    assert len(segments["LOAD"]) >= 3 and "RWE" not in segments["LOAD"], segments


def it_takes_libraries_only_from_where_the_system_has_them():
    assert not re.search(r"R(UN)?PATH", _run("readelf", "--dynamic", "--wide", PROGRAM))


def it_gives_no_function_of_ours_to_libraries():
    exported = set(_run("nm", "--dynamic", "--defined-only", "--format=posix", PROGRAM).split("\n"))
    ours = set(_run("nm", "--defined-only", "--format=posix", PROGRAM).split("\n"))
    assert any(line.startswith("arena_alloc ") for line in ours), "the program has no symbols to read"
    assert not [line for line in exported if re.match(r"(arena|key|db|saml|oidc|flow)_", line)]


def its_stack_is_watched():
    assert "__stack_chk_fail" in _run("nm", "--dynamic", "--undefined-only", PROGRAM)


def jumps_land_only_where_a_function_begins():
    # The mark of the whole file is lost to Debian's Scrt1.o, which has none; the code has it.
    code = _run("objdump", "--disassemble=main", "--no-show-raw-insn", PROGRAM)
    assert re.search(r"<main>:\n +\w+:\s+endbr64", code), code


def a_release_checks_the_bounds_of_the_c_library_calls():
    with tempfile.TemporaryDirectory() as folder:
        _run("meson", "setup", folder, cwd=ROOT)
        commands = (Path(folder) / "compile_commands.json").read_text()
        assert commands.count('"command"') == commands.count("-D_FORTIFY_SOURCE=3")
        _run("ninja", "-C", folder, "base/libbase.a")
        library = Path(folder) / "base" / "libbase.a"
        called = _run("nm", "--undefined-only", library)
        for name in ("__vsnprintf_chk", "__stack_chk_fail"):
            assert name in called, name
        marks = _run("readelf", "--notes", "--wide", library).count("IBT, SHSTK")
        assert marks == len(_run("ar", "t", library).split()), marks


tap.run_all(dict(globals()))
