"""The buttons of a card: the one thing to do first, then what can be done to the incident, the rest in a menu."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.blocks.kit import Style, actions, button, overflow
from bot.slack.blocks.symbols import dangerous
from triage.actions.catalogue import action_title
from triage.model import IncidentStatus, Json
from triage.reports.incident_view import IncidentView, Offer, Waiting

ROW, OFFERS = 5, 10
CONFIRM_SECOND = "Confirm as second…"
MORE = "incident.more"
"""The overflow menu of a card; an option's value is ``<what>:<the incident's opaque id>``."""
ACTION = "action"
"""What an option's value begins with that opens an action's form; its opaque id follows."""


def offer_label(offer: Offer) -> str:
    """Return what the button of an action says: ``Clear cache on bot1…``."""
    return f"{action_title(offer.kind, offer.target)}…"


def incident_buttons(view: IncidentView) -> Json | None:
    """Return the row of the incident: its remedy coloured, Acknowledge where nobody has it, Silence, a menu."""
    incident, remedy = view.incident, view.remedy
    if not incident.is_open:
        return None
    row = []
    if remedy is not None:
        row.append(remedy_button(remedy))
    if incident.status is IncidentStatus.TRIGGERED:
        row.append(acknowledge_button(view))
    row.append(button("Silence…", "incident.silence", view.handle))
    options = [("Triage again", "retriage"), ("Full report", "report")]
    if not incident.quiet:
        options.append(("Resolve", "resolve"))
    more = [(label, f"{what}:{view.handle}") for label, what in options]
    if view.way_out is not None:
        more.append((offer_label(view.way_out), f"{ACTION}:{view.way_out.handle}"))
    row.append(overflow(MORE, more))
    return actions("incident", row)


def remedy_button(remedy: Offer) -> Json:
    """Return the coloured button of the one thing to do."""
    style: Style = "danger" if dangerous(remedy.kind) else "primary"
    return button(offer_label(remedy), f"action.{remedy.kind}", remedy.handle, style)


def acknowledge_button(view: IncidentView) -> Json:
    """Return Acknowledge, coloured where there is no remedy to press and nothing that waits for a second person."""
    style: Style | None = "primary" if view.remedy is None and not view.waiting else None
    return button("Acknowledge", "incident.acknowledge", view.handle, style)


def second_buttons(waiting: Waiting, number: int) -> Json | None:
    """Return the row of an action that waits for its second person."""
    return actions(
        f"second_{number}",
        [
            button(CONFIRM_SECOND, f"action.{waiting.kind}", waiting.handle, "primary"),
            button("Reject", "action_reject", waiting.handle),
        ],
    )


def offer_rows(offers: Sequence[Offer]) -> list[Json | None]:
    """Return further actions in rows of five, at most ten.

    An ``action_id`` may stand only once in a block, so a kind offered for two targets begins a new row.
    """
    rows: list[list[Offer]] = []
    for offer in offers[:OFFERS]:
        row = next(
            (row for row in rows if len(row) < ROW and all(offer.kind != other.kind for other in row)), None
        )
        if row is None:
            rows.append([offer])
        else:
            row.append(offer)
    return [
        actions(f"offers_{number}", [_button(offer) for offer in row])
        for number, row in enumerate(rows, start=1)
    ]


def _button(offer: Offer) -> Json:
    style: Style | None = "danger" if dangerous(offer.kind) else None
    return button(offer_label(offer), f"action.{offer.kind}", offer.handle, style)
