#!/usr/bin/env python3
"""Strangers at the door, in a process of their own.

usage: strangers.py storm|slow SECONDS PORT...

storm: 2,000 connections a second, each asks for a page or just hangs up.  slow: 1,000 senders of one
octet a second, who come again when they are sent away.  Each comes from an address of its own.
"""
import contextlib
import resource
import select
import socket
import sys
import time

STORM_PER_S, SENDERS = 2000, 1000
REQUEST = b"GET /oidc/jwks HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n"


def connect(number, port):
    s = socket.socket()
    s.setblocking(False)
    with contextlib.suppress(OSError):
        s.bind((f"127.{60 + number % 30}.{number // 250 % 250}.{1 + number % 250}", 0))
    with contextlib.suppress(BlockingIOError, ConnectionError, OSError):
        s.connect(("127.0.0.1", port))
    return s


def storm(seconds, ports):
    """Bounded: at the pace, and no connection is held for more than half a second."""
    begin, number, held = time.monotonic(), 0, []
    while (now := time.monotonic()) < begin + seconds:
        while number < (now - begin) * STORM_PER_S:
            held.append((now, connect(number, ports[number % len(ports)])))
            number += 1
        while held and held[0][0] < now - 0.5:
            s = held.pop(0)[1]
            with contextlib.suppress(OSError):
                if len(held) % 2:
                    s.send(REQUEST)
            s.close()
        time.sleep(0.002)
    return number


def slow(seconds, ports):
    begin, again = time.monotonic(), 0
    senders = [connect(i, ports[i % len(ports)]) for i in range(SENDERS)]
    sent = [0] * SENDERS
    while time.monotonic() < begin + seconds:
        for i, s in enumerate(senders):
            try:
                s.send(REQUEST[sent[i] % len(REQUEST):][:1])
                sent[i] += 1
                if select.select([s], [], [], 0)[0] and not s.recv(4096):
                    raise ConnectionError
            except BlockingIOError:
                continue
            except OSError:
                s.close()
                senders[i], sent[i] = connect(i, ports[i % len(ports)]), 0
                again += 1
        time.sleep(1)
    return again


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    what = {"storm": storm, "slow": slow}[sys.argv[1]]
    print(what(float(sys.argv[2]), [int(p) for p in sys.argv[3:]]))
