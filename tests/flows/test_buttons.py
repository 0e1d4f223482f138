"""People press the incident's buttons: what they may, and what they may not."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from demo.slack import Message
from tests.flows.harness import CHANNEL, Harness, running_harness, shown
from tests.servers.process import eventually

Require = Callable[..., Path]


@pytest.fixture
async def harness(require: Require, tmp_path: Path) -> AsyncIterator[Harness]:
    """Run the harness."""
    async with running_harness(require, tmp_path) as running:
        yield running


@pytest.fixture
async def card(harness: Harness) -> Message:
    """Make bot1 stop, and wait until its incident is triaged and Slack is listened to."""
    harness.exporter.set("bot1", state="hard_stop")
    card = await harness.card(lambda card: "hard stop" in card.text)
    await harness.until(lambda: any("Triage" in line for line in harness.thread(card)), "the triage")
    return card


async def test_acknowledging_shows_who_and_says_it_in_the_thread(harness: Harness, card: Message) -> None:
    """The operator presses Acknowledge: the message and the thread say so."""
    outcome = await harness.slack.member("ana").click(card, "incident.acknowledge")
    assert outcome.acked
    assert outcome.seconds < 3
    await harness.until(lambda: any("acknowledged" in line for line in harness.thread(card)), "the line")
    await harness.until(lambda: "@ana" in shown(harness.cards()[0]), "the card to name who has it")


async def test_a_viewer_is_refused_privately_and_it_is_recorded(harness: Harness, card: Message) -> None:
    """No role, no button: only that person is told, nothing changes, and the audit trail has it."""
    assert await harness.choose("vik", harness.cards()[0], "resolve")
    await harness.until(lambda: harness.slack.ephemerals(CHANNEL, "vik"), "the private refusal")
    refusal = harness.slack.ephemerals(CHANNEL, "vik")[0]
    assert "may not" in shown(refusal)
    assert "U0ANA00001" in str(refusal.blocks), "it says who may"
    assert not refusal.thread_ts, "it is seen where he pressed: in the channel, not inside a thread"
    assert not harness.cards()[0].text.startswith("✅")
    assert not any("denied" in line for line in harness.thread(card))


async def test_silencing_writes_a_real_silence(harness: Harness, card: Message) -> None:
    """The modal shows the matchers; submitting it makes Alertmanager hold the silence."""
    ana = harness.slack.member("ana")
    await ana.click(card, "incident.silence")
    modal = await ana.sees_modal()
    assert "BotHardStopActive" in str(modal.body)
    outcome = await ana.submit({"comment": "looking into it"})
    assert not outcome.errors

    async def silenced() -> bool:
        return bool(await harness.alertmanager.silences())

    await eventually(silenced, "a silence in Alertmanager")
    [silence] = await harness.alertmanager.silences()
    assert {matcher["name"] for matcher in silence["matchers"]} >= {"alertname", "bot"}
    await harness.until(
        lambda: any("silenced" in line for line in harness.thread(card)), "the line in the thread"
    )
