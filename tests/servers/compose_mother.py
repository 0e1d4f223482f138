"""A process that has Compose 1 imported, and forks one for each call: most of what a call costs are its imports.

What runs is the same program, as with ``tests.servers.mother``: with its caller's words, folder, environment and files;
SIGTERM for the caller reaches it, it ends with its caller, and its exit code is the caller's. This file knows no module
beside Compose's own and Python's: Compose's Python runs it, with ``serve`` as the process that forks, with an address
as a call. ``tests.servers.forked`` gives the words for both.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import Any

MOST = 1 << 17
"""Bytes that a call's words, folder and environment may have."""
FILES = (0, 1, 2)


def serve(program: str, address: str) -> None:
    """Answer each connection by a call of the program, until this process is ended."""
    importlib.import_module("compose.cli.main")  # everything that is heavy

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(f"\0{address}")
        listening.listen(64)
        print("ready", flush=True)  # noqa: T201 - whoever started us waits for this line
        while True:
            connection, _ = listening.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listening.close()
                _answer(connection, program)
                os._exit(0)
            connection.close()


def _answer(connection: socket.socket, program: str) -> None:
    """Run one call: it gets the caller's SIGTERM, is killed where the caller is gone, and its exit code is the answer."""
    message, files, _, _ = socket.recv_fds(connection, MOST, len(FILES))
    pid = os.fork()
    if not pid:
        _become(program, json.loads(message), files)
    for file in files:
        os.close(file)
    ended = os.pidfd_open(pid)
    while ended not in select.select([ended, connection.fileno()], [], [])[0]:
        os.kill(pid, (connection.recv(1) or bytes([signal.SIGKILL]))[0])
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(OSError):  # the caller may be gone
        connection.send(str(code).encode())


def _become(program: str, call: dict[str, Any], files: list[int]) -> None:
    code = 1
    try:
        os.setsid()
        for file, number in zip(files, FILES, strict=True):
            os.dup2(file, number)
            os.close(file)
        os.umask(call["umask"])
        os.chdir(call["folder"])
        os.environ.clear()
        os.environ.update(call["environment"])
        code = _run(program, call["words"])
    except BaseException:  # noqa: BLE001 - whatever it is, it is said, and this process ends here
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _run(program: str, words: list[str]) -> int:
    sys.argv = [program, *words]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # noqa: T201 - as Python itself does
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def call(address: str, words: list[str]) -> int:
    """Have the program called with words; returns its exit code. Where a signal ended it, one ends us."""
    umask = os.umask(0)
    os.umask(umask)
    folder = os.getcwd()  # noqa: PTH109 - a call imports as little as it can
    asked = {"words": words, "folder": folder, "environment": dict(os.environ), "umask": umask}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(f"\0{address}")

        def hand_on(number: int, _: object) -> None:
            connection.send(bytes([number]))

        signal.signal(signal.SIGTERM, hand_on)
        socket.send_fds(connection, [json.dumps(asked).encode()], FILES)
        code = int(connection.recv(64) or b"1")
    if code < 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        sys.exit(call(sys.argv[1], sys.argv[2:]))
