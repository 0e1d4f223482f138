"""Which of our own actions caused what a container did: it is told as ours, not as something that somebody did."""

from __future__ import annotations

from datetime import datetime

from triage.actions.catalogue import action_title
from triage.desk import Desk
from triage.diagnosis.checks.base import OwnAct
from triage.plans.record import DESK
from triage.ports.store import Tx

RECENT = 10
ASKED_FOR = frozenset({"create", "start", "restart", "stop", "kill", "destroy", "rename", "die", "update"})
"""What an action makes a container do; nothing asks for a death of memory or a failing health check."""
_HAND = " by hand"


def own_acts(tx: Tx, desk: Desk) -> tuple[OwnAct, ...]:
    """Return what our newest actions touched, or may have, the newest first."""
    return tuple(
        OwnAct(
            action_title(record.kind, record.target),
            None if record.target == DESK else desk.container_of(record.target),
            record.started_at,
            record.finished_at,
        )
        for record in tx.actions.recent(RECENT)
        if record.status.ran and record.started_at is not None
    )


def behind(tx: Tx, desk: Desk, container: str, at: datetime) -> OwnAct | None:
    """Return the action of ours that was at work on a container at a time; None where none was."""
    return next((act for act in own_acts(tx, desk) if act.covers(container, at)), None)


def told_as_ours(text: str, act: OwnAct) -> str:
    """Return ``hbot-bot1 was stopped by Clear cache on bot1 (exit code 0)``."""
    return text.replace(_HAND, f" by {act.title}") if _HAND in text else f"{text} (by {act.title})"
