"""What a process takes where every source answers with 50 MB at once: HTTP without end, Redis in one bulk.

The whole service, which triages a dozen Sev-1s then and listens to Redis and Docker; and thirty questions side by
side, three times, in a process of their own. Measured is the most memory that the process ever held.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench.figures import Figure, tell
from bench.harness import CALM, TOKEN, running_service
from bench.load import alert, webhook
from bot.sources.opening import open_sources
from triage.errors import SourceError
from triage.ports.sources import Sources

ANSWER = 50_000_000
LIMIT_MB = 250.0
AT_ONCE, ROUNDS = 30, 3
INCIDENTS = 12
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


async def _serve() -> None:
    """Serve in a process of its own: what the flood takes is not ours. Begins when told to, ends with its input."""
    held = [socket.create_server(("127.0.0.1", 0), backlog=1) for _ in range(2)]
    port, redis_port = (each.getsockname()[1] for each in held)
    for each in held:
        each.close()
    url = f"http://127.0.0.1:{port}"
    addresses = {
        "PROMETHEUS_URL": url,
        "LOKI_URL": url,
        "ALERTMANAGER_URL": url,
        "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
    }
    print(json.dumps(addresses), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    http = await asyncio.start_server(_http, "127.0.0.1", port)
    redis = await asyncio.start_server(_redis, "127.0.0.1", redis_port)
    async with http, redis:
        print("floods", flush=True)
        await asyncio.to_thread(sys.stdin.read)


@dataclass(frozen=True, slots=True)
class _Flood:
    """``addresses``: the settings that name the sources."""

    addresses: dict[str, str]
    process: asyncio.subprocess.Process

    async def begin(self) -> None:
        """Answer from now on: until then nobody listens there."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"begin\n")
        assert await asyncio.wait_for(self.process.stdout.readline(), 60)


@asynccontextmanager
async def _flooding() -> AsyncIterator[_Flood]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.memory", "flood",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield _Flood(json.loads(await asyncio.wait_for(process.stdout.readline(), 60)), process)
    finally:
        process.stdin.close()
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


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


async def _in_asking() -> list[Figure]:
    """Ask thirty questions at once, three times, and look what this process took."""
    refused = 0
    async with _flooding() as flood, open_sources(
        prometheus_url=flood.addresses["PROMETHEUS_URL"], loki_url=flood.addresses["LOKI_URL"],
        alertmanager_url=flood.addresses["ALERTMANAGER_URL"], docker_host=flood.addresses["DOCKER_HOST"],
        redis_url=flood.addresses["REDIS_URL"],
    ) as sources:  # fmt: skip
        await flood.begin()
        for _ in range(ROUNDS):
            answers = await _ask(sources)
            refused += sum(isinstance(each, SourceError) and "too large" in str(each) for each in answers)
            assert all(isinstance(each, SourceError) for each in answers), answers
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure("memory: every source answers 50 MB, most RSS", most, "MB", LIMIT_MB),
        Figure("memory: answers said to be too large", refused, "of 90"),
    ]


async def _in_service() -> list[Figure]:
    """Let Sev-1s of many bots be triaged at once, eight side by side; look what the whole service ever held."""
    async with _flooding() as flood, running_service(desk=CALM, sources=flood.addresses) as harness:
        await flood.begin()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            for number in range(INCIDENTS):
                labels = {"alertname": "BotHardStopActive", "bot": f"bot{number}", "severity": "critical"}
                sent = await http.post(
                    f"{harness.bot.url}/webhooks/alertmanager",
                    json=webhook(alert(f"flood-{number}", labels)),
                    headers={"Authorization": f"Bearer {TOKEN}"},
                )
                assert sent.status_code == 200, sent.text
        untold = await _untriaged(harness.folder / "triage.db")
        status = await asyncio.to_thread(Path(f"/proc/{harness.bot.process.pid}/status").read_text)
    most = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    return [
        Figure("memory: the whole service, every source answers 50 MB, most RSS", most, "MB", LIMIT_MB),
        Figure("memory: incidents without a triage after it", untold, "", 0),
    ]


async def _untriaged(database: Path) -> int:
    """Wait until every incident has a triage (alerts may have joined each other's); returns how many have none."""
    query = (
        "SELECT count(*) FROM incidents AS i WHERE NOT EXISTS "
        "(SELECT 1 FROM triage_runs AS r WHERE r.incident_id = i.id AND r.status = 'done')"
    )
    left = INCIDENTS
    for _ in range(240):
        await asyncio.sleep(0.5)
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            left = int(connection.execute(query).fetchone()[0])
        if not left:
            break
    return left


def main() -> int:
    """Run the bench."""
    return tell([*asyncio.run(_in_service()), *asyncio.run(_in_asking())])


if __name__ == "__main__":
    if sys.argv[1:] == ["flood"]:
        asyncio.run(_serve())
    else:
        sys.exit(main())
