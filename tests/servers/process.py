"""A real server as a child process: started, waited for, paused, killed, and always ended, by its own PID."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
SOCKETS_BELOW = 40
"""Letters of a folder's path below which Unix sockets are made: theirs may have 107."""


class NotReadyError(Exception):
    """A server did not become ready, or something awaited did not come about, within its time."""


def folder_for_servers() -> Path:
    """Return where servers keep their files: in memory where the tests' own are, else where temporary files are.

    Most of what a container's start or a new database costs on a disk is the disk. tests/conftest.py sees to the room;
    what is in memory must also let programs be started.
    """
    chosen = os.environ.get("PYTEST_DEBUG_TEMPROOT", "")
    if 0 < len(chosen) <= SOCKETS_BELOW and not os.statvfs(chosen).f_flag & os.ST_NOEXEC:
        return Path(chosen)
    return Path(tempfile.gettempdir())


def free_port() -> int:
    """Return a TCP port on loopback that was free a moment ago."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different free TCP ports on loopback: all are held until all are chosen."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]


async def accepts(port: int) -> bool:
    """Say whether something listens on the loopback port."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), 1)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def eventually(
    probe: Callable[[], Awaitable[bool]], what: str, *, within: float = 20, every: float = 0.03
) -> None:
    """Wait until `probe` says True, asked every few hundredths of a second.

    Raises NotReadyError naming `what` when it has not within `within` seconds.
    """
    deadline = time.monotonic() + within
    while not await probe():
        if time.monotonic() > deadline:
            raise NotReadyError(f"{what}: not within {within:g} s")
        await asyncio.sleep(every)


class ServerProcess:
    """One server process that can be started, stopped, killed and started again."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        orphan_signal: str = "KILL",
    ) -> None:
        self.name = name
        self.log = log
        self._argv = [*_wrapper(user, orphan_signal), *map(str, argv)]
        self._env = env
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The PID of the running (or last) process."""
        if self._child is None:
            raise NotReadyError(f"{self.name} was never started")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._child is not None and self._child.poll() is None

    @property
    def end(self) -> str:
        """How it ended, where it has: ``its process has ended: -9``."""
        return (
            "" if self._child is None or self.running else f"its process has ended: {self._child.returncode}"
        )

    def start(self) -> None:
        """Start it; its output is appended to the log file."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._env
            )

    async def ready(self, probe: Callable[[], Awaitable[bool]], *, within: float = 45) -> None:
        """Wait until `probe` says True. Raises NotReadyError with the log's end when it dies or takes too long."""

        async def up_or_dead() -> bool:
            if not self.running:
                raise NotReadyError(f"{self.name} ended at once:\n{self.log_tail()}")
            return await probe()

        try:
            await eventually(up_or_dead, self.name, within=within)
        except NotReadyError as error:
            raise NotReadyError(f"{error}\n{self.log_tail()}") from None

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait(10)

    def freeze(self) -> None:
        """Stop it in its tracks (SIGSTOP): it keeps its sockets open and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    async def stop(self, *, within: float = 10) -> None:
        """Ask it to end (SIGTERM), and kill it when it has not within `within` seconds."""
        if not self.running:
            return
        self.thaw()  # a frozen process does not handle SIGTERM
        self._signal(signal.SIGTERM)

        async def ended() -> bool:
            return not self.running

        with contextlib.suppress(NotReadyError):
            await eventually(ended, f"end of {self.name}", within=within)
        if self.running:
            await self.tell_where()
            self.kill()

    async def tell_where(self) -> None:
        """Have it write into its log where each of its threads stands, if it can."""

    def log_tail(self, lines: int = 15) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(number)


@contextlib.asynccontextmanager
async def stopped_at_exit(process: ServerProcess) -> AsyncIterator[ServerProcess]:
    """Own a process: whatever happens inside, it has ended afterwards."""
    try:
        yield process
    finally:
        await process.stop()


def _wrapper(user: str | None, orphan_signal: str) -> list[str]:
    """Return the words to put before a command: a server must not outlive a test run that was killed."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if user is not None:
            raise NotReadyError(f"cannot start a server as {user}: setpriv (util-linux) is not installed")
        return []
    identity = [f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--init-groups"] if user else []
    return [setpriv, f"--pdeathsig={orphan_signal}", *identity]
