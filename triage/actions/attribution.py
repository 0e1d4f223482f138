"""Which of our own actions caused what a container did: it is told as ours, not as something that somebody did."""

from __future__ import annotations

from datetime import datetime, timedelta

from triage.actions.catalogue import action_title
from triage.desk import Desk
from triage.plans.record import DESK, ActionRecord
from triage.ports.store import Tx

BEFORE, AFTER = timedelta(seconds=3), timedelta(seconds=20)
"""Our clock and the engine's differ a little, and the engine tells some things after a step has ended."""
RECENT = 10
ASKED_FOR = frozenset({"create", "start", "restart", "stop", "kill", "destroy", "rename", "die", "update"})
"""What an action makes a container do; nothing asks for a death of memory or a failing health check."""
_HAND = " by hand"


def behind(tx: Tx, desk: Desk, container: str, at: datetime) -> ActionRecord | None:
    """Return the action of ours that was at work on a container at a time; None where none was."""
    for record in tx.actions.recent(RECENT):
        covered = record.target == DESK or desk.container_of(record.target) == container
        begun = record.started_at is not None and record.started_at - BEFORE <= at
        over = record.finished_at is not None and at > record.finished_at + AFTER
        if record.status.ran and covered and begun and not over:
            return record
    return None


def told_as_ours(text: str, record: ActionRecord) -> str:
    """Return ``hbot-bot1 was stopped by Clear cache on bot1 (exit code 0)``."""
    ours = action_title(record.kind, record.target)
    return text.replace(_HAND, f" by {ours}") if _HAND in text else f"{text} (by {ours})"
