"""The digest: once a period, whatever happens around it. The clock is the test's."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.sources.minute_csv.digests import CsvDigests
from bot.store import SqlStore, open_store
from schedules.digest import DigestJob
from tests.contracts.store_samples import open_incident
from tests.fakes.clock import ManualClock
from tests.flows.desk_files import write_minutes
from triage.desk import Desk
from triage.errors import SourceError, SourceUnreachable
from triage.incidents.notifications import DIGEST_CHANNEL
from triage.kpis.model import ActionNote, DigestReport, IncidentNote
from triage.memory.degraded_mode import Degraded, put_degraded
from triage.ports.answers import CauseAnswer
from triage.ports.digests import DrawnPicture, Measured
from triage.ports.store import Document, Message, MessageKind, Tx

pytestmark = pytest.mark.slow

PNG = b"\x89PNG"


def at(text: str) -> datetime:
    """Read a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class FakeDigests:
    """Measures nothing; remembers the windows it was asked for."""

    windows: list[tuple[datetime, datetime]] = field(default_factory=list)
    pictures: tuple[DrawnPicture, ...] = (DrawnPicture("bot1", "bot1 ran all day", PNG),)
    error: SourceError | None = None
    problems: tuple[str, ...] = ()
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def measure(
        self,
        bots: Sequence[str],
        start: datetime,
        end: datetime,
        *,
        incidents: Sequence[IncidentNote] = (),
        actions: Sequence[ActionNote] = (),
        pictures: bool = False,
    ) -> Measured:
        """Answer with an empty report."""
        assert pictures
        assert bots
        del incidents, actions
        self.windows.append((start, end))
        self.asked.set()
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return Measured(DigestReport(start, end, (), problems=self.problems), self.pictures)


def job(
    store: SqlStore,
    clock: ManualClock,
    digests: FakeDigests | CsvDigests,
    cron: str = "5 0 * * *",
    zone: str = "UTC",
) -> DigestJob:
    """Return the job of a desk with that schedule."""
    desk = Desk.model_validate({"schedules": {"digest": cron, "timezone": zone}})
    return DigestJob(store=store, desk=desk, clock=clock, digests=digests, wake_sender=lambda: None)


async def run_until(work: DigestJob, clock: ManualClock, end: datetime, step: float = 900) -> int:
    """Let time pass, the job looking every so often; return how many digests were posted."""
    posted = await work.run()
    while clock.now() < end:
        clock.move(step)
        posted += await work.run()
    return posted


async def posted(store: SqlStore) -> list[tuple[Message, Document]]:
    """Return the messages that are owed, with their documents."""

    def read(tx: Tx) -> list[tuple[Message, Document]]:
        found = []
        for message_id in range(1, 60):
            message = tx.outbox.get(message_id)
            document = tx.notes.document(int(message.ref)) if message is not None else None
            if message is not None and document is not None:
                found.append((message, document))
        return found

    return await store.read(read)


async def test_installing_and_starting_sends_nothing(sqlite_store: SqlStore) -> None:
    """The first look only begins to count; a digest that was due before the installation is not owed."""
    clock = ManualClock(at("2026-02-20T00:06"))
    digests = FakeDigests()
    assert await run_until(job(sqlite_store, clock, digests), clock, at("2026-02-20T23:00")) == 0
    assert not digests.windows


async def test_each_day_has_one_digest_of_that_day(sqlite_store: SqlStore) -> None:
    """Three midnights, three digests, each of the whole day before."""
    clock = ManualClock(at("2026-02-20T12:00"))
    digests = FakeDigests()
    assert await run_until(job(sqlite_store, clock, digests), clock, at("2026-02-23T12:00")) == 3
    assert digests.windows == [
        (at(f"2026-02-{day}T00:00"), at(f"2026-02-{day + 1}T00:00")) for day in (20, 21, 22)
    ]


async def test_a_restart_repeats_nothing_and_misses_nothing(sqlite_store: SqlStore) -> None:
    """A new process every hour still makes one digest a day."""
    clock = ManualClock(at("2026-02-20T12:00"))
    digests = FakeDigests()
    count = 0
    while clock.now() < at("2026-02-22T12:00"):
        count += await job(sqlite_store, clock, digests).run()
        clock.move(hours=1)
    assert count == 2


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        ("2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
    ],
)
async def test_the_days_on_which_the_clocks_change_have_one_digest_each(
    sqlite_store: SqlStore, day: str, start: str, end: str
) -> None:
    """In Berlin one day has 23 hours and one 25: each is one digest, no minute is lost or told twice."""
    clock = ManualClock(at(f"{day}T00:00") - timedelta(days=1, hours=12))
    digests = FakeDigests()
    work = job(sqlite_store, clock, digests, "5 0 * * *", "Europe/Berlin")
    assert await run_until(work, clock, at(f"{day}T00:00") + timedelta(days=2)) == 4
    assert (at(start), at(end)) in digests.windows
    assert [window[0] for window in digests.windows[1:]] == [window[1] for window in digests.windows[:-1]]


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 3 * * *", "0 2 * * *"])
async def test_a_digest_due_in_the_hour_of_the_change_comes_once(sqlite_store: SqlStore, cron: str) -> None:
    """An hour that is skipped, or comes twice, makes neither none nor two."""
    for number, begin in enumerate((at("2026-03-27T12:00"), at("2026-10-23T12:00"))):
        clock = ManualClock(begin)
        digests = FakeDigests()
        work = job(sqlite_store, clock, digests, f"{cron[:-1]}{'*' if number else '0-6'}", "Europe/Berlin")
        assert await run_until(work, clock, begin + timedelta(days=4), step=600) == 4


async def test_a_digest_missed_while_the_machine_slept_comes_late_and_says_so(sqlite_store: SqlStore) -> None:
    """Waking at noon sends what was due at midnight."""
    clock = ManualClock(at("2026-02-20T12:00"))
    work = job(sqlite_store, clock, FakeDigests())
    assert await work.run() == 0
    clock.move(hours=24)
    assert await work.run() == 1
    [(_, document), *_] = await posted(sqlite_store)
    assert "late: it was due 2026-02-21 00:05 UTC" in str(document.data["answer"])


async def test_a_digest_on_time_says_nothing_of_being_late(sqlite_store: SqlStore) -> None:
    """Half a minute after it was due is on time."""
    clock = ManualClock(at("2026-02-20T12:00"))
    work = job(sqlite_store, clock, FakeDigests())
    await work.run()
    clock.moment = at("2026-02-21T00:05:30")
    assert await work.run() == 1
    [(_, document), *_] = await posted(sqlite_store)
    assert "late" not in str(document.data["answer"])


async def test_a_digest_says_that_degraded_mode_is_on_still(sqlite_store: SqlStore) -> None:
    """Whatever incident it belongs to, or none: who reads one thing a day reads that."""
    clock = ManualClock(at("2026-02-20T12:00"))
    work = job(sqlite_store, clock, FakeDigests())
    since = Degraded(at("2026-02-20T18:30"), 1, sure=True)
    await work.run()
    await sqlite_store.write(lambda tx: put_degraded(tx, since))
    clock.move(hours=13)
    assert await work.run() == 1
    [(_, document), *_] = await posted(sqlite_store)
    assert "Degraded mode is on since 20 Feb 18:30 UTC: no external signals" in str(document.data)


async def test_a_long_sleep_sends_the_last_few_and_counts_the_rest(sqlite_store: SqlStore) -> None:
    """After ten days nobody wants ten digests, and nobody wants to be left in the dark about the others."""
    clock = ManualClock(at("2026-02-01T12:00"))
    digests = FakeDigests()
    work = job(sqlite_store, clock, digests)
    await work.run()
    clock.move(days=10)
    assert await work.run() == 3
    assert await work.run() == 0
    found = [
        document for message, document in await posted(sqlite_store) if message.kind is MessageKind.DIGEST
    ]
    assert "7 digests before it will not come any more" in str(found[0].data["answer"])


async def test_another_schedule_begins_anew(sqlite_store: SqlStore) -> None:
    """Changing the hour in desk.yaml sends nothing for a time that was never promised."""
    clock = ManualClock(at("2026-02-20T12:00"))
    await job(sqlite_store, clock, FakeDigests()).run()
    clock.move(hours=6)
    changed = job(sqlite_store, clock, FakeDigests(), "0 17 * * *")
    assert await changed.run() == 0
    clock.move(hours=1)
    assert await changed.run() == 0
    clock.move(hours=22)
    assert await changed.run() == 1


async def test_an_empty_schedule_is_switched_off(sqlite_store: SqlStore) -> None:
    """'' sends nothing, ever."""
    clock = ManualClock(at("2026-02-20T12:00"))
    assert await run_until(job(sqlite_store, clock, FakeDigests(), ""), clock, at("2026-02-22T12:00")) == 0


async def test_a_clock_that_goes_back_repeats_nothing(sqlite_store: SqlStore) -> None:
    """A corrected clock comes to the same midnight twice."""
    clock = ManualClock(at("2026-02-20T12:00"))
    work = job(sqlite_store, clock, FakeDigests())
    await work.run()
    clock.moment = at("2026-02-21T00:06")
    assert await work.run() == 1
    clock.moment = at("2026-02-20T23:50")
    assert await work.run() == 0
    clock.moment = at("2026-02-21T00:07")
    assert await work.run() == 0


async def test_two_replicas_send_one_digest(store_url: str) -> None:
    """Both look at the same moment; one claims the period, in the commit that stores the digest."""
    clock = ManualClock(at("2026-02-20T12:00"))
    async with open_store(store_url) as first, open_store(store_url) as second:
        works = [job(store, clock, FakeDigests()) for store in (first, second)]
        await asyncio.gather(*(work.run() for work in works))
        clock.moment = at("2026-02-21T00:05")
        assert sorted(await asyncio.gather(*(work.run() for work in works))) == [0, 1]
        tops = [message for message, _ in await posted(first) if message.kind is MessageKind.DIGEST]
        assert len(tops) == 1


async def test_pictures_are_files_in_the_digests_thread(sqlite_store: SqlStore) -> None:
    """The text is the top message of its channel, each picture a file below it with words for who cannot see it."""
    clock = ManualClock(at("2026-02-20T12:00"))
    work = job(sqlite_store, clock, FakeDigests())
    await work.run()
    clock.move(days=1)
    await work.run()
    (top, text), (below, picture) = await posted(sqlite_store)
    assert (top.kind, top.channel, top.parent_id) == (MessageKind.DIGEST, DIGEST_CHANNEL, None)
    assert str(text.data["title"]).startswith("KPI digest Fri 20 Feb 2026: hold")
    assert (below.kind, below.parent_id) == (MessageKind.FILE, top.id)
    assert picture.content == PNG
    assert picture.data["alt_text"] == "bot1 ran all day"


async def test_the_digest_says_how_often_the_verdicts_were_right(sqlite_store: SqlStore) -> None:
    """Of the answers given in its day, and of all; no word of it before anybody answered."""
    clock = ManualClock(at("2026-02-20T12:00"))
    work = job(sqlite_store, clock, FakeDigests())
    await run_until(work, clock, at("2026-02-21T12:00"))
    said = CauseAnswer(1, 1, clock.now(), "U0ANA", right=True, said="edge_gate", strength="likely")

    def answer(tx: Tx) -> None:
        open_incident(tx)
        tx.answers.put(said)

    await sqlite_store.write(answer)
    await run_until(work, clock, at("2026-02-23T12:00"))
    found = await posted(sqlite_store)
    texts = [str(document.data) for message, document in found if message.kind is MessageKind.DIGEST]
    assert ["Verdicts, as people answered" in text for text in texts] == [False, True, True]
    assert "of 1 answered, 1 right (100 %)" in texts[1]
    assert "nobody answered in the period" in texts[2]


async def test_a_failed_chart_never_stops_the_text(sqlite_store: SqlStore) -> None:
    """The digest comes without its picture and says so."""
    clock = ManualClock(at("2026-02-20T12:00"))
    work = job(sqlite_store, clock, FakeDigests(pictures=(), problems=("picture of bot1: out of memory",)))
    await work.run()
    clock.move(days=1)
    assert await work.run() == 1
    [(_, text)] = await posted(sqlite_store)
    assert "picture of bot1: out of memory" in str(text.data["answer"])


async def test_without_the_files_the_digest_says_what_is_missing_and_the_mend(sqlite_store: SqlStore) -> None:
    """Nothing measured is a hold with its reason, told once."""
    clock = ManualClock(at("2026-02-20T12:00"))
    error = SourceUnreachable(
        "CSV files", "/data cannot be read; paths.data in desk.yaml names the folder of the bots"
    )
    work = job(sqlite_store, clock, FakeDigests(error=error))
    await work.run()
    clock.move(days=1)
    assert await work.run() == 1
    assert await work.run() == 0
    [(_, text)] = await posted(sqlite_store)
    assert "paths.data in desk.yaml names the folder" in str(text.data["answer"])
    assert str(text.data["title"]).startswith("KPI digest Fri 20 Feb 2026: hold")


async def test_a_kill_between_measuring_and_storing_loses_nothing(sqlite_store: SqlStore) -> None:
    """What was measured and not stored is measured again."""
    clock = ManualClock(at("2026-02-20T12:00"))
    digests = FakeDigests()
    work = job(sqlite_store, clock, digests)
    await work.run()
    clock.move(days=1)
    task = asyncio.create_task(work.run())
    await digests.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await work.run() == 1


async def test_a_digest_of_real_files_has_its_figures_and_picture(
    sqlite_store: SqlStore, tmp_path: Path
) -> None:
    """The whole way from minute.csv to the messages."""
    clock = ManualClock(at("2026-02-20T12:00"))
    write_minutes(tmp_path, "bot1", at("2026-02-19T00:00"), at("2026-02-21T00:00"))
    work = job(sqlite_store, clock, CsvDigests(Desk.model_validate({"bots": [{"name": "bot1"}]}), tmp_path))
    await work.run()
    clock.move(days=1)
    assert await work.run() == 1
    found = await posted(sqlite_store)
    text = str(found[0][1].data["answer"])
    assert "1,440 of 1,440 minutes (100.0 %)" in text
    assert "hold: not a single minute was written" in text
    assert [message.kind for message, _ in found] == [MessageKind.DIGEST, MessageKind.FILE]
    assert found[1][1].content.startswith(PNG)
