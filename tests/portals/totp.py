"""Codes as an authenticator app shows them (RFC 6238): SHA-1, six digits, 30 seconds."""
import base64
import hashlib
import hmac
import struct
import time

STEP_S = 30


def code(secret_base32, step):
    key = base64.b32decode(secret_base32 + "=" * (-len(secret_base32) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Totp:
    """One person's app.  A code counts once (RFC 6238 5.2), so the last step used is kept in
    a file: a check that runs twice within half a minute takes the next code instead."""

    def __init__(self, secret_base32, memory):
        self.secret, self.memory = secret_base32, memory

    def current(self):
        return code(self.secret, int(time.time()) // STEP_S)

    def next_code(self, out):
        last = int(self.memory.read_text()) if self.memory.exists() else 0
        # The server takes the code of a clock one step ahead, not more.
        while last > int(time.time()) // STEP_S:
            out.say("  (waiting for the next code of the authenticator app)")
            time.sleep(STEP_S - time.time() % STEP_S)
        step = max(last + 1, int(time.time()) // STEP_S)
        self.memory.write_text(str(step))
        return code(self.secret, step)
