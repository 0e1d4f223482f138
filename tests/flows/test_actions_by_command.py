"""Every action of the catalogue by `/triage do`: modal → confirm → effect on real containers → the message says it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from demo.slack import Message
from tests.flows.house import CHANNEL, House, running_house, shown
from tests.servers.desk import Desk
from tests.servers.process import eventually
from tests.triage.actions.test_intents import applied, bot

Require = Callable[..., Path]
EXTERNAL = {"signal-service", "risk-service", "coordination-service", "redis"}


@pytest.fixture
async def house(require: Require, desk: Desk, tmp_path: Path) -> AsyncIterator[House]:
    """Run the house beside a whole desk that is well."""
    await desk.up()
    settings: dict[str, Any] = {
        "bots": [{"name": "bot1"}, {"name": "bot2"}],
        "paths": {
            "compose": str(desk.compose_folder),
            "env": str(desk.env_file),
            "data": str(desk.data),
            "backups": str(desk.backups),
        },
        "compose": {"command": desk.compose_command},
        "triage": {"verify_after_seconds": 0, "health_watch_seconds": 0, "deadline_seconds": 2},
    }
    environment = {"DOCKER_HOST": desk.engine.host, "REDIS_URL": desk.redis_url}
    async with running_house(
        require, tmp_path / "house", bots=("bot1", "bot2"), desk=settings, environment=environment
    ) as house:
        yield house


def _messages(house: House, words: str) -> list[Message]:
    """Return the messages of actions, in the channel and in threads, that say these words."""
    cards = house.slack.messages(CHANNEL)
    threads = [message for card in cards for message in house.slack.thread(card)]
    return [message for message in [*cards, *threads] if words in shown(message)]


async def _do(house: House, line: str, title: str, *, ends: str = "Succeeded") -> str:
    """Type the command, read the plan, confirm it, and wait for the end. Returns what the modal showed."""
    ana = house.slack.member("ana")

    async def heard() -> bool:  # right after its start the bot may not be connected to Slack yet
        return (await ana.command(f"/triage do {line}")).acked

    await eventually(heard, "the command to be heard", within=10)
    await house.until(
        lambda: ana.modal is not None and "Side effects" in str(ana.modal.body), f"the plan of {line}"
    )
    assert ana.modal is not None
    body = str(ana.modal.body)
    assert (await ana.submit({"reason": f"test of {line}"})).acked
    await ana.close(cleared=True)

    def ended() -> bool:
        return any(ends in shown(one) and f"test of {line}" in shown(one) for one in _messages(house, title))

    await house.until(ended, f"{line} to end as {ends}", seconds=90)
    return body


@pytest.mark.timeout(400)
async def test_each_action_does_what_its_plan_says(house: House, desk: Desk) -> None:
    """Restart, recreate, paper off, degraded mode and its way out, stop and start: one after the other."""
    first = await desk.container("bot1")
    body = await _do(house, "restart bot1", "Restart on bot1")
    assert "restart bot1" in body
    restarted = await desk.container("bot1")
    assert restarted["Id"] == first["Id"]
    assert restarted["State"]["StartedAt"] != first["State"]["StartedAt"]

    await _do(house, "recreate bot1", "Recreate on bot1")
    assert (await desk.container("bot1"))["Id"] != first["Id"]

    body = await _do(house, "disable_internal_paper bot1", "Internal paper off on bot1")
    assert "internal_paper_enabled: true → false" in body
    text = (desk.data / "bot1/conf/controllers/epp_v2_4_bot1.yml").read_text()
    assert "internal_paper_enabled: false" in text

    await desk.engine.docker("stop", "-t", "1", "hbot-redis")
    body = await _do(house, "degraded_mode desk", "Degraded mode")
    assert "up -d --no-recreate" in body
    assert not EXTERNAL & await desk.running()
    assert {"bot1", "bot2"} <= await desk.running()

    await _exit(house, desk)
    assert await desk.running() >= EXTERNAL

    await _do(house, "stop_desk desk", "Stop desk")
    assert await desk.running() == set()
    await _do(house, "start_desk desk", "Start desk")
    assert {"bot1", "bot2", "grafana", *EXTERNAL} <= await desk.running()


async def _exit(house: House, desk: Desk) -> None:
    """Leave degraded mode while the producers publish as soon as Redis takes it."""
    from redis.asyncio import from_url  # noqa: PLC0415 - only here
    from redis.exceptions import RedisError  # noqa: PLC0415 - as above

    ana = house.slack.member("ana")
    [message] = [
        one for one in _messages(house, "Degraded mode") if "action.exit_degraded_mode" in str(one.blocks)
    ][-1:]
    await ana.click(message, "action.exit_degraded_mode")
    await house.until(lambda: ana.modal is not None and "Side effects" in str(ana.modal.body), "the plan")
    assert (await ana.submit({"reason": "Redis is well"})).acked
    await ana.close(cleared=True)

    async def published() -> bool:
        async with from_url(desk.redis_url, socket_timeout=1) as client:
            try:
                await client.xadd("hb.market_data.v1", {"payload": "{}"})
            except RedisError:
                return False
        return any(
            one.text.startswith("Exit degraded mode") and "Succeeded" in one.text
            for one in _messages(house, "Exit degraded mode")
        )

    await eventually(published, "the streams to flow and the exit to end", within=90)


@pytest.mark.timeout(200)
async def test_an_intent_goes_through_redis_to_the_bot_and_back(house: House, desk: Desk) -> None:
    """Soft pause: published, applied by the bot, and seen in its state metric."""

    class Published:
        """The desk's Redis, as the consumer of the intent tests wants it."""

        def client(self) -> Any:  # noqa: ANN401 - redis' own context manager
            from redis.asyncio import from_url  # noqa: PLC0415 - only here

            return from_url(desk.redis_url, decode_responses=True, socket_timeout=5)

    async with bot(Published(), applied) as seen:  # type: ignore[arg-type] # has what it uses
        await _do(house, "soft_pause bot1", "Soft pause on bot1")
    assert [intent["action"] for intent in seen] == ["soft_pause"]
    assert seen[0]["metadata"]["reason"] == "test of soft_pause bot1"
