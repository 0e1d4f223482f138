"""soft_pause, resume and kill_switch on a real Redis: an intent is not a fact until the bot says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.servers.redis import RedisServer
from tests.triage.actions.bench import Bench, running_bench, settings, states
from triage.errors import Refused
from triage.plans.record import ActionStatus
from triage.plans.verification import VerificationOutcome

INTENTS, AUDIT, DEAD = "hb.execution_intent.v1", "hb.audit.v1", "hb.dead_letter.v1"
Answer = Callable[[Redis, dict[str, Any]], Awaitable[None]]


async def applied(client: Redis, intent: dict[str, Any]) -> None:
    """Answer as a bot does that applied it."""
    await _audit(client, intent, "intent_applied", f"Intent applied: {intent['action']}")


async def rejected(client: Redis, intent: dict[str, Any]) -> None:
    """Answer as a bot does whose guards refuse."""
    await _audit(client, intent, "intent_rejected", "Intent rejected: drawdown_hard_limit")


async def dead_lettered(client: Redis, intent: dict[str, Any]) -> None:
    """Answer as a bot does that found it too late."""
    letter = {"reason": "expired_intent", "entry_id": "1-0", "event_id": intent["event_id"]}
    await client.xadd(DEAD, {"payload": json.dumps(letter)})


async def _audit(client: Redis, intent: dict[str, Any], category: str, message: str) -> None:
    event = {
        "schema_version": "1.0", "event_type": "audit", "event_id": "e", "correlation_id": intent["event_id"],
        "producer": "bot1", "timestamp_ms": 1, "instance_name": intent["instance_name"], "severity": "info",
        "category": category, "message": message, "metadata": {},
    }  # fmt: skip
    await client.xadd(AUDIT, {"payload": json.dumps(event)})


@asynccontextmanager
async def bot(server: RedisServer, answer: Answer) -> AsyncIterator[list[dict[str, Any]]]:
    """Run a consumer of intents; yields what it has seen."""
    seen: list[dict[str, Any]] = []
    over = asyncio.Event()  # redis-py can lose a cancellation that comes while a read times out

    async def consume() -> None:
        async with server.client() as client:
            last = "0"
            while not over.is_set():
                found: Any = await client.xread({INTENTS: last}, block=100) or []
                for _, entries in found:
                    for entry_id, fields in entries:
                        last = entry_id
                        seen.append(json.loads(fields["payload"]))
                        await answer(client, seen[-1])

    task = asyncio.create_task(consume())
    try:
        yield seen
    finally:
        over.set()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def bench(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Bench]:
    """Run an engine whose metrics show bot1 soft-paused."""
    async with running_bench(
        settings(tmp_path, ("true",)),
        tmp_path / "triage.db",
        redis_url=redis_server.url,
        metrics=states(bot1="soft_pause"),
    ) as bench:
        yield bench


async def test_a_soft_pause_is_an_envelope_with_an_expiry_followed_until_it_is_applied(
    bench: Bench, redis_server: RedisServer
) -> None:
    """The bot sees the desk's envelope; its answer and its state metric make it a fact."""
    async with bot(redis_server, applied) as seen:
        record = await bench.act("soft_pause", "bot1")
    assert record.status is ActionStatus.SUCCEEDED, record.outcome
    [intent] = seen
    assert intent["action"] == "soft_pause"
    assert (intent["schema_version"], intent["event_type"], intent["instance_name"], intent["controller_id"]) == (
        "1.0", "execution_intent", "bot1", "epp_v2_4",
    )  # fmt: skip
    assert intent["expires_at_ms"] - intent["timestamp_ms"] == 60_000
    assert all(isinstance(value, str) for value in intent["metadata"].values())
    assert record.verification is not None
    assert record.verification.outcome is VerificationOutcome.EFFECTIVE, (
        "it stands, as asked: nothing recovered"
    )


@pytest.mark.parametrize(
    ("answer", "words"), [(rejected, "drawdown_hard_limit"), (dead_lettered, "dead letter: expired_intent")]
)
async def test_a_refusal_of_the_bot_is_the_outcome(
    bench: Bench, redis_server: RedisServer, answer: Answer, words: str
) -> None:
    """Published is not applied: a rejection and a dead letter fail the action, with the bot's reason."""
    async with bot(redis_server, answer):
        record = await bench.act("resume", "bot1")
    assert record.status is ActionStatus.FAILED
    assert words in record.outcome
    assert record.verification is not None
    assert record.verification.outcome is VerificationOutcome.PERSISTING, "soft_pause is not running"


async def test_without_redis_it_is_refused_with_the_reason(bench: Bench, redis_server: RedisServer) -> None:
    """Down before the click: the form says so; down after it: nothing is published."""
    record = await bench.propose("kill_switch", "bot1")
    prepared = await bench.engine.prepare(record.handle)
    assert prepared.plan is not None
    redis_server.process.kill()
    blocked = await bench.engine.prepare(record.handle)
    assert "Redis does not take the intent" in blocked.blocked
    with pytest.raises(Refused, match="Redis does not take the intent"):
        await bench.engine.confirm(record.handle, digest=prepared.plan.digest, actor="U1", reason="now")
    assert "action.started" not in await bench.audit()
