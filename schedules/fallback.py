"""Grave incidents that the chat has not taken in time go out over the fallback channels, once, and their threads say so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from loguru import logger

from triage.clock_jumps import Jump, jumps, moved
from triage.concurrency import FAULTS, all_or_each, each, is_stop
from triage.desk import Desk
from triage.errors import FallbackFailure, PartlySent, StoreUnavailable
from triage.incidents.notifications import IN_CHANNEL, tell_line
from triage.model import Incident, TimelineEntry, TimelineKind
from triage.paging import notices
from triage.paging.notices import SEND_SECONDS, NoticeAttempt
from triage.ports.clock import Clock
from triage.ports.fallback import FallbackChannel
from triage.ports.store import Message, MessageKind, Store, Tx
from triage.wording import duration

_SPOKE = "fallback/spoke"


@dataclass(frozen=True, slots=True)
class FallbackJob:
    """Looks every few seconds. ``wake_sender`` wakes the sender.

    Each channel is sent over by a job of its own: one that hangs holds up nothing but itself.
    """

    store: Store
    desk: Desk
    clock: Clock
    channels: Mapping[str, FallbackChannel]
    wake_sender: Callable[[], None]

    async def owe_due(self) -> None:
        """Owe what the chat has not taken in time, and end what is owed to a channel whose setting is gone."""
        if self.channels:
            await each([self._owe_all, self._end_unset], lambda work: work())

    async def _owe_all(self) -> int:
        ids = await self.store.read(lambda tx: [one.id for one in self._severe(tx)])
        return sum(await all_or_each(ids, self._owe_these)) if ids else 0

    async def _owe_these(self, ids: Collection[int]) -> int:
        now = self.clock.now()
        if not await self.store.read(lambda tx: bool(self._untaken(tx, ids, now))):
            return 0
        await self.store.write(lambda tx: self._owe(tx, ids))
        return 1

    async def _end_unset(self) -> int:
        return await self._send_due(lambda name: name not in self.channels)

    async def send_over(self, channel: str) -> int:
        """Send what is owed to a channel. Returns how many notices it took."""
        return await self._send_due(lambda name: name == channel)

    async def _send_due(self, wanted: Callable[[str], bool]) -> int:
        now = self.clock.now()
        if not await self.store.read(notices.pending):
            return 0
        attempts = await self.store.write(lambda tx: notices.claim_all(tx, now, wanted))
        return sum(await asyncio.gather(*(self._send(attempt) for attempt in attempts)))

    def _severe(self, tx: Tx) -> list[Incident]:
        severities = self.desk.fallback.severities
        return [one for one in tx.incidents.open() if one.severity in severities and not one.quiet]

    def _untaken(self, tx: Tx, ids: Collection[int], now: datetime) -> list[Incident]:
        """Return those of some grave incidents that the chat has not taken for too long."""
        before, known = now - timedelta(seconds=self.desk.fallback.after_seconds), jumps(tx)
        return [one for one in self._severe(tx) if one.id in ids and _waits(tx, one, before, known)]

    def _owe(self, tx: Tx, ids: Collection[int]) -> None:
        now = self.clock.now()
        spoke = tx.notes.parsed(_SPOKE, datetime.fromisoformat)
        gather = timedelta(seconds=self.desk.fallback.gather_seconds)
        # A time to come is one from before the clock was set back: it holds no notice back.
        if spoke is not None and timedelta(0) <= now - spoke < gather:
            return
        fresh = [
            incident
            for incident in self._untaken(tx, ids, now)
            if tx.notes.once("fallback", f"{incident.id}/{incident.reopened}", now)
        ]
        if not fresh:
            return
        known = jumps(tx)
        opened = min(moved(incident.opened_at, known, incident=incident.id) for incident in fresh)
        waited = duration((now - opened).total_seconds())
        why = f"Slack has not taken this for {waited}; so it comes this way."
        notice = notices.incidents_notice(tx, fresh, kind="incident", why=why, now=now)
        notices.owe(tx, notice, tuple(self.channels), now)
        tx.notes.put(_SPOKE, now.isoformat())
        tx.audit.append(
            at=now,
            actor="fallback",
            event="fallback.owed",
            target=notice.incidents[0],
            detail={"incidents": list(notice.incidents), "channels": list(self.channels)},
        )

    async def _send(self, attempt: NoticeAttempt) -> bool:
        channel = self.channels.get(attempt.channel)
        failure: FallbackFailure | PartlySent | None = None
        if channel is None:
            failure = FallbackFailure("its setting is gone")
        left_out = ""
        try:
            if channel is not None:
                async with asyncio.timeout(SEND_SECONDS):
                    left_out = await channel.send(attempt.notice)
        except (FallbackFailure, PartlySent) as refusal:
            failure = refusal
        except TimeoutError:
            failure = FallbackFailure(f"no answer within {SEND_SECONDS:g} s")
        except FAULTS as fault:  # of one channel: it keeps no other from being told
            if is_stop(fault):
                raise
            logger.opt(exception=fault).error("{channel} failed", channel=attempt.channel)
            failure = FallbackFailure(f"a fault of ours ({type(fault).__name__})")
        if failure is not None:
            logger.bind(channel=attempt.channel, notice=attempt.notice.id).warning("not sent: {}", failure)
        await self._recorded(attempt, failure, left_out)
        sent = failure is None or isinstance(failure, PartlySent)
        if sent:
            logger.bind(channel=attempt.channel, notice=attempt.notice.id).info(
                "sent over the fallback channel"
            )
        self.wake_sender()
        return sent

    async def _recorded(
        self, attempt: NoticeAttempt, failure: FallbackFailure | PartlySent | None, left_out: str
    ) -> None:
        """Store how an attempt ended. Where it cannot be told, that alone is stored: else it would be sent again."""
        try:
            await self.store.write(lambda tx: self._record(tx, attempt, failure, left_out))
        except StoreUnavailable:
            raise
        except FAULTS as fault:
            if is_stop(fault):
                raise
            logger.opt(exception=fault).error("how a notice ended cannot be told")
            now = self.clock.now()
            await self.store.write(
                lambda tx: notices.ended(tx, attempt, now, failure=failure, left_out=left_out)
            )

    def _record(
        self,
        tx: Tx,
        attempt: NoticeAttempt,
        failure: FallbackFailure | PartlySent | None,
        left_out: str,
    ) -> None:
        now = self.clock.now()
        how = notices.ended(tx, attempt, now, failure=failure, left_out=left_out)
        if not how:
            return
        tx.audit.append(
            at=now, actor="fallback", event="fallback.ended", target=attempt.notice.id, detail={"how": how}
        )
        for number in attempt.notice.incidents:
            entry = TimelineEntry(
                incident_id=int(number.removeprefix("INC-")),
                at=now,
                recorded_at=now,
                kind=TimelineKind.FALLBACK,
                text=how,
                source="fallback",
                key=f"fallback/{attempt.document}/{number}/{attempt.channel}/{attempt.number}",
            )
            tell_line(tx, entry, now)


def _waits(tx: Tx, incident: Incident, before: datetime, known: Sequence[Jump]) -> bool:
    """Whether the chat has not got, since before a time, that an incident is there, came back, or became this grave."""

    def waits(message: Message) -> bool:
        return not message.post_id and moved(message.created_at, known, incident=incident.id) <= before

    card = tx.outbox.find(MessageKind.CARD, str(incident.id))
    if card is None:
        return False
    if not card.post_id:
        return waits(card)
    if not card.owed:
        return False
    in_channel = (entry for entry in tx.timeline.of(incident.id) if entry.data.get(IN_CHANNEL))
    lines = (tx.outbox.find(MessageKind.LINE, str(entry.id)) for entry in in_channel)
    return any(line is not None and waits(line) for line in lines)
