"""What is said while Slack does not say who we are: what it is, and once."""

import asyncio
from dataclasses import replace

import pytest
from loguru import logger
from pydantic import SecretStr

from bot.settings import Settings
from bot.slack.client import open_client
from bot.slack.listener import SlackListener
from demo.slack import Fault, SlackServer
from handlers.slack.services import InFlight
from tests.bot.slack.workbench import until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("fault", "level", "words"),
    [
        (Fault.http("auth.test", 503, times=3), "WARNING", "has not said yet who we are"),
        (Fault.error("auth.test", "invalid_auth", times=3), "ERROR", "SLACK_BOT_TOKEN is not valid"),
    ],
    ids=["away", "refused"],
)
async def test_why_slack_does_not_say_who_we_are_is_logged_once_as_what_it_is(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch, fault: Fault, level: str, words: str
) -> None:
    """An answer 503 is no refusal: nobody has to look at a token for it."""
    monkeypatch.setattr("bot.slack.listener._AGAIN_SECONDS", (0.02, 0.02))
    logged: list[str] = []
    sink = logger.add(logged.append, format="{level} {message}", level="INFO")
    slack.faults.add(replace(fault))
    stop = asyncio.Event()
    settings = Settings(slack_signing_secret=SecretStr("a-secret"))
    async with open_client(slack.app.bot_token, url=slack.api_url) as client, asyncio.TaskGroup() as tasks:
        listener = SlackListener(settings, client, lambda _app, _who: None, InFlight())
        tasks.create_task(listener.run(stop))
        await until(lambda: listener.connected)
        stop.set()
    logger.remove(sink)
    (said,) = [line for line in logged if "auth.test" in line]
    assert said.startswith(level)
    assert words in said
