"""Listens to one stream of the desk: read, store, and only then acknowledge.

What is stored is known by its key, so that an entry that comes twice (a reader died, Redis was restored, a
sender tried again) counts once. A group or a stream that is gone is said, made anew, and read from a little
before the last entry we know of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from handlers.flood import Flood, ReadBatch, is_flood
from handlers.second_try import SecondTry
from triage.concurrency import FAULTS, RepeatedFault, is_stop
from triage.desk import Desk
from triage.desk_events import DeskEvent, Gravity, Parked, PayloadEntry, entry_key, failed_on, moment_of
from triage.errors import SourceError, StoreUnavailable
from triage.model import Severity, Signal, SignalStatus, Source, Subject, SubjectKind
from triage.ports.clock import Clock
from triage.ports.events import GroupPosition, Reader, StreamBatch
from triage.ports.store import Store, Tx
from triage.signals.audit import parked
from triage.wording import counted

LOOK_SECONDS = 15.0
"""How often a reader asks where its group stands."""
LOST, GAP = "StreamLost", "StreamGap"
_BACK_OFF_SECONDS = (0.2, 5.0)
_SLICE = 100


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What storing a batch came to: ``new`` events (the rest were repeats), ``signals`` made of them."""

    new: int
    signals: int


ReadEntries = Callable[[Desk, str, Sequence[PayloadEntry], datetime], list[DeskEvent | Parked]]
KeepEvents = Callable[[Tx, Sequence[DeskEvent], datetime], StoredBatch]


@dataclass(slots=True)
class StreamCounts:
    """What a listener has seen since the start, for ``/metrics``."""

    stored: int = 0
    repeats: int = 0
    parked: int = 0
    signals: int = 0
    claimed: int = 0
    lost: int = 0
    missed: int = 0
    last_at: datetime | None = None


@dataclass(slots=True)
class StreamListener:
    """Reads one stream for as long as it runs.

    ``read`` turns each of some entries into an event or parks it; ``keep`` stores events inside the batch's transaction.
    ``stored`` is called after a batch: there may be something to sort and to send. ``trouble`` says why it
    cannot listen, empty when it can.
    """

    reader: Reader
    store: Store
    desk: Desk
    clock: Clock
    read: ReadEntries
    keep: KeepEvents
    stored: Callable[[], None]
    beat: Callable[[], None] = lambda: None
    give_way: Callable[[], float] = lambda: 0.0
    """Seconds to pause after an alert has just come, so that it is handled before a flood of entries."""
    counts: StreamCounts = field(default_factory=StreamCounts)
    standing: GroupPosition | None = None
    trouble: str = ""
    aside: str = ""
    """What of the entries we failed on since the start, though the others are taken."""
    _open: bool = False
    _looked_at: float = float("-inf")
    _reported_gap: str = ""
    _failed_on: int = 0
    _second_try: SecondTry = field(init=False)
    _fault: RepeatedFault = field(init=False)

    def __post_init__(self) -> None:
        """Try again what the run before failed on."""
        self._fault = RepeatedFault(f"taking what {self.reader.stream} said")
        self._second_try = SecondTry(self.store, self.reader.stream, lambda: self.beat())  # noqa: PLW0108 - it is set later

    @property
    def _cursor_note(self) -> str:
        return f"stream/{self.reader.stream}/cursor"

    async def run(self) -> None:
        """Listen until cancelled; what is down is waited for, and nothing is lost meanwhile."""
        shortest, longest = _BACK_OFF_SECONDS
        pause = shortest
        while True:
            try:
                await self.once()
            except (SourceError, StoreUnavailable) as error:
                self._failed(error)
                self.beat()  # what is away is said; a round that never ends, or raises each time, notes no beat
                await asyncio.sleep(pause)
                pause = min(longest, pause * 2)
            else:
                self.beat()
                pause = shortest

    def _failed(self, error: SourceError | StoreUnavailable) -> None:
        if not self.trouble:
            logger.warning("{stream} cannot be read: {why}", stream=self.reader.stream, why=error)
        self.trouble = str(error)
        self.reader.rewind()
        if isinstance(error, SourceError):
            self._open = False  # whatever happened there, look again whether our group still stands

    async def once(self) -> int:
        """Read one batch, store it, acknowledge it; where it is a flood, all of that. Returns how many entries it had."""
        failed_before = self._failed_on
        taken = await self._once()
        if self._failed_on == failed_before:
            self._fault.over()
        return taken

    async def _once(self) -> int:
        if not self._open:
            await self._begin()
        await self._second_try.run(self._try_again)
        await self._look()
        await asyncio.sleep(self.give_way())
        batch = await self.reader.read()
        if is_flood(batch):
            flood = Flood(self._read_on, self._parsed, self._store_read, self._acknowledge)
            return await flood.run(ReadBatch(batch))
        await self._store_read(ReadBatch(batch))
        await self._acknowledge(ReadBatch(batch))
        return len(batch.entries)

    async def _read_on(self) -> StreamBatch:
        await self._look()  # nobody knows when a flood ends
        return await self.reader.read()

    async def _parsed(self, batch: StreamBatch) -> ReadBatch:
        try:
            return ReadBatch(batch, await self._said(batch.entries, self.clock.now()))
        except Exception:  # noqa: BLE001 - which entry it was is found, and said, when the batch is taken
            return ReadBatch(batch)

    async def _store_read(self, read: ReadBatch) -> None:
        batch = read.batch
        if batch.lost:
            logger.warning("{stream}: {why}", stream=self.reader.stream, why=batch.lost)
            self._open = False
            return
        if batch.entries:
            await asyncio.sleep(self.give_way() if is_flood(batch) else 0)
            await self._store_safely(batch.entries, read.said)
            self.counts.claimed += len(batch.entries) if batch.old else 0

    async def _acknowledge(self, read: ReadBatch) -> None:
        if read.batch.lost:
            return
        if read.batch.entries:
            await self.reader.done(read.batch.entries)
        self.beat()
        if self.trouble:
            logger.info("{stream} can be read again", stream=self.reader.stream)
            self.trouble = ""

    async def _store_safely(
        self,
        entries: Sequence[PayloadEntry],
        said: list[DeskEvent | Parked] | None = None,
        *,
        looked_for: bool = False,
    ) -> None:
        """Store a batch; where one of its entries raises an error of ours, it is parked and the others are stored.

        ``looked_for``: it is a part of one that failed, among which that entry is looked for.
        """
        try:
            await self._store(entries, said)
        except (SourceError, StoreUnavailable):
            raise
        except FAULTS as error:  # a fault of ours with one entry must not stop the stream
            if is_stop(error):
                raise
            if len(entries) == 1 or not looked_for:  # not for each of its halves
                self._fault.met(error)
            if len(entries) > 1:
                middle = len(entries) // 2
                for half in (entries[:middle], entries[middle:]):
                    await self._store_safely(half, looked_for=True)
            else:
                await self._park(entries[0], failed_on(error))

    async def _park(self, entry: PayloadEntry, why: str) -> None:
        one = parked(self.reader.stream, entry, why)
        await self.store.write(lambda tx: tx.events.park([one], now=self.clock.now()))
        self.counts.parked += 1
        self._failed_on += 1
        self.aside = f"{counted(self._failed_on, 'entry', 'entries')} could not be taken, the last: {why}"

    async def _try_again(self, one: Parked) -> bool:
        """Take what was put aside, as it was kept: masked, and cut where it was long. Returns whether it could be taken."""
        now = self.clock.now()
        read = self.read(self.desk, one.stream, [PayloadEntry(one.entry_id, one.payload)], now)
        events = [each for each in read if isinstance(each, DeskEvent)]
        if not events:
            return False

        def work(tx: Tx) -> StoredBatch:
            tx.events.unpark(one.key)
            return self.keep(tx, events, now)

        kept = await self.store.write(work, patient=True)
        self._count(kept, len(events), (), moment_of(one.entry_id, now))
        if kept.new:
            self.stored()
        return True

    async def _said(self, entries: Sequence[PayloadEntry], now: datetime) -> list[DeskEvent | Parked]:
        said: list[DeskEvent | Parked] = []
        for start in range(0, len(entries), _SLICE):
            said += self.read(self.desk, self.reader.stream, entries[start : start + _SLICE], now)
            # A webhook need not wait for all of them. Few are read at once: after a fault of ours each is taken alone, and
            # while alerts keep coming a pause for each would hold the stream for minutes.
            await asyncio.sleep(self.give_way() if len(entries) > _SLICE else 0)
        return said

    async def _store(self, entries: Sequence[PayloadEntry], said: list[DeskEvent | Parked] | None) -> None:
        now = self.clock.now()
        read = said if said is not None else await self._said(entries, now)
        events = [one for one in read if isinstance(one, DeskEvent)]
        refused = [one for one in read if isinstance(one, Parked)]
        newest = entries[-1]  # a read gives them in their order

        def work(tx: Tx) -> StoredBatch:
            kept = self.keep(tx, events, now)
            tx.events.park(refused, now=now)
            self._advance(tx, newest.id)
            return kept

        kept = await self.store.write(work, patient=True)
        self._count(kept, len(events), refused, moment_of(newest.id, now))
        if kept.new:
            self.stored()

    def _advance(self, tx: Tx, entry_id: str) -> None:
        before = tx.notes.get(self._cursor_note)
        if before is None or entry_key(before) < entry_key(entry_id):
            tx.notes.put(self._cursor_note, entry_id)

    def _count(self, kept: StoredBatch, events: int, refused: Sequence[Parked], last_at: datetime) -> None:
        self.counts.stored += kept.new
        self.counts.repeats += events - kept.new
        self.counts.parked += len(refused)
        self.counts.signals += kept.signals
        self.counts.last_at = max(last_at, self.counts.last_at or last_at)
        for one in refused[:3]:
            logger.warning(
                "{stream} {id} is parked: {why}", stream=one.stream, id=one.entry_id, why=one.reason
            )

    async def _begin(self) -> None:
        """Make sure of our group. One that is gone although we had read in it is a loss, and is said."""
        cursor = await self.store.read(lambda tx: tx.notes.get(self._cursor_note))
        now = self.clock.now()
        start = now if cursor is None else moment_of(cursor, now)
        start -= timedelta(minutes=self.desk.streams.look_back_minutes)
        start_id = f"{max(0, int(start.timestamp() * 1000))}-0"
        if await self.reader.open(start_id, known_id=cursor or "") and cursor is not None:
            self.counts.lost += 1
            text = (
                f"our group on {self.reader.stream} was gone (Redis flushed or restored, stream or group deleted): "
                f"made anew, read again from {start:%H:%M}"
            )
            await self._say(LOST, text, f"{cursor}/{now.isoformat()}")
        self._open, self._looked_at = True, float("-inf")

    async def _look(self) -> None:
        """See where the group stands, and whether entries were trimmed away before it came to them."""
        if self.clock.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = self.clock.monotonic()
        self.standing = standing = await self.reader.standing()
        if standing is None or not standing.missed or standing.delivered_id == self._reported_gap:
            return
        self._reported_gap = standing.delivered_id
        self.counts.missed += standing.missed
        missed = counted(standing.missed, "entry", "entries")
        text = (
            f"{self.reader.stream} was trimmed behind us: {missed} after {standing.delivered_id} never read"
        )
        await self._say(GAP, text, standing.delivered_id)

    async def _say(self, name: str, text: str, key: str) -> None:
        """Say it in the log, on timelines, and as a signal: what we show may be incomplete from here on."""
        logger.error(text)
        now = self.clock.now()
        subject = Subject(SubjectKind.CONTAINER, self.desk.redis_container)
        event = DeskEvent(
            key=f"streams/{name}/{self.reader.stream}/{key}",
            source=Source.STREAMS,
            at=now,
            subject=subject,
            gravity=Gravity.ERROR,
            category=name,
            text=text,
        )
        signal = Signal(
            source=Source.STREAMS,
            episode=event.key,
            status=SignalStatus.EVENT,
            name=name,
            subject=subject,
            severity=Severity.SEV2,
            starts_at=now,
            received_at=now,
            annotations={"summary": text},
        )

        def work(tx: Tx) -> None:
            tx.events.add([event], now=now)
            tx.signals.add([signal])

        await self.store.write(work)
        self.stored()
