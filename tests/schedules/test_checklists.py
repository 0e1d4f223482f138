"""Checklists on a schedule are posted only when the status of an item changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.store import SqlStore
from schedules.checklists import ChecklistJob
from tests.fakes.clock import ManualClock
from triage.desk import Desk
from triage.ports.store import Document, Tx
from triage.reports.checklists.model import ChecklistResult, ItemResult, ItemStatus

GOOD, BAD, DARK = ItemStatus.PASS, ItemStatus.FAIL, ItemStatus.UNKNOWN


class Lists:
    """One list whose items are as the test says."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.items: Mapping[str, ItemStatus] = {"env": GOOD, "redis": GOOD}
        self.runs = 0

    async def run(self) -> Sequence[ChecklistResult]:
        """Answer."""
        self.runs += 1
        items = tuple(
            ItemResult(name, f"the {name}", status, f"{name} seen") for name, status in self.items.items()
        )
        return [ChecklistResult("startup", "Start-up", self.at, items)]


async def texts(store: SqlStore) -> list[str]:
    """Return what was posted."""

    def read(tx: Tx) -> list[Document]:
        found = (tx.notes.document(number) for number in range(1, 20))
        return [document for document in found if document is not None]

    return [str(document.data["answer"]) for document in await store.read(read)]


async def at_each_half_hour(job: ChecklistJob, clock: ManualClock, times: int = 1) -> int:
    """Let the next half hours come; return how many items turned."""
    turned = 0
    for _ in range(times):
        clock.move(minutes=30)
        turned += await job.run()
    return turned


async def test_they_speak_only_when_an_item_turned_and_say_which_and_how(sqlite_store: SqlStore) -> None:
    """Nothing while all is as it was; one message for a turn, one for the way back."""
    clock = ManualClock()
    lists = Lists(clock.now())
    told: list[str] = []
    job = ChecklistJob(
        store=sqlite_store,
        desk=Desk(),
        clock=clock,
        run_all=lists.run,
        wake_sender=lambda: told.append("rung"),
    )
    assert await job.run() == 0
    assert lists.runs == 0, "not just because it started"
    assert await at_each_half_hour(job, clock, times=3) == 0
    assert await texts(sqlite_store) == []
    lists.items = {"env": BAD, "redis": GOOD}
    assert await at_each_half_hour(job, clock) == 1
    assert await at_each_half_hour(job, clock, times=3) == 0, "a lasting failure is said once"
    lists.items = {"env": GOOD, "redis": DARK}
    assert await at_each_half_hour(job, clock) == 2
    first, second = await texts(sqlite_store)
    assert "fail, was pass · env seen" in first
    assert "the redis" not in first
    assert "could not be checked, was pass · redis seen" in second
    assert "pass, was fail · env seen" in second
    assert told == ["rung", "rung"]


async def test_between_its_times_nothing_is_run(sqlite_store: SqlStore) -> None:
    """The job looks often and asks only when its time has come."""
    clock = ManualClock()
    lists = Lists(clock.now())
    job = ChecklistJob(
        store=sqlite_store, desk=Desk(), clock=clock, run_all=lists.run, wake_sender=lambda: None
    )
    for _ in range(60):
        await job.run()
        clock.move(seconds=20)
    assert lists.runs == 0
    clock.move(minutes=15)
    await job.run()
    await job.run()
    assert lists.runs == 1


async def test_a_long_sleep_is_one_run(sqlite_store: SqlStore) -> None:
    """After a night asleep the lists are run once, and compared with the evening before."""
    clock = ManualClock()
    lists = Lists(clock.now())
    job = ChecklistJob(
        store=sqlite_store, desk=Desk(), clock=clock, run_all=lists.run, wake_sender=lambda: None
    )
    await job.run()
    await at_each_half_hour(job, clock)
    lists.items = {"env": GOOD, "redis": BAD}
    clock.moment += timedelta(hours=9)
    assert await job.run() == 1
    assert lists.runs == 2
    assert await job.run() == 0
