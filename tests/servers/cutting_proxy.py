"""A TCP proxy before PostgreSQL that loses the answer of a COMMIT, or stands still, as a network does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from tests.servers.tcp import tcp_server


@dataclass
class CuttingProxy:
    """``cut``: how many more COMMITs reach the server whose answer is lost with the connection.

    ``reach``: whether such a COMMIT reaches the server at all. ``frozen``: connections are taken, nothing is passed on.
    ``unanswered``: a question with this in it gets no answer.
    """

    url: str
    target: str
    cut: int = 0
    reach: bool = True
    frozen: bool = False
    refusing: bool = False
    unanswered: bytes = b""
    commits: int = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = urlsplit(self.target)
        if self.refusing:
            writer.close()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port)
        except OSError:  # the server is down: its clients see that at once
            writer.close()
            return
        down = asyncio.create_task(self._pass(up_reader, writer))
        try:
            while data := await reader.read(65536):
                await self._thawed()
                if self.unanswered and self.unanswered in data:
                    continue
                lost = self.cut > 0 and b"COMMIT" in data.replace(b"COMMITTED", b"")
                if lost:
                    self.cut -= 1
                    down.cancel()
                    if not self.reach:
                        return
                up_writer.write(data)
                await up_writer.drain()
                if lost:
                    self.commits += 1
                    await asyncio.sleep(0.2)  # the server reads it, and does it
                    return
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            down.cancel()
            up_writer.close()
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # the server is gone: its client sees that at once
            while data := await reader.read(65536):
                await self._thawed()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _thawed(self) -> None:
        for _ in range(2000):
            if not self.frozen:
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def cutting_proxy(url: str) -> AsyncIterator[CuttingProxy]:
    """Stand before the server of a database URL; ``url`` of what it gives leads through it."""
    parts = urlsplit(url)
    proxy = CuttingProxy(url="", target=url)
    user = f"{parts.username}:{parts.password}@" if parts.password else f"{parts.username}@"
    async with tcp_server(proxy._serve) as port:
        proxy.url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}"))
        try:
            yield proxy
        finally:
            proxy.frozen = False
