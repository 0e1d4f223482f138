"""A TLS handshake that hangs, drips, breaks or is none: each source says so in its time, and nothing waits for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from bot.sources.opening import open_sources
from bot.sources.redis.client import RedisStreams
from bot.sources.redis.connection import open_redis
from tests.servers.tcp import Handle, tcp_server
from triage.errors import SourceError, SourceTimeout
from triage.ports.sources import Sources

pytestmark = pytest.mark.slow
SECONDS = 0.5
Question = Callable[[Sources], Awaitable[object]]


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Take the client's hello, and say nothing."""
    await reader.read()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin a record of 16 KiB, and send a byte of it now and then."""
    del reader
    writer.write(b"\x16\x03\x03\x40\x00")
    while True:
        writer.write(b"\x02")
        await writer.drain()
        await asyncio.sleep(0.05)


async def hangs_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Take the client's hello, and close."""
    await reader.read(1)


async def speaks_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a server without TLS."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


SERVERS: dict[str, Handle] = {
    "silent": silent,
    "dripping": dripping,
    "hangs up": hangs_up,
    "speaks plainly": speaks_plainly,
}
LATE = {"silent", "dripping"}
QUESTIONS: dict[str, Question] = {
    "prometheus": lambda s: s.metrics.query("up"),
    "loki": lambda s: s.logs.ready(),
    "alertmanager": lambda s: s.alerts.alerts(),
    "docker": lambda s: s.containers.list(),
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_source_whose_handshake_fails_is_said_in_its_time(server: str, question: str) -> None:
    """As one that hangs, or as one that cannot be reached; the others are asked beside it."""
    async with tcp_server(SERVERS[server]) as port:
        url = f"https://127.0.0.1:{port}"
        async with open_sources(
            prometheus_url=url, loki_url=url, alertmanager_url=url, docker_host=url, total_seconds=SECONDS
        ) as sources:
            began = time.monotonic()
            with pytest.raises(SourceTimeout if server in LATE else SourceError):
                await QUESTIONS[question](sources)
            assert time.monotonic() - began < SECONDS + 2


@pytest.mark.parametrize("server", SERVERS)
async def test_a_redis_whose_handshake_fails_is_said_in_its_time(server: str) -> None:
    """Also where each byte comes in time."""
    async with tcp_server(SERVERS[server]) as port:
        client = open_redis(f"rediss://127.0.0.1:{port}/0")
        try:
            began = time.monotonic()
            with pytest.raises(SourceError):
                await RedisStreams(client, seconds=SECONDS).health()
            assert time.monotonic() - began < SECONDS + 4
        finally:
            await client.aclose()
