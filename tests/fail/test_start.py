"""Commands and the start of a node, with the n-th allocation or call to the system failing.

They work, or end with one sentence and a fitting code; what they write is whole or not there.
"""
import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "operate"), str(HERE.parent)]

import tap  # noqa: E402
from instance import FAILED, NOT_FOUND, OK, PASSWORD, UNAVAILABLE, Instance, make_template  # noqa: E402

FULL = "KONTOR_TEST_FULL" in os.environ
MEMORY, INPUT, OUTPUT, OPEN = range(4)
NAMES = ("memory", "input", "output", "open")
KINDS = ((MEMORY, 0), (INPUT, errno.EIO), (INPUT, errno.EINTR), (OUTPUT, errno.ENOSPC), (OUTPUT, 0),
         (OUTPUT, errno.EINTR), (OPEN, errno.EMFILE))
# A file that cannot be read counts as not found; a password that cannot be read, as none.
FITTING = (FAILED, NOT_FOUND, UNAVAILABLE)


def _run(i, what, nth, error, *words, stdin="", count=None):
    os.environ["KONTOR_FAIL"] = f"{what} {nth} {error}"
    os.environ["KONTOR_FAIL_COUNT"] = str(count or "/dev/null")
    try:
        return i.run(*words, stdin=stdin)
    finally:
        del os.environ["KONTOR_FAIL"]


def _count(i, what, *words, stdin=""):
    count = i.folder / "count"
    count.unlink(missing_ok=True)
    said = _run(i, what, 0, 0, *words, stdin=stdin, count=count)
    assert said.status == OK, said
    return said, max(map(int, count.read_text().split()))


def _orderly(said, place):
    lines = [line for line in said.err.splitlines() if line]
    assert "Sanitizer" not in said.err and "runtime error" not in said.err, (place, said)
    assert said.status == OK or said.status in FITTING, (place, said)
    # Where standard error itself cannot be written there is nothing, or half a sentence.
    assert said.status == OK or len(lines) <= 1, (place, said)


def _sweep(i, *words, stdin="", same=True, before=lambda: None, after=lambda said: None):
    for what, error in KINDS:
        before()
        clean, n = _count(i, what, *words, stdin=stdin)
        step = 1 if FULL else 1 + n // 4
        for nth in range(1 + step // 2, n + 1, step):
            before()
            said = _run(i, what, nth, error, *words, stdin=stdin)
            place = f"{' '.join(map(str, words))}: {NAMES[what]} {nth} of {n}, errno {error}"
            _orderly(said, place)
            assert not same or said.status != OK or said.out == clean.out, (place, said, clean)
            after(said)
        print(f"# {' '.join(map(str, words))}: {NAMES[what]}: {n} places", flush=True)


def what_is_only_read_is_told_whole_or_not_at_all():
    with template.copy() as i:
        i.add_account("erika")
        for words in (("check-config",), ("key", "list", "--json"),
                      ("account", "show", "erika", "--json")):
            _sweep(i, *words)


def the_master_key_file_is_the_old_one_or_the_new_one():
    with template.copy() as i:
        kept = i.folder / "kept"
        shutil.copy(i.master, kept)

        def fresh():
            shutil.copy(kept, i.master)

        def whole(said):
            lines = [len(f.read_text().splitlines()) for f in (kept, i.master)]
            assert lines[1] - lines[0] in ((1,) if said.status == OK else (0, 1)), (lines, said)
            assert [f.name for f in i.folder.iterdir() if f.name.startswith("master.key.")] == []
            assert i.run("status").status == OK

        _sweep(i, "key", "epoch", same=False, before=fresh, after=whole)


def an_account_is_there_whole_or_not_at_all():
    with template.copy() as i:
        def forget():
            if i.run("account", "show", "max").status == OK:
                i.ok("account", "delete", "max")

        def whole(said):
            shown = i.run("account", "show", "max")
            assert shown.status in ((OK,) if said.status == OK else (OK, NOT_FOUND)), (said, shown)

        _sweep(i, "account", "add", "max", stdin=PASSWORD + "\n", same=False, before=forget,
               after=whole)


def a_node_serves_or_ends_with_a_sentence():
    with template.copy() as i:
        for what, error in ((MEMORY, 0), (INPUT, errno.EIO), (OUTPUT, errno.EIO),
                            (OPEN, errno.EMFILE)):
            for nth in range(1, 4000, 40) if FULL else (30, 700) if what == MEMORY else (3, 9):
                socket = i.folder / "socket"
                conf = i.write_conf(path=i.folder / "node.conf", listen=f"unix:{socket}")
                log = (i.folder / "log").open("w+")
                env = os.environ | {"KONTOR_FAIL": f"{what} {nth} {error}"}
                node = subprocess.Popen([i.program, "serve", "--config", conf], stderr=log, env=env)
                _await_start(node, socket)
                node.terminate()
                node.wait(60)
                log.seek(0)
                text = log.read()
                place = (NAMES[what], nth, node.returncode, text)
                assert "Sanitizer" not in text and "runtime error" not in text, place
                assert "signal 6" not in text and "signal 11" not in text, place
                assert node.returncode >= 0, place
                assert node.returncode == OK or text.strip(), place


def _await_start(node, socket):
    end = time.monotonic() + 30
    while node.poll() is None and time.monotonic() < end:
        done = subprocess.run(["curl", "-s", "-m", "5", "--unix-socket", socket, "-o", "/dev/null",
                               "http://konto.example/health/live"], check=False)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    assert node.poll() is not None, "neither there nor gone"


if __name__ == "__main__":
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
