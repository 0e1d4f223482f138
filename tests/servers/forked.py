"""Programs forked from a process that has everything imported: a start takes the time of no import."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.servers.process import NotReadyError, ServerProcess, _wrapper

ROOT = Path(__file__).parents[2]


class Mother:
    """Forks services on demand. Get it with ``shared``; those it has forked end with it."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self._answered()

    def fork(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """Fork a process that runs a module with arguments; returns its process id."""
        return int(self._asked({"words": list(words), "environment": dict(environment), "log": str(log)}))

    def how_ended(self, pid: int) -> str:
        """Return a forked one's exit code, minus the signal's number where one ended it; empty while it runs."""
        return self._asked({"ended": pid})

    def _asked(self, order: Mapping[str, object]) -> str:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(order).encode() + b"\n")
        self._child.stdin.flush()
        return self._answered()

    def _answered(self) -> str:
        assert self._child.stdout is not None
        answer = self._child.stdout.readline()
        if not answer:
            raise NotReadyError("the preloaded process has ended")
        return answer.decode().strip()


@cache
def shared() -> Mother:
    """Return the one that all tests of this process share: it starts at the first call, and ends with the process."""
    words = [*_wrapper(None, "KILL"), sys.executable, "-m", "tests.servers.mother"]
    return Mother(subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE))


def compose_words(program: Path) -> list[str]:
    """Return the words that call a Compose: where it is Compose 1, a script of Python, those of a forked one."""
    with program.open("rb") as file:
        first, about = file.readline().decode(errors="replace"), file.read(500)
    if not (first.startswith("#!/") and "python" in first and b"docker-compose==1." in about):
        return [str(program)]
    python, script = first[2:].split(), str(ROOT / "tests" / "servers" / "compose_mother.py")
    address = f"hbot-compose-{os.getpid()}"
    _serve_compose(*python, "-I", script, "serve", str(program), address)
    return [*python, "-I", "-S", script, address]


@cache
def _serve_compose(*words: str) -> "subprocess.Popen[bytes]":
    """Start the process that forks them, at the first call; it ends with this one."""
    child = subprocess.Popen(
        [*_wrapper(None, "KILL"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout as said:
        if not said.readline():
            raise NotReadyError("the preloaded Compose 1 has ended")
    return child


class ForkedProcess(ServerProcess):
    """A ``ServerProcess`` whose every start is a fork of a preloaded one: ``words`` are a module and its arguments."""

    def __init__(self, name: str, words: Sequence[str], *, log: Path, env: Mapping[str, str]) -> None:
        super().__init__(name, (), log=log, env=env)
        self._words = words
        self._pid, self._handle = 0, -1

    @property
    def pid(self) -> int:
        """The PID of the running (or last) process."""
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._handle >= 0 and not self._ended(0)

    @property
    def end(self) -> str:
        """How it ended, where it has: ``its process has ended: -9``."""
        code = shared().how_ended(self._pid) if self._handle >= 0 else ""
        return f"its process has ended: {code}" if code else ""

    def start(self) -> None:
        """Fork it; its output is appended to the log file."""
        self._let_go()
        self._pid = shared().fork(self._words, self._env or {}, self.log)
        with suppress(ProcessLookupError):  # it may have ended at once
            self._handle = os.pidfd_open(self._pid)

    async def tell_where(self) -> None:
        """Have it write into its log where each of its threads stands; a moment is left for that."""
        self._signal(signal.SIGUSR1)
        await asyncio.sleep(0.3)

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        if self._handle >= 0 and not self._ended(10):
            raise NotReadyError(f"process {self._pid} does not end")
        self._let_go()

    def _ended(self, seconds: float) -> bool:
        return bool(select.select([self._handle], [], [], seconds)[0])

    def _signal(self, number: signal.Signals) -> None:
        if self._handle >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def _let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1
