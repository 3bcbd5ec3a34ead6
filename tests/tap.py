"""Test cases in Python: functions in a list, reported as TAP for meson."""
import traceback


class Skip(Exception):
    """What a case needs is not there; the text says what."""


def run(cases):
    """Run each function; its name, with spaces, is the title.  Exits 1 when one fails."""
    print(f"1..{len(cases)}")
    failed = 0
    for number, case in enumerate(cases, 1):
        title = case.__name__.replace("_", " ")
        try:
            case()
        except Skip as e:
            print(f"ok {number} - {title} # SKIP {e}", flush=True)
        except Exception:  # a failing case must not hide the next one
            failed += 1
            print(f"not ok {number} - {title}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="")
        else:
            print(f"ok {number} - {title}", flush=True)
    raise SystemExit(1 if failed else 0)


def run_all(namespace):
    """Run the functions of a test file in their order; those named _x are helpers."""
    run([f for name, f in namespace.items() if not name.startswith("_")
         and callable(f) and not isinstance(f, type) and f.__module__ == "__main__"])
