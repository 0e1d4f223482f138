"""Dead letters: what a consumer refused and why, and whether their volume is acceptable."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from triage.desk import Desk
from triage.desk_events import DeskEvent, Gravity, Parked, PayloadEntry, moment_of
from triage.logs.templates import mask_variables
from triage.masking import masked_and_cut
from triage.model import Source, Subject, SubjectKind
from triage.ports.store import Tx
from triage.signals.audit import TEXT_MAX, clean, parked, subject_named, validated, why_invalid
from triage.signals.condition import Condition
from triage.signals.rates import Rate, surge
from triage.wording import counted

CATEGORY = "dead_letter"
NAME = "DeadLetters"
REASON_MAX = 120
_SOON = timedelta(minutes=1)
"""Counts are of whole minutes: the one that has begun is in them."""


class DeadLetter(BaseModel):
    """What stands in the field ``payload``; there is no envelope around it."""

    model_config = ConfigDict(extra="ignore")

    reason: Annotated[str, StringConstraints(min_length=1)]
    entry_id: str | None = None
    event_id: str | None = None
    payload: Any = None


_LETTER = TypeAdapter(DeadLetter)


def read_dead_letter(desk: Desk, stream: str, entry: PayloadEntry, now: datetime) -> DeskEvent | Parked:
    """Read one entry; what does not validate comes back as parked."""
    if entry.payload is None:
        return Parked(stream, entry.id, "the entry has no field 'payload'", "")
    try:
        letter = validated(_LETTER, entry.payload)
    except ValidationError as error:
        return parked(stream, entry, why_invalid(error))
    inner = _inner(letter.payload)
    reason = clean(mask_variables(masked_and_cut(letter.reason, 300)), REASON_MAX)
    about = letter.event_id or inner.get("event_id")
    data = {
        name: masked_and_cut(clean(str(value), 2000), 200)
        for name, value in (("entry_id", letter.entry_id), ("event_id", about))
        if value
    }
    what = str(inner.get("action") or inner.get("event_type") or "")
    return DeskEvent(
        key=f"{stream}/{entry.id}",
        source=Source.DEAD_LETTER,
        at=min(moment_of(entry.id, now), now),
        subject=subject_named(desk, str(inner.get("instance_name") or "")),
        gravity=Gravity.WARNING,
        category=CATEGORY,
        text=clean(
            f"{masked_and_cut(letter.reason, 200)}{f' ({masked_and_cut(what, 200)})' if what else ''}",
            TEXT_MAX,
        ),
        reason=reason,
        correlation_id=clean(str(about), 200) if about else "",
        data=data,
    )


def read_dead_letters(
    desk: Desk, stream: str, entries: Sequence[PayloadEntry], now: datetime
) -> list[DeskEvent | Parked]:
    """Read entries, each as ``read_dead_letter`` does."""
    return [read_dead_letter(desk, stream, entry, now) for entry in entries]


def _inner(payload: object) -> Mapping[str, Any]:
    """The refused message, where it can be read at all."""
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return {}
    return payload if isinstance(payload, dict) else {}


def volume(desk: Desk, hour: Mapping[str, int], rate: Rate) -> Condition | None:
    """Return the condition where the volume is not acceptable.

    ``hour``: dead letters of the last hour by reason; ``rate``: those of the window against the time before.
    """
    total, limit = sum(hour.values()), desk.streams.dead_letters_per_hour_max
    loudest = sorted(hour.items(), key=lambda item: (-item[1], item[0]))[:3]
    reasons = ", ".join(f"{reason} ×{count}" for reason, count in loudest)  # noqa: RUF001 - the sign of multiplication
    if total > limit:
        text = f"{counted(total, 'dead letter')} in 1 h (limit {limit:g}): {reasons}"
    else:
        text = surge(rate, desk, reasons)
    if not text:
        return None
    return Condition(NAME, Source.DEAD_LETTER, Subject(SubjectKind.DESK, desk.name), text)


def hour_by_reason(tx: Tx, now: datetime) -> dict[str, int]:
    """Return how many there were in the last hour, by reason."""
    return tx.events.by_reason(Source.DEAD_LETTER, start=now - timedelta(hours=1), end=now + _SOON)


def dead_letter_rate(tx: Tx, desk: Desk, now: datetime) -> Rate:
    """Return how many there were in the window, and what we counted before it."""
    window = now - timedelta(minutes=desk.listening.window_minutes)
    begin = now - timedelta(hours=desk.listening.baseline_hours)
    counted_from = max(begin, tx.events.counted_since() or now)
    return Rate(
        count=_total(tx, window, now + _SOON),
        before=_total(tx, begin, window),
        hours=max(0.0, (window - counted_from).total_seconds() / 3600),
    )


def _total(tx: Tx, start: datetime, end: datetime) -> int:
    return sum(tx.events.by_reason(Source.DEAD_LETTER, start=start, end=end).values())
