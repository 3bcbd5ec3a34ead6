"""Each row of oddities.py on real sockets: to the built program alone, to HAProxy with the shipped
configuration before a socket that keeps the octets which arrive, and to the program behind HAProxy.

An honest request is sent behind each on the same connection.  Who was handled is read from /metrics.
"""
import http.client
import re
import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "operate")]

import tap  # noqa: E402
from balanced import PATIENCE_S, Stage, exchange, free_port  # noqa: E402
from instance import make_template  # noqa: E402
from oddities import BEHIND, CLEANS, PASSES, REFUSES, TAKEN, oddities  # noqa: E402

HOST, GET, POST = "konto.example", "/health/live", "/oidc/token"
TABLE = oddities(HOST, GET, POST)
PROBE = BEHIND.format(host=HOST, get=GET).encode()
NOWHERE = BEHIND.format(host=HOST, get="/behind").encode()  # HAProxy knows where it begins
BATCH = 100  # of requests; the configuration refuses a source that sends more than 400 in ten seconds


def _statuses(answer):
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


class _Handled:
    """How often handlers ran meanwhile, by route; what looks on from aside is left out."""

    def __init__(self, port):
        self.port, self.before = port, self._read(port)

    @staticmethod
    def _read(port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        found = {}
        for route, number in re.findall(r'kontor_requests_total\{route="([^"]+)".*\} (\d+)', text):
            found[route] = found.get(route, 0) + int(number)
        return {route: n for route, n in found.items() if route not in ("none", "/metrics", "/health/ready")}

    def since(self):
        after = self._read(self.port)
        return {route: n - self.before.get(route, 0) for route, n in after.items()
                if n != self.before.get(route, 0)}


def _route(octets):
    return POST if octets.lstrip().startswith(b"POST") else GET


# ---- alone ----

def _alone(octets):
    with socket.create_connection(("127.0.0.1", node.port), timeout=PATIENCE_S) as connection:
        return exchange(connection, octets)


def _is_handled(row, send):
    """A row that a handler is to see, and perhaps the honest request behind it."""
    handled = _Handled(metrics)
    send(row.octets + PROBE)
    since = handled.since()
    assert since.pop(_route(row.octets), 0) >= 1 and set(since) <= {GET}, f"{row.what}: {since}"


def kontor_alone_refuses_it_and_all_behind_it():
    handled = _Handled(metrics)
    for row in TABLE:
        if row.alone != TAKEN:
            statuses = _statuses(_alone(row.octets + PROBE))
            assert statuses[:1] == [row.alone] and 200 not in statuses, f"{row.what}: {statuses}"
    assert not handled.since(), handled.since()


def what_the_library_hides_or_is_honest_is_taken_as_the_table_says():
    for row in TABLE:
        if row.alone == TAKEN:
            assert row.why, row.what
            _is_handled(row, _alone)


# ---- HAProxy before bare sockets ----

def _as_sent(octets):
    """What HAProxy makes of a request it changes nothing in: names in small letters, one header more."""
    head, body = octets.split(b"\r\n\r\n", 1)
    first, *headers = head.split(b"\r\n")
    headers = [name.lower() + b": " + value.strip() for name, _, value in (h.partition(b":") for h in headers)]
    return b"\r\n".join([first, *headers, b"x-forwarded-for: 127.0.0.1"]) + b"\r\n\r\n" + body


TOKEN = rb"[!#-'*+.0-9A-Z^-z|~-]+"
HEAD = re.compile(rb"(?:GET|POST|HEAD|OPTIONS) [!-~]+ HTTP/1\.[01]\r\n((?:" + TOKEN
                  + rb": ?[\t\x20-\x7e\x80-\xff]*\r\n)+)\r\n")
CHUNKS = re.compile(rb"((?:[0-9A-Fa-f]+\r\n.*?\r\n)*?)0\r\n(?:" + TOKEN + rb": [ -~]*\r\n)*\r\n", re.S)
ONCE = (b"host", b"content-length", b"transfer-encoding", b"authorization")


def _behind_one_plain_request(octets):
    """What follows the first request, read as strictly as can be; None: it is not plain."""
    head = HEAD.match(octets)
    if not head:
        return None
    names = [line.split(b":", 1)[0].lower() for line in head[1].split(b"\r\n")[:-1]]
    fields = dict(zip(names, (line.split(b":", 1)[1].strip() for line in head[1].split(b"\r\n"))))
    if any(names.count(name) > 1 for name in ONCE):
        return None
    if b"transfer-encoding" in fields:
        chunks = CHUNKS.match(octets, head.end())
        if b"content-length" in fields or fields[b"transfer-encoding"] != b"chunked" or not chunks:
            return None
        sized = re.match(rb"(?:([0-9A-Fa-f]+)\r\n(.*?)\r\n)?$", chunks[1], re.S)
        if not sized or sized[1] and int(sized[1], 16) != len(sized[2]):
            return None
        return octets[chunks.end():]
    return octets[head.end() + int(fields.get(b"content-length", 0)):]


def _at_balancer(row, stage):
    stage.forget()
    answer = stage.say(row.octets + PROBE)
    assert b" 429 " not in answer[:20], "too many requests for the configuration's limit"
    arrived = stage.node.octets
    if row.balancer == REFUSES:
        assert not arrived, f"{row.what}: {arrived}"
        assert [s // 100 for s in _statuses(answer)] == [4], f"{row.what}: {answer}"
        return
    if row.balancer == PASSES:
        sent = _as_sent(row.octets)
        assert arrived.startswith(sent), f"{row.what}: {arrived}"
        behind = arrived[len(sent):]
    else:
        behind = _behind_one_plain_request(arrived)
        assert behind is not None and not arrived.startswith(row.octets), f"{row.what}: {arrived}"
    # What was sent as a second request is one, or nothing.
    assert behind in (b"", _as_sent(PROBE.replace(b"Connection: close\r\n", b""))), f"{row.what}: {behind}"


def haproxy_refuses_or_cleans_it_or_leaves_it_to_kontor():
    for start in range(0, len(TABLE), BATCH):
        with Stage() as stage:
            for row in TABLE[start:start + BATCH]:
                _at_balancer(row, stage)


# ---- both ----

def behind_haproxy_nothing_odd_is_handled():
    for start in range(0, len(TABLE), BATCH):
        with Stage(backend=f"127.0.0.1:{node.port}") as stage:
            handled, clean = _Handled(metrics), []
            for row in TABLE[start:start + BATCH]:
                if row.balancer == CLEANS or row.alone == TAKEN:
                    clean.append(row)
                    continue
                answer = stage.say(row.octets + NOWHERE)
                status, *more = _statuses(answer)
                assert status // 100 == 4 and status != 429, f"{row.what}: {answer}"
                if row.balancer == REFUSES:
                    assert not more, f"{row.what}: {answer}"
                else:
                    assert status == row.alone and more in ([], [404]), f"{row.what}: {answer}"
            assert not handled.since(), handled.since()
            for row in clean:
                _is_handled(row, stage.say)


def every_row_is_another():
    assert len({row.what for row in TABLE}) == len({row.octets for row in TABLE}) == len(TABLE)


if __name__ == "__main__":
    metrics = free_port()
    with make_template(sys.argv[1]).copy() as instance, \
            instance.node(listen_metrics=f"127.0.0.1:{metrics}", trusted_proxy="127.0.0.0/8") as node:
        tap.run_all(dict(globals()))
