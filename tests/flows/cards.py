"""What must hold for the card and the triage message of any incident: their order, their length, their words."""

import re

from bot.slack.blocks.card import incident_card
from bot.slack.blocks.triage import triage_message
from bot.slack.rendered import Rendered
from tests.bot.slack.blocks.test_blocks import phone_lines, text_of
from triage.model import Episode, Finding, Incident, RunStatus, TriageRun, Verdict
from triage.reports.incident_view import IncidentView, Offer
from triage.signals.trading import Trading

CARD_LINES, TRIAGE_LINES = 14, 18
_PERCENT_PAIR = re.compile(r"\(\d{1,3} %\).*\(\d{1,3} %\)", re.DOTALL)


def view_of(
    incident: Incident,
    episodes: list[Episode],
    findings: tuple[Finding, ...],
    verdict: Verdict,
    trading: Trading,
) -> IncidentView:
    """Return the view of a triaged incident with a button for each action that its verdict offers."""
    at = incident.opened_at
    run = TriageRun(1, 1, "opened", at, RunStatus.DONE, "p", at, at, findings, verdict)
    offers = tuple(Offer(one.kind, one.target, f"h-{one.kind}", one.why) for one in verdict.actions)
    limits = {one.bot: 0.015 for one in trading.bots}
    return IncidentView(
        incident, "h", tuple(episodes), run=run, offers=offers, trading=trading, daily_loss=limits
    )


def assert_readable(view: IncidentView) -> None:
    """Check the card and the triage message of a view."""
    assert view.run is not None
    now = view.incident.opened_at
    card = incident_card(view, now, lambda actor: actor)
    seen = text_of(card)
    assert phone_lines(card) <= CARD_LINES, seen
    places = [seen.index(part) for part in (view.incident.number, "Trading: ", "Do: ")]
    assert places == sorted(places), seen
    assert "not known yet" not in seen
    assert not _PERCENT_PAIR.search(seen), seen
    assert "Do: " in card.text or "Do: " in seen
    assert "Trading: " in card.text
    if view.remedy is not None:
        _named_as_its_button(card, seen)
    summary = triage_message([view.run], now, "h")
    assert phone_lines(summary) <= TRIAGE_LINES, text_of(summary)


def _named_as_its_button(card: Rendered, seen: str) -> None:
    row = next(block for block in card.blocks if block["type"] == "actions")
    first = row["elements"][0]
    assert first["style"] in {"primary", "danger"}
    assert f"Do: {first['text']['text']}" in seen, seen
    assert f"Do: {first['text']['text']}" in card.text
