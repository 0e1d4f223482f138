"""Which audit events are signals: some at once, warnings by their rate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from triage.desk import Desk
from triage.desk_events import DeskEvent, EventKind, Gravity
from triage.model import Signal, SignalStatus, Source
from triage.playbooks.lookup import playbook_for
from triage.signals.rates import Rate, surge

SIGNALS_MAX = 25
"""Signals that one batch makes at the most: the rest of a flood is on the timeline and in the counts."""
_INFO, _WARNING = Gravity.INFO, Gravity.WARNING
"""Here once, as in ``triage.signals.audit``."""


def audit_signals(
    desk: Desk,
    events: Sequence[DeskEvent],
    *,
    raised: Collection[EventKind],
    rates: Mapping[EventKind, Rate],
    now: datetime,
) -> list[tuple[DeskEvent, Signal]]:
    """Return the signals of new events, each with the event it was made of.

    At once: the categories of ``listening.at_once`` and what is grave as an error. By rate: warnings whose
    kind surges against its own baseline (``rates``). ``raised``: kinds that made a signal lately, and whose
    incident is open: they make no further one.
    """
    found: list[tuple[DeskEvent, Signal]] = []
    seen = set(raised)
    at_once, only_kept = desk.listening.at_once, desk.listening.only_kept
    for event in events:
        if event.gravity is _INFO and event.category not in at_once:
            continue
        if len(found) >= SIGNALS_MAX or event.kind in seen or event.category in only_kept:
            continue
        if event.category in at_once or event.gravity is Gravity.ERROR:
            why = ""
        elif event.gravity is Gravity.WARNING and event.kind in rates:
            why = surge(rates[event.kind], desk, event.reason or event.category)
            if not why:
                continue
        else:
            continue
        seen.add(event.kind)
        found.append((event, _signal(desk, event, why, now)))
    return found


def warned(desk: Desk, events: Sequence[DeskEvent]) -> set[EventKind]:
    """Return the kinds whose rate decides."""
    decided = desk.listening.at_once | desk.listening.only_kept
    return {event.kind for event in events if event.gravity is _WARNING and event.category not in decided}


def _signal(desk: Desk, event: DeskEvent, why: str, now: datetime) -> Signal:
    labels = {
        "category": event.category,
        "reason": event.reason,
        "severity": event.gravity.value,
        "producer": str(event.data.get("producer", "")),
        "correlation_id": event.correlation_id,
    }
    playbook = playbook_for(desk, event.category, Source.AUDIT)
    return Signal(
        source=Source.AUDIT,
        episode=event.key.removeprefix("audit/"),
        status=SignalStatus.EVENT,
        name=event.category,
        subject=event.subject,
        severity=playbook.severity_of(labels, desk.severities),
        starts_at=event.at,
        received_at=now,
        labels={name: value for name, value in labels.items() if value},
        annotations={"summary": why or event.text or event.category, "message": event.text},
    )
