"""The KPI digest, once a period whatever restarts, replicas, summer time or a machine asleep do.

The job looks every half a minute whether a period is due that nobody served; the timer itself decides nothing.
Claiming the period, keeping the texts and the pictures, and owing the messages is one commit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from loguru import logger

from triage.actions.degraded import banner
from triage.concurrency import FAULTS, each, is_stop
from triage.desk import Desk
from triage.errors import SourceError, StoreUnavailable
from triage.incidents.documents import keep_answer
from triage.incidents.notifications import DIGEST_CHANNEL
from triage.memory.periods import Period, Schedule, due_now, schedule_of, served
from triage.ports.clock import Clock
from triage.ports.digests import Digests, DrawnPicture
from triage.ports.store import MessageKind, Store, Tx
from triage.reports.digest.answer import DigestText, digest_text, missing_text
from triage.reports.digest.hit_rate import hit_rate
from triage.reports.digest.period import action_notes, incident_notes
from triage.untrusted_text import fault_words
from triage.wording import counted

NAME = "digest"
LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class DigestJob:
    """Posts the digest of each period. ``wake_sender`` wakes the sender."""

    store: Store
    desk: Desk
    clock: Clock
    digests: Digests
    wake_sender: Callable[[], None]

    async def run(self) -> int:
        """Serve every period that is due. Returns how many digests were posted."""
        settings = self.desk.schedules
        schedule = schedule_of(NAME, settings.digest, settings.timezone)
        if schedule is None:
            return 0
        periods = await due_now(self.store, schedule, self.clock.now())
        return sum(await each(periods, lambda period: self._serve(schedule, period)))

    async def _serve(self, schedule: Schedule, period: Period) -> bool:
        try:
            text, pictures = await self._made(schedule, period)
            return await self._post(schedule, period, text, pictures)
        except StoreUnavailable:
            raise
        except (SourceError, *FAULTS) as error:
            if is_stop(error):
                raise
            failed = None if isinstance(error, SourceError) else error
            why = str(error) if failed is None else fault_words(error)
            logger.bind(error=why).warning("the digest could not be measured")
            posted = await self._post(schedule, period, await self._missing(schedule, period, why), ())
        if failed is not None:
            raise failed
        return posted

    async def _post(
        self, schedule: Schedule, period: Period, text: DigestText, pictures: Sequence[DrawnPicture]
    ) -> bool:
        now = self.clock.now()
        posted = await self.store.write(
            lambda tx: self._store(tx, schedule, period, now, text=text, pictures=pictures)
        )
        if posted:
            self.wake_sender()
        return posted

    async def _made(self, schedule: Schedule, period: Period) -> tuple[DigestText, Sequence[DrawnPicture]]:
        bots = tuple(bot.name for bot in self.desk.bots)
        start, end = window_of(period)
        incidents, actions, verdicts, standing = await self.store.read(
            lambda tx: (
                incident_notes(tx, start, end),
                action_notes(tx, bots, start, end),
                hit_rate(tx.answers.tally(start, end), tx.answers.tally()),
                banner(tx, self.clock.now()),
            )
        )
        measured = await self.digests.measure(
            bots, start, end, incidents=incidents, actions=actions, pictures=True
        )
        title, late = self._heading(schedule, period)
        text = digest_text(
            measured.report, incidents, title=title, late=late, verdicts=verdicts, standing=standing
        )
        return text, measured.pictures

    async def _missing(self, schedule: Schedule, period: Period, why: str) -> DigestText:
        """Return what is posted where nothing could be measured, or where we failed on it."""
        start, end = window_of(period)
        title, late = self._heading(schedule, period)
        standing = await self.store.read(lambda tx: banner(tx, self.clock.now()))
        return missing_text(why, start, end, title=title, late=late, standing=standing)

    def _heading(self, schedule: Schedule, period: Period) -> tuple[str, str]:
        """Return a digest's title, and why it comes late."""
        start, end = window_of(period)
        return f"KPI digest {covered(start, end, schedule.zone)}", late_words(period, self.clock.now())

    def _store(
        self,
        tx: Tx,
        schedule: Schedule,
        period: Period,
        now: datetime,
        *,
        text: DigestText,
        pictures: Sequence[DrawnPicture],
    ) -> bool:
        if not served(tx, schedule, period, now):
            return False
        name = window_of(period)[0].astimezone(schedule.zone).strftime("%Y-%m-%d")
        keep_digest(tx, text, pictures, name=name, now=now)
        return True


def keep_digest(
    tx: Tx,
    text: DigestText,
    pictures: Sequence[DrawnPicture],
    *,
    name: str,
    now: datetime,
) -> int:
    """Keep a digest and owe its messages: the top, and in its thread each bot's details and picture."""
    drawn = {picture.bot: picture for picture in pictures}
    details = dict(text.bots)
    # Whoever writes the database cannot change this: `audit --verify --head` proves the trail by it.
    head = tx.audit.head()
    notes = (text.top.note, _in_thread(details, drawn), f"audit trail {head}" if head.seq else "")
    answer = replace(text.top, note=" · ".join(note for note in notes if note))
    top = _owe(tx, MessageKind.DIGEST, keep_answer(tx, "digest", answer, now), now)
    for bot in dict.fromkeys([*details, *drawn]):
        if bot in details:
            document = keep_answer(tx, "digest", details[bot], now)
            _owe(tx, MessageKind.DOCUMENT, document, now, parent_id=top)
        if bot in drawn:
            picture = drawn[bot]
            data = {
                "name": f"{bot}-{name}.png",
                "title": f"{bot} {name}",
                "alt_text": picture.alt,
                "comment": "",
            }
            document = tx.notes.save_document("picture", data, made_at=now, content=picture.png)
            _owe(tx, MessageKind.FILE, document, now, parent_id=top)
    return top


def _in_thread(details: Collection[str], drawn: Collection[str]) -> str:
    """Return what waits in the digest's thread."""
    what = [word for word, there in (("figures", details), ("pictures", drawn)) if there]
    return f"the bots' {' and '.join(what)} are in the thread" if what else ""


def _owe(tx: Tx, kind: MessageKind, document: int, now: datetime, *, parent_id: int | None = None) -> int:
    return tx.outbox.want(
        kind, str(document), channel=DIGEST_CHANNEL, now=now, parent_id=parent_id, urgency=3
    )


def window_of(period: Period) -> tuple[datetime, datetime]:
    """Return the minutes a period covers: from due time to due time, both cut to the hour.

    So ``5 0 * * *`` waits five minutes for the last rows and covers the day; every minute is in one digest.
    """
    start, end = (at.replace(minute=0, second=0, microsecond=0) for at in (period.start, period.due))
    if start >= end:
        start, end = period.start, period.due
    return max(start, end - LONGEST), end


def covered(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Return a period for its title: the day where it is one, else from when to when."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    whole_days = first.time() == last.time() and not first.hour and not first.minute
    if whole_days and (last.date() - first.date()).days == 1:
        return f"{first:%a %d %b %Y}"
    final = last - timedelta(microseconds=1) if whole_days else last
    if whole_days:
        return f"{first:%d %b} to {final:%d %b %Y}"
    return f"{first:%d %b %H:%M} to {final:%d %b %H:%M}"


def late_words(period: Period, now: datetime) -> str:
    """Return why a digest comes late, empty where it does not."""
    words = []
    if period.is_late(now):
        words.append(f"late: it was due {period.due:%Y-%m-%d %H:%M} UTC, when nothing ran that could send it")
    if period.skipped:
        words.append(f"{counted(period.skipped, 'digest')} before it will not come any more")
    return "; ".join(words)
