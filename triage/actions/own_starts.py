"""Whether what happened to a container came right after an action of our own: then it is told as ours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from triage.actions.catalogue import action_title
from triage.desk import Desk
from triage.plans.plan import DESK
from triage.plans.record import ActionRecord
from triage.wording import duration

DEPLOYS = frozenset(
    {
        "recreate",
        "rollback",
        "clear_cache",
        "disable_internal_paper",
        "restart",
        "start_desk",
        "exit_degraded_mode",
    }
)
"""Kinds of actions that start a container anew."""
ENDS_THEM = DEPLOYS - {"exit_degraded_mode"}
"""Of these, the kinds that end what runs of their target: leaving degraded mode leaves every bot alone."""
SOON = timedelta(minutes=15)
"""What fails so soon after a start fails because of it, or in spite of it: either way one has to know."""


def our_deploy(
    desk: Desk, actions: Iterable[ActionRecord], container: str, at: datetime
) -> ActionRecord | None:
    """Return our newest action that started this container anew shortly before."""
    found = [
        record
        for record in actions
        if record.kind in DEPLOYS
        and record.started_at is not None
        and timedelta(0) <= at - record.started_at <= SOON
        and (record.target == DESK or desk.container_of(record.target) == container)
    ]
    return max(found, key=lambda record: record.started_at or record.proposed_at, default=None)


def at_work(record: ActionRecord, now: datetime) -> tuple[datetime, datetime] | None:
    """Return from when to when an action that starts its containers anew was at work; None for another kind."""
    if record.kind not in ENDS_THEM or record.started_at is None:
        return None
    return record.started_at, record.finished_at or now


def after(record: ActionRecord, at: datetime, by: str) -> str:
    """Return e.g. ``40 s after our own Rollback on bot1 (image bot:2), confirmed by @ana``."""
    gap = duration((at - record.started_at).total_seconds()) if record.started_at is not None else "soon"
    image = record.arguments.get("image", "")
    what = f"{action_title(record.kind, record.target)}{f' (image {image})' if image else ''}"
    return f"{gap} after our own {what}{f', confirmed by {by}' if by else ''}"
