#!/usr/bin/python3
"""./dev demo: three providers of one federation and five real portals on this machine: Saxony,
Baden-Württemberg, and the administration that says who is a member.

usage: demo.py --kontor PROGRAM --state FOLDER [--ports FIRST] [--nodes 2] [--check | --clean | --alone]

Makes what is missing below FOLDER (databases, keys, certificates, test persons), starts everything
on loopback, walks the whole way (selfcheck.py, across.py) and serves until Ctrl-C.  --check stops
after the walk and says by its status whether all was well; --alone starts Saxony's provider without
the others and without portals.  --nodes 2 puts HAProxy before two nodes of Saxony on the one
database and also checks what they owe each other, without the others.
"""
import argparse
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import across
from federation import Federation, Saxony
from kontor import PERSONS, Cluster
from portals import Amt24, Gewerbeportal, Stadtportal
import two_nodes
from selfcheck import Checks, World, walk
from stage import Authority, Output, Stage, StageError, check_ports_free, lock_folder, wait_for_enter

# In the order of their ports.
NAMES = ("Kontor", "Amt24", "Gewerbeportal", "Stadtportal")


def at_once(*calls):
    """What waits for other programs, side by side; the first failure counts."""
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()


class Demo:
    at_once_s = 1.0  # by then each node knows of a change
    federates = True

    def __init__(self, args, out):
        self.args, self.out = args, out
        ports = self.ports = {name: args.ports + i for i, name in enumerate(NAMES)}
        self.stage = Stage(args.state.absolute())
        self.authority = Authority(self.stage)
        self.cluster = Cluster(self.stage)
        self.kontor = Saxony(self.stage, self.authority, self.cluster, args.kontor,
                             ports["Kontor"], args.nodes)
        self.amt24, self.gewerbeportal, self.stadtportal = self.portals = [
            kind(self.stage, self.authority, ports[kind.name])
            for kind in (Amt24, Gewerbeportal, Stadtportal)]
        self.federation = None
        if self.federates and not args.alone and args.nodes == 1:
            self.federation = Federation(self.kontor, args.ports + len(NAMES), at_once)
            self.ports |= self.federation.ports

    @property
    def providers(self):
        return [self.kontor, *(self.federation.others if self.federation else [])]

    @property
    def all_portals(self):
        """What runs, of all states."""
        return [] if self.args.alone else \
            [*self.portals, *(self.federation.portals if self.federation else [])]

    def start(self):
        check_ports_free({p: name for name, p in self.ports.items()
                          if name == "Kontor" or not self.args.alone})
        with self.out.step("databases"):
            self.cluster.start(*(k.key for k in self.providers))
        with self.out.step("keys and certificates"):
            at_once(*(k.make for k in self.providers), *(p.make for p in self.all_portals))
            if self.federation:
                self.federation.write_guides(self.persons(), self.portals)
        with self.out.step("providers: processes and test persons"):
            at_once(*(k.begin for k in self.providers))
        if self.all_portals:
            with self.out.step("portals: start and register"):
                self.start_portals()
        if self.federation:
            with self.out.step("the federation: members registered, published, known"):
                self.federation.start()

    def start_portals(self):
        states = [(self.kontor, self.portals)]
        if self.federation:
            states.append((self.federation.baden, self.federation.portals))
        at_once(*(lambda s=s: [portal.join(s[0]) for portal in s[1]] for s in states))

    def check(self, checks):
        world = World(self.out, self.authority.cert, self.kontor, self.portals, PERSONS)
        walk(checks, world)
        if self.federation:
            across.walk(checks, world, self.federation)
        if len(self.kontor.nodes) > 1:
            two_nodes.walk(checks, world, self.at_once_s)
        self.out.say(f"self-check: {checks.passed} passed, {checks.failed} failed")

    def stop(self):
        """Stop everything; Kontor's nodes have to end in good order."""
        with self.out.step("stopping"):
            self.stage.stop()
        bad = [n for k in self.providers for n in k.nodes if n.exit_status() not in (None, 0)]
        for node in bad:
            self.out.say(f"demo: {node.name} ended with status {node.exit_status()}; see {node.log}.")
        return not bad

    def tell(self):
        say = self.out.say
        say("")
        for place in [*self.providers, *self.all_portals]:
            say(f"{place.name:31} {place.base}/")
        say(f"\nBrowsers warn until they trust {self.authority.cert}")
        for kontor, person in self.persons():
            say(f"{person.login_name:8} {person.password:24} {kontor.name}: {person.what}")
        say("\nEnter: a code of the authenticator app.  Ctrl-C: stop.")

    def persons(self):
        """With whose account they have."""
        return [(kontor, person) for kontor in self.providers for person in kontor.persons.values()]

    def serve(self):
        """Until Ctrl-C, or until something that should run has ended."""
        while True:
            program = self.stage.first_ended()
            if program is not None:
                raise StageError(f"{program.name} has ended; {program.log} says:\n"
                                 f"{program.last_words()}")
            if wait_for_enter(1.0):
                for _, person in self.persons():
                    if person.totp:
                        self.out.say(f"{person.login_name}: {person.totp.current()}")


def clean(state, out):
    """Remove the state folder, wherever the link leads."""
    if state.is_dir():
        with lock_folder(state):
            shutil.rmtree(state.resolve())
    if state.is_symlink():
        state.unlink()
    out.say(f"{state} is removed.")


def stop_on_signal(_number, _frame):
    raise KeyboardInterrupt


def run(args, out, checks, make=Demo):
    """The whole demo; true when everything was well."""
    demo, good = None, True
    try:
        demo = make(args, out)
        demo.start()
        if not args.alone:
            demo.check(checks)
            good = checks.failed == 0 and checks.passed > 0
        if not args.check:
            demo.tell()
            demo.serve()
    except StageError as e:
        out.say(f"demo: {e}")
        good = False
    except KeyboardInterrupt:
        out.say("")
    finally:
        good = (demo is None or demo.stop()) and good
    return good


def arguments(words=None):
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("--kontor", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--ports", type=int, default=8443, help="the first of eight")
    parser.add_argument("--nodes", type=int, choices=(1, 2), default=1)
    mode = parser.add_mutually_exclusive_group()
    for name in ("--check", "--clean", "--alone"):
        mode.add_argument(name, action="store_true")
    return parser.parse_args(words)


def main():
    args, out = arguments(), Output()
    for number in (signal.SIGTERM, signal.SIGINT):  # also where a shell has SIGINT ignored
        signal.signal(number, stop_on_signal)
    if not args.clean:
        return 0 if run(args, out, Checks(out)) else 1
    try:
        clean(args.state.absolute(), out)
    except StageError as e:
        out.say(f"demo: {e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
