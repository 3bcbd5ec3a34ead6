"""Rules about C: who includes whom, which library lives where, which calls nobody makes."""
import fnmatch
import re

from lint_tree import Finding, line_of, without_comments

# Who may stand on whom (docs/ARCHITECTURE.md).  A folder, or one header of it.
# What saml/ and oidc/ see of keys/: the operations, and the public half.
KEYS_PUBLIC = ["keys/key_ops.h", "keys/key_type.h", "keys/cert.h", "keys/cert_name.h", "keys/verify.h", "keys/envelope.h"]
LAYERS = {
    "base": [],
    "keys": ["base"],
    "db": ["base"],
    "saml": ["base", *KEYS_PUBLIC],
    "oidc": ["base", *KEYS_PUBLIC],
    "web": ["base"],
    "idp": ["base", "keys", "db", "saml", "oidc", "web"],
}
PRODUCT = [f"{folder}/*.[ch]" for folder in LAYERS]

# A foreign header has one home, so that its library can be replaced or shut tight in one place.
FOREIGN_HEADERS = {
    "libpq-fe.h": ["db/*"],
    "libpq/*": ["db/*"],
    "microhttpd.h": ["idp/server.c", "idp/server_exchange.c", "idp/server_exchange.h"],
    "curl/*": ["idp/fetch.c"],
    "xmlsec/*": [],  # docs/decisions/0003
    "libxml/*": ["saml/*"],
    "zlib.h": ["saml/binding*.c", "idp/gzip.c", "idp/federation_read.c"],
    "jansson.h": ["base/json.h"],
    "argon2.h": ["keys/kdf.c"],
    "p11-kit/*": ["keys/p11.h"],
    "seccomp.h": ["keys/*", "idp/*"],
    "openssl/ssl.h": [],
    "gnutls/*": [],
}

# OpenSSL calls that make, read or use a private key: keys/ only, with reasons for the rest.
PRIVATE_KEY_CALLS = re.compile(
    r"\b(EVP_PKEY_(?:sign|decrypt|derive|keygen|generate|Q_keygen|paramgen)\w*|EVP_Q_\w*gen|"
    r"EVP_(?:RSA|EC)_gen|EVP_DigestSign\w*|EVP_SignFinal\w*|"
    r"EVP_PKEY_(?:new|get)_raw_private_key\w*|PEM_(?:read|write)_\w*(?:PrivateKey|PKCS8)\w*|"
    r"[di]2[di]_\w*(?:PrivateKey|PKCS8)\w*|OSSL_(?:DE|EN)CODER_\w+|PKCS12_\w+|"
    r"RSA_private_\w+|ECDSA_(?:do_)?sign\w*|EVP_PKCS82PKEY\w*)\s*\(")
PRIVATE_KEY_HOMES = {
    "keys/*": "the folder for it",
}

# The pool's connections and queues live on threads of their own, as long as the process.
_POOL = ["db/db.c", "db/lane.c", "db/listen.c", "db/tx.c"]

# names: (why not, files that may)
BANNED_CALLS = {
    "strcpy strcat stpcpy strncpy strncat sprintf vsprintf gets":
        ("writes without a bound: use arena_printf, buf, snprintf", []),
    "strtok strtok_r": ("changes its input: use text_words", []),
    "atoi atol atoll atof strtol strtoul strtoll strtoull sscanf":
        ("takes what is no number: use text_to_u64", []),
    "alloca": ("has no bound: use the arena", []),
    "memcmp": ("use bytes_eq, or bytes_eq_secret for secrets", ["base/*", "db/lane.c", "idp/federation_read.c"]),
    "malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf":
        ("memory comes from an arena", ["base/arena.c", "base/memory.c", *_POOL,
         # what these libraries hand over is theirs to be freed
         "idp/listener.c", "idp/totp.c",
         # room that a library is left, given back at once
         "idp/password.c", "saml/xml_guard.c"]),
    "setjmp longjmp _setjmp sigsetjmp siglongjmp":
        ("the arena's exit is the only one (docs/decisions/0002)", ["base/arena.c"]),
    "time clock_gettime gettimeofday localtime gmtime ctime mktime":
        ("time is read once per request by clock_now and passed on", ["base/clock.c",
         "idp/jobs.c"]),  # until when a condition is waited for
    "rand srand random srandom rand_r drand48 RAND_bytes RAND_priv_bytes":
        ("random octets come from rand_bytes", ["base/rand.c"]),
    "system popen tmpnam tempnam mktemp": ("starts a shell or races for a name", []),
    "sleep usleep nanosleep": ("nothing waits by the clock",
        ["idp/cli_work.c"]),  # a command waits for the database to answer
    "abort": ("a request never ends the process; return FAIL", ["base/*", "idp/form.c",
                                                              "saml/xml_guard.c"]),
    "syslog perror puts putchar vprintf printf fprintf vfprintf":
        ("nothing below idp/ prints or logs", ["base/log.c", "base/arena.c", "idp/cli*.c", "idp/main.c"]),
    "goto": ("arena_defer makes every early return clean", []),
}
_BANNED = {name: rule for names, rule in BANNED_CALLS.items() for name in names.split()}
_BANNED_CALL = re.compile(
    r"(?<![\w.>])(?:(goto)\b|(" + "|".join(n for n in _BANNED if n != "goto") + r")\s*\()")

# The database's clock: expiry is judged by the request's one `now`, a parameter.
SQL_TIME = re.compile(r"\b(now\s*\(\s*\)|current_timestamp|current_date|localtimestamp|"
                      r"(?:clock|statement|transaction)_timestamp\s*\()", re.I)

CLOCK_CHECK = "db/conn.c"  # measures how far our clock is from the database's

UNFINISHED = re.compile(r"\b(TO[D]O|FIXM[E]|XX[X]|HAC[K])\b")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def _allowed(path, patterns):
    return any(fnmatch.fnmatch(path, p) for p in patterns)


def _includes(tree, path):
    text = without_comments(tree.text(path))
    for m in INCLUDE.finditer(text):
        yield line_of(text, m.start()), m[1], m[2]


def layers(tree):
    """A quoted include names a file from the root, in a folder this one may stand on."""
    for path in tree.match(*PRODUCT):
        folder = path.split("/")[0]
        for line, quote, name in _includes(tree, path):
            if quote == "<":
                continue
            if "/" not in name:
                yield Finding(path, line, f'include "{name}" from the root: "{folder}/{name}"')
            elif not _allowed(name, [f"{folder}/*", *LAYERS[folder],
                                     *(f"{below}/*" for below in LAYERS[folder])]):
                yield Finding(path, line, f"{folder}/ may not stand on {name}")


def foreign_headers(tree):
    for path in tree.match(*PRODUCT):
        for line, _, name in _includes(tree, path):
            for header, homes in FOREIGN_HEADERS.items():
                if fnmatch.fnmatch(name, header) and not _allowed(path, homes):
                    yield Finding(path, line, f"<{name}> belongs in {', '.join(homes) or 'no file'}")


def private_keys(tree):
    for path in tree.match(*PRODUCT):
        if _allowed(path, PRIVATE_KEY_HOMES):
            continue
        code = tree.code(path)
        for m in PRIVATE_KEY_CALLS.finditer(code):
            yield Finding(path, line_of(code, m.start()), f"{m[1]} touches a private key: keys/ only")


def banned_calls(tree):
    for path in tree.match(*PRODUCT):
        code = tree.code(path)
        for m in _BANNED_CALL.finditer(code):
            name = m[1] or m[2]
            why, homes = _BANNED[name]
            if not _allowed(path, homes):
                yield Finding(path, line_of(code, m.start()), f"{name}: {why}")


def sql_time(tree):
    for path in tree.match("db/*.c", "db/*.h", "db/migrations/*.sql"):
        if path == CLOCK_CHECK:
            continue
        text = tree.text(path)
        if path.endswith(".sql"):
            text = re.sub(r"--[^\n]*", lambda m: " " * len(m[0]), text)
        else:
            text = without_comments(text)
        for m in SQL_TIME.finditer(text):
            yield Finding(path, line_of(text, m.start()),
                          f"{m[0].strip()}: the request's now is a parameter of the statement")


def unfinished(tree):
    for path in tree.match("*.[ch]", "*.py", "*.sh", "*.sql", "*.html", "dev"):
        text = tree.text(path)
        for m in UNFINISHED.finditer(text):
            yield Finding(path, line_of(text, m.start()), f"{m[1]}: finish it or file it")


def unbuilt_tests(tree):
    """A test that no build file names is never run."""
    for path in tree.match("tests/*/test_*.c", "tests/*/test_*.py"):
        folder, _, name = path.rpartition("/")
        name = re.fullmatch(r"test_(.*)\.(?:c|py)", name)[1]
        build = tree.text(f"{folder}/meson.build") if tree.exists(f"{folder}/meson.build") else ""
        if not re.search(rf"\b(?:test_)?{re.escape(name)}\b", build):
            yield Finding(path, 1, f"{folder}/meson.build does not name it: it is never run")
