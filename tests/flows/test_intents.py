"""soft_pause, resume and kill_switch by `/triage do`: through a real Redis to the bot and back, seen in its metric."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.flows.doing import ask, confirm, do, ended, messages, modal
from tests.flows.harness import Harness, running_harness
from tests.servers.redis import RedisServer
from tests.triage.actions.test_intents import Answer, applied, bot, dead_lettered, rejected

Require = Callable[..., Path]
STATE_AFTER = {"soft_pause": "soft_pause", "resume": "running", "kill_switch": "hard_stop"}


@dataclass
class Scene:
    """The harness and the Redis that its bots listen to."""

    harness: Harness
    redis: RedisServer

    @asynccontextmanager
    async def bots(self, answer: Answer) -> AsyncIterator[list[dict[str, Any]]]:
        """Let the bots answer intents so; yields the intents they saw."""
        async with bot(self.redis, answer) as seen:
            yield seen

    async def obeys(self, client: Redis, intent: dict[str, Any]) -> None:
        """Answer as a bot does that applied it, and show the state that follows."""
        self.harness.exporter.set(intent["instance_name"], state=STATE_AFTER[intent["action"]])
        await applied(client, intent)


@pytest.fixture
async def scene(require: Require, redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Scene]:
    """Run the harness beside a Redis: intents need no container."""
    settings: dict[str, Any] = {
        "bots": [{"name": "bot1"}, {"name": "bot2"}],
        "actions": {"kill_switch": {"confirmations": 2}},
        "triage": {"verify_after_seconds": 2, "health_watch_seconds": 120, "deadline_seconds": 5},
    }
    async with running_harness(
        require,
        tmp_path / "harness",
        bots=("bot1", "bot2"),
        desk=settings,
        environment={"REDIS_URL": redis_server.url},
    ) as harness:
        yield Scene(harness, redis_server)


@pytest.mark.timeout(600)
async def test_an_intent_goes_through_redis_to_the_bot_and_back(scene: Scene) -> None:
    """Soft pause, resume, kill switch by two people: published, applied, and then seen in the bot's state metric."""
    harness = scene.harness
    async with scene.bots(scene.obeys) as seen:
        body = await do(
            harness, "soft_pause bot1", "Soft pause on bot1", "Succeeded", "Verified: did what it should"
        )
        assert "XADD hb.execution_intent.v1" in body
        await do(harness, "resume bot1", "Resume on bot1", "Succeeded", "Verified: recovered")
        await _kill_switch_by_two(harness)
    assert [intent["action"] for intent in seen] == ["soft_pause", "resume", "kill_switch"]
    assert {intent["instance_name"] for intent in seen} == {"bot1"}
    assert seen[0]["metadata"]["reason"] == "test of soft_pause bot1"
    assert seen[2]["metadata"]["reason"] == "it must stop"
    states = {
        "test of soft_pause bot1": "paused",
        "test of resume bot1": "trades",
        "it must stop": "stopped",
    }
    for reason, state in states.items():
        text = await ended(harness, "on bot1", reason, "Bot bot1")
        after, _, before = text.split("Bot bot1", 1)[1].partition("(was: ")
        assert state in after, text
        assert state not in before.partition(")")[0], text


async def _kill_switch_by_two(harness: Harness) -> None:
    """Ana confirms and nothing is sent; she cannot be the second; Ben confirms the very plan and it is."""
    await ask(harness, "kill_switch bot1")
    await confirm(harness, "ana", "it must stop")
    await ended(harness, "Kill switch on bot1", "it must stop", "Waits for a second person")
    [waiting] = messages(harness, "Waits for a second person")
    await harness.slack.member("ben").click(waiting, "action.kill_switch")
    body = await modal(harness, "ben", "it must stop")
    assert "yours would be number 2" in body
    await confirm(harness, "ben", "I see it too")
    await ended(
        harness,
        "Kill switch on bot1",
        "it must stop",
        "I see it too",
        "Succeeded",
        "Verified: did what it should",
    )


@pytest.mark.timeout(600)
async def test_what_the_bot_refuses_or_only_claims_is_said_in_the_message_and_without_redis_nothing_is_offered(
    scene: Scene,
) -> None:
    """A rejection, an expired intent, an "applied" that the metric does not show; then Redis is gone."""
    harness = scene.harness
    async with scene.bots(rejected):
        await do(
            harness, "soft_pause bot1", "Soft pause on bot1", "Failed", "rejected", "drawdown_hard_limit"
        )
    async with scene.bots(dead_lettered):
        await do(harness, "soft_pause bot2", "Soft pause on bot2", "Failed", "dead letter: expired_intent")
    async with scene.bots(applied):
        harness.exporter.set("bot2", state="soft_pause")
        await do(
            harness,
            "resume bot2",
            "Resume on bot2",
            "Succeeded",
            "Not well yet, looked at again until",
            "Bot bot2: paused",
        )

    body = await ask(harness, "resume bot1")
    assert "Redis answers and takes writes" in body
    scene.redis.kill()
    outcome = await harness.slack.member("ana").submit({"reason": "too late"})
    assert outcome.acked
    body = await modal(harness, "ana", "Nothing was done")
    assert "Redis does not take the intent" in body
    await harness.slack.member("ana").close(cleared=True)
    body = await ask(harness, "resume bot2", "Not possible now")
    assert "Redis does not take the intent" in body
    view = harness.slack.member("ana").modal
    assert view is not None
    assert "submit" not in view.body, "there is nothing to confirm"
    assert not messages(harness, "too late")
