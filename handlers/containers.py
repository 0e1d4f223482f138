"""Container events of the Docker Engine, without a gap and each once.

Where we are is a note that moves in the commit that stores the event. After a break the engine's own memory
is asked for what happened meanwhile; an engine that restarted has none, so the containers' states are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from loguru import logger

from handlers.second_try import SecondTry
from triage.actions.attribution import ASKED_FOR, action_behind, described_as_ours
from triage.actions.notifications import confirmed_by
from triage.actions.own_starts import after, our_deploy
from triage.concurrency import FAULTS, is_stop
from triage.desk import Desk
from triage.desk_events import EPOCH, DeskEvent, Parked, failed_on
from triage.errors import SourceError, SourceNotConfigured, StoreUnavailable
from triage.incidents.timeline import tell_events
from triage.masking import masked
from triage.model import Incident, Source
from triage.ports.clock import Clock
from triage.ports.sources import (
    UNREADABLE,
    ContainerEvent,
    Containers,
    ContainerState,
    unread_containers,
)
from triage.ports.store import Store, Tx
from triage.signals.containers import (
    DIED,
    LOOK_BACK,
    JudgedEvent,
    container_event,
    container_signal,
    container_subject,
    judge,
    missed_death,
    unhealthy,
)
from triage.signals.watched_conditions import settle

CURSOR = "containers/cursor"
OVERLAP = timedelta(seconds=2)
"""Asked again after a break: an event is known by its key, so it cannot count twice."""
PARKED_AS = "containers"
PARKED_MAX = 2_000
"""Characters of an event that are kept with why it could not be taken."""
ROUND_SECONDS = 30.0
"""After so long without an event the stream is opened anew: a connection can break without being closed."""
_BACK_OFF_SECONDS = (0.5, 5.0)
_IMAGE_MEMORY = timedelta(days=7)
_ENDS_HEALTH = frozenset({"health_status", "die", "destroy", "start"})


@dataclass(slots=True)
class ContainerCounts:
    """What was read since the start, for ``/metrics``."""

    stored: int = 0
    repeats: int = 0
    signals: int = 0
    reconnects: int = 0
    parked: int = 0


@dataclass(slots=True)
class ContainerListener:
    """Follows the engine for as long as it runs. ``trouble`` says why it cannot, empty when it can."""

    containers: Containers
    store: Store
    desk: Desk
    clock: Clock
    stored: Callable[[], None]
    beat: Callable[[], None] = lambda: None
    round_seconds: float = ROUND_SECONDS
    counts: ContainerCounts = field(default_factory=ContainerCounts)
    trouble: str = ""
    aside: str = ""
    """What of the events could not be taken since the start, though the others are."""
    _second_try: SecondTry = field(init=False)

    def __post_init__(self) -> None:
        """Try again what the run before failed on."""
        self._second_try = SecondTry(self.store, PARKED_AS, lambda: self.beat())  # noqa: PLW0108 - it is set later

    async def run(self) -> None:
        """Listen until cancelled; returns at once where no engine is configured."""
        shortest, longest = _BACK_OFF_SECONDS
        pause = shortest
        while True:
            began = self.clock.monotonic()
            try:
                await self.follow()
            except SourceNotConfigured:
                return
            except StoreUnavailable as error:  # said by the store itself
                self.trouble = str(error)
            except SourceError as error:
                if not self.trouble:
                    logger.warning("container events cannot be read: {why}", why=error)
                self.trouble = str(error)
                self.counts.reconnects += 1
            self.beat()
            pause = shortest if self.clock.monotonic() - began > longest else min(longest, pause * 2)
            await asyncio.sleep(pause)

    async def follow(self) -> None:
        """Catch up, then follow, until the connection breaks (raises) or the engine's stream ends."""
        now = self.clock.now()
        cursor = await self.store.read(lambda tx: tx.notes.parsed(CURSOR, datetime.fromisoformat))
        first = now - timedelta(minutes=self.desk.listening.look_back_minutes)
        since = cursor - OVERLAP if cursor else first
        await self._second_try.run(self._try_again)
        for event in await self.containers.history(since=since, until=now):
            await self._take(event)
        if cursor:
            await self._take_missed(since + OVERLAP)
        self.trouble = ""
        read_until: datetime | None = max(since, now - OVERLAP)
        while read_until is not None:
            self.beat()
            read_until = await self._round(read_until)

    async def _round(self, since: datetime) -> datetime | None:
        """Follow until nothing came for a round; returns where the next one begins, None where the stream ended."""
        read_until = self.clock.now()
        events = self.containers.events(since=since)
        while True:
            try:
                async with asyncio.timeout(self.round_seconds):
                    event = await anext(events, None)
            except TimeoutError:
                return read_until - OVERLAP
            if event is None:
                return None
            await self._take(event)
            read_until = max(read_until, event.at)
            self.beat()

    async def _take(self, told: ContainerEvent) -> None:
        """Take one event; one that raises an error of ours is kept aside, and the later ones go on."""
        now = self.clock.now()
        try:
            if told.action == UNREADABLE:
                raise ValueError("the engine told it in another shape")  # kept aside as the others
            event = container_event(self.desk, told, now)
            if event is not None:
                await self._store(event, told.at, now)
        except (SourceError, StoreUnavailable):
            raise
        except FAULTS as error:  # a fault of ours with one event
            if is_stop(error):
                raise
            logger.opt(exception=error).error("a container event is kept aside: {event}", event=told)
            await self._keep_aside(told, error, now)

    async def _keep_aside(self, told: ContainerEvent, error: BaseException, now: datetime) -> None:
        """Park an event with why, and go on behind it."""
        text = masked(str(told))[:PARKED_MAX]
        why = failed_on(error)
        one = Parked(PARKED_AS, _entry_id(told), why, text)

        def keep(tx: Tx) -> None:
            tx.events.park([one], now=now)
            before = tx.notes.parsed(CURSOR, datetime.fromisoformat)
            if before is None or before < told.at:
                tx.notes.put(CURSOR, told.at.isoformat())

        await self.store.write(keep)
        self.counts.parked += 1
        self.aside = f"{self.counts.parked} container events could not be taken, the last: {why}"

    async def _try_again(self, one: Parked) -> bool:
        """Ask the engine, which remembers its last events, for one put aside. Returns whether it could be taken."""
        at = EPOCH + timedelta(microseconds=int(one.entry_id.rpartition("-")[2]) // 1000)
        near = await self.containers.history(since=at - OVERLAP, until=at + OVERLAP)
        told = next((each for each in near if _entry_id(each) == one.entry_id), None)
        now = self.clock.now()
        event = None if told is None else container_event(self.desk, told, now)
        if told is None or event is None or told.action == UNREADABLE:
            return False
        await self._store(event, told.at, now, aside=one.key)
        return True

    async def _store(self, event: DeskEvent, moment: datetime, now: datetime, aside: str = "") -> None:
        def work(tx: Tx) -> int | None:
            if aside:
                tx.events.unpark(aside)
            return self._keep(tx, event, moment, now)

        signals = await self.store.write(work)
        if signals is None:
            self.counts.repeats += 1
            return
        self.counts.stored += 1
        self.counts.signals += signals
        self.stored()

    def _keep(self, tx: Tx, event: DeskEvent, moment: datetime, now: datetime) -> int | None:
        """Store one event; returns the signals made of it, None where it was known."""
        judged = self._ours(tx, self._judged(tx, event))
        named = judged.event._replace(reason=judged.name)
        if not tx.events.add([named], now=now):
            return None
        before = tx.notes.parsed(CURSOR, datetime.fromisoformat)
        if before is None or before < moment:
            tx.notes.put(CURSOR, moment.isoformat())
        incidents = tx.incidents.open()
        signals = self._signal(tx, replace(judged, event=named), incidents, now)
        signals += self._health(tx, named, now)
        tell_events(
            tx,
            self.desk,
            [named],
            incidents=incidents,
            now=now,
            in_thread={named.key} if judged.in_thread else (),
            raised={named.key} if signals else (),
        )
        return signals

    def _ours(self, tx: Tx, judged: JudgedEvent) -> JudgedEvent:
        """Tell as ours what an action of ours made the container do; a death by itself stays what it is."""
        event = judged.event
        if event.category not in ASKED_FOR or judged.name:
            return judged
        act = action_behind(tx, self.desk, str(event.data.get("container", "")), event.at)
        if act is None:
            return judged
        return replace(judged, event=event._replace(text=described_as_ours(event.text, act)))

    def _judged(self, tx: Tx, event: DeskEvent) -> JudgedEvent:
        if event.category == "missed":
            return JudgedEvent(event, DIED if event.data.get("down") else "", event.text, in_thread=True)
        created = event.category == "create"
        before = tx.events.of(
            [event.subject],
            since=event.at - (_IMAGE_MEMORY if created else LOOK_BACK),
            until=event.at,
            changes_only=created,
            source=Source.CONTAINER,
        )
        judged = judge(self.desk, event, [each for each in before if each.key != event.key])
        return self._after_ours(tx, judged)

    def _after_ours(self, tx: Tx, judged: JudgedEvent) -> JudgedEvent:
        """Say of what fails right after an action of our own that it was ours."""
        event = judged.event
        if not judged.name and event.data.get("health") != "unhealthy":
            return judged
        container = str(event.data.get("container", ""))
        record = our_deploy(self.desk, tx.actions.recent(), container, event.at)
        if record is None:
            return judged
        words = after(record, event.at, confirmed_by(tx, record))
        told = event._replace(
            text=f"{event.text}, {words}", data={**event.data, "after": words, "action": record.id}
        )
        return replace(judged, event=told, text=f"{judged.text}, {words}" if judged.text else "")

    def _signal(self, tx: Tx, judged: JudgedEvent, incidents: Sequence[Incident], now: datetime) -> int:
        if not judged.name:
            return 0
        open_subjects = {subject for incident in incidents for subject in incident.subjects}
        lately = tx.events.raised(now - timedelta(minutes=self.desk.listening.repeat_minutes))
        if judged.event.kind in lately and judged.event.subject in open_subjects:
            return 0
        tx.events.mark_raised([judged.event.key])
        return tx.signals.add([container_signal(self.desk, judged, now)])

    def _health(self, tx: Tx, event: DeskEvent, now: datetime) -> int:
        if event.category not in _ENDS_HEALTH or self._told_since(tx, event, now):
            return 0
        container = str(event.data.get("container", ""))
        sick = event.data.get("health") == "unhealthy"
        wrong = {"unhealthy": unhealthy(self.desk, event)} if sick else {}
        return len(settle(tx, self.desk, f"health/{container}", wrong, now))

    @staticmethod
    def _told_since(tx: Tx, event: DeskEvent, now: datetime) -> bool:
        """Whether a later event is stored that says how the container is: this one came late."""
        later = tx.events.of(
            [event.subject], since=event.at, until=max(now, event.at), source=Source.CONTAINER
        )
        mine = event.data.get("container")
        return any(
            each.at > event.at and each.category in _ENDS_HEALTH and each.data.get("container") == mine
            for each in later
        )

    async def _take_missed(self, since: datetime) -> None:
        """Ask the containers themselves what happened to them since an event was read last."""
        entries = await self.containers.list()
        if unread := unread_containers(entries):
            self.aside = f"what all containers went through is not known: {unread}"
        states = [await self.containers.inspect(each.name) for each in entries if each.name]
        now = self.clock.now()
        for state in states:
            if state is None:
                continue
            try:
                await self._missed_of(state, since, now)
            except (SourceError, StoreUnavailable):
                raise
            except FAULTS as error:  # a fault of ours with one container
                if is_stop(error):
                    raise
                logger.opt(exception=error).error("what {name} went through is not known", name=state.name)
                self.aside = f"what {state.name} went through is not known: {type(error).__name__}"

    async def _missed_of(self, state: ContainerState, since: datetime, now: datetime) -> None:
        about = container_subject(self.desk, state.name)

        def known(tx: Tx) -> list[DeskEvent]:
            begin = since - LOOK_BACK
            return tx.events.of([about], since=begin, until=now, source=Source.CONTAINER, limit=1000)

        event = missed_death(self.desk, state, since, await self.store.read(known), now)
        if event is not None:
            await self._store(event, since, now)


def _entry_id(told: ContainerEvent) -> str:
    return f"{told.container_id}-{told.action}-{told.time_ns}"
