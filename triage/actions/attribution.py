"""Which of our own actions caused what a container did: it is told as ours, not as something that somebody did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from triage.actions.catalogue import CATALOGUE, action_title
from triage.desk import Desk
from triage.diagnosis.checks.base import OwnAct
from triage.plans.agent_orders import ComposeOrder
from triage.plans.operations import SetEnv
from triage.plans.record import ActionRecord
from triage.ports.store import Tx

RECENT = 20
LONGEST = timedelta(minutes=15)
ASKED_FOR = frozenset({"create", "start", "restart", "stop", "kill", "destroy", "rename", "die", "update"})
"""What an action makes a container do; nothing asks for a death of memory or a failing health check."""
_HAND = " by hand"


def own_acts(tx: Tx, desk: Desk) -> tuple[OwnAct, ...]:
    """Return what our newest actions did to containers, or may have, the newest first."""
    return tuple(act for record in tx.actions.ran(RECENT) if (act := _act(desk, record)) is not None)


def _act(desk: Desk, record: ActionRecord) -> OwnAct | None:
    """Return from when to when an action was at work on which containers; None where its kind touches none.

    That its outcome is not known may be found out long after it: no action is at work for longer than ``LONGEST``.
    """
    action = CATALOGUE.get(record.kind)
    if action is None or record.started_at is None:
        return None
    places = action.allowed(desk, record.target)
    services = {str(place.values.get("service", "")) for place in places if place.order is ComposeOrder}
    if not services:
        return None
    containers = None if "" in services else frozenset(map(desk.container_of, services))
    latest = record.started_at + LONGEST
    over = None if record.finished_at is None else min(record.finished_at, latest)
    return OwnAct(
        title=action_title(record.kind, record.target),
        containers=containers,
        begun=record.started_at,
        over=over,
    )


def action_behind(tx: Tx, desk: Desk, container: str, at: datetime) -> OwnAct | None:
    """Return the action of ours that was at work on a container at a time; None where none was."""
    return next((act for act in own_acts(tx, desk) if act.covers(container, at)), None)


def described_as_ours(text: str, act: OwnAct) -> str:
    """Return ``hbot-bot1 was stopped by Clear cache on bot1 (exit code 0)``."""
    return text.replace(_HAND, f" by {act.title}") if _HAND in text else f"{text} (by {act.title})"


def action_behind_env(tx: Tx, values: Mapping[str, str], names: Sequence[str], now: datetime) -> str:
    """Return the title of the action of ours that lately set these keys of ``.env`` to their values; empty for none."""
    for record in tx.actions.ran(RECENT):
        steps = record.plan.steps if record.plan is not None else ()
        ours = {step.op.key: step.op.value for step in steps if isinstance(step.op, SetEnv)}
        lately = now - (record.finished_at or now) <= LONGEST
        if lately and names and all(name in ours and ours[name] == values.get(name) for name in names):
            return action_title(record.kind, record.target)
    return ""
