"""A relay that holds a server's answers back: makes a quick one answer in so many seconds, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class _Asked:
    """When the last question of a connection came."""

    at: float = 0.0


class SlowRelay:
    """Relays one server. An answer arrives ``seconds`` after its question, however quick the server is."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], seconds: float) -> None:
        self.seconds = seconds
        self._connect = connect
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    def tcp(cls, port: int, seconds: float) -> Self:
        """Relay a server on a loopback port."""
        return cls(lambda: asyncio.open_connection("127.0.0.1", port), seconds)

    @classmethod
    def unix(cls, path: Path, seconds: float) -> Self:
        """Relay a server on a unix socket."""
        return cls(lambda: asyncio.open_unix_connection(str(path)), seconds)

    async def listen(self) -> int:
        """Listen on a free loopback port and return it."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):  # at the end of a bench both are meant
            there_reader, there_writer = await self._connect()
            self._writers.add(there_writer)
            asked = _Asked()
            async with asyncio.TaskGroup() as group:
                group.create_task(_ask(reader, there_writer, asked))
                group.create_task(self._answer(there_reader, writer, asked, group))
        writer.close()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asked: _Asked,
        group: asyncio.TaskGroup,
    ) -> None:
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        group.create_task(self._say(pieces, writer))
        while data := await reader.read(65536):
            pieces.put_nowait((asked.at, data))
        pieces.put_nowait((time.monotonic(), b""))

    async def _say(self, pieces: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        """Write the pieces of the answers in their order, each when it is time; end with an empty one."""
        while True:
            asked, data = await pieces.get()
            await asyncio.sleep(asked + self.seconds - time.monotonic())
            if not data or writer.is_closing():
                break
            writer.write(data)
        writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: _Asked) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            asked.at = time.monotonic()
            writer.write(data)
    writer.close()
