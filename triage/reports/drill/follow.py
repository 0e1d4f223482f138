"""Fires a drill and follows it. Nothing of it lives in memory: a restart goes on where it was."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from loguru import logger

from triage.concurrency import FAULTS, each, is_stop
from triage.desk import Desk
from triage.drill_alert import LABEL, drill_annotations, drill_labels
from triage.errors import SourceError, StoreUnavailable
from triage.incidents.documents import owe_answer, rewrite_answer
from triage.incidents.notifications import INCIDENT_CHANNEL
from triage.memory.people import name_of
from triage.model import Severity, Signal, SignalStatus
from triage.paging.notices import delivery_words, owe
from triage.ports.chat import Answer
from triage.ports.clock import Clock
from triage.ports.fallback import Notice
from triage.ports.sources import Alerts
from triage.ports.store import MessageKind, Store, Tx
from triage.reports.drill.story import TITLES, DrillLimits, DrillStory, Hop, drill_answer
from triage.untrusted_text import fault_words

RUNNING = "drill/running/"
LAST_SUCCESS = "drill/last_success"
LOOK_SECONDS = 5.0
"""How often to look for drills that another process began and did not end."""
POST_SECONDS = 5.0
"""So long after its begin, the alert of a drill that nobody is known to have fired is fired by whoever looks."""
BATCH = 1000


@dataclass(slots=True)
class Drills:
    """Fires drills and follows the ones that run."""

    store: Store
    desk: Desk
    alerts: Alerts
    clock: Clock
    wake_sender: Callable[[], None]
    posted_at: Callable[[str], datetime]
    """When the chat posted something, by what it calls the post."""
    channels: tuple[str, ...] = ()
    """The fallback channels that are set: a drill goes over them too."""
    _looked_at: float | None = None
    _busy: bool = field(default=False)

    async def fire(self, by: str) -> Answer:
        """Fire a drill. Its report is posted at once and edited hop by hop; the answer is how it stands."""
        return await self.fire_begun(await self.store.write(lambda tx: self.begin(tx, by)))

    async def fire_begun(self, story: DrillStory) -> Answer:
        """Fire the alert of a drill that was begun."""
        self._busy = True
        after, name = await self._fired(story), await self.store.read(lambda tx: name_of(tx, story.by))
        await self.store.write(lambda tx: self._keep(tx, story, after, self.clock.now()))
        self.wake_sender()
        return _report(after, name)

    async def _fired(self, story: DrillStory) -> DrillStory:
        """Fire the alert. To do so twice makes no second one: it is known by its labels."""
        name = await self.store.read(lambda tx: name_of(tx, story.by))
        labels, annotations = drill_labels(story.id), drill_annotations(name)
        try:
            await self.alerts.fire(labels, annotations, start=story.started_at, end=story.ends_at)
        except SourceError as error:
            return story.fail(Hop.POSTED, str(error))
        return story.pass_(Hop.POSTED, self.clock.now())

    def begin(self, tx: Tx, by: str) -> DrillStory:
        """Keep a new drill, and owe its report, before its alert is fired: whoever is to fire it may be killed."""
        now = self.clock.now()
        settings = self.desk.drill
        limits = DrillLimits(settings.hold_seconds, settings.hop_seconds, settings.resolve_seconds)
        story = DrillStory(f"drill-{secrets.token_hex(4)}", by, now, limits)
        if self.channels:
            story = replace(story, notice=owe(tx, _notice(story), self.channels, now))
        answer = _report(story, name_of(tx, story.by))
        story = replace(story, document=owe_answer(tx, "drill", answer, now))
        tx.audit.append(at=now, actor=story.by, event="drill.fired", target=story.id, detail={})
        tx.notes.put(f"{RUNNING}{story.id}", story.to_text())
        return story

    async def follow(self) -> int:
        """Look at every drill that runs and take it further. Returns how many still run."""
        moment = self.clock.monotonic()
        rested = self._looked_at is not None and moment - self._looked_at < LOOK_SECONDS
        if not self._busy and rested:
            return 0
        self._looked_at = moment
        running = await self.store.read(lambda tx: tx.notes.all_parsed(RUNNING, DrillStory.from_text))
        self._busy = bool(running)
        left = [story for story in await each(running.values(), self._step_or_end) if not story.over]
        self._busy = bool(left)
        return len(left)

    async def _step_or_end(self, story: DrillStory) -> DrillStory:
        """Take a drill further. One that we fail on ends and says so: it cannot show that alerts get through."""
        try:
            return await self._step(story)
        except StoreUnavailable:
            raise
        except FAULTS as error:
            if is_stop(error):
                raise
            after, now = story.fail(story.next or Hop.POSTED, fault_words(error)), self.clock.now()
            await self.store.write(lambda tx: self._keep(tx, story, after, now))
            self.wake_sender()
            raise

    async def _step(self, story: DrillStory) -> DrillStory:
        now = self.clock.now()
        after = story
        if story.next is Hop.POSTED and now - story.started_at >= timedelta(seconds=POST_SECONDS):
            after = await self._fired(story)
        elif story.next is Hop.HELD:
            after = await self._held(story)
        if Hop.POSTED in after.passed:
            after = await self.store.read(lambda tx: seen(tx, after, self.posted_at))
        now = self.clock.now()
        waiting = after.next
        if waiting is not None and after.failed is None and now > after.deadline():
            took = (now - after.started_at).total_seconds()
            after = after.fail(
                waiting, f"It stopped before “{TITLES[waiting]}”, {took:.0f} s after it was fired"
            )
        if after != story:
            await self.store.write(lambda tx: self._keep(tx, story, after, now))
            self.wake_sender()
        return after

    async def _held(self, story: DrillStory) -> DrillStory:
        try:
            alerts = await self.alerts.alerts()
        except SourceError as error:
            logger.info("the drill cannot look at Alertmanager: {error}", error=error)
            return story
        mine = [alert for alert in alerts if alert.labels.get(LABEL) == story.id]
        return story.pass_(Hop.HELD, self.clock.now()) if mine else story

    def _keep(self, tx: Tx, before: DrillStory, story: DrillStory, now: datetime) -> None:
        """Keep what a drill came to since ``before``, unless another replica has taken it further meanwhile."""
        text = tx.notes.get(f"{RUNNING}{story.id}")
        if not text or DrillStory.from_text(text) != before:
            return
        rewrite_answer(tx, story.document, _report(story, name_of(tx, story.by)))
        tx.outbox.want(MessageKind.DOCUMENT, str(story.document), channel=INCIDENT_CHANNEL, now=now)
        tx.notes.put(f"{RUNNING}{story.id}", "" if story.over else story.to_text())
        if story.over:
            event = "drill.succeeded" if story.succeeded else "drill.failed"
            tx.audit.append(at=now, actor="drill", event=event, target=story.id, detail={"why": story.why})
        if story.succeeded:
            tx.notes.put(LAST_SUCCESS, now.isoformat())


def _report(story: DrillStory, by: str) -> Answer:
    """Return the report; a plain one where we fail on it, for a drill goes on, and ends, all the same."""
    try:
        return drill_answer(story, by)
    except Exception as error:  # noqa: BLE001 - whatever it is, what the drill came to is kept and told
        logger.opt(exception=error).error("the report of {id} could not be made", id=story.id)
    came_to = "under way"
    if story.over:
        came_to = "an alert reached Slack" if story.succeeded else f"stopped: {story.why}"
    title = f"Drill: {came_to}"
    return Answer(title, note=f"{story.id} · asked for by {by} · the rest of its report could not be made")


def _notice(story: DrillStory) -> Notice:
    """Return what goes over the fallback channels: marked as a drill, mild."""
    text = (
        f"This is a test of the fallback channels ({story.id}). Nothing is wrong and nothing is to be done."
    )
    return Notice(
        id=f"hbot-triage-{story.id}",
        kind="drill",
        title="Drill: the fallback channels work",
        text=text,
        severity=Severity.SEV3,
    )


def last_success(tx: Tx) -> datetime | None:
    """Return when a drill last came the whole way."""
    return tx.notes.parsed(LAST_SUCCESS, datetime.fromisoformat)


def seen(tx: Tx, story: DrillStory, posted_at: Callable[[str], datetime]) -> DrillStory:
    """Return the story with the hops that our own memory shows."""
    if story.notice:
        story = replace(story, fallback=delivery_words(tx, story.notice))
    signals, incident_id = _signals(tx, story)
    if not signals:
        return story
    first = signals[0]
    # What is stored was held: the webhook can be faster than our look at Alertmanager.
    held = min(story.passed.get(Hop.HELD, first.received_at), first.received_at)
    story = replace(story, passed={**story.passed, Hop.HELD: held}).pass_(Hop.STORED, first.received_at)
    if incident_id is None:
        return story
    incident = tx.incidents.get(incident_id)
    if incident is None:
        return story
    story = replace(story, incident_id=incident_id).pass_(
        Hop.OPENED, max(incident.opened_at, first.received_at)
    )
    card = tx.outbox.find(MessageKind.CARD, str(incident_id))
    if card is None or not card.post_id:
        return story
    story = story.pass_(Hop.TOLD, max(posted_at(card.post_id), first.received_at))
    ended = next((one for one in signals if one.status is SignalStatus.RESOLVED), None)
    return story.pass_(Hop.RESOLVED, ended.received_at) if ended is not None else story


def _signals(tx: Tx, story: DrillStory) -> tuple[list[Signal], int | None]:
    """Return the drill's signals, oldest first, and its incident where they were sorted."""
    known = story.incident_id
    since = story.started_at - timedelta(minutes=1)
    ids = [known] if known is not None else [one.id for one in tx.incidents.recent(since, BATCH)]
    for incident_id in reversed(ids):
        found = [one.signal for one in tx.signals.of(incident_id) if one.signal.labels.get(LABEL) == story.id]
        if found:
            return found, incident_id
    waiting = [one.signal for one in tx.signals.inbox(BATCH) if one.signal.labels.get(LABEL) == story.id]
    return waiting, None
