"""The measure of a card would notice each fault that it is for."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.slack.blocks import kit
from bot.slack.blocks.card import incident_card
from bot.slack.blocks.triage import triage_message
from bot.slack.rendered import Rendered
from tests.bot.slack.blocks.samples import NOW, view
from tests.flows.cards import faults_of
from triage.reports.incident_view import IncidentView
from triage.signals.trading import BotTrading, Trading

Break = Callable[[Rendered], Rendered]


def _said(more: str) -> Break:
    return lambda card: replace(card, blocks=(*card.blocks, kit.rich(kit.leaf(more))))


def _swapped(card: Rendered) -> Rendered:
    return replace(card, blocks=(*card.blocks[1:], card.blocks[0]))


def _acknowledge_first(card: Rendered) -> Rendered:
    rows = [
        {**block, "elements": list(reversed(block["elements"]))} if block["type"] == "actions" else block
        for block in card.blocks
    ]
    return replace(card, blocks=tuple(rows))


def sample() -> IncidentView:
    """Return the view of all tests, with bots that were looked at."""
    bots = (BotTrading("bot1", "hard_stop", seen_at=NOW), BotTrading("bot2", "running", seen_at=NOW))
    return replace(view(), trading=Trading(NOW, bots))


def test_a_good_card_has_no_fault() -> None:
    """The sample of all tests."""
    made = sample()
    assert made.run is not None
    card, summary = incident_card(made, NOW, str), triage_message([made.run], NOW, "h")
    assert faults_of(made, card, summary) == []


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (_said("\n".join("one more line" for _ in range(9))), "the card is too long"),
        (_said("drawdown (96 %) or edge gate (51 %)"), "a percentage says how sure it is"),
        (_said("the external signal and risk stack…"), "the card is cut"),
        (_said("the external signal and risk sta…"), "a word is cut"),
        (_said("not known yet, asking"), "trading is not known yet"),
        (_swapped, "its order is not what, trading, cause, do, the rest"),
        (_acknowledge_first, "the first button is not what is to be done"),
        (
            lambda card: replace(card, text=card.text.replace("Trading: ", "")),
            "the preview lacks what, trading or do",
        ),
    ],
)
def test_each_fault_is_noticed(broken: Break, fault: str) -> None:
    """A card that is changed in one way has that fault."""
    made = sample()
    assert made.run is not None
    card, summary = incident_card(made, NOW, str), triage_message([made.run], NOW, "h")
    assert fault in faults_of(made, broken(card), summary)


def test_a_triage_that_is_too_long_is_noticed() -> None:
    """Eighteen lines of a phone."""
    made = sample()
    assert made.run is not None
    card, summary = incident_card(made, NOW, str), triage_message([made.run], NOW, "h")
    assert "the triage is too long" in faults_of(made, card, _said("line\n" * 18)(summary))
