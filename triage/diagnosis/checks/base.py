"""What a check is: one question to one source, answered by one finding."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from triage.concurrency import all_of, attempt
from triage.desk import Desk
from triage.desk_events import DeskEvent
from triage.errors import SourceError, SourceTimeout
from triage.model import Finding, FindingStatus, Incident
from triage.ports.sources import ContainerState, QueryResult, RangeResult, Sources
from triage.signals.rates import Rate

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

_ANSWER_SHARE = 0.8
"""The part of a check's deadline that one of several sources may take."""
_EACH_MAX = 16
"""Containers that are inspected one by one."""
_CLOCKS_DIFFER = timedelta(seconds=3)
"""The engine's clock and ours."""
_REPORTED_LATE = timedelta(seconds=20)
"""The engine tells some things after a step of an action has ended."""


@dataclass(frozen=True, slots=True)
class OwnAct:
    """From when to when an action of ours was at work (``over`` is None while it is), and on which containers.

    ``title`` is what it is called (``Rollback on bot1``); ``containers`` is None for an action on the whole desk.
    """

    title: str
    containers: frozenset[str] | None
    begun: datetime
    over: datetime | None = None

    def covers(self, container: str, at: datetime) -> bool:
        """Say whether it may be why a container was told to do something at a time."""
        over = self.over is not None and at > self.over + _REPORTED_LATE
        mine = self.containers is None or container in self.containers
        return mine and self.begun - _CLOCKS_DIFFER <= at and not over


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check may know: the desk, the sources, the time, and what the triage is about.

    ``bots``: the bots it is about (all of the desk's, where the incident is about none of them);
    ``containers``: their containers, or the container itself; ``since``: when the trouble began (the
    incident's first signal; for a triage without one: now). ``incident`` is None for such a triage.
    ``events``: what the desk said of them, from shortly before ``since`` on, oldest first; None where
    there is no memory to ask. ``dead_letters``: their rate as the memory has it, None as for ``events``.
    ``edits``: what was changed in ``.env`` and the Compose file in the day before, as the memory has it.
    ``quick``: somebody waits for a glance; what a first round of questions does not give is left out.
    ``ours``: from when to when an action of ours that starts these containers anew was at work; None for a triage.
    ``acts``: what our own actions did of late, as the memory has it. ``degraded_since``: since when our own degraded
    mode is on; None while it is off.
    """

    desk: Desk
    sources: Sources
    now: datetime
    since: datetime
    bots: tuple[str, ...]
    containers: tuple[str, ...]
    incident: Incident | None = None
    single_bot: bool = True
    events: tuple[DeskEvent, ...] | None = None
    dead_letters: Rate | None = None
    edits: tuple[DeskEvent, ...] = ()
    quick: bool = False
    ours: tuple[datetime, datetime] | None = None
    acts: tuple[OwnAct, ...] = ()
    degraded_since: datetime | None = None

    def act_behind(self, container: str, at: datetime) -> str:
        """Return the title of the action of ours that was at work on a container at a time; empty where none was."""
        return next((act.title for act in self.acts if act.covers(container, at)), "")


Check = Callable[[CheckContext], Awaitable[Finding]]
"""Raises SourceError where its source gave no answer: the runner makes an ``unknown`` finding of it."""


class NamedCheck(Protocol):
    """What a module of ``triage.diagnosis.checks`` exposes.

    ``NAME`` is the check's id in playbooks, ``TITLE`` what operators read, ``SOURCE`` who is asked.
    """

    NAME: str
    TITLE: str
    SOURCE: str

    async def run(self, ctx: CheckContext, /) -> Finding:
        """Ask, and say what was found; raise SourceError where there is no answer."""
        ...


_ORDER = (FindingStatus.CRITICAL, FindingStatus.WARNING, FindingStatus.UNKNOWN, FindingStatus.OK)


def worst_status(statuses: Iterable[FindingStatus]) -> FindingStatus:
    """Return the status that counts: what is known to be bad, then what is not known, then ok."""
    found = set(statuses)
    return next((status for status in _ORDER if status in found), FindingStatus.UNKNOWN)


async def in_time(ctx: CheckContext, source: str, question: Coroutine[Any, Any, T]) -> T | SourceError:
    """As ``attempt``; no answer shortly before the check's deadline is an error too.

    For checks with more than one source: one that hangs must not take the others' answers away.
    """
    seconds = ctx.desk.triage.deadline_seconds * _ANSWER_SHARE
    try:
        async with asyncio.timeout(seconds):
            return await question
    except TimeoutError:
        return SourceTimeout(source, f"no answer within {seconds:g} s")
    except SourceError as error:
        return error


async def each_of(questions: Iterable[Coroutine[Any, Any, T]]) -> tuple[T | SourceError, ...]:
    """Ask at the same time; a question that is refused costs only itself."""
    return await all_of(attempt(question) for question in questions)


async def states_of(
    ctx: CheckContext, *, unless_up_seconds: float
) -> tuple[ContainerState | SourceError | None, ...]:
    """Return the state of each of the context's containers, None for one that is not there.

    Of few a question each. Many are listed first, and of those that are well and have been up for so many seconds
    the list says enough: it knows no restarts and no exact start. Raises SourceError where there is no list.
    """
    containers = ctx.sources.containers
    if len(ctx.containers) <= _EACH_MAX:
        return await each_of(containers.inspect(name) for name in ctx.containers)
    entries = await containers.list()
    times = Counter(entry.name for entry in entries)  # twice: it is being replaced
    known = {
        entry.name: entry
        for entry in entries
        if (entry.long_up_seconds or 0.0) >= max(unless_up_seconds, 1.0)
        and times[entry.name] == 1
        and not entry.unread
    }
    left = [name for name in ctx.containers if name not in known]
    asked = dict(zip(left, await each_of(containers.inspect(name) for name in left), strict=True))
    return tuple(known.get(name) or asked[name] for name in ctx.containers)


EMPTY = QueryResult(())
NO_SERIES = RangeResult(())


def answer_or_none(answer: QueryResult | SourceError) -> QueryResult:
    """Return the answer, an empty one for a question that was refused."""
    return EMPTY if isinstance(answer, SourceError) else answer


def refused(*answers: object) -> str:
    """Return why questions were refused as a caveat, empty when none was."""
    whys = dict.fromkeys(answer.why for answer in answers if isinstance(answer, SourceError))
    return f"partly unanswered: {'; '.join(whys)}" if whys else ""


def by_label(answer: QueryResult, label: str) -> dict[str, float]:
    """Return the finite values of an instant query by one label; NaN and infinity are no values."""
    return {
        sample.labels[label]: sample.value
        for sample in answer.samples
        if label in sample.labels and math.isfinite(sample.value)
    }


def whole_or_unknown(
    found: FindingStatus, *answers: QueryResult | RangeResult | SourceError
) -> FindingStatus:
    """Return a finding's status: never ok without answers that it rests on, or of which a part cannot be read."""
    unread = any(isinstance(answer, SourceError) or answer.unread for answer in answers)
    return worst_status((found, FindingStatus.UNKNOWN if unread else FindingStatus.OK))


def partial(*answers: QueryResult | RangeResult) -> str:
    """Return the warnings of partial answers as a caveat, empty when there are none."""
    warnings = dict.fromkeys(warning for answer in answers for warning in answer.warnings)
    return f"partial: {'; '.join(warnings)}" if warnings else ""
