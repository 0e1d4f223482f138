"""Takes queued triage runs, runs their playbook, and stores what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from loguru import logger

from triage.actions.attribution import own_acts
from triage.actions.degraded import degraded_since
from triage.actions.proposals import propose_from_run
from triage.actions.remedies import conclude, judged
from triage.concurrency import FAULTS, is_stop, told_to_stop
from triage.desk import Desk
from triage.desk_events import DeskEvent
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.checks.edits import EDITED_FILES, LOOK_BACK
from triage.diagnosis.record import pack, record_of, unpack
from triage.diagnosis.runner import run_checks
from triage.errors import BadInput, StoreUnavailable
from triage.incidents.feedback import ask
from triage.incidents.notifications import tell_card, tell_triage
from triage.incidents.traits import note_traits
from triage.model import (
    Episode,
    Finding,
    FindingStatus,
    Incident,
    RunStatus,
    Severity,
    Source,
    Subject,
    SubjectKind,
    TriageRun,
    Verdict,
)
from triage.playbooks.lookup import playbook_for
from triage.playbooks.model import Playbook
from triage.ports.clock import Clock
from triage.ports.sources import Sources
from triage.ports.store import Store, Tx
from triage.signals.containers import container_subject
from triage.signals.dead_letters import dead_letter_rate
from triage.untrusted_text import fault_words

EVENTS_MAX = 300
"""Events that a triage reads: the newest ones."""
AGAIN = "tried again after a fault"
"""Why the run after a failed one runs; a second fault is not tried a third time."""
STORE_SECONDS = 60.0
"""How long the outcome of a triage is kept for a store that is away."""
LEASE_SECONDS, RENEW_SECONDS = 9.0, 3.0
"""A run whose lease was not renewed for so long is another replica's: together with how often that one looks, 15 s."""


@dataclass(slots=True)
class TriageRunner:
    """Runs triage for one desk."""

    store: Store
    desk: Desk
    sources: Sources
    clock: Clock
    owner: str
    wake_sender: Callable[[], None]
    """Called after a run was stored: there is something to send."""

    async def take(self, *, urgent: bool = False) -> TriageRun | None:
        """Claim the run that waits of the gravest incident, the oldest of those; ``urgent``: only of a Sev-1."""
        now = self.clock.now()
        only = Severity.SEV1 if urgent else None

        def claim(tx: Tx) -> TriageRun | None:
            return tx.runs.take(now, owner=self.owner, lease_seconds=LEASE_SECONDS, only=only)

        return await self.store.write(claim)

    async def give_back(self, *, but: Collection[int]) -> None:
        """Give back what is claimed by us, except the runs that are under way."""
        await self.store.write(lambda tx: tx.runs.release_of(self.owner, but=but))

    async def failed(self, run: TriageRun, error: BaseException) -> None:
        """End a run that failed by a fault of ours: said in its findings, and tried once more."""
        now = self.clock.now()
        finding = Finding(
            "triage",
            FindingStatus.UNKNOWN,
            "The triage itself failed",
            "hbot-triage",
            why=fault_words(error),
        )
        done = replace(run, status=RunStatus.DONE, finished_at=now, findings=(finding,), verdict=Verdict())

        def end(tx: Tx, tells: Sequence[Callable[[Tx, Incident, datetime], object]]) -> None:
            if _is_done(tx, run.id):
                return  # it failed on what came after
            tx.runs.finish(done)
            incident = tx.incidents.get(run.incident_id) if tells else None
            if incident is None:
                return
            if run.reason != AGAIN and incident.is_open:
                tx.runs.queue(run.incident_id, AGAIN, now)
            for tell in tells:
                tell(tx, incident, now)

        # What we fail on again is left out: else the card would say for ever that it runs, or it would be taken again.
        for tells in ((tell_triage, tell_card), (tell_card,), ()):
            try:
                await self.store.write(partial(end, tells=tells))
                break
            except StoreUnavailable:
                raise
            except FAULTS as second:
                if is_stop(second) or not tells:
                    raise
                logger.bind(run=run.id).opt(exception=second).error("a failed triage cannot be told")
        self.wake_sender()

    async def execute(self, run: TriageRun) -> TriageRun:
        """Run the playbook of an incident and store findings and verdict; the lease is renewed meanwhile."""
        renewing = asyncio.create_task(self._renew(run.id), name=f"lease of triage run {run.id}")
        try:
            return await self._execute(run)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, run_id: int) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            until = self.clock.now() + timedelta(seconds=LEASE_SECONDS)
            try:
                await self.store.write(lambda tx, until=until: tx.runs.renew(run_id, self.owner, until))  # type: ignore[misc]
            except StoreUnavailable as error:
                logger.debug("the lease of a triage is not renewed: {error}", error=error)
            except Exception as error:  # noqa: BLE001 - without the lease another one takes the run as well
                logger.opt(exception=error).error("the lease of a triage is not renewed")

    async def _execute(self, run: TriageRun) -> TriageRun:
        began = self.clock.monotonic()
        incident, episodes = await self.store.read(lambda tx: _subject_matter(tx, run.incident_id))
        now = self.clock.now()
        playbook = playbook_for(self.desk, incident.name, source_of(episodes))
        context = context_of(self.desk, self.sources, incident, episodes, now=now)
        context = await self.store.read(lambda tx: with_memory(tx, context))
        try:
            findings = await run_checks(playbook, context, self.clock)
            # In a thread: masking and packing the alerts of a storm takes long enough for a click to notice.
            verdict, evidence = await asyncio.to_thread(
                judge_and_pack, findings, context, episodes, playbook, run.id
            )
        except asyncio.CancelledError:
            if (
                told_to_stop()
            ):  # else it is a fault of what was waited for, and whoever runs this ends the run
                await asyncio.shield(self.store.write(lambda tx: tx.runs.release(run.id)))
            raise
        done = replace(
            run,
            status=RunStatus.DONE,
            playbook=playbook.name,
            # How long it took, as the checks measure it: the wall clock may be set meanwhile, or run fast.
            finished_at=(run.started_at or now) + timedelta(seconds=self.clock.monotonic() - began),
            findings=findings,
            verdict=verdict,
        )
        await self._store_surely(done, evidence)
        logger.bind(incident=incident.number).info(
            "triaged: {cause}", cause=verdict.top.cause if verdict.top else "no cause found"
        )
        self.wake_sender()
        return done

    async def _store_surely(self, run: TriageRun, evidence: bytes) -> None:
        """Store a run. A store that is away is waited for: what the sources said may not be there any more."""
        until = self.clock.monotonic() + STORE_SECONDS
        while True:
            try:
                await self.store.write(lambda tx: self._finish(tx, run, evidence))
            except StoreUnavailable:
                if self.clock.monotonic() >= until:
                    raise
                await asyncio.sleep(1.0)
            else:
                return

    def _finish(self, tx: Tx, run: TriageRun, evidence: bytes) -> None:
        if _is_done(tx, run.id):
            return  # stored by a commit whose answer did not arrive
        incident = tx.incidents.get(run.incident_id)
        if incident is None:  # pragma: no cover - incidents are never deleted while a run is under way
            return
        now = run.finished_at or self.clock.now()
        tx.runs.finish(run, evidence)
        note_traits(tx, incident, run)
        propose_from_run(tx, self.desk, incident, run, now)
        tell_triage(tx, incident, now)
        tell_card(tx, incident, now)
        ask(tx, incident, now)  # it may have ended before we knew what to ask


def _is_done(tx: Tx, run_id: int) -> bool:
    known = tx.runs.get(run_id)
    return known is not None and known.status is RunStatus.DONE


def judge_and_pack(
    findings: Sequence[Finding],
    context: CheckContext,
    episodes: Sequence[Episode],
    playbook: Playbook,
    run: int,
) -> tuple[Verdict, bytes]:
    """Return the verdict on what was found, and the packed record of it all, which is empty where it cannot be kept.

    The verdict is made of the record as it reads back: what is judged again later is what was judged now.
    """
    try:
        packed = pack(record_of(context, findings, episodes, playbook, run=run))
        record = unpack(packed)
    except (ValueError, TypeError, BadInput) as error:
        logger.bind(run=run, error=str(error)).error("the evidence of a triage cannot be kept")
        return conclude(findings, context, episodes, playbook), b""
    # What was too large to keep still counts now.
    return (conclude(findings, context, episodes, playbook) if record.cut else judged(record)), packed


def _subject_matter(tx: Tx, incident_id: int) -> tuple[Incident, list[Episode]]:
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise LookupError(f"triage run for INC-{incident_id}, which does not exist")
    return incident, tx.incidents.notable_episodes(incident_id)


def with_memory(tx: Tx, context: CheckContext) -> CheckContext:
    """Add what the checks may know of what the desk said."""
    return replace(
        context,
        events=events_before(tx, context),
        dead_letters=dead_letter_rate(tx, context.desk, context.now),
        edits=edits_before(tx, context),
        acts=own_acts(tx, context.desk),
        degraded_since=degraded_since(tx),
    )


def edits_before(tx: Tx, context: CheckContext) -> tuple[DeskEvent, ...]:
    """Return what was changed in the desk's own files in the day before the trouble began, and since."""
    since = min(context.since, context.now) - LOOK_BACK
    about = [Subject(SubjectKind.DESK, context.desk.name)]
    changes = tx.events.of(about, since=since, until=context.now, changes_only=True, source=Source.OPERATOR)
    return tuple(each for each in changes if each.category in EDITED_FILES)


def events_before(tx: Tx, context: CheckContext) -> tuple[DeskEvent, ...]:
    """Return what the desk said shortly before the trouble began and since, with what its ids lead to."""
    minutes = timedelta(minutes=context.desk.listening.before_minutes)
    about = [Subject(SubjectKind.BOT, bot) for bot in context.bots]
    about += [container_subject(context.desk, container) for container in context.containers]
    since = min(context.since, context.now) - minutes
    events = tx.events.of(dict.fromkeys(about), since=since, until=context.now, limit=EVENTS_MAX)
    return tuple(sorted((*events, *tx.events.related(events)), key=lambda event: event.at))


def source_of(episodes: Sequence[Episode]) -> Source:
    """Return where an incident came from: its first signal's source."""
    return episodes[0].source if episodes else Source.OPERATOR


def context_of(
    desk: Desk, sources: Sources, incident: Incident, episodes: list[Episode], *, now: datetime
) -> CheckContext:
    """Say what a triage of an incident is about."""
    everyone = tuple(bot.name for bot in desk.bots)
    bots = incident.bots or everyone
    named = (*map(desk.container_of, incident.bots), *incident.names(SubjectKind.CONTAINER))
    containers = tuple(dict.fromkeys(named)) or tuple(map(desk.container_of, bots))
    return CheckContext(
        desk=desk,
        sources=sources,
        now=now,
        since=min((episode.starts_at for episode in episodes), default=incident.opened_at),
        bots=bots,
        containers=containers,
        incident=incident,
        single_bot=len(incident.bots) == 1,
    )
