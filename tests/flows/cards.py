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
_SURENESS = re.compile(r"\(\d{1,3} ?%\)")
_CAUSE = re.compile(r"(?:Almost certain|Likely|Possible|Cause not known): ")
_CUT = re.compile(r"(\S+)…")


def view_of(
    incident: Incident,
    episodes: list[Episode],
    findings: tuple[Finding, ...],
    verdict: Verdict,
    trading: Trading,
) -> IncidentView:
    """Return the view of a triaged incident with a button for each action that its verdict offers."""
    at = incident.opened_at
    run = TriageRun(
        id=1,
        incident_id=1,
        reason="opened",
        requested_at=at,
        status=RunStatus.DONE,
        playbook="p",
        started_at=at,
        finished_at=at,
        findings=findings,
        verdict=verdict,
    )
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
    summary = triage_message([view.run], now, "h")
    assert faults_of(view, card, summary) == [], f"{text_of(card)}\n{text_of(summary)}"


def faults_of(view: IncidentView, card: Rendered, summary: Rendered) -> list[str]:
    """Return what is wrong with a card and its triage message, in words; nothing where both can be read at three."""
    seen, said = text_of(card), text_of(summary)
    found = {
        "the card is too long": phone_lines(card) > CARD_LINES,
        "the triage is too long": phone_lines(summary) > TRIAGE_LINES,
        "its order is not what, trading, cause, do, the rest": not _in_order(view, card),
        "trading is not known yet": "not known yet" in seen,
        "a percentage says how sure it is": bool(_SURENESS.search(seen + said)),
        "the card is cut": "…" in _without_buttons(card, seen),
        "a word is cut": bool(_cut_words(view, f"{_without_buttons(card, seen)} {said}")),
        "the preview lacks what, trading or do": not _previewed(view, card),
        "the first button is not what is to be done": view.remedy is not None and not _named(card, seen),
    }
    return [fault for fault, wrong in found.items() if wrong]


def _labels(card: Rendered) -> list[str]:
    rows = [block["elements"] for block in card.blocks if block["type"] == "actions"]
    return [one["text"]["text"] for row in rows for one in row if "text" in one]


def _in_order(view: IncidentView, card: Rendered) -> bool:
    """What, trading, cause, do stand in this order, and the buttons after them, the remedy before Acknowledge."""
    seen = text_of(card)
    cause = _CAUSE.search(seen)
    places = [
        seen.find(view.incident.number),
        seen.find("Trading: "),
        cause.start() if cause else -1,
        seen.find("Do: "),
    ]
    labels = _labels(card)
    first = labels.index("Acknowledge") == (view.remedy is not None)
    kinds = [block["type"] for block in card.blocks]
    return (
        -1 not in places
        and places == sorted(places)
        and first
        and kinds.index("actions") > kinds.index("rich_text")
    )


def _previewed(view: IncidentView, card: Rendered) -> bool:
    places = [card.text.find(part) for part in (str(view.incident.severity), "Trading: ", "Do: ")]
    return -1 not in places and places == sorted(places)


def _without_buttons(card: Rendered, seen: str) -> str:
    for label in _labels(card):
        seen = seen.replace(label, "")
    return seen


def _cut_words(view: IncidentView, said: str) -> list[str]:
    """Return what stands before a ``…`` and is no whole word of what was found."""
    assert view.run is not None
    causes = view.run.verdict.causes
    told = [each for cause in causes for each in (cause.headline, *cause.because, *cause.against)]
    told += [each for finding in view.run.findings for each in (finding.headline, finding.why)]
    words = {word.strip(".,;:()") for text in told for word in text.split()}
    cut = [word.strip(".,;:()") for word in _CUT.findall(said)]
    return [
        word for word in cut if not any(whole.endswith(word) for whole in words)
    ]  # a path may be its last part


def _named(card: Rendered, seen: str) -> bool:
    row = next(block for block in card.blocks if block["type"] == "actions")
    first = row["elements"][0]
    if "text" not in first:
        return False
    named = f"Do: {first['text']['text']}"
    return first.get("style") in {"primary", "danger"} and named in seen and named in card.text
