"""The waiting word of a command when Slack shows it late, or when its answer is lost on the way."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import cast

import pytest
from slack_bolt.async_app import AsyncRespond

from bot.slack.client import open_client
from bot.slack.rendered import Rendered
from demo.slack import Fault, SlackServer
from handlers.slack import command_listener
from handlers.slack.command import Call, CommandServices
from handlers.slack.command_line import read_line
from tests.flows.harness import CHANNEL
from triage.ports.chat import Answer, saying

pytestmark = pytest.mark.slow

ANA = "U0ANA00001"


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Run a workspace."""
    async with SlackServer() as server:
        yield server


async def asked(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let Ana ask something that takes longer than the waiting word; returns what she sees, oldest first."""
    monkeypatch.setattr(command_listener, "PROMPT_SECONDS", 0.05)
    monkeypatch.setattr(command_listener, "SEND_SECONDS", 0.4)

    async def slow(*_: object) -> Answer:
        await asyncio.sleep(0.2)
        return saying("bot1 runs")

    monkeypatch.setattr(command_listener, "answer_to", slow)
    services = cast("CommandServices", SimpleNamespace(render=lambda _: Rendered(text="bot1 runs")))
    url = slack.response_url("C0TRIAGE01", ANA)

    respond = AsyncRespond(response_url=url)
    call = Call(user=ANA, user_name="ana", channel="C0TRIAGE01")
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        await command_listener._answer_in_place(services, call, read_line("bot bot1"), respond, client.web)
    while slack.faults.late:  # noqa: ASYNC110 - nobody announces it
        await asyncio.sleep(0.02)
    return [message.text for message in slack.ephemerals(CHANNEL, "ana")]


async def test_the_answer_takes_the_place_of_the_waiting_word(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on any day."""
    assert await asked(slack, monkeypatch) == ["bot1 runs"]


@pytest.mark.parametrize("fault", [Fault.lost_answer("response_url"), Fault.delay("response_url", 1.0)])
async def test_a_waiting_word_whose_answer_is_lost_is_replaced_all_the_same(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """It stands there, though nobody said so: it does not go on saying that somebody looks."""
    slack.faults.add(fault)
    assert await asked(slack, monkeypatch) == ["bot1 runs"]


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_an_answer_that_its_address_refuses_is_shown_in_the_channel(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Expired, used up, or broken at Slack's: the SDK raises nothing, and the person would have read nothing."""
    slack.faults.add(Fault.http("response_url", status, times=10))
    assert await asked(slack, monkeypatch) == ["bot1 runs"]


async def test_a_waiting_word_that_comes_behind_the_answer_says_where_the_answer_is(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said at an address cannot be found again, so it must be true wherever it comes to stand."""
    slack.faults.add(Fault.late("response_url", 1.0))
    answer, late = await asked(slack, monkeypatch)
    assert answer == "bot1 runs"
    assert "or stands above it" in late
