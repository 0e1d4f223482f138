"""Listening under load, on a real Redis and a real store; figures as JSON lines. ``python -m bench.streams``.

The bare loop is XREADGROUP, validation and XACK with the same client and the same batches, and nothing else.
The burst, the delay of an alert and the event-to-Slack time run in the service as its own process would.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path

import redis.asyncio
from loguru import logger

from bot.listening import BATCH
from bot.sources.redis_client import open_redis
from bot.sources.redis_reader import GroupReader
from bot.store import open_store
from handlers.audit import KeepAudit
from handlers.streams import StreamListener
from tests.servers import programs
from tests.servers.redis import RedisServer, running_redis
from triage.desk import Desk
from triage.events.audit import PAYLOAD, read_audit
from triage.ports.clock import SystemClock

EVENTS = 30_000
DESK = Desk()
AUDIT = DESK.streams.audit
BOTS = tuple(bot.name for bot in DESK.bots)


def report(name: str, value: float, unit: str, limit: float, *, more: bool = False) -> bool:
    """Print one figure; returns whether it is within its limit (``more``: at least, else at most)."""
    ok = value >= limit if more else value <= limit
    print(
        json.dumps({"name": name, "value": round(value, 3), "unit": unit, "limit": limit, "ok": ok}),
        flush=True,
    )
    return ok


def payload(number: int) -> str:
    """Return an audit event such as a busy desk publishes: mostly info, some warnings."""
    warning = number % 20 == 0
    return json.dumps(
        {
            "schema_version": "1.0",
            "event_type": "audit",
            "event_id": str(uuid.uuid4()),
            "correlation_id": str(uuid.uuid4()),
            "producer": "risk-service",
            "timestamp_ms": int(time.time() * 1000),
            "instance_name": BOTS[number % 3],
            "severity": "warning" if warning else "info",
            "category": "intent_rejected" if warning else "intent_applied",
            "message": f"Intent rejected: stale target {number}"
            if warning
            else f"set_target_base_pct {number}",
            "metadata": {"action": "set_target_base_pct", "target": "0.5"},
        }
    )


async def publish(client: redis.asyncio.Redis, count: int) -> None:
    """Publish events as fast as Redis takes them."""
    for start in range(0, count, 1000):
        pipe = client.pipeline(transaction=False)
        for number in range(start, min(count, start + 1000)):
            pipe.xadd(AUDIT, {"payload": payload(number)})
        await pipe.execute()


async def bare(server: RedisServer, folder: Path) -> float:
    """Return the events a second that reading, validating and acknowledging alone gives."""
    del folder
    client = open_redis(server.url)
    reader = GroupReader(client, AUDIT, group="bare", consumer="bare", batch=BATCH, block_seconds=0.05)
    await reader.open("0")
    done, began = 0, time.perf_counter()
    while done < EVENTS:
        batch = await reader.read()
        for entry in batch.entries:
            PAYLOAD.validate_json(entry.payload or "")
        await reader.done(batch.entries)
        done += len(batch.entries)
    seconds = time.perf_counter() - began
    await client.aclose()
    return EVENTS / seconds


async def stored(server: RedisServer, folder: Path) -> float:
    """Return the events a second that are on disk before they are acknowledged."""
    client = open_redis(server.url)
    reader = GroupReader(
        client, AUDIT, group=DESK.streams.group, consumer="bench", batch=BATCH, block_seconds=0.05
    )
    async with open_store(f"sqlite:///{folder}/bench-{uuid.uuid4().hex}.db") as store:
        listener = StreamListener(
            reader, store, DESK, SystemClock(), read_audit, KeepAudit(DESK), lambda: None
        )
        began = time.perf_counter()
        while listener.counts.stored < EVENTS:
            await listener.once()
        seconds = time.perf_counter() - began
    await client.xgroup_destroy(AUDIT, DESK.streams.group)
    await client.aclose()
    return EVENTS / seconds


async def ratio(server: RedisServer, folder: Path) -> bool:
    """Measure both, in turns, on the same stream."""
    async with server.client() as client:
        await publish(client, EVENTS)
        figures = [(await bare(server, folder), await stored(server, folder)) for _ in range(1)]
        for _ in range(2):
            await client.xgroup_destroy(AUDIT, "bare")
            figures.append((await bare(server, folder), await stored(server, folder)))
        await client.flushall()
    best_bare = statistics.median(each[0] for each in figures)
    best_stored = statistics.median(each[1] for each in figures)
    report("bare_events_per_second", best_bare, "1/s", 0, more=True)
    report("stored_events_per_second", best_stored, "1/s", 0, more=True)
    return report("stored_to_bare", best_stored / best_bare, "ratio", 0.4, more=True)


async def main() -> int:
    """Run everything; 1 where a figure is out of its limit."""
    logger.remove()
    program = programs.find("redis")
    assert program is not None, "redis-server is not installed"
    with tempfile.TemporaryDirectory(prefix="hbot-bench-") as name:
        folder = Path(name)
        async with running_redis(program, folder / "redis") as server:
            good = [await ratio(server, folder)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
