"""When an action may be offered: how sure its cause must be, what must be known, and what counts against it.

Each action's file states its own ``FITNESS`` (``triage/actions/kinds/``). A condition is a pure look at the facts
of one triage. A contraindication counts for what is offered; a person who asks for the action by name sees it in
the plan and may go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from triage.desk import Desk
from triage.diagnosis.facts import Facts
from triage.diagnosis.stops import requested_stop
from triage.model import Cause
from triage.plans.plan import DESK
from triage.signals.guard_reasons import LIMITS

Predicate = Callable[[Facts, str], bool]
"""A look at the facts, for a target: does the condition hold?"""

DISK_FULL = 0.97
_GUARDS = LIMITS | {"cancel_fail_hard_limit", "fee_unresolved"}
"""Reasons of guards that stop a bot on purpose: starting it anew would go past the guard."""


@dataclass(frozen=True, slots=True)
class FitnessCondition:
    """One condition: ``why`` is said where it decides."""

    why: str
    look: Predicate


@dataclass(frozen=True, slots=True)
class Fitness:
    """When an action may be offered.

    ``threshold``: the least confidence of the cause that it is a remedy of. ``requires``: what must be known to be
    so. ``against``: evidence under which it is never offered. ``not_while``: causes (as ``diagnosis/causes`` names
    them) that must not be believed of the same target, each with the reason.
    """

    threshold: float
    requires: tuple[FitnessCondition, ...] = ()
    against: tuple[FitnessCondition, ...] = ()
    not_while: Mapping[str, str] = field(default_factory=dict)

    def objections(self, facts: Facts, target: str) -> Iterator[str]:
        """Yield what speaks against it now: what is not known to be so, and what is."""
        yield from (each.why for each in self.requires if not each.look(facts, target))
        yield from self.contraindications(facts, target)

    def contraindications(self, facts: Facts, target: str) -> Iterator[str]:
        """Yield the evidence under which it is never offered, as far as it was seen."""
        yield from (each.why for each in self.against if each.look(facts, target))


def is_about(desk: Desk, cause: Cause, target: str) -> bool:
    """Say whether a cause touches an action's target: one that names nobody touches all, and the desk is all of it."""
    names = {each.strip() for each in cause.subject.split(",")} - {""}
    return not names or target == DESK or target in names or desk.container_of(target) in names


def _box(facts: Facts, target: str) -> Mapping[str, object]:
    return facts.container(facts.desk.container_of(target))


def _disk_full(facts: Facts, target: str) -> bool:
    del target
    full = any((host.get("disk") or 0) > DISK_FULL for host in facts.hosts().values())
    return full or any(facts.logged(bot, "disk_full").fresh for bot in facts.bots)


def _guarded(facts: Facts, target: str) -> bool:
    return bool(_GUARDS & set(facts.reasons(target)))


def _killed(facts: Facts, target: str) -> bool:
    said = any(each.subject.name in {target, facts.desk.name} for each in facts.events("kill_switch"))
    return said or bool(facts.logged(target, "pnl_kill_switch").fresh)


def _not_seen(facts: Facts, target: str) -> bool:
    """What is shown of a bot may be old: then nothing is done to the bot on the strength of it."""
    watch = facts.data("watchers")
    blind = watch.get("target_up") is False or watch.get("prometheus") == "down"
    return blind and facts.desk.bot(target) is not None


def _state_unknown(facts: Facts, target: str) -> bool:
    """Docker was asked and did not answer; metrics tell neither paused from stuck nor stopped from ended."""
    asked = facts.asked("container") or facts.asked("changes")
    return asked and not facts.engine_knows(facts.desk.container_of(target))


def _redis_serves(facts: Facts, target: str) -> bool:
    del target
    streams = facts.data("streams")
    return bool(streams.get("reachable")) and streams.get("role") == "master"


def _redis_is_gone(facts: Facts, target: str) -> bool:
    del target
    streams = facts.data("streams")
    if streams.get("reachable"):
        return False
    # That we do not reach it is not enough: the way from here may be what fails.
    dead = facts.runs(facts.desk.redis_container) is False
    missed = any(
        "bus_outage" in facts.reasons(bot) or facts.logged(bot, "redis_unreachable").fresh
        for bot in facts.bots
    )
    return dead or (streams.get("reachable") is False and missed)


def _differs(facts: Facts, target: str) -> bool:
    return facts.changed(facts.desk.container_of(target)) is not None


def _stopped_by_hand(facts: Facts, target: str) -> bool:
    told = requested_stop(facts, facts.desk.container_of(target))
    return told is not None and not _box(facts, target).get("running")


NO_ROOM = FitnessCondition("the disk is full or almost: a start needs room too", _disk_full)
GUARDED = FitnessCondition("a guard stopped the bot on purpose: a start would go past it", _guarded)
KILLED = FitnessCondition("a kill switch stopped the bot: only a person starts it again", _killed)
PAUSED = FitnessCondition(
    "the container is paused: unpause it instead",
    lambda facts, target: _box(facts, target).get("status") == "paused",
)
LOOPING = FitnessCondition(
    "it dies and restarts again and again: another start is the next round",
    lambda facts, target: bool(_box(facts, target).get("looping")),
)
STATE_UNKNOWN = FitnessCondition(
    "Docker does not tell how its container stands: it may be paused, or stopped by somebody", _state_unknown
)
OUT_OF_SIGHT = FitnessCondition("monitoring is blind: what is shown of the bot may be old", _not_seen)
STOPPED_BY_HAND = FitnessCondition("somebody stopped it: ask before it is started again", _stopped_by_hand)
IS_UP = FitnessCondition(
    "it is not known that its process is up",
    lambda facts, target: bool(_box(facts, target).get("running")) or not _box(facts, target),
)
REDIS_SERVES = FitnessCondition(
    "Redis does not answer as a master: the intent would not arrive", _redis_serves
)
REDIS_GONE = FitnessCondition("it is not known that Redis is gone", _redis_is_gone)
DIFFERS = FitnessCondition(
    "no change before the trouble is known that differs (image, configuration)", _differs
)
TRADES = FitnessCondition(
    "the bot is not known to trade now", lambda facts, target: facts.now_of(target).get("state") == "running"
)
OLD_CODE = FitnessCondition(
    "it is not known that older code runs than what is on the disk",
    lambda facts, target: bool(
        facts.data("bytecode").get("bots", {}).get(target, {}).get("controller_stale")
        or facts.data("bytecode").get("bots", {}).get(target, {}).get("newer_than_bytecode")
    ),
)
NEVER = FitnessCondition("this is for a person to ask for by name", lambda facts, target: False)  # noqa: ARG005 - a look at nothing
