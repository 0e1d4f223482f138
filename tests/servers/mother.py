"""A process that has the service imported already, and forks one for each order: orders come as JSON, a line each.

``{"words": [module, argument, …], "environment": {…}, "log": path}`` is answered by the new process's id, and
``{"ended": id}`` by how that one ended (its exit code, minus the signal's number; empty while it runs). A start that
costs seconds of imports costs a tenth of a second this way, and what runs is the same: ``python -m bot.cli run``,
killed as really as any process.
"""

import ctypes
import faulthandler
import json
import os
import runpy
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any

from bot.tuning import startup_imports

PR_SET_PDEATHSIG = 1


def serve() -> None:
    """Fork a process for every line of stdin, until it ends."""
    with startup_imports():
        import bot.app  # noqa: PLC0415 - everything that is heavy
        import bot.service  # noqa: F401, PLC0415 - as above
    ends: dict[int, int] = {}
    print("ready", flush=True)  # noqa: T201 - whoever started us waits for this line
    for line in sys.stdin:
        take_ends(ends)
        print(answered(json.loads(line), ends), flush=True)  # noqa: T201 - the answer


def answered(order: dict[str, Any], ends: dict[int, int]) -> int | str:
    """Do what an order asks for. Its id may have been that of another process, which has ended: that is forgotten."""
    if "ended" in order:
        return ends.get(order["ended"], "")
    pid = forked(order)
    ends.pop(pid, None)
    return pid


def take_ends(ends: dict[int, int]) -> None:
    """Note how those ended that have: by their ids."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ends[found[0]] = os.waitstatus_to_exitcode(found[1])


def forked(order: dict[str, Any]) -> int:
    """Fork one process; returns its process id. The child never returns."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        log = os.open(order["log"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for file, number in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(file, number)
        faulthandler.register(signal.SIGUSR1)  # where it stands, into its log
        os.environ.clear()
        os.environ.update(order["environment"])
        code = run(order["words"])
    except BaseException:  # noqa: BLE001 - whatever it is, it is said in the log, and this process ends here
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def run(words: list[str]) -> int:
    """Run a module as ``python -m`` does; returns the exit code."""
    sys.argv = words
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    serve()
