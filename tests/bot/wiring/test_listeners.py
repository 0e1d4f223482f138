"""What listens, wired: a listener that is stuck is noticed by name, told, and never taken for one that is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.liveness import Liveness
from bot.readiness import LOOPS, Readiness
from bot.settings import load_settings
from bot.store import SqlStore
from bot.wiring.listeners import HEARTBEAT_SECONDS, STUCK_SECONDS, ListenerDependencies, ListenerWiring
from handlers.health import Dependency
from schedules.table import Job, running
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeContainers, FakeSources
from tests.servers.process import eventually
from triage.errors import SourceUnreachable
from triage.memory.believed_clock import BelievedClock
from triage.model import Signal
from triage.ports.events import StreamBatch
from triage.ports.sources import ContainerEvent, Sources
from triage.signals.watched_conditions import Debounce

pytestmark = pytest.mark.slow

AUDIT, DEAD = "hb.audit.v1", "hb.dead_letter.v1"


@dataclass
class SoundReader:
    """Reads a stream on which nothing happens; told to, it hangs, trips, or finds nobody there."""

    stream: str
    hangs: bool = False
    error: Exception | None = None
    reads: int = 0

    async def open(self, start_id: str, *, known_id: str = "") -> bool:
        """The group is there."""
        del start_id, known_id
        return False

    def rewind(self) -> None:
        """Nothing was read."""

    async def read(self) -> StreamBatch:
        """Wait a moment for nothing."""
        self.reads += 1
        await hold(self.hangs)
        if self.error is not None:
            raise self.error
        return StreamBatch()

    async def done(self, entries: object) -> None:
        """Nothing is acknowledged."""
        raise AssertionError(entries)

    async def standing(self) -> None:
        """Nobody knows."""


@dataclass
class SoundWatch:
    """Stands in for the watch on Redis."""

    hangs: bool = False
    trouble: str = ""
    steady: Debounce = field(default_factory=Debounce)

    async def run(self) -> bool:
        """Look once."""
        await hold(self.hangs)
        return True


@dataclass
class QuietEngine(FakeContainers):
    """An engine whose stream of events is open and silent; ``mute``: not even that, the question hangs."""

    mute: bool = False

    async def history(self, *, since: object, until: object) -> tuple[ContainerEvent, ...]:
        """Nothing happened."""
        del since, until
        await hold(self.mute)
        return ()

    async def events(self, *, since: object) -> AsyncIterator[ContainerEvent]:
        """Open, and say nothing."""
        del since
        await asyncio.Event().wait()
        yield self.past[0]


async def hold(for_good: bool) -> None:  # noqa: FBT001 - the one thing it says
    """Take a moment, or all time."""
    if for_good:
        await asyncio.Event().wait()
    await asyncio.sleep(0.01)


class Wired:
    """Listening on parts whose health a test decides."""

    def __init__(self, store: SqlStore, folder: Path) -> None:
        (folder / "desk.yaml").write_text("listening: {redis_look_seconds: 0.01}\n")
        environment = {
            "TRIAGE_DESK": "desk.yaml",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "DOCKER_HOST": "tcp://127.0.0.1:1",
        }
        self.clock, self.store = ManualClock(), store
        self.liveness = Liveness(self.clock)
        fakes = FakeSources()
        self.engine = QuietEngine()
        sources = Sources(
            metrics=fakes.metrics,
            logs=fakes.logs,
            alerts=fakes.alerts,
            containers=self.engine,
            streams=fakes.streams,
        )
        parts = ListenerDependencies(
            store=store,
            sources=sources,
            clock=self.clock,
            believed=BelievedClock(store, self.clock),
            liveness=self.liveness,
            owner="me",
            stored=lambda: None,
            dependencies=self.dependencies,
        )
        self.listening = ListenerWiring(load_settings(environment, folder=folder), parts)
        self.readers = {name: SoundReader(name) for name in (AUDIT, DEAD)}
        for listener in self.listening.streams:
            listener.reader = self.readers[listener.reader.stream]
        self.redis = SoundWatch()
        self.listening.redis = self.redis  # type: ignore[assignment] # a stand-in
        self.listening.containers.round_seconds = 0.02

    async def dependencies(self) -> dict[str, Dependency]:
        """Answer as ``/readyz`` does."""
        for loop in LOOPS:
            self.liveness.beat(loop)
        ready = Readiness(
            store=self.store,
            clock=self.clock,
            liveness=self.liveness,
            slack_connected=lambda: True,
            slack_problems=dict,
            troubles=self.listening.troubles,
        )
        return await ready.dependencies()

    async def unwell(self) -> dict[str, str]:
        """Return what ``/readyz`` says is not well."""
        return {name: each.why for name, each in (await self.dependencies()).items() if not each.ok}

    async def let_pass(self, seconds: float) -> None:
        """Let time pass, and every loop that can go round do so."""
        self.clock.move(seconds)
        await asyncio.sleep(0.5)

    def make_stuck(self, name: str) -> None:
        """Let one of the listeners hang."""
        if name in self.readers:
            self.readers[name].hangs = True
        elif name == "containers":
            self.engine.mute = True
        else:
            self.redis.hangs = True


@pytest.fixture
def wired(sqlite_store: SqlStore, tmp_path: Path) -> Wired:
    """Give listeners with whom all is well."""
    return Wired(sqlite_store, tmp_path)


@asynccontextmanager
async def listening(wired: Wired) -> AsyncIterator[None]:
    """Let all listeners run."""
    task = asyncio.create_task(wired.listening.run())
    try:
        await eventually(lambda: _began(wired), "every listener's first round")
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _began(wired: Wired) -> bool:
    return {AUDIT, DEAD, "containers", "redis"} <= set(wired.liveness.beats)


async def test_listeners_that_get_nothing_are_well(wired: Wired) -> None:
    """A silent desk is no trouble: no stream, no engine, however long nothing comes."""
    async with listening(wired):
        for _ in range(3):
            await wired.let_pass(STUCK_SECONDS - 1)
            await eventually(lambda: _all_well(wired), "every listener's round")


async def _all_well(wired: Wired) -> bool:
    return await wired.unwell() == {}


@pytest.mark.parametrize(
    ("listener", "name"),
    [(AUDIT, AUDIT), (DEAD, DEAD), ("containers", "containers"), ("redis", "redis watch")],
)
async def test_a_listener_that_hangs_is_named_and_told(wired: Wired, listener: str, name: str) -> None:
    """In its first round or later: /readyz says which one, alone; it lasts, and is an incident of ours."""
    wired.make_stuck(listener)
    async with listening(wired):
        await wired.let_pass(STUCK_SECONDS + 30)

        async def alone() -> bool:
            return await wired.unwell() == {name: "stuck: has not gone round for 2 min"}

        await eventually(alone, "the one that hangs, alone")
        (signal,) = await told_after(wired, wired.listening.desk.listening.trouble_seconds + 1)
        assert signal.name == "TriageImpaired"
        assert signal.labels["dependency"] == name
        assert signal.annotations["summary"].startswith(f"{name}: stuck: has not gone round for")


async def told_after(wired: Wired, seconds: float) -> list[Signal]:
    """Let the watch on ourselves look, some time apart; the others go round meanwhile."""
    await wired.listening.watch.run()
    await wired.let_pass(seconds)

    async def others_went_round() -> bool:
        return len(await wired.unwell()) == 1

    await eventually(others_went_round, "the others' round")
    await wired.listening.watch.run()
    return [row.signal for row in await wired.store.read(lambda tx: tx.signals.inbox(10))]


async def test_a_stuck_listener_is_told_beside_a_redis_that_is_down(wired: Wired) -> None:
    """That a stream cannot be read goes without saying then; that we hang does not."""
    async with listening(wired):
        wired.redis.steady.standing["RedisDown"] = None  # type: ignore[assignment] # that there is one
        wired.readers[AUDIT].error = SourceUnreachable("Redis", "connection refused")
        wired.readers[DEAD].hangs = True
        await eventually(_says(lambda: bool(wired.listening.streams[0].trouble)), "the trouble")
        await wired.let_pass(STUCK_SECONDS + 1)
        await eventually(_says(lambda: not wired.liveness.stuck(AUDIT)), "the other's round", within=30)
        found = await wired.listening._own_troubles()
        assert set(found) == {DEAD}


async def test_a_listener_that_is_away_is_not_stuck(wired: Wired) -> None:
    """It says why it receives nothing, and goes round."""
    async with listening(wired):
        wired.readers[AUDIT].error = SourceUnreachable("Redis", "connection refused")
        await eventually(_says(lambda: bool(wired.listening.streams[0].trouble)), "the trouble")
        await wired.let_pass(STUCK_SECONDS + 1)

        async def refused() -> bool:
            return await wired.unwell() == {AUDIT: "Redis: connection refused"}

        await eventually(refused, "the trouble alone", within=30)


async def test_a_listener_that_trips_over_itself_each_time_is_stuck(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts again and again and does nothing: a fault of ours must not look well."""
    monkeypatch.setattr("bot.liveness.AGAIN_SECONDS", 0.2)
    async with listening(wired):
        wired.readers[AUDIT].error = RuntimeError("tripped")
        before = wired.readers[AUDIT].reads
        await eventually(_says(lambda: wired.readers[AUDIT].reads > before), "a first trip")
        await wired.let_pass(STUCK_SECONDS + 1)
        before = wired.readers[AUDIT].reads
        await eventually(_says(lambda: wired.readers[AUDIT].reads > before), "another start", within=60)
        assert wired.liveness.stuck(AUDIT)


async def test_what_is_not_configured_is_not_waited_for(sqlite_store: SqlStore, tmp_path: Path) -> None:
    """A desk without Redis and without an engine has nothing that could be stuck."""
    wired = Wired(sqlite_store, tmp_path)
    fakes = FakeSources()
    sources = Sources(
        metrics=fakes.metrics,
        logs=fakes.logs,
        alerts=fakes.alerts,
        containers=fakes.containers,
        streams=fakes.streams,
    )
    parts = ListenerDependencies(
        store=sqlite_store,
        sources=sources,
        clock=wired.clock,
        believed=BelievedClock(sqlite_store, wired.clock),
        liveness=Liveness(wired.clock),
        owner="me",
        stored=lambda: None,
        dependencies=wired.dependencies,
    )
    listening = ListenerWiring(load_settings({}, folder=tmp_path), parts)
    task = asyncio.create_task(listening.run())
    await asyncio.sleep(0.2)
    wired.clock.move(hours=1)
    assert [why for why in listening.troubles().values() if why] == []
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_job_that_hangs_in_its_first_run_is_named(wired: Wired) -> None:
    """A job is expected from the start on; one of cron has no rhythm that it could miss."""

    async def nothing() -> None:
        """Never called."""

    wired.listening.expect(
        [
            Job("swift", nothing, seconds=10),
            Job("slow", nothing, seconds=600),
            Job("rare", nothing, cron="0 9 * * 1"),
        ]
    )
    wired.clock.move(3 * 10 + HEARTBEAT_SECONDS)
    assert wired.listening.troubles()["jobs"] == ""
    wired.clock.move(1)
    assert wired.listening.troubles()["jobs"] == "not done for long: swift"
    wired.liveness.beat("job:swift")
    assert wired.listening.troubles()["jobs"] == ""


async def test_a_job_that_fails_is_named_until_it_is_done_again(wired: Wired) -> None:
    """One of cron too, whose next turn may be a day away."""
    fails = [True]

    async def nightly() -> None:
        if fails[0]:
            raise MemoryError("no room")

    liveness, names = wired.liveness, {"job:nightly"}
    wired.clock.move(1)
    table = [Job("nightly", nightly, seconds=0.05, at_start=True)]
    async with running(table, beat=liveness.beat, failed=liveness.failed):
        await eventually(_says(lambda: bool(wired.listening.troubles()["jobs"])), "the fault")
        assert wired.listening.troubles()["jobs"] == "failed: nightly (MemoryError: no room)"
        assert set(liveness.faults) == names
        fails[0] = False
        wired.clock.move(1)
        await eventually(_says(lambda: not wired.listening.troubles()["jobs"]), "the job done again")


async def test_a_fault_of_a_listener_is_said_at_once_and_counted(wired: Wired) -> None:
    """It goes on by itself a few seconds later; that it failed is in /readyz all the same."""
    async with listening(wired):
        wired.readers[AUDIT].error = RecursionError("too deep")
        await eventually(_says(lambda: bool(wired.liveness.faults[AUDIT])), "the fault")
        assert "RecursionError: too deep" in wired.listening.troubles()[AUDIT]


def _says(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return condition()

    return ask
