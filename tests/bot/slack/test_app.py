"""What bolt logs of a request, in words that are true."""

import asyncio

import pytest
from loguru import logger
from slack_bolt.async_app import AsyncAck, AsyncBoltRequest

from bot.slack.app import build_app
from bot.slack.client import Identity, open_client

LATE, UNHEARD = "three seconds", "nothing here listens to"


@pytest.mark.parametrize(
    ("pressed", "said"),
    [(["slow"], [LATE]), (["unknown"], [UNHEARD]), (["slow", "unknown"], [LATE, UNHEARD])],
)
async def test_a_press_that_is_answered_late_is_not_called_unheard(
    pressed: list[str], said: list[str]
) -> None:
    """As where the store hangs: bolt says of it, too, that nobody handled it."""
    logged: list[str] = []
    sink = logger.add(logged.append, format="{message}", level="WARNING")
    async with open_client("xoxb-test") as client:
        app = build_app(client, Identity("T1", "team", "U1", "B1"))

        async def slow(ack: AsyncAck) -> None:
            await asyncio.sleep(0.3)
            await ack()

        app.action("slow")(slow)
        app._async_listeners[0].ack_timeout = 0  # in whole seconds
        for action in pressed:
            body = {"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1"}}
            actions = [{"type": "button", "action_id": action, "block_id": "b", "value": "v"}]
            await app.async_dispatch(AsyncBoltRequest(body={**body, "actions": actions}, mode="socket_mode"))
        await asyncio.sleep(0.3)
    logger.remove(sink)
    assert len(logged) == len(said)
    assert all(words in line for words, line in zip(said, logged, strict=True))
