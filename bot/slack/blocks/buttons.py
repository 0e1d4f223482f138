"""The buttons of a card: what can be done to the incident, and the actions that fit."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.blocks.kit import Style, actions, button
from bot.slack.blocks.signs import action_name, dangerous
from triage.incidents.view import IncidentView, Offer
from triage.model import IncidentStatus, Json

ROW, OFFERS = 5, 10


def incident_buttons(view: IncidentView) -> Json | None:
    """Return the row of the incident itself: a resolved one has none, an acknowledged one no Acknowledge."""
    incident = view.incident
    if not incident.is_open:
        return None
    row = []
    if incident.status is IncidentStatus.TRIGGERED:
        row.append(button("Acknowledge", "incident.acknowledge", view.handle, "primary"))
    row.append(button("Silence…", "incident.silence", view.handle))
    row.append(button("Triage again", "incident.retriage", view.handle))
    if not incident.quiet:
        row.append(button("Resolve", "incident.resolve", view.handle))
    return actions("incident", row)


def offer_rows(offers: Sequence[Offer]) -> list[Json | None]:
    """Return the actions in rows of five, the best first, at most ten.

    An ``action_id`` may stand only once in a block, so a kind offered for two targets begins a new row.
    """
    rows: list[list[Offer]] = []
    several = len({offer.target for offer in offers}) > 1
    for offer in offers[:OFFERS]:
        row = next(
            (row for row in rows if len(row) < ROW and all(offer.kind != other.kind for other in row)), None
        )
        if row is None:
            rows.append([offer])
        else:
            row.append(offer)
    return [
        actions(f"offers_{number}", [_button(offer, with_target=several) for offer in row])
        for number, row in enumerate(rows, start=1)
    ]


def _button(offer: Offer, *, with_target: bool) -> Json:
    label = f"{action_name(offer.kind)} {offer.target}…" if with_target else f"{action_name(offer.kind)}…"
    style: Style | None = "danger" if dangerous(offer.kind) else None
    return button(label, f"action.{offer.kind}", offer.handle, style)
