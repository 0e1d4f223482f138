"""The catalogue: every action by its kind. A new one is a file with an ``ACTION``, named here and in the contract."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from triage.actions.base import Action, TargetKind
from triage.actions.compose import services
from triage.actions.kinds import (
    clear_cache,
    degraded_mode,
    disable_internal_paper,
    exit_degraded_mode,
    kill_switch,
    recreate,
    restart,
    resume,
    rollback,
    soft_pause,
    start_desk,
    stop_desk,
)
from triage.actions.model import DESK
from triage.desk import Desk
from triage.errors import Refused
from triage.untrusted_text import one_line
from triage.wording import listed

_ALL: tuple[Action, ...] = (
    degraded_mode.ACTION,
    exit_degraded_mode.ACTION,
    clear_cache.ACTION,
    rollback.ACTION,
    recreate.ACTION,
    restart.ACTION,
    soft_pause.ACTION,
    resume.ACTION,
    kill_switch.ACTION,
    disable_internal_paper.ACTION,
    start_desk.ACTION,
    stop_desk.ACTION,
)

CATALOGUE: Mapping[str, Action] = MappingProxyType({action.kind: action for action in _ALL})
"""Every action by its kind."""


def targets(desk: Desk, kind: TargetKind) -> tuple[str, ...]:
    """Return what an action of that target kind can be done to."""
    if kind is TargetKind.DESK:
        return (DESK,)
    bots = tuple(bot.name for bot in desk.bots)
    return bots if kind is TargetKind.BOT else tuple(dict.fromkeys((*bots, *services(desk))))


def find(desk: Desk, kind: str, target: str) -> Action:
    """Return the action of a kind that fits a target. Raises Refused with the words that would do."""
    action = CATALOGUE.get(kind)
    if action is None:
        raise Refused(f"There is no action {one_line(kind, 40)!r}. Known: {', '.join(CATALOGUE)}.")
    known = targets(desk, action.target_kind)
    if target not in known:
        said = (
            f"{one_line(target, 60)!r} is no {action.target_kind} of this desk" if target else "Name a target"
        )
        raise Refused(f"{said}; {kind} can be done to: {listed(known, 20)}.")
    return action
