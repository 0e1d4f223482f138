"""The catalogue: every action by its kind. A new one is one file in ``triage/actions/kinds/``; nothing is named here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from triage.action_kinds import KIND, KINDS
from triage.actions import kinds
from triage.actions.base import Action, TargetKind
from triage.actions.compose import services
from triage.desk import Desk
from triage.errors import Refused
from triage.plans.plan import DESK
from triage.untrusted_text import one_line
from triage.wording import listed, nearest


def _load(kind: str) -> Action:
    """Import an action. Raises TypeError where a file is none, or is named otherwise than its kind."""
    if not re.fullmatch(KIND, kind):
        raise TypeError(f"triage/actions/kinds/{kind}.py: a kind is named in small letters, digits and _")
    action = getattr(import_module(f"{kinds.__name__}.{kind}"), "ACTION", None)
    if not isinstance(action, Action) or action.kind != kind:
        raise TypeError(f"triage/actions/kinds/{kind}.py: ACTION must be an Action whose kind is {kind!r}")
    return action


CATALOGUE: Mapping[str, Action] = MappingProxyType({kind: _load(kind) for kind in KINDS})
"""Every action by its kind."""


def targets(desk: Desk, kind: TargetKind) -> tuple[str, ...]:
    """Return what an action of that target kind can be done to."""
    if kind is TargetKind.DESK:
        return (DESK,)
    bots = tuple(bot.name for bot in desk.bots)
    if kind is TargetKind.BOT:
        return bots
    # A bot's service has one name, the bot's: one action at a time on what has two names would be two.
    of_bots = {desk.service_of(bot) for bot in bots}
    return tuple(dict.fromkeys((*bots, *(name for name in services(desk) if name not in of_bots))))


def find(desk: Desk, kind: str, target: str) -> Action:
    """Return the action of a kind that fits a target. Raises Refused with the words that would do."""
    action = CATALOGUE.get(kind)
    if action is None:
        raise Refused(f"There is no action {one_line(kind, 40)!r}. Known: {', '.join(CATALOGUE)}.")
    known = targets(desk, action.target_kind)
    if target not in known:
        said = f"{one_line(target, 60)!r} is no {action.target_kind} of this desk"
        like = nearest(target, known)
        meant = f"did you mean {like}? " if like else ""
        raise Refused(f"{said}; {meant}{kind} can be done to: {listed(known, 20)}.")
    return action


def label_of(kind: str) -> str:
    """Return how people call an action: ``clear_cache`` is ``Clear cache``."""
    action = CATALOGUE.get(kind)
    return action.label if action is not None else one_line(kind.replace("_", " "), 60).capitalize()


def action_title(kind: str, target: str) -> str:
    """Return ``Clear cache on bot1``; for the whole desk just ``Degraded mode``."""
    return label_of(kind) if target == DESK else f"{label_of(kind)} on {one_line(target, 60)}"
