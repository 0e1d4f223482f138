"""Runs programs from argument lists: no shell, a time limit, capped output, the whole process group ended."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from triage.errors import DeskFailure

HEAD, TAIL = 8_000, 24_000
"""Characters of output that are kept from the beginning and from the end."""
ANSWER_MAX = 4 * 1024 * 1024
"""Bytes that a program's answer may have where all of it is read."""
PASSED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"),
        *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"),
        *("DOCKER_API_VERSION", "COMPOSE_PROJECT_NAME", "COMPOSE_PARALLEL_LIMIT", "COMPOSE_HTTP_TIMEOUT"),
    }
)
"""The environment that a program is given: what it needs to find itself and the engine, and no setting of ours."""
PIPE_SIZE = 1024 * 1024
"""Bytes of output that wait for a reader."""
GRACE_SECONDS = 3.0
"""How long a program may take to end once it was asked to."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a program ended. ``exit_code`` is None where it was killed for taking too long.

    ``output`` is stdout and stderr as they came, capped: the beginning and the end are kept.
    """

    exit_code: int | None
    output: str


class CommandOutput:
    """Output as it comes: the beginning and the end, and how much is missing between."""

    def __init__(self) -> None:
        self._head, self._tail, self._left_out = "", "", 0

    def add(self, text: str) -> None:
        """Take a further piece."""
        room = HEAD - len(self._head)
        self._head += text[:room]
        self._tail += text[room:]
        if len(self._tail) > TAIL:
            self._left_out += len(self._tail) - TAIL
            self._tail = self._tail[-TAIL:]

    def __str__(self) -> str:
        """Return what is kept. Beside the gap only whole lines are: half a secret is one that no masking knows."""
        if not self._left_out:
            return f"{self._head}{self._tail}"
        breaks = "\n" if "\n" in self._head and "\n" in self._tail else " "
        head, tail = self._head.rpartition(breaks)[0], self._tail.partition(breaks)[2]
        left_out = self._left_out + len(self._head) + len(self._tail) - len(head) - len(tail)
        return f"{head}\n… {left_out} characters left out …\n{tail}"


class HostCommands:
    """Runs programs on the desk's host. Of our own environment they are given ``PASSED`` alone, and ``environment``."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        kept = {name: value for name, value in os.environ.items() if name in PASSED}
        self._environment = {**kept, **(environment or {})}

    async def run(
        self,
        argv: Sequence[str],
        *,
        folder: str,
        timeout_seconds: float,
        on_output: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run a program; ``on_output`` is called with the output so far. A cancelled call kills it and its children."""
        output = CommandOutput()
        read, write = _kept_pipe()
        with os.fdopen(read, "rb", buffering=0) as said:
            try:
                process = await self._start(argv, folder, (read, write))
            finally:
                os.close(write)  # the program's own is the last one: its end is the end of what it says
            try:
                async with asyncio.timeout(timeout_seconds):
                    await _listen(said, output, on_output)
                    code: int | None = await process.wait()
            except TimeoutError:
                code = None
            finally:
                # Also when it ended by itself: what it left behind in its group must not go on alone.
                await _end(process)
        return CommandResult(code, str(output))

    async def ask(self, argv: Sequence[str], *, folder: str, timeout_seconds: float) -> CommandResult:
        """Run a program that tells something: its output is its stdout, whole. Raises DeskFailure where it is too long."""
        process = await self._start(argv, folder)
        assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        said = bytearray()
        try:
            async with asyncio.timeout(timeout_seconds):
                while piece := await process.stdout.read(65_536):
                    said += piece
                    if len(said) > ANSWER_MAX:
                        raise DeskFailure(f"{argv[0]} answers more than {ANSWER_MAX:,} bytes")
                code: int | None = await process.wait()
        except TimeoutError:
            code = None
        finally:
            await _end(process)
        return CommandResult(code, said.decode(errors="replace"))

    async def _start(
        self, argv: Sequence[str], folder: str, pipe: tuple[int, int] | None = None
    ) -> asyncio.subprocess.Process:
        """Start a program; with a pipe all it says goes there, without one its stdout alone is to be read."""
        try:
            return await asyncio.create_subprocess_exec(
                *argv,
                cwd=folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if pipe is None else pipe[1],
                stderr=asyncio.subprocess.DEVNULL if pipe is None else asyncio.subprocess.STDOUT,
                pass_fds=() if pipe is None else pipe[:1],
                start_new_session=True,
            )
        except OSError as error:
            raise DeskFailure(
                f"{argv[0]} cannot be started in {folder}: {error.strerror}; "
                "look at compose.command and paths.compose in desk.yaml"
            ) from error


def _kept_pipe() -> tuple[int, int]:
    """Make a pipe: its reading and its writing end. The program is given both, so that it outlives us.

    Compose ends by SIGPIPE in the middle of a recreate where nobody reads what it says any more, and may leave a bot
    without a container, or with two. What it says after our death fits into the pipe: it is far more than it ever says.
    """
    read, write = os.pipe()
    with contextlib.suppress(OSError, AttributeError):  # not on every system
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return read, write


async def _listen(said: IO[bytes], output: CommandOutput, on_output: Callable[[str], None] | None) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), said
    )
    try:
        await _read_out(reader, output, on_output)
    finally:
        transport.close()


async def _read_out(
    reader: asyncio.StreamReader, output: CommandOutput, on_output: Callable[[str], None] | None
) -> None:
    while piece := await reader.read(4096):
        output.add(piece.decode(errors="replace"))
        if on_output is not None:
            on_output(str(output))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await process.wait()
                return
