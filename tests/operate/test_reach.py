"""Keys out of reach: what lies in the memory of each process of a node, and what its users can do to it.

Arguments: the program, tests/keys/key_hunt, tests/bench/load.  Reading another's memory takes root;
without it these cases are skipped by name, never passed.
"""
import contextlib
import ctypes
import grp
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "bench")]

import tap  # noqa: E402
from instance import PASSWORD, make_template  # noqa: E402
from place import METADATA  # noqa: E402

HTTP_USER, SIGNER_USER = "nobody", "daemon"
PTRACE_ATTACH, PTRACE_SEIZE, PIDFD_OPEN, PIDFD_GETFD = 16, 0x4206, 434, 438
LOAD_S = 600  # it is ended before


def _need_root():
    if os.geteuid() != 0:
        raise tap.Skip("needs root, to read other processes' memory and to become other users")


@contextlib.contextmanager
def _node(i, **settings):
    """A node of other users than root, who have to get at the cluster's socket as well."""
    folder = re.search(r"host=(\S+)", i.database)[1]
    mode = os.stat(folder).st_mode
    os.chmod(folder, mode | 0o111)
    try:
        with i.node(**settings) as node:
            yield node
    finally:
        os.chmod(folder, mode)


# ---- memory ----

def _register(i, suite):
    """What tests/bench/load expects: a portal named after its suite, of both protocols."""
    file = i.folder / "party.xml"
    file.write_text(METADATA.format(name=suite, key=""))
    i.ok("party", "add", file, "--accept-unsigned", "yes", "--attribute", "family_name",
         "--suite", suite, "--old-until", "2099-12-31")
    file.write_text(json.dumps({
        "client_id": f"bench-{suite}", "profile": "oauth", "redirect_uris": ["https://portal.example/back"],
        "token_endpoint_auth_method": "client_secret_basic", "scope": "openid profile",
        "id_token_signed_response_alg": suite.upper()}))
    return i.ok("client", "add", file)["client_secret"]


@contextlib.contextmanager
def _load(node, secrets, scenarios):
    """Logins without a pause for as long as the body runs."""
    env = os.environ | {f"BENCH_SECRET_{suite}": secret for suite, secret in secrets.items()}
    loads = [subprocess.Popen([LOAD, str(node.port), node.host, scenario, str(LOAD_S), "2"], env=env,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
             for scenario in scenarios]
    try:
        for load in loads:
            assert load.stdout.readline() == "ready\n", load.args
        for load in loads:
            load.stdin.write("\n")
            load.stdin.flush()
        yield
        assert all(load.poll() is None for load in loads), "the load ended before the hunt did"
    finally:
        for load in loads:
            load.kill()
            load.wait()


def _hunt(i, control, *pids):
    """Places by name of key, for each process."""
    rows = i.sql("SELECT kid || ' ' || purpose || ' ' || type || ' ' || encode(sealed, 'hex')"
                 " FROM key WHERE state <> 'gone'")
    done = subprocess.run([HUNT, i.master, "sachsen", *map(str, pids)], check=False, text=True,
                          input=f"{rows}\ncontrol 0 0 {control.encode().hex()}\n", capture_output=True)
    assert done.returncode == 0, done.stderr
    found = {pid: {} for pid in pids}
    for line in done.stdout.splitlines():
        pid, places, name = line.split(" ", 2)
        if name.isdigit():
            assert int(name) > 1 << 20, f"hardly any memory was read: {line}"
        else:
            found[int(pid)][name] = found[int(pid)].get(name, 0) + int(places)
    return found


def _logins(i):
    return int(i.sql("SELECT count(*) FROM audit"))


def under_load_no_key_is_in_the_http_process_and_every_one_in_the_signer():
    _need_root()
    with template.copy() as i:
        secrets = {suite: _register(i, suite) for suite in ("es256", "rs256")}
        for number in range(2):
            i.ok("account", "add", f"bench{number}", "--attribute", "family_name=Mustermann",
                 stdin=PASSWORD + "\n")
        with _node(i, user=HTTP_USER, signer_user=SIGNER_USER, connections_per_source=4096) as node:
            public = json.loads(node.get("/oidc/jwks")[1])["keys"][0]["kid"]
            with _load(node, secrets, ("full-es256", "saml-rs256")):
                pids = node.children() | {"supervisor": node.process.pid}
                logins = [_logins(i)]
                rounds = []
                for _ in range(2):
                    rounds.append(_hunt(i, public, *pids.values()))
                    logins.append(_logins(i))
        assert logins == sorted(set(logins)), f"no logins during a hunt: {logins}"
        keys = set(rounds[0][pids["signer"]]) - {"control"}
        kids = {k["kid"] for k in i.ok("key", "list")["keys"]}
        assert {name.split()[0] for name in keys} == kids | {"master", "epoch"}, keys
        for found in rounds:
            http, signer, supervisor = (found[pids[k]] for k in ("http", "signer", "supervisor"))
            assert http["control"] > 0, "what is in the HTTP process is not found there"
            in_http = {name: n for name, n in http.items() if n and name != "control"}
            assert not in_http, f"in the HTTP process: {in_http}"
            missed = [name for name in keys if signer[name] == 0]
            assert not missed, f"the hunt does not find what the signer holds: {missed}"
            in_supervisor = {n for n in keys if supervisor[n]}
            assert in_supervisor == {"master", "epoch"}, in_supervisor


# ---- what a user can do ----

libc = ctypes.CDLL(None, use_errno=True)


class _Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def _traced(request, pid):
    if libc.ptrace(request, pid, None, None) != 0:
        return False
    if request == PTRACE_ATTACH:
        os.waitpid(pid, 0x40000000)  # __WALL
    libc.ptrace(17, pid, None, None)  # PTRACE_DETACH
    return True


def _opened(path):
    with contextlib.suppress(OSError), open(path, "rb"):
        return True
    return False


def _listed(path):
    with contextlib.suppress(OSError):
        return bool(os.listdir(path))
    return False


def _copied(pid):
    """process_vm_readv at an address of ours: a fork has it as well."""
    here, there = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
    mine, other = (_Span(ctypes.addressof(b), 8) for b in (here, there))
    got = libc.process_vm_readv(pid, ctypes.byref(mine), 1, ctypes.byref(other), 1, 0)
    return got >= 0 or ctypes.get_errno() == 14  # EFAULT: allowed, nothing is there


def _took_descriptor(pid):
    pidfd = libc.syscall(PIDFD_OPEN, pid, 0)
    return any(libc.syscall(PIDFD_GETFD, pidfd, fd, 0) >= 0 for fd in range(8))


def _attempts(pid):
    """What this process can do to that one."""
    tries = {"mem": lambda: _opened(f"/proc/{pid}/mem"), "maps": lambda: _read(f"/proc/{pid}/maps"),
             "environ": lambda: _read(f"/proc/{pid}/environ"),
             "descriptors": lambda: _listed(f"/proc/{pid}/fd"), "copy": lambda: _copied(pid),
             "pidfd_getfd": lambda: _took_descriptor(pid),
             "attach": lambda: _traced(PTRACE_ATTACH, pid),
             "seize": lambda: _traced(PTRACE_SEIZE, pid)}
    return sorted(name for name, attempt in tries.items() if attempt())


def _read(path):
    with contextlib.suppress(OSError):
        return bool(Path(path).read_bytes())
    return False


def _become(user):
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def _as(user, attack):
    """What attack() says in a process of that user."""
    end, start = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _become(user)
            os.write(start, json.dumps(attack()).encode())
        finally:
            os._exit(0)
    os.close(start)
    with open(end, "rb") as f:
        said = f.read()
    os.waitpid(pid, 0)
    return json.loads(said)


def _victim():
    """The same attempts at a process that is not locked down: they are real ones."""
    pid = os.fork()
    if pid == 0:
        libc.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, which the change of user took away
        signal.pause()
    time.sleep(0.5)
    try:
        return _attempts(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def _look_at(node, user):
    """Nothing can be done by that user to any process, and none of them dumps core."""
    for kind, pid in (node.children() | {"supervisor": node.process.pid}).items():
        assert _as(user, lambda p=pid: _attempts(p)) == [], kind
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits), (kind, limits)
        # Of a process that is not dumpable these are root's, whoever it runs as.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0, kind


def the_attempts_succeed_at_a_process_that_is_not_locked_down():
    _need_root()
    assert _as(HTTP_USER, _victim) == ["attach", "copy", "descriptors", "environ", "maps", "mem",
                                       "pidfd_getfd", "seize"]


def the_http_processs_user_reaches_no_memory_of_the_signer():
    _need_root()
    with template.copy() as i, _node(i, user=HTTP_USER, signer_user=SIGNER_USER) as node:
        _look_at(node, HTTP_USER)


def one_user_for_all_reaches_no_memory_either():
    _need_root()
    with template.copy() as i:
        shutil.chown(i.master, HTTP_USER)
        with _node(i, run_as=HTTP_USER) as node:
            uid = pwd.getpwnam(HTTP_USER).pw_uid
            for pid in (*node.children().values(), node.process.pid):
                assert f"\nUid:\t{uid}\t{uid}\t" in Path(f"/proc/{pid}/status").read_text()
            _look_at(node, HTTP_USER)


# ---- what the shipped unit leaves ----

UNIT = HERE.parents[1] / "packaging" / "kontor@.service"


def what_the_unit_leaves_of_root_is_enough():
    _need_root()
    capabilities = re.search(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.M)[1].split()
    kept = ["setpriv", "--inh-caps=-all", "--bounding-set=-all," + ",".join(
        "+" + name.removeprefix("CAP_").lower() for name in capabilities)]
    group = grp.getgrgid(pwd.getpwnam(SIGNER_USER).pw_gid).gr_name
    with template.copy() as i:
        place = i.folder / "metrics.sock"
        with _node(i, user=HTTP_USER, signer_user=SIGNER_USER, prefix=kept, stop_grace="1s",
                   listen_group=group, listen_metrics=f"unix:{place}") as node:
            bounds = re.search(r"CapBnd:\s+(\w+)", Path(f"/proc/{node.process.pid}/status").read_text())
            assert int(bounds[1], 16).bit_count() == len(capabilities), bounds[0]
            # The proxy's group gets the socket.
            assert (place.stat().st_gid, place.stat().st_mode & 0o777) == (
                grp.getgrnam(group).gr_gid, 0o660)
            # Children that hear nothing any more are ended, though they are other users'.
            children = node.children()
            for pid in children.values():
                os.kill(pid, signal.SIGSTOP)
            assert node.stop() == 0, node.log()
            assert not [kind for kind, pid in children.items() if Path(f"/proc/{pid}").exists()], children


if __name__ == "__main__":
    HUNT, LOAD = sys.argv[2:4]
    template = make_template(sys.argv[1])
    tap.run_all(dict(globals()))
