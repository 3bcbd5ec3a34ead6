"""Requests that two parsers could read differently, once for all tests that send them.

A row says what Kontor alone answers and what the shipped HAProxy configuration makes of it; where the
HTTP library hides an oddity from Kontor, the row says so and why.  test_oddities.py sends each to the
built program alone, to HAProxy, and to the program behind HAProxy; tests/idp/test_server.c gets those
that Kontor refuses as C (`oddities.py HOST GET-PATH POST-PATH`).
"""
import sys
from typing import NamedTuple

# What HAProxy does: REFUSES (no node sees an octet of it), CLEANS (what arrives is another, plain
# request), PASSES (it arrives as it was sent, and is Kontor's to refuse or to take).
REFUSES, CLEANS, PASSES = "refuses", "cleans", "passes"
TAKEN = 0  # instead of a status: Kontor takes it for an honest request
# What follows each on its connection, and must never be believed where the oddity is refused.
BEHIND = "GET {get} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"


class Oddity(NamedTuple):
    what: str
    octets: bytes
    alone: int
    balancer: str
    why: str = ""  # where that needs saying


_LIBRARY_CHUNKS = "libmicrohttpd reads chunks by itself and shows only what was in them"


def oddities(host, get, post):
    """The table for a server that is `host` and has a GET at path `get` and a POST at `post`."""
    host, get, post = host.encode(), get.encode(), post.encode()
    H = b"Host: " + host
    G = b"GET " + get + b" HTTP/1.1\r\n" + H + b"\r\n"
    P = b"POST " + post + b" HTTP/1.1\r\n" + H + b"\r\n"

    def chunked(body):
        return P + b"Transfer-Encoding: chunked\r\n\r\n" + body

    return [Oddity(*row) for row in [
        # where does the body end?  RFC 9112 6
        ("length and coding", P + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, CLEANS),
        ("coding and length", P + b"Transfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n",
         400, CLEANS),
        ("two lengths", P + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, REFUSES),
        ("two equal lengths", P + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400, CLEANS),
        ("a list of equal lengths", P + b"Content-Length: 1, 1\r\n\r\na", 400, CLEANS),
        ("a list of lengths", P + b"Content-Length: 1, 2\r\n\r\nab", 400, REFUSES),
        ("a length with a sign", P + b"Content-Length: +1\r\n\r\na", 400, REFUSES),
        ("a negative length", P + b"Content-Length: -1\r\n\r\n", 400, REFUSES),
        ("a hexadecimal length", P + b"Content-Length: 0x1\r\n\r\na", 400, REFUSES),
        ("a length in two pieces", P + b"Content-Length: 1 2\r\n\r\na", 400, REFUSES),
        ("a length without digits", P + b"Content-Length:\r\n\r\n", 400, REFUSES),
        ("a length past 2^64", P + b"Content-Length: 18446744073709551617\r\n\r\na", 413, REFUSES),
        ("neither length nor coding", P + b"\r\n", 400, PASSES),
        ("an unknown coding", P + b"Transfer-Encoding: cow\r\n\r\n", 400, REFUSES),
        ("a coding that only ends so", P + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, REFUSES),
        ("the coding that is none", P + b"Transfer-Encoding: identity\r\n\r\n", 400, REFUSES),
        ("two codings", P + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, REFUSES),
        ("two codings in two lines", P + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"
         b"\r\n\r\n0\r\n\r\n", 400, REFUSES),
        ("a coding behind a vertical tab", P + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400,
         REFUSES),
        ("a coding in capitals", P + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 400, PASSES),
        ("a coding with HTTP/1.0",
         b"POST " + post + b" HTTP/1.0\r\n" + H + b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, REFUSES),
        ("a body with GET", G + b"Content-Length: 3\r\n\r\nabc", 400, PASSES),
        ("chunks with GET", G + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, PASSES),

        # chunks: RFC 9112 7.1
        ("a chunk that is no number", chunked(b"z\r\nabc\r\n0\r\n\r\n"), 400, REFUSES),
        ("a chunk with 0x", chunked(b"0x3\r\nabc\r\n0\r\n\r\n"), 400, REFUSES),
        ("a chunk with a sign", chunked(b"+3\r\nabc\r\n0\r\n\r\n"), 400, REFUSES),
        ("a negative chunk", chunked(b"-1\r\nabc\r\n0\r\n\r\n"), 400, REFUSES),
        ("a chunk without size", chunked(b"\r\nabc\r\n0\r\n\r\n"), 400, REFUSES),
        ("a chunk past 2^64", chunked(b"10000000000000003\r\nabc\r\n0\r\n\r\n"), 413, REFUSES),
        ("a chunk longer than its size", chunked(b"3\r\nabcd\r\n0\r\n\r\n"), 400, REFUSES),
        ("a chunk with an extension", chunked(b"3;a=b\r\nabc\r\n0\r\n\r\n"), TAKEN, CLEANS, _LIBRARY_CHUNKS),
        ("an extension with a bare line feed", chunked(b"2;\nab\r\n0\r\n\r\n"), TAKEN, CLEANS,
         _LIBRARY_CHUNKS),
        ("a chunk ending in a bare line feed", chunked(b"3\nabc\n0\n\n"), TAKEN, CLEANS, _LIBRARY_CHUNKS),
        ("a trailer", chunked(b"3\r\nabc\r\n0\r\nHost: evil\r\n\r\n"), TAKEN, CLEANS, _LIBRARY_CHUNKS),

        # where does a line end?  RFC 9112 2.2, 5.2
        ("bare LF after the request line", b"GET " + get + b" HTTP/1.1\n" + H + b"\r\n\r\n", 400, CLEANS),
        ("bare LF after a header", G[:-2] + b"\nX: 1\r\n\r\n", 400, CLEANS),
        ("only bare LF", b"GET " + get + b" HTTP/1.1\n" + H + b"\nX: 1\n\n", 400, CLEANS),
        ("bare LF for the empty line", G + b"\n", 400, CLEANS,
         "seen only with octets behind it; with none there is nothing it could part"),
        ("bare CR after a header", G[:-2] + b"\rX: 1\r\n\r\n", 400, REFUSES),
        ("bare CR in a value", G + b"X: a\rb\r\n\r\n", 400, REFUSES),
        ("bare CR in the target", b"GET " + get + b"?a\rb HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("CR CR LF", G + b"X: a\r\r\n\r\n", 400, REFUSES),
        ("a folded header", G + b"X-A: 1\r\n 2\r\n\r\n", 400, CLEANS),
        ("a header folded by a tab", b"GET " + get + b" HTTP/1.1\r\nX-A: 1\r\n\t2\r\n" + H + b"\r\n\r\n",
         400, CLEANS),
        ("a folded Host", b"GET " + get + b" HTTP/1.1\r\nHost:\r\n " + host + b"\r\n\r\n", 400, CLEANS),
        ("a blank before the first header", b"GET " + get + b" HTTP/1.1\r\n " + H + b"\r\n\r\n", 400,
         REFUSES),

        # NUL and other control characters: RFC 9110 5.5
        ("NUL in a header", G + b"X: a\0b\r\nY: 1\r\n\r\n", 400, REFUSES),
        ("NUL in the last header", G + b"X: a\0b\r\n\r\n", 400, REFUSES),
        ("two NULs in the last header", G + b"X: a\0\0b\r\n\r\n", 400, REFUSES),
        ("NUL in a header's name", G + b"X\0Y: a\r\n\r\n", 400, REFUSES),
        ("NUL in the target", b"GET " + get + b"?a\0b HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("NUL in the method", b"GE\0T " + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("NUL in the version", b"GET " + get + b" HTTP/1.1\0\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("a control character in a header", G + b"X: a\x01b\r\n\r\n", 400, REFUSES),
        ("DEL in a header", G + b"X: a\x7fb\r\n\r\n", 400, REFUSES),

        # headers
        ("a blank before the colon",
         b"GET " + get + b" HTTP/1.1\r\nHost : " + host + b"\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("a tab before the colon",
         b"GET " + get + b" HTTP/1.1\r\nHost\t: " + host + b"\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("a header without colon", G + b"nonsense\r\n\r\n", 400, REFUSES),
        ("a header without name", G + b": a\r\n\r\n", 400, REFUSES),
        ("a name that is no token", G + b"X(Y: a\r\n\r\n", 400, REFUSES),
        ("a name that is not ASCII", G + b"X\xc3\xa4: a\r\n\r\n", 400, REFUSES),
        ("two hosts", G + b"Host: evil\r\n\r\n", 400, REFUSES),
        ("two equal hosts", G + H + b"\r\n\r\n", 400, CLEANS),
        ("a list of hosts", b"GET " + get + b" HTTP/1.1\r\nHost: " + host + b", evil\r\n\r\n", 400, REFUSES),
        ("no host", b"GET " + get + b" HTTP/1.1\r\n\r\n", 400, PASSES),
        ("an empty host", b"GET " + get + b" HTTP/1.1\r\nHost:\r\n\r\n", 400, PASSES),
        ("a host with a user", b"GET " + get + b" HTTP/1.1\r\nHost: evil@" + host + b"\r\n\r\n", 400, PASSES),
        ("a host with a path", b"GET " + get + b" HTTP/1.1\r\nHost: " + host + b"/evil\r\n\r\n", 400, PASSES),
        ("two authorizations", G + b"Authorization: Basic YQ==\r\nAuthorization: Basic Yg==\r\n\r\n", 400,
         REFUSES),
        ("two cookie lines", G + b"Cookie: a=1\r\nCookie: b=2\r\n\r\n", 400, PASSES),
        ("two cookies of ours", G + b"Cookie: __Host-session=a; __Host-session=b\r\n\r\n", 400, PASSES),
        ("an unknown expectation", P + b"Content-Length: 1\r\nExpect: wonders\r\n\r\na", 417, PASSES),
        ("a body in another coding", P + b"Content-Length: 1\r\nContent-Encoding: gzip\r\n\r\na", 415,
         PASSES),
        ("not ASCII in a header we read", G + b"Origin: \xc3\xa4\r\n\r\n", 400, PASSES),
        ("not ASCII in a header we do not read", G + b"X: \xc3\xa4\r\n\r\n", TAKEN, PASSES,
         "RFC 9110 5.5 lets values have octets from 128 up; no handler sees this one"),
        ("headers of 17 KiB", G + b"X: " + b"x" * 17 * 1024 + b"\r\n\r\n", 431, PASSES),
        ("headers of 48 KiB", G + b"X: " + b"x" * 48 * 1024 + b"\r\n\r\n", 431, REFUSES),
        ("65 headers", G + b"X: 1\r\n" * 64 + b"\r\n", 431, PASSES),
        ("80 headers", G + b"X: 1\r\n" * 79 + b"\r\n", 431, PASSES),
        ("an upgrade to h2c", G + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
         b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", TAKEN, PASSES,
         "RFC 9110 7.8 lets a server pass over it, and the connection goes on as HTTP/1.1"),

        # the target: RFC 9112 3.2
        ("%00 in the query", b"GET " + get + b"?a=%00b HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("%00 in the path", b"GET " + get + b"%00 HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("an escaped slash and dots", b"GET /static/%2f.." + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400,
         REFUSES),
        ("an escaped backslash", b"GET /static%5C.." + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400,
         REFUSES),
        ("a backslash", b"GET /static\\.." + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, PASSES),
        ("dot segments", b"GET /static/.." + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("a dot segment at the end", b"GET " + get + b"/.. HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("escaped dots", b"GET /static/%2e%2E" + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("two slashes", b"GET /" + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("a path in an escape", b"GET /%73tatic HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, PASSES),
        ("not ASCII in the path", b"GET " + get + b"\xc3\xa4 HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("not ASCII in the query", b"GET " + get + b"?\xc3\xa4 HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("half an escape", b"GET " + get + b"?a=%4 HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, PASSES),
        ("a fragment", b"GET " + get + b"#a HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("an absolute target", b"GET http://" + host + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, PASSES),
        ("an absolute target of another", b"GET http://evil" + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n",
         400, REFUSES),
        ("a target without slash", b"GET x HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("an asterisk", b"OPTIONS * HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, PASSES),
        ("two blanks in the request line", b"GET  " + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, CLEANS),
        ("a tab in the request line", b"GET\t" + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, CLEANS),
        ("a blank in the target", b"GET " + get + b" x HTTP/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("a blank after the version", b"GET " + get + b" HTTP/1.1 \r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("a target of 17 KiB",
         b"GET " + get + b"?" + b"x" * 17 * 1024 + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 414, PASSES),

        # method and version
        ("an unknown method", b"BREW " + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 405, REFUSES),
        ("a method in small letters", b"get " + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 405, REFUSES),
        ("TRACE", b"TRACE " + get + b" HTTP/1.1\r\n" + H + b"\r\n\r\n", 405, REFUSES),
        ("CONNECT", b"CONNECT " + host + b":443 HTTP/1.1\r\nHost: " + host + b":443\r\n\r\n", 405, REFUSES),
        ("no version", b"GET " + get + b"\r\n\r\n", 400, REFUSES),
        ("HTTP/0.9", b"GET " + get + b" HTTP/0.9\r\n" + H + b"\r\n\r\n", 505, REFUSES),
        ("HTTP/1.2", b"GET " + get + b" HTTP/1.2\r\n" + H + b"\r\n\r\n", 505, REFUSES),
        ("HTTP/1.10", b"GET " + get + b" HTTP/1.10\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("HTTP/2.0", b"GET " + get + b" HTTP/2.0\r\n" + H + b"\r\n\r\n", 505, CLEANS),
        ("a version in small letters", b"GET " + get + b" http/1.1\r\n" + H + b"\r\n\r\n", 400, REFUSES),
        ("HTTP/1.0", b"GET " + get + b" HTTP/1.0\r\n" + H + b"\r\n\r\n", TAKEN, CLEANS,
         "it is honest, and ends its connection"),
        ("an empty line before the request", b"\r\n" + G + b"\r\n", TAKEN, CLEANS,
         "RFC 9112 2.2 asks for it"),
    ]]


def _c_string(octets):
    """As a C literal; octal, since a hexadecimal escape has no end."""
    return '"' + "".join(f"\\{o:03o}" for o in octets) + '"'


if __name__ == "__main__":
    behind = BEHIND.format(host=sys.argv[1], get=sys.argv[2]).encode()
    for row in oddities(*sys.argv[1:]):
        if row.alone != TAKEN:
            print(f'ODD("{row.what}", {_c_string(row.octets + behind)}, {row.alone})')
