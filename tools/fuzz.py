"""Look for inputs that break a parser; called by ./dev fuzz.

What a run finds out is kept in var/fuzz: inputs that reach new code in TARGET/, processor time and
tries in TARGET.json.  An input that breaks a target becomes a seed of it, so that ./dev test fails.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES, KEPT = ROOT / "tests" / "fuzz", ROOT / "var" / "fuzz"
BEGIN, END = "<!-- fuzz: begin -->\n", "<!-- fuzz: end -->\n"
SLICE_S = 120  # of one run: what a run has used is written down when it ends
HANG_S = 100   # libFuzzer counts waiting on a busy machine, too


def targets():
    return sorted(p.stem.removeprefix("fuzz_") for p in SOURCES.glob("fuzz_*.c"))


def kept(target):
    """Processor seconds and tries of all runs so far."""
    path = KEPT / f"{target}.json"
    return json.loads(path.read_text()) if path.exists() else {"seconds": 0, "tries": 0}


def run_once(build, target, seconds):
    """One run of libFuzzer; its exit status and its last words."""
    corpus, seeds = KEPT / target, SOURCES / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    with open(KEPT / f"{target}.log", "w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            [build / f"fuzz_{target}", f"-max_total_time={seconds}", f"-timeout={HANG_S}", "-rss_limit_mb=2048",
             "-report_slow_units=10", "-print_final_stats=1", f"-artifact_prefix={seeds}/", corpus, seeds],
            stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        said = log.read()
    now = kept(target)
    tries = re.search(r"stat::number_of_executed_units: *(\d+)", said)
    now = {"seconds": round(now["seconds"] + used.ru_utime + used.ru_stime, 1),
           "tries": now["tries"] + (int(tries[1]) if tries else 0)}
    (KEPT / f"{target}.json").write_text(json.dumps(now) + "\n")
    return process.returncode, said[-3000:]


def until(build, target, aim_s):
    """Run until the target has had so much processor time; true: nothing found."""
    while (have := kept(target)["seconds"]) < aim_s:
        status, said = run_once(build, target, max(1, min(SLICE_S, int(aim_s - have) + 1)))
        if status != 0:
            print(f"fuzz {target}: ended with {status}:\n{said}", file=sys.stderr)
            return False
    print(f"fuzz {target}: {kept(target)['seconds']:,.0f} s, {kept(target)['tries']:,} tries",
          file=sys.stderr)
    return True


def record(path):
    text = path.read_text(encoding="utf-8")
    rows = [f"| {t} | {kept(t)['seconds'] / 60:.1f} | {kept(t)['tries']:,} |\n"
            for t in targets() if any(kept(t).values())]
    head, rest = text.split(BEGIN)
    table = "| target | minutes of one core | tries |\n| --- | --- | --- |\n" + "".join(rows)
    path.write_text(head + BEGIN + table + END + rest.split(END)[1], encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("target", nargs="*", choices=[[], *targets()], metavar="TARGET",
                        help="all by default: " + " ".join(targets()))
    parser.add_argument("--minutes", type=float, default=1,
                        help="of processor time for each target, earlier runs counted")
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time")
    parser.add_argument("--fresh", action="store_true", help="earlier runs do not count")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the totals there")
    args = parser.parse_args()
    names = args.target or targets()
    subprocess.run(["ninja", "-C", args.build, *(f"tests/fuzz/fuzz_{t}" for t in names)], check=True,
                   stdout=subprocess.DEVNULL)
    for target in names if args.fresh else []:
        (KEPT / f"{target}.json").unlink(missing_ok=True)
    with ThreadPoolExecutor(args.jobs) as pool:
        fine = list(pool.map(lambda t: until(args.build / "tests" / "fuzz", t, args.minutes * 60),
                             names))
    if args.record:
        record(args.record)
    sys.exit(0 if all(fine) else 1)


if __name__ == "__main__":
    main()
