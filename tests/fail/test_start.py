"""A node's start with the n-th allocation or call to the system of one of its processes failing.

It serves, or ends by itself with a sentence and a code; no process crashes, and the next start is
as ever.  A reload that fails so leaves the processes from before serving.
"""
import errno
import os
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "operate"), str(HERE.parent)]

import tap  # noqa: E402
from instance import OK, Node, make_template  # noqa: E402

FULL = "KONTOR_TEST_FULL" in os.environ
MEMORY, INPUT, OUTPUT, OPEN = range(4)
NAMES = ("memory", "input", "output", "opening")
# A kind of failure is a row: what, errno, some places, places at full size.
KINDS = ((MEMORY, 0, (40,), range(1, 4000, 97)), (INPUT, errno.EIO, (3,), range(1, 40)),
         (INPUT, 0, (2,), range(1, 20)), (OUTPUT, errno.EIO, (2, 4), range(1, 40)),
         (OUTPUT, 0, (2,), range(1, 20)), (OPEN, errno.EMFILE, (1, 5), range(1, 60)))
SETTLED_S = 60


class _Node(Node):
    """Does not insist on serving."""

    def wait(self, holds, what, seconds=SETTLED_S):
        until = time.monotonic() + seconds
        while self.process.poll() is None and not holds():
            assert time.monotonic() < until, f"neither there nor gone: {self.log()}"
            time.sleep(0.02)


def _nothing_crashed(log, place):
    assert "Sanitizer" not in log and "runtime error" not in log, (place, log)
    # SIGKILL is the supervisor's.
    assert '"how":"signal' not in log.replace('"signal 9"', ""), (place, log)


def _start(i, place, plan):
    order = i.folder / "fail"
    order.write_text(plan, encoding="ascii")
    os.environ["KONTOR_FAIL"] = str(order)
    try:
        node = _Node(i, {})
    finally:
        del os.environ["KONTOR_FAIL"]
    assert not order.exists(), place
    status = node.stop()
    log = node.log()
    _nothing_crashed(log, place)
    assert status >= 0, (place, status, log)
    assert status == OK or log.strip(), (place, status)


def _sweep(process):
    with template.copy() as i:
        for what, error, some, every in KINDS:
            for nth in every if FULL else some:
                place = f"{process}: {NAMES[what]} {nth}, errno {error}"
                _start(i, place, f"{process} {what} {nth} {error}")
        with i.node() as node:
            assert node.serves()


def _reload_all(process):
    """The second process of its kind, of a node that serves all the while."""
    with template.copy() as i:
        order = i.folder / "fail"
        os.environ["KONTOR_FAIL"] = str(order)
        try:
            node = Node(i, {})
        finally:
            del os.environ["KONTOR_FAIL"]
        for what, error, some, every in KINDS:
            for nth in every if FULL else some:
                order.write_text(f"{process} {what} {nth} {error}", encoding="ascii")
                _reload(node, "reload", f"{process}: {NAMES[what]} {nth}, errno {error}")
                assert not order.exists(), (process, what, nth)
        _reload(node, '"reloaded"', process)
        assert node.stop() == OK, node.log()


def _reload(node, word, place):
    before = node.log().count(word)
    node.process.send_signal(signal.SIGHUP)
    node.wait(lambda: node.log().count(word) > before, place)
    assert node.serves(), (place, node.log())
    _nothing_crashed(node.log(), place)


def a_supervisor_serves_or_says_why_not():
    _sweep("serve")


def an_HTTP_process_serves_or_the_node_says_why_not():
    _sweep("http")


def a_signer_serves_or_the_node_says_why_not():
    _sweep("signer")


def a_reload_with_another_HTTP_process_is_whole_or_refused():
    _reload_all("http")


def a_reload_with_another_signer_is_whole_or_refused():
    _reload_all("signer")


if __name__ == "__main__":
    template = make_template(sys.argv[2])
    template.program = sys.argv[1]
    tap.run_all(dict(globals()))
