"""What a process takes where every source answers with 50 MB at once: HTTP without end, Redis in one bulk.

Thirty questions side by side, three times; the most memory that the process held.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, tell
from bot.sources.opening import open_sources
from triage.errors import SourceError
from triage.ports.sources import Sources

ANSWER = 50_000_000
LIMIT_MB = 250.0
AT_ONCE, ROUNDS = 30, 3
PIECE = b"x" * 65_536


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer any question with 50 MB in chunks, without saying how many come."""
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for _ in range(ANSWER // len(PIECE)):
                writer.write(f"{len(PIECE):x}\r\n".encode() + PIECE + b"\r\n")
                await writer.drain()
            writer.write(b"0\r\n\r\n")
    except (ConnectionError, asyncio.IncompleteReadError):
        writer.close()


async def _redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each command of the handshake, then every other one with a bulk of 50 MB."""
    try:
        while line := await reader.readline():
            words = [await _word(reader) for _ in range(int(line[1:]))]
            if words[0].upper() in {b"CLIENT", b"SELECT", b"PING"}:
                writer.write(b"+OK\r\n")
                continue
            writer.write(b"$%d\r\n" % ANSWER)
            for _ in range(ANSWER // len(PIECE) + 1):
                writer.write(PIECE)
                await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        writer.close()


async def _word(reader: asyncio.StreamReader) -> bytes:
    size = int((await reader.readline())[1:])
    return (await reader.readexactly(size + 2))[:-2]


async def _ask(sources: Sources) -> list[object]:
    now = datetime.now(UTC)
    questions = []
    for _ in range(AT_ONCE // 5):
        questions += [
            sources.metrics.query("up"),
            sources.logs.lines('{a="b"}', start=now - timedelta(minutes=5), end=now, limit=1000),
            sources.alerts.alerts(),
            sources.containers.list(),
            sources.streams.newest("hb.audit.v1"),
        ]
    return await asyncio.gather(*questions, return_exceptions=True)


async def measure() -> list[Figure]:
    """Ask, and look what it took."""
    http = await asyncio.start_server(_http, "127.0.0.1", 0)
    redis = await asyncio.start_server(_redis, "127.0.0.1", 0)
    port, redis_port = (server.sockets[0].getsockname()[1] for server in (http, redis))
    url = f"http://127.0.0.1:{port}"
    refused = 0
    async with open_sources(
        prometheus_url=url, loki_url=url, alertmanager_url=url, docker_host=f"tcp://127.0.0.1:{port}",
        redis_url=f"redis://127.0.0.1:{redis_port}",
    ) as sources:  # fmt: skip
        for _ in range(ROUNDS):
            answers = await _ask(sources)
            refused += sum(isinstance(each, SourceError) and "too large" in str(each) for each in answers)
            assert all(isinstance(each, SourceError) for each in answers), answers
    for server in (http, redis):
        server.close()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure("memory: every source answers 50 MB, most RSS", most, "MB", LIMIT_MB),
        Figure("memory: answers said to be too large", refused, "of 90"),
    ]


def main() -> int:
    """Run the bench."""
    return tell(asyncio.run(measure()))


if __name__ == "__main__":
    sys.exit(main())
