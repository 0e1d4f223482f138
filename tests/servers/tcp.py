"""A TCP server of a test: when it ends, no connection of it is left.

A connection that is still open when its test's loop ends is found by the garbage collector within some later test, which
then fails for it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tests.servers.process import LOOPBACK

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Talks:
    """The connections of one server; ``serve`` is what ``asyncio.start_server`` calls."""

    def __init__(self, handle: Handle) -> None:
        self._handle, self._open = handle, dict[asyncio.Task[None], asyncio.StreamWriter]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let the handler talk, and see the connection closed whatever the handler did."""
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            await self._handle(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            del self._open[task]

    async def end(self) -> None:
        """End every connection, also those whose handler waits."""
        await asyncio.sleep(0)  # a connection that was just accepted has its handler now
        tasks = list(self._open)
        for task, writer in self._open.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def tcp_server(handle: Handle, port: int = 0) -> AsyncIterator[int]:
    """Serve a handler on the loopback; gives the port."""
    talks = Talks(handle)
    server = await asyncio.start_server(talks.serve, LOOPBACK, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await talks.end()
