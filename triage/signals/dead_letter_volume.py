"""The volume of dead letters as a signal: it fires while it is not acceptable."""

from __future__ import annotations

from datetime import datetime

from triage.desk import Desk
from triage.model import Signal
from triage.ports.store import Tx
from triage.signals.dead_letters import NAME, dead_letter_rate, hour_by_reason, volume
from triage.signals.watched_conditions import settle


def settle_dead_letters(tx: Tx, desk: Desk, now: datetime) -> tuple[Signal, ...]:
    """Judge the volume as it is now; store and return the signals of what turned."""
    wrong = volume(desk, hour_by_reason(tx, now), dead_letter_rate(tx, desk, now))
    return settle(tx, desk, "dead_letters", {NAME: wrong} if wrong is not None else {}, now)
