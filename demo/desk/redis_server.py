"""The Redis behind the desk's streams: a real redis-server where one is on PATH, else fakeredis over TCP.

Both keep their data while they are down, listen on the same loopback port again, and really close it.
"""

import asyncio
import contextlib
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Literal, Protocol

from fakeredis import FakeServer as Keys
from fakeredis import TcpFakeServer

from demo.desk.fake_redis import WaitingHandler, patch_fakeredis
from demo.ports import HOST, free_port

STARTS_WITHIN = 10.0
STOPS_WITHIN = 5.0
Kind = Literal["auto", "real", "fake"]


class RedisServer(Protocol):
    """A server that can be started and ended at will."""

    port: int

    @property
    def up(self) -> bool:
        """Whether its port is open."""

    async def start(self) -> None:
        """Open the port. Raises OSError or TimeoutError when that fails."""

    async def stop(self) -> None:
        """Close the port and every connection."""

    async def close(self) -> None:
        """Stop for good, and forget the data."""


def server(kind: Kind = "auto", port: int = 0) -> RedisServer:
    """Return a server of that kind, not started; port 0 takes a free one."""
    program = shutil.which("redis-server")
    if kind == "real" and program is None:
        raise FileNotFoundError("redis-server is not on PATH: install it, or run the demo without REAL=1")
    if kind == "fake" or program is None:
        return FakeServer(port or free_port())
    return RealServer(program, port or free_port())


class RealServer:
    """redis-server with an append-only file in a folder of its own, ended by a kill as a crash would."""

    def __init__(self, program: str, port: int) -> None:
        self.port = port
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="hbot-redis-"))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def up(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and wait until it answers."""
        options = [
            "--bind",
            HOST,
            "--appendonly",
            "yes",
            "--appendfsync",
            "no",
            "--save",
            "",
            "--dir",
            str(self._folder),
        ]
        self._process = await asyncio.create_subprocess_exec(
            *(self._program, "--port", str(self.port), *options), stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(STARTS_WITHIN):
            while not await _answers(self.port):
                if not self.up:
                    raise OSError(f"redis-server ended at once: is port {self.port} of {HOST} taken?")
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Kill it."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await asyncio.wait_for(process.wait(), STOPS_WITHIN)

    async def close(self) -> None:
        """Kill it and remove its folder."""
        await self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class FakeServer:
    """fakeredis behind a TCP port, in threads of this process; its keys outlive a stop."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._server: TcpFakeServer | None = None
        self._thread: threading.Thread | None = None
        self._keys: Keys | None = None

    @property
    def up(self) -> bool:
        """Whether the port is open."""
        return self._server is not None

    async def start(self) -> None:
        """Listen, with the keys of the last time."""
        patch_fakeredis()
        listener = TcpFakeServer((HOST, self.port), server_type="redis", server_version=(7, 2))
        listener.daemon_threads = True
        listener.RequestHandlerClass = WaitingHandler
        if self._keys is not None:
            listener.fake_server = self._keys
        self._keys = listener.fake_server
        self._thread = threading.Thread(
            target=listener.serve_forever, args=(0.1,), daemon=True, name="fakeredis"
        )
        self._thread.start()
        self._server = listener

    async def stop(self) -> None:
        """Close the port and the connections."""
        listener, self._server = self._server, None
        if listener is not None:
            await asyncio.wait_for(asyncio.to_thread(_end, listener), STOPS_WITHIN)

    async def close(self) -> None:
        """Close the port and drop the keys."""
        await self.stop()
        self._keys = None


def _end(listener: TcpFakeServer) -> None:
    listener.shutdown()
    listener.server_close()


async def _answers(port: int) -> bool:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(b"PING\r\n")
                await writer.drain()
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
    return False
