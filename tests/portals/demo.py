#!/usr/bin/python3
"""./dev demo: Kontor as "Servicekonto Sachsen" and three real portals on this machine.

usage: demo.py --kontor PROGRAM --state FOLDER [--ports FIRST] [--nodes 2] [--check | --clean | --alone]

Makes what is missing below FOLDER (database cluster, keys, certificates, test persons), starts
everything on loopback, walks the whole way (selfcheck.py) and serves until Ctrl-C.  --check stops
after the walk and says by its status whether all was well; --alone starts Kontor without portals.
--nodes 2 puts HAProxy before two nodes on the one database and also checks what they owe each other.
"""
import argparse
import datetime
import shutil
import signal
import sys
from pathlib import Path

from kontor import PERSONS, Database, Kontor
from portals import Amt24, Gewerbeportal, Stadtportal
import two_nodes
from selfcheck import Checks, World, walk
from stage import Authority, Output, Stage, StageError, check_ports_free, lock_folder, wait_for_enter

NAMES = ("Kontor", "Amt24", "Gewerbeportal", "Stadtportal")  # in the order of their ports


class Demo:
    at_once_s = 1.0  # by then each node knows of a change

    def __init__(self, args, out):
        self.args, self.out = args, out
        ports = self.ports = {name: args.ports + i for i, name in enumerate(NAMES)}
        self.stage = Stage(args.state.absolute())
        self.authority = Authority(self.stage)
        self.database = Database(self.stage)
        self.kontor = Kontor(self.stage, self.authority, self.database, args.kontor,
                             ports["Kontor"], args.nodes)
        self.amt24, self.gewerbeportal, self.stadtportal = self.portals = [
            kind(self.stage, self.authority, ports[kind.name])
            for kind in (Amt24, Gewerbeportal, Stadtportal)]

    def start(self):
        portals = [] if self.args.alone else self.portals
        check_ports_free({p: name for name, p in self.ports.items()
                          if name == "Kontor" or not self.args.alone})
        with self.out.step("database"):
            self.database.start()
        with self.out.step("Kontor: schema, keys, process"):
            self.kontor.make()
            self.kontor.start()
        with self.out.step("test persons"):
            self.kontor.make_persons()
        if portals:
            with self.out.step("portals: keys and certificates"):
                for portal in portals:
                    portal.make()
            with self.out.step("portals: start and register"):
                self.start_portals()

    def start_portals(self):
        metadata = self.kontor.metadata()
        self.amt24.start_with(metadata)
        self.gewerbeportal.start_with(metadata, self.kontor.entity_id)
        # Lasso, the library of mod_auth_mellon, knows RSA PKCS#1 v1.5 alone: marked old.
        self.kontor.add_party(self.amt24.metadata_file(), "--suite", "rs256", "--old-until",
                              (datetime.date.today() + datetime.timedelta(days=365)).isoformat())
        self.kontor.add_party(self.gewerbeportal.metadata_file(), "--ecp", "yes")
        client = self.kontor.add_client(
            self.stadtportal.client_file(), "--attribute", "given_names:required",
            "--attribute", "family_name:required", "--attribute", "email")
        self.stadtportal.start_with(self.kontor.base, client["client_id"])

    def check(self, checks):
        world = World(self.out, self.authority.cert, self.kontor, self.portals, PERSONS)
        walk(checks, world)
        if len(self.kontor.nodes) > 1:
            two_nodes.walk(checks, world, self.at_once_s)
        self.out.say(f"self-check: {checks.passed} passed, {checks.failed} failed")

    def stop(self):
        """Stop everything; Kontor's nodes have to end in good order."""
        with self.out.step("stopping"):
            self.stage.stop()
        bad = [n for n in self.kontor.nodes if n.exit_status() not in (None, 0)]
        for node in bad:
            self.out.say(f"demo: {node.name} ended with status {node.exit_status()}; see {node.log}.")
        return not bad

    def tell(self):
        say = self.out.say
        say(f"\nServicekonto Sachsen   {self.kontor.base}/")
        if not self.args.alone:
            for portal in self.portals:
                say(f"{portal.name:22} {portal.base}/")
        say(f"\nBrowsers warn until they trust {self.authority.cert}")
        for person in PERSONS.values():
            say(f"{person.login_name:8} {person.password:24} {person.what}")
        say("\nEnter: a code of the authenticator app.  Ctrl-C: stop.")

    def serve(self):
        """Until Ctrl-C, or until something that should run has ended."""
        while True:
            program = self.stage.first_ended()
            if program is not None:
                raise StageError(f"{program.name} has ended; {program.log} says:\n"
                                 f"{program.last_words()}")
            if wait_for_enter(1.0):
                for person in PERSONS.values():
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
    parser.add_argument("--ports", type=int, default=8443, help="the first of four")
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
