"""The wall clock was set: by how much, so that what counts from a time before still counts from the same moment.

Times are stored as the clock said them. When it is set by an hour, "ten minutes after it opened" would come an hour too
late, or at once. Each jump is kept with the newest incident and action at that time: what is older is moved along.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from triage.ports.store import Tx

JUMP_SECONDS = 5.0
"""What is less is a clock that is slewed, or a busy machine."""
NOTE, KEPT = "clock_jumps", 20
SAME_SECONDS = 60.0
"""Two replicas on one machine see one jump twice."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock was set by ``seconds`` when it said ``before``; ``incident`` and ``action`` were the newest then."""

    before: datetime
    seconds: float
    incident: int
    action: int


def jumps(tx: Tx) -> tuple[Jump, ...]:
    """Return the jumps that are remembered, oldest first."""
    return tx.notes.parsed(NOTE, _read) or ()


def _read(text: str) -> tuple[Jump, ...]:
    kept = json.loads(text)
    return tuple(Jump(**{**one, "before": datetime.fromisoformat(one["before"])}) for one in kept)


def remember(tx: Tx, before: datetime, seconds: float) -> bool:
    """Keep a jump; False where another replica has told of the same one."""
    known = jumps(tx)
    if any(_same(one, before, seconds) for one in known):
        return False
    action = next((one.id for one in tx.actions.recent(1)), 0)
    incident = max((one.id for one in tx.incidents.open()), default=0)
    made = Jump(before, seconds, incident, action)
    kept = [{**asdict(one), "before": one.before.isoformat()} for one in (*known, made)[-KEPT:]]
    tx.notes.put(NOTE, json.dumps(kept))
    return True


def _same(known: Jump, before: datetime, seconds: float) -> bool:
    apart = abs((known.before - before).total_seconds())
    return apart < SAME_SECONDS and abs(known.seconds - seconds) < JUMP_SECONDS


def moved(at: datetime, known: Sequence[Jump], *, incident: int = 0, action: int = 0) -> datetime:
    """Return what today's clock would have said at a time that was stored; ``incident`` or ``action``: of which one."""
    for jump in known:
        older = (0 < incident <= jump.incident) or (0 < action <= jump.action)
        if older and at <= jump.before:
            at += timedelta(seconds=jump.seconds)
    return at
