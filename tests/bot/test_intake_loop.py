"""The sorter isolates: what cannot be sorted has a plain card, is counted, and is tried again at the next start."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from loguru import logger

from bot.intake_loop import GRAVE_REST_SECONDS, LONE, LOOK_SECONDS, PASS_SECONDS, IntakeLoop
from bot.liveness import IDLE_SECONDS, Liveness
from bot.store import SqlStore, open_store, tables
from bot.store.transaction import Transaction
from bot.tuning import REST_SECONDS, DutyCycle
from tests.contracts.test_store_outcomes import damaged_table
from tests.fakes.breaking import FAULTS
from tests.triage.incidents.desk_story import Story, title_of
from triage.desk import Desk
from triage.errors import NotStored, StoreUnavailable
from triage.incidents import unsortable
from triage.incidents.intake import Intake
from triage.incidents.notifications import IN_CHANNEL
from triage.model import IncidentStatus, Severity, Signal, SignalStatus
from triage.ports.bell import Bell
from triage.ports.store import MessageKind, Tx


@dataclass
class Sorting:
    """A sorter at work on a story's store; titles of what is in ``poison`` cannot be made."""

    story: Story
    poison: set[str] = field(default_factory=set)
    fault: BaseException = field(default_factory=lambda: RuntimeError("no title for this one"))
    sorter: IntakeLoop = field(init=False)

    def __post_init__(self) -> None:
        self.sorter = IntakeLoop(
            store=self.story.store, intake=Intake(self.story.desk, self._title), clock=self.story.clock,
            inbox=Bell(), outbox=Bell(), triage=Bell(), liveness=Liveness(self.story.clock),
        )  # fmt: skip

    def _title(self, signal: Signal) -> str:
        if signal.name in self.poison:
            raise self.fault
        return title_of(self.story.desk, signal)

    @asynccontextmanager
    async def at_work(self, until: Callable[[], bool]) -> AsyncIterator[None]:
        """Run it until something holds, then the block, then end it."""
        looping = asyncio.create_task(self.sorter.run())
        try:
            for _ in range(400):
                if until() and not await self.story.store.read(lambda tx: tx.signals.waiting()):
                    break
                await asyncio.sleep(0.02)
            else:
                raise AssertionError("it never came to that")
            yield
        finally:
            looping.cancel()
            await asyncio.gather(looping, return_exceptions=True)


@pytest.fixture
def story(sqlite_store: SqlStore) -> Story:
    """Tell a story on a store of its own."""
    return Story(sqlite_store)


async def outcomes(story: Story) -> list[str]:
    """Return the outcome of every signal, oldest first."""

    def read(tx: Tx) -> list[str]:
        assert isinstance(tx, Transaction)
        query = sa.select(tables.signals.c.outcome).order_by(tables.signals.c.id)
        return list(tx.connection.execute(query).scalars())

    return await story.store.read(read)


async def test_one_that_cannot_even_be_put_aside_holds_up_no_other(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those behind it had waited for ever. It stays in the inbox, and that is said; once it can be, it is put aside."""
    sorting = Sorting(story, {"Poison"})
    names = ["BotFrozen", "Poison", "HostDiskFull"]
    hosts = ["bot1", "host0", "host1"]
    await story.arrive(
        *(story.signal(name, host, SignalStatus.FIRING) for name, host in zip(names, hosts, strict=True)),
        then_sort=False,
    )

    def fails(*_: object, **__: object) -> None:
        raise ValueError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(unsortable, "put_aside", fails)
        patched.setattr(unsortable, "keep_aside", fails)
        await sorting.sorter._round()
        assert {incident.name for incident in await story.incidents()} == {"BotFrozen", "HostDiskFull"}
        assert "stays in the inbox" in sorting.sorter.trouble
        assert await story.store.read(lambda tx: tx.signals.waiting()) == 1
    await sorting.sorter._round()
    assert await story.store.read(lambda tx: tx.signals.waiting()) == 0
    assert "1 signals could not be sorted" in sorting.sorter.trouble


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_only_the_one_that_fails_is_put_aside_and_it_has_a_plain_card(
    story: Story, fault: BaseException
) -> None:
    """Not the oldest: the healthy ones before and after it have their incidents as always."""
    sorting = Sorting(story, {"Poison"}, fault)
    names = ["BotFrozen", "Poison", "HostDiskFull"]
    hosts = ["bot1", "host0", "host1"]
    await story.arrive(
        *(story.signal(name, host, SignalStatus.FIRING) for name, host in zip(names, hosts, strict=True)),
        then_sort=False,
    )
    async with sorting.at_work(lambda: sorting.sorter.put_aside == 1):
        pass
    incidents = {incident.name: incident for incident in await story.incidents()}
    assert set(incidents) == set(names)
    plain = incidents["Poison"]
    assert plain.title == "Poison on host0"
    assert "could not be sorted" in " ".join(await story.told(plain.id))
    assert await story.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, str(plain.id))) is not None
    assert [found.startswith(unsortable.PUT_ASIDE) for found in await outcomes(story)] == [False, True, False]
    assert "1 signals could not be sorted" in sorting.sorter.trouble


async def test_of_two_replicas_each_bad_one_is_put_aside_once_and_none_that_is_healthy(
    postgres_url: str,
) -> None:
    """Both sort at the same time what both were sent; the one that fails at one fails at the other too."""
    async with open_store(postgres_url) as one, open_store(postgres_url) as other:
        both = [Sorting(Story(store)) for store in (one, other)]
        names = [f"{'Poison' if number % 3 == 1 else 'Healthy'}{number}" for number in range(6)]
        for sorting in both:
            sorting.poison = {name for name in names if name.startswith("Poison")}
        story = both[0].story
        signals = [story.signal(name, f"host{n}", SignalStatus.FIRING) for n, name in enumerate(names)]
        for sorting in both:
            await sorting.story.arrive(*signals, then_sort=False)
        async with both[0].at_work(lambda: True), both[1].at_work(lambda: True):
            pass
        assert sorted(incident.name for incident in await story.incidents()) == sorted(names)
        aside = [found.startswith(unsortable.PUT_ASIDE) for found in await outcomes(story)]
        assert aside.count(True) == sum(sorting.sorter.put_aside for sorting in both) == 2


async def test_what_was_put_aside_is_tried_again_at_the_next_start_and_ends_with_its_resolve(
    story: Story,
) -> None:
    """The mended version sorts it into the incident that showed it, without a second card; a resolve ends it."""
    await story.arrive(story.signal("Poison", "host0", SignalStatus.FIRING), then_sort=False)
    broken = Sorting(story, {"Poison"})
    async with broken.at_work(lambda: broken.sorter.put_aside == 1):
        pass
    assert await story.store.write(unsortable.take_up) == 1
    mended = Sorting(story)
    async with mended.at_work(lambda: True):
        pass
    assert [incident.title for incident in await story.incidents()] == ["Poison on host0"]
    assert not any(found.startswith(unsortable.PUT_ASIDE) for found in await outcomes(story))
    await story.clear("Poison", "host0")
    assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_a_second_fault_makes_no_second_card(story: Story) -> None:
    """Tried again by a version that is not mended: it stays in the incident that showed it."""
    await story.arrive(story.signal("Poison", "host0", SignalStatus.FIRING), then_sort=False)
    for _ in range(2):
        await story.store.write(unsortable.take_up)
        async with Sorting(story, {"Poison"}).at_work(lambda: True):
            pass
    assert len(await story.incidents()) == 1
    assert [found.startswith(unsortable.PUT_ASIDE) for found in await outcomes(story)] == [False]


async def test_a_signal_whose_row_cannot_be_read_is_shown_by_its_text(story: Story) -> None:
    """Its labels are no JSON any more: the card has its name and what it is about, and the others are sorted."""
    await story.arrive(
        story.signal("Garbled", "host0", SignalStatus.FIRING),
        story.signal("BotFrozen", "bot1", SignalStatus.FIRING),
        then_sort=False,
    )

    def garble(tx: Tx) -> None:
        assert isinstance(tx, Transaction)
        tx.connection.exec_driver_sql("UPDATE signals SET labels = '{oops' WHERE name = 'Garbled'")

    await story.store.write(garble)
    sorting = Sorting(story)
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), level="WARNING", format="{message}")
    try:
        async with sorting.at_work(lambda: sorting.sorter.put_aside == 1):
            pass
    finally:
        logger.remove(sink)
    assert len(lines) == 1, lines
    assert "is put aside: RecordUnreadable" in lines[0]
    assert "Traceback" not in lines[0]
    assert {incident.title for incident in await story.incidents()} >= {"Garbled on host0"}
    assert len(await story.incidents()) == 2


async def test_webhooks_do_not_wait_for_a_long_pass(story: Story) -> None:
    """What waits at the start may be thousands: a pass that has taken its time leaves the rest to the next one."""
    names = [f"Slow{n}" for n in range(5)]
    await story.arrive(
        *(story.signal(name, f"host-{name}", SignalStatus.FIRING) for name in names), then_sort=False
    )

    def slow_title(signal: Signal) -> str:
        story.clock.move(0.6 * PASS_SECONDS)
        return title_of(story.desk, signal)

    sorter = Sorting(story).sorter
    sorter.intake = Intake(story.desk, slow_title)
    passes = [await sorter.once() for _ in range(3)]
    assert [(one.sorted, one.more) for one in passes] == [(2, True), (2, True), (1, False)]
    assert {one.name for one in await story.incidents()} == set(names)


class AskedBell(Bell):
    """Notes how long it was waited for; ``rings``: whether a signal came in each moment that it is asked about."""

    def __init__(self, *, rings: bool) -> None:
        super().__init__()
        self.rings, self.asked = rings, list[float | None]()

    async def wait(self, seconds: float | None = None) -> bool:
        """Tell at once whether it rang, or sleep."""
        self.asked.append(seconds)
        return self.rings if seconds == 0 else await super().wait(seconds)


class OwesMuch(DutyCycle):
    """Finds that much more was done than its part."""

    def rest(self, began: float, ended: float) -> float:
        """Return more than the longest rest."""
        super().rest(began, ended)
        return 10 * REST_SECONDS


@pytest.mark.parametrize(("flood", "moments"), [(True, REST_SECONDS / LOOK_SECONDS), (False, 1)])
async def test_a_rest_ends_when_no_signal_comes_any_more(story: Story, flood: bool, moments: float) -> None:  # noqa: FBT001 - pytest
    """Webhooks that come need the store; when none does, what waits in the inbox is sorted at once."""
    await story.arrive(
        *(story.signal(f"Many{n}", f"host-{n}", SignalStatus.FIRING) for n in range(LONE + 1)),
        then_sort=False,
    )
    sorting = Sorting(story)
    bell = sorting.sorter.inbox = AskedBell(rings=flood)
    sorting.sorter.duty = OwesMuch(1.0, 1.0)
    async with sorting.at_work(lambda: IDLE_SECONDS in bell.asked):
        assert moments <= bell.asked.count(0) <= moments + flood


async def test_a_grave_signal_does_not_wait_for_the_end_of_a_rest(story: Story) -> None:
    """A flood goes on and gets most of the time; what people must notice is sorted within it."""
    await story.arrive(
        *(story.signal(f"Many{n}", f"host-{n}", SignalStatus.FIRING) for n in range(LONE + 1)),
        then_sort=False,
    )
    sorting = Sorting(story)
    bell = sorting.sorter.inbox = AskedBell(rings=True)
    sorting.sorter.grave.ring()
    sorting.sorter.duty = OwesMuch(1.0, 1.0)
    async with sorting.at_work(lambda: IDLE_SECONDS in bell.asked):
        assert bell.asked.count(0) <= GRAVE_REST_SECONDS / LOOK_SECONDS + 1


async def test_a_hundred_poisoned_signals_make_no_hundred_cards(story: Story) -> None:
    """A fault that meets every alert is told by a few cards that count the rest; here no storm takes them up."""
    story.desk = Desk.model_validate({"correlation": {"storm_incidents": 100_000}})
    sorting = Sorting(story, {f"Poison{n}" for n in range(14)})
    await story.arrive(
        *(story.signal(f"Poison{n}", f"host{n}", SignalStatus.FIRING) for n in range(14)), then_sort=False
    )
    async with sorting.at_work(lambda: sorting.sorter.put_aside == 14):
        pass
    assert len(await story.incidents()) == unsortable.CARDS_MAX

    def firing(tx: Tx) -> int:
        return sum(tx.incidents.counts(one.id)[0] for one in tx.incidents.open())

    assert await story.store.read(firing) == 14


async def test_a_grave_signal_that_joins_a_lesser_card_makes_it_as_grave_and_is_told_in_the_channel(
    story: Story,
) -> None:
    """Ten plain cards are open: the eleventh that cannot be sorted has none of its own, and must be noticed."""
    story.desk = Desk.model_validate({"correlation": {"storm_incidents": 100_000}})
    names = [f"Poison{n}" for n in range(unsortable.CARDS_MAX)]
    sorting = Sorting(story, {*names, "Grave"})
    await story.arrive(
        *(story.signal(name, f"host-{name}", SignalStatus.FIRING, severity=Severity.SEV3) for name in names),
        then_sort=False,
    )
    async with sorting.at_work(lambda: sorting.sorter.put_aside == len(names)):
        pass
    grave_one = story.signal("Grave", "host-x", SignalStatus.FIRING, severity=Severity.SEV1)
    await story.arrive(grave_one, then_sort=False)
    async with sorting.at_work(lambda: sorting.sorter.put_aside > len(names)):
        pass
    [grave] = [one for one in await story.incidents() if one.severity is Severity.SEV1]
    assert grave.title == "Grave on host-x"
    entries = await story.store.read(lambda tx: tx.timeline.of(grave.id))
    assert [bool(one.data.get(IN_CHANNEL)) for one in entries] == [False, True]
    assert entries[-1].text.startswith("Grave on host-x joined, now Sev-1.")


async def test_a_signal_that_another_replica_sorted_meanwhile_is_not_put_aside(story: Story) -> None:
    """Whose pass failed does not take a healthy signal for the one that failed."""
    await story.arrive(story.signal("BotFrozen", "bot1", SignalStatus.FIRING), then_sort=False)
    await story.sort()
    now = story.clock.now()
    assert not await story.store.write(
        lambda tx: unsortable.put_aside(tx, story.desk, 1, "RuntimeError", now, plain=False)
    )
    assert (await outcomes(story))[0].startswith("open")


async def test_an_inbox_that_cannot_be_read_blocks_webhooks_too(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only what an alert's way writes may be damaged: what cannot even be looked for waits, and is not taken."""
    sorting = Sorting(story)
    damage = StoreUnavailable("the store cannot be read: malformed", damaged=True)

    async def refuse(*_: object, **__: object) -> object:
        raise damage

    monkeypatch.setattr(story.store, "write", refuse)
    monkeypatch.setattr(story.store, "read", refuse)
    with pytest.raises(StoreUnavailable):
        await sorting.sorter._round()
    assert "malformed" in sorting.sorter.blocked


async def test_a_damaged_table_leaves_the_signals_in_the_inbox(sqlite_url: str) -> None:
    """Nothing is put aside for the database's fault: they wait, it is said why, and webhooks are answered 503."""
    async with open_store(sqlite_url) as store:
        story = Story(store)
        await story.arrive(story.signal("BotFrozen", "bot1", SignalStatus.FIRING), then_sort=False)
    damaged_table(sqlite_url, "incidents")
    async with open_store(sqlite_url) as store:
        story = Story(store)
        sorting = Sorting(story)
        with pytest.raises(NotStored):
            await sorting.sorter.once()
        looping = asyncio.create_task(sorting.sorter.run())
        for _ in range(200):
            if sorting.sorter.blocked:
                break
            await asyncio.sleep(0.02)
        looping.cancel()
        assert "malformed" in sorting.sorter.blocked
        assert await store.read(lambda tx: tx.signals.waiting()) == 1
        assert sorting.sorter.put_aside == 0
