"""Logins without end, while something else happens."""
import itertools
import threading
import time

PATIENCE_S = 90


def way(citizen):
    """How it came to the page shown, for a message."""
    steps = [f"{method} {url.split('?')[0]} {status}" for method, url, status in citizen.history]
    return f"{', '.join(steps[-12:])}: {citizen.page.text[:200]}"


def wait_until(holds, what, pause_s=0.05):
    until = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"not in {PATIENCE_S} s: {what}")
        time.sleep(pause_s)


class Logins:
    """By some persons side by side, each login in a browser of its own: pairs of what makes the
    person's browser and of portals."""

    def __init__(self, persons):
        self.done, self.lost, self._ends = 0, [], threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(browser, itertools.cycle(portals)))
                         for browser, portals in persons]

    def _run(self, browser, portals):
        while not self._ends.wait(0.2):  # the balancer bounds what one address may ask
            citizen, portal = browser(), next(portals)
            try:
                arrived = citizen.visit(portal) is not None
                why = way(citizen)
            except Exception as e:  # whatever it is, this login is lost
                arrived, why = False, repr(e)
            if arrived:
                self.done += 1
            else:
                self.lost.append(f"{portal.name}: {why}")

    def more(self, count):
        """Wait for so many more to arrive."""
        want = self.done + count
        wait_until(lambda: self.done >= want or self.lost, "more logins")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        for thread in self._threads:
            thread.join()
