"""One triage in the lab: the product's own checks over the simulated desk, and its verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from demo.lab.evidence import sources_of
from triage.actions.remedies import conclude
from triage.desk_events import DeskEvent
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.checks.edits import EDITED_FILES
from triage.diagnosis.runner import run_checks
from triage.model import Finding, Incident, Source, Subject, SubjectKind, Verdict, utc
from triage.playbooks.lookup import playbook_for
from triage.runs.runner import context_of, source_of
from triage.signals.containers import container_subject

if TYPE_CHECKING:
    from demo.lab.watched_desk import WatchedDesk

EVENTS_MAX = 300
_MEMORY_OF = {Source.AUDIT: "redis", Source.DEAD_LETTER: "redis", Source.CONTAINER: "docker"}


@dataclass(frozen=True, slots=True)
class LabClock:
    """The desk's time for what the checks note; how long they take is the machine's."""

    at: datetime

    def now(self) -> datetime:
        """The desk's time."""
        return self.at

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class LabTriage:
    """One triage in the lab: what it found. ``seconds``: processor time of the verdict once the findings were there."""

    findings: tuple[Finding, ...]
    verdict: Verdict
    seconds: float


async def triage(watched: WatchedDesk, incident: Incident, missing: str = "") -> LabTriage:
    """Triage an incident as it is now; ``missing``: a source that cannot be reached from where we are."""
    now = utc(watched.now)
    episodes = watched.incidents.episodes(incident)
    playbook = playbook_for(watched.listener.desk, incident.name, source_of(episodes))
    found = sources_of(
        watched.world,
        watched.prometheus,
        watched.sink.store,
        watched.bus,
        watched.listener.held,
        missing=missing,
    )
    context = context_of(watched.listener.desk, found, incident, episodes, now=now)
    context = with_memory(watched, context, missing)
    findings = await run_checks(playbook, context, LabClock(now))
    began = time.process_time()
    verdict = conclude(findings, context, episodes, playbook)
    return LabTriage(findings, verdict, time.process_time() - began)


async def ask(watched: WatchedDesk, bot: str) -> LabTriage:
    """Triage a bot without an incident, as ``/triage run`` does."""
    now = utc(watched.now)
    desk = watched.listener.desk
    found = sources_of(
        watched.world, watched.prometheus, watched.sink.store, watched.bus, watched.listener.held
    )
    context = CheckContext(
        desk=desk, sources=found, now=now, since=now, bots=(bot,), containers=(desk.container_of(bot),)
    )
    playbook = playbook_for(desk, "default")
    findings = await run_checks(playbook, context, LabClock(now))
    began = time.process_time()
    verdict = conclude(findings, context, (), playbook)
    return LabTriage(findings, verdict, time.process_time() - began)


def with_memory(watched: WatchedDesk, context: CheckContext, missing: str) -> CheckContext:
    """Add what the product would remember of what the desk said; a missing source told it nothing."""
    told = [
        event for event in watched.listener.events if not missing or _MEMORY_OF.get(event.source) != missing
    ]
    about = {Subject(SubjectKind.BOT, bot) for bot in context.bots}
    about |= {container_subject(context.desk, container) for container in context.containers}
    first = min(context.since, context.now) - timedelta(minutes=context.desk.listening.before_minutes)
    events = [event for event in told if event.subject in about and event.at >= first][-EVENTS_MAX:]
    letters = None if missing == "redis" else watched.listener.dead_letters()
    edits = tuple(event for event in watched.listener.events if event.category in EDITED_FILES)
    since = utc(watched.degraded_since) if watched.degraded_since is not None else None
    return replace(
        context,
        events=with_related(events, told),
        dead_letters=letters,
        edits=edits,
        degraded_since=since,
    )


def with_related(events: list[DeskEvent], told: list[DeskEvent]) -> tuple[DeskEvent, ...]:
    """Add the events that the ids of these lead to."""
    ids = {event.correlation_id for event in events if event.correlation_id}
    ids |= {event.key.removeprefix("audit/") for event in events}
    known = {event.key for event in events}
    more = [
        event
        for event in told
        if event.key not in known and (event.correlation_id in ids or event.key.removeprefix("audit/") in ids)
    ]
    return tuple(sorted((*events, *more), key=lambda event: event.at))
