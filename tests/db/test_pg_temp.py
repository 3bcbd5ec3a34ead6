#!/usr/bin/env python3
"""tools/pg-temp: nothing of its cluster stays, whatever ends it."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PG_TEMP = str(Path(__file__).resolve().parents[2] / "tools" / "pg-temp")
ENV = {k: v for k, v in os.environ.items() if not k.startswith("KONTOR_TEST_")}


def run(*words, **options):
    return subprocess.run([PG_TEMP, "run", "--fast", *words], env=ENV, text=True,
                          capture_output=True, check=False, **options)


def folder_of(conninfo):
    return conninfo.split("host=")[1].split()[0]


def is_gone(folder):
    """No server answers there, and none of its processes is left."""
    for _ in range(600):
        left = subprocess.run(["pgrep", "-f", f"postgres.*-D {folder}/"], capture_output=True,
                              check=False)
        if left.returncode == 1:
            return True
        time.sleep(0.1)
    return False


def a_command_gets_a_database_and_its_status_comes_back():
    done = run("--", "sh", "-c", 'echo "$KONTOR_TEST_DB"; psql "$KONTOR_TEST_DB" -Atc '
               '"SHOW listen_addresses; SHOW server_encoding"; exit 7')
    lines = done.stdout.split("\n")
    assert done.returncode == 7, done
    assert lines[1:3] == ["", "UTF8"], done
    folder = folder_of(lines[0])
    assert is_gone(folder) and not os.path.exists(folder)


def a_command_that_is_killed_counts_as_failed():
    assert run("--", "sh", "-c", "kill -9 $$").returncode == 128 + 9


def a_cluster_that_is_there_is_used():
    done = subprocess.run([PG_TEMP, "run", "--", "sh", "-c", 'echo "$KONTOR_TEST_DB"'],
                          env=dict(ENV, KONTOR_TEST_DB="host=/elsewhere"), text=True,
                          capture_output=True, check=True)
    assert done.stdout == "host=/elsewhere\n", done


def the_server_does_not_outlive_its_script(how):
    script = subprocess.Popen([PG_TEMP, "run", "--fast"], env=ENV, text=True,
                              stdout=subprocess.PIPE)
    folder = folder_of(script.stdout.readline())
    script.send_signal(how)
    script.wait()
    script.stdout.close()
    assert is_gone(folder)
    subprocess.run(["rm", "-rf", folder], check=True)


TESTS = {
    "a command gets a database and its status comes back":
        a_command_gets_a_database_and_its_status_comes_back,
    "a command that is killed counts as failed": a_command_that_is_killed_counts_as_failed,
    "a cluster that is there is used": a_cluster_that_is_there_is_used,
    "a server stops with its script": lambda: the_server_does_not_outlive_its_script(signal.SIGTERM),
    "a server stops when its script is killed":
        lambda: the_server_does_not_outlive_its_script(signal.SIGKILL),
}


def main():
    print(f"1..{len(TESTS)}")
    failed = 0
    for number, (title, test) in enumerate(TESTS.items(), 1):
        try:
            test()
            print(f"ok {number} - {title}", flush=True)
        except AssertionError as e:
            failed += 1
            print(f"not ok {number} - {title}\n# {e}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
