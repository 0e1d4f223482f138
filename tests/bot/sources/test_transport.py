"""What of an answer arrives before anybody has asked for it, which a flood costs for each connection; whom TLS believes."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest
import uvloop

from bot.sources.transport import RECEIVE_BYTES, AiohttpTransport
from tests.servers.redis import make_certificate
from tests.servers.tcp import tcp_server

FLOOD = 4 * 1024 * 1024


async def _flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % FLOOD)
        writer.write(b"x" * FLOOD)
        await writer.drain()
    except ConnectionError:
        pass


async def _pieces() -> list[int]:
    """Return the sizes of an answer's pieces, whose reader lets it wait before the first."""
    async with (
        tcp_server(_flood) as port,
        httpx.AsyncClient(transport=AiohttpTransport(), timeout=20) as client,
        client.stream("GET", f"http://127.0.0.1:{port}/") as answer,
    ):
        await asyncio.sleep(0.3)
        return [len(piece) async for piece in answer.aiter_raw()]


def test_what_nobody_has_asked_for_stays_with_the_kernel() -> None:
    """On the service's own loop, which would else take 256 KiB a connection: with 240 of them 60 MB."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        pieces = runner.run(_pieces())
    assert sum(pieces) == FLOOD
    assert max(pieces) <= 6 * RECEIVE_BYTES


@pytest.mark.slow
async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    """Nothing is sent to a server that only says it is the one."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1))
        writer.close()

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(make_certificate(tmp_path), tmp_path / "server.key")
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server, httpx.AsyncClient(transport=AiohttpTransport(), timeout=5) as client:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await client.get(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert asked == []
