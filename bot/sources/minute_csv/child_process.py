"""A short-lived Python process of this project: started, spoken to by lines, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LINE = 16 * 1024 * 1024
"""Bytes of the longest line a child may answer with."""
_STDERR_MAX = 4096
KILL_SECONDS = 5.0
_ROOT = str(Path(bot.__file__).resolve().parent.parent)


def first_error(error: BaseException) -> BaseException:
    """Return the first error inside of a task group's, which is what happened first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class Child:
    """A running child: lines to it, lines from it, and the end of what it said on standard error."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise TypeError("a child is started with pipes")
        self.process = process
        self.stdin, self.stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._stderr_tail = b""

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield its answer line by line. Raises ValueError for one longer than LINE."""
        while line := await self.stdout.readline():
            yield line

    async def listen(self) -> None:
        """Read standard error to its end, so that the child never waits for it; the last of it is kept."""
        while part := await self._stderr.read(_STDERR_MAX):
            self._stderr_tail = (self._stderr_tail + part)[-_STDERR_MAX:]

    @property
    def last_errors(self) -> str:
        """Return the last line of standard error."""
        lines = self._stderr_tail.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


@asynccontextmanager
async def child(module: str, *descriptors: int, nice: int = 0) -> AsyncIterator[Child]:
    """Start ``python -m module nice descriptors``; it and its forks are killed on the way out if it has not ended.

    It inherits nothing of the environment that could be a secret. Raises OSError where none can be started;
    an error of the body comes as the exception group of the task group that owns the child's pipes.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        str(nice),
        *map(str, descriptors),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**kept, "PYTHONPATH": _ROOT, "LANG": "C.UTF-8"},
        pass_fds=descriptors,
        limit=LINE,
        start_new_session=True,  # so that its forks can be killed with it
    )
    running = Child(process)
    try:
        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(running.listen())
            try:
                yield running
            finally:
                if process.returncode is None:
                    await _end(running)
                listener.cancel()
    finally:
        if process.returncode is None:
            await _killed(process)


async def _end(running: Child) -> None:
    """Close its input and give it a moment; then kill it."""
    running.stdin.close()
    try:
        async with asyncio.timeout(1):
            await running.process.wait()
    except TimeoutError:
        await _killed(running.process)


async def _killed(process: asyncio.subprocess.Process) -> None:
    """Kill it; one that a dead disk holds ends when the disk answers, and nobody waits for that."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(KILL_SECONDS):
            await process.wait()
