"""People press the incident's buttons: what they may, and what they may not."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from demo.slack import Message
from tests.flows.house import CHANNEL, House, running_house, shown
from tests.servers.process import eventually

Require = Callable[..., Path]


@pytest.fixture
async def house(require: Require, tmp_path: Path) -> AsyncIterator[House]:
    """Run the whole house."""
    async with running_house(require, tmp_path) as running:
        yield running


@pytest.fixture
async def card(house: House) -> Message:
    """Make bot1 stop, and wait until its incident is triaged and Slack is listened to."""
    house.exporter.set("bot1", state="hard_stop")
    card = await house.card(lambda card: "hard stop" in card.text)
    await house.until(lambda: any("Triage" in line for line in house.thread(card)), "the triage")
    return card


async def test_acknowledging_shows_who_and_says_it_in_the_thread(house: House, card: Message) -> None:
    """The operator presses Acknowledge: the message and the thread say so."""
    outcome = await house.slack.member("ana").click(card, "incident.acknowledge")
    assert outcome.acked
    assert outcome.seconds < 3
    await house.until(lambda: any("acknowledged" in line for line in house.thread(card)), "the line")
    await house.until(lambda: "@ana" in shown(house.cards()[0]), "the card to name who has it")


async def test_a_viewer_is_refused_privately_and_it_is_recorded(house: House, card: Message) -> None:
    """No role, no button: only that person is told, nothing changes, and the audit trail has it."""
    assert await house.choose("vik", house.cards()[0], "resolve")
    await house.until(lambda: house.slack.ephemerals(CHANNEL, "vik"), "the private refusal")
    refusal = house.slack.ephemerals(CHANNEL, "vik")[0]
    assert "may not" in shown(refusal)
    assert "U0ANA00001" in str(refusal.blocks), "it says who may"
    assert not refusal.thread_ts, "it is seen where he pressed: in the channel, not inside a thread"
    assert not house.cards()[0].text.startswith("✅")
    assert not any("denied" in line for line in house.thread(card))


async def test_silencing_writes_a_real_silence(house: House, card: Message) -> None:
    """The modal shows the matchers; submitting it makes Alertmanager hold the silence."""
    ana = house.slack.member("ana")
    await ana.click(card, "incident.silence")
    modal = await ana.sees_modal()
    assert "BotHardStopActive" in str(modal.body)
    outcome = await ana.submit({"comment": "looking into it"})
    assert not outcome.errors

    async def silenced() -> bool:
        return bool(await house.alertmanager.silences())

    await eventually(silenced, "a silence in Alertmanager")
    [silence] = await house.alertmanager.silences()
    assert {matcher["name"] for matcher in silence["matchers"]} >= {"alertname", "bot"}
    await house.until(
        lambda: any("silenced" in line for line in house.thread(card)), "the line in the thread"
    )
