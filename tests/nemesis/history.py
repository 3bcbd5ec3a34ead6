"""What the clients asked and heard, kept as JSON lines: an `invoke`, and later its `ok`, `fail` or
`unknown` (no answer, or one that leaves it open).  An operation without an end is unknown."""
import json
import threading
import time


class NoAnswer(Exception):
    """Nothing came back, or a 5xx: whatever was asked may have happened or not."""


class History:
    def __init__(self, path):
        self.path = path
        self._file = open(path, "w", encoding="utf-8")
        self._lock = threading.Lock()
        self._number = 0
        self.counts = {}

    def write(self, **record):
        with self._lock:
            if not self._file.closed:
                self._file.write(json.dumps({"at": round(time.time(), 4)} | record) + "\n")

    def mark(self, mark, **facts):
        """Something that is no operation: a fault begins or ends."""
        self.write(mark=mark, **facts)

    def op(self, client, kind, **facts):
        with self._lock:
            self._number += 1
            number = self._number
        return Op(self, number, client, kind, facts)

    def count(self, kind, outcome):
        with self._lock:
            key = kind, outcome
            self.counts[key] = self.counts.get(key, 0) + 1

    def close(self):
        with self._lock:
            self._file.close()


class Op:
    """One operation: leave the block by ok() or fail(), or it is unknown."""

    def __init__(self, history, number, client, kind, facts):
        self.history, self.number, self.kind, self.outcome = history, number, kind, None
        history.write(n=number, what="invoke", client=client, op=kind, **facts)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if self.outcome is None:
            self._end("unknown", why=str(error)[:200] if error else "left open")

    def _end(self, outcome, **facts):
        if self.outcome is not None:
            raise ValueError(f"{self.kind} {self.number} ends twice")
        self.outcome = outcome
        self.history.count(self.kind, outcome)
        self.history.write(n=self.number, what=outcome, **facts)

    def ok(self, **facts):
        self._end("ok", **facts)

    def fail(self, why):
        self._end("fail", why=why)


def read(path):
    """(operations, marks) of a file; each operation is a dict with all its facts, `from`, `to`
    (None: never ended) and `outcome`."""
    ops, marks = {}, []
    with open(path, encoding="utf-8") as f:
        for line in f:
            record = json.loads(line)
            if "mark" in record:
                marks.append(record)
                continue
            number, at, what = record.pop("n"), record.pop("at"), record.pop("what")
            if what == "invoke":
                ops[number] = record | {"n": number, "from": at, "to": None, "outcome": "unknown"}
            else:
                ops[number] |= record | {"to": at, "outcome": what}
    return list(ops.values()), marks
