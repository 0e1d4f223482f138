"""The request that says that we live: whatever its receiver does, it ends, and takes no memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bot import heartbeat_ping
from tests.servers.process import LOOPBACK
from tests.servers.tcp import Handle, Talks
from triage.errors import SourceUnreachable

pytestmark = pytest.mark.slow
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@asynccontextmanager
async def receiver(handle: Handle) -> AsyncIterator[str]:
    """Run a receiver; gives its address."""
    talks = Talks(handle)
    server = await asyncio.start_server(talks.serve, LOOPBACK, 0)
    try:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/ping"
    finally:
        server.close()
        await talks.end()


def answers(first: bytes, then: Callable[[asyncio.StreamWriter], object] = lambda _: None) -> Handle:
    """Return a receiver that answers each request with these bytes, and more each moment."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        while True:
            await writer.drain()
            await asyncio.sleep(0.05)
            then(writer)

    return handle


async def pinged(url: str, seconds: float = 20.0) -> None:
    """Ask once."""
    async with asyncio.timeout(30), heartbeat_ping.open_client() as http:
        await heartbeat_ping.ping(http, url, seconds=seconds)


async def test_an_answer_without_end_is_not_read() -> None:
    """Its head says that it is well; megabytes a second behind it are nothing to wait for."""
    endless = answers(HEAD, lambda writer: writer.write(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"))
    async with receiver(endless) as url:
        await pinged(url)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (b"", "ReadTimeout"),
        (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "HTTPStatusError"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /ping\r\nContent-Length: 0\r\n\r\n",
            "TooManyRedirects",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "ReadTimeout"),
    ],
)
async def test_what_is_no_answer_is_said(first: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence, an error, a redirect in a circle, another protocol: it ends in its time, and the reason is one word."""
    monkeypatch.setattr(heartbeat_ping, "SECONDS", 0.5)
    async with receiver(answers(first)) as url:
        with pytest.raises(SourceUnreachable, match=why):
            await pinged(url)


async def test_a_head_that_drips_ends_in_its_time() -> None:
    """A byte now and then keeps no read waiting for long, and no answer ever comes."""
    async with receiver(answers(b"HTTP/1.1 200 OK\r\nX: ", lambda writer: writer.write(b"x"))) as url:
        with pytest.raises(SourceUnreachable, match="TimeoutError"):
            await pinged(url, seconds=0.5)
