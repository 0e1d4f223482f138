"""Container events: an operator told from a crash, a loop at its third turn, nothing missed, nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.sources.docker.shapes import unreadable_event
from bot.sources.opening import open_sources
from bot.store import SqlStore
from handlers.containers import ContainerListener
from tests.fakes.breaking import FAULTS
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeContainers
from tests.servers.desk import Desk as ComposeDesk
from tests.triage.incidents.desk_story import title_of
from triage.desk import Desk
from triage.desk_events import DeskEvent
from triage.incidents.intake import Intake
from triage.model import Incident, TimelineEntry
from triage.plans.record import ActionRecord, ActionStatus
from triage.ports.clock import Clock, SystemClock
from triage.ports.sources import ContainerEvent, ContainerState
from triage.ports.store import Tx
from triage.signals.containers import container_event

DESK = Desk.model_validate({"listening": {"look_back_minutes": 0}})  # the engine has had other tests


class Engine:
    """A fake engine whose events a test tells one by one."""

    def __init__(self, store: SqlStore) -> None:
        self.clock = ManualClock()
        self.fake = FakeContainers()
        self.store = store
        self.listener = listener_on(self.fake, store, self.clock)

    async def say(
        self, action: str, *, container: str = "hbot-bot1", after: float = 1, **facts: object
    ) -> None:
        """Let the engine tell one event, some seconds after the last."""
        self.clock.move(after)
        self.fake.past.append(self.event(action, container, **facts))
        await self.listen()

    def event(self, action: str, container: str, **facts: object) -> ContainerEvent:
        """Make an event as the engine tells it."""
        values: dict[str, object] = {"container_id": f"id-{container}", "image": "hbot/bot:1", **facts}
        at = self.clock.now()
        time_ns = int(at.timestamp() * 1e9)
        return ContainerEvent(action=action, container=container, at=at, time_ns=time_ns, **values)  # type: ignore[arg-type]

    async def listen(self) -> None:
        """Follow until the fake's stream ends."""
        await self.listener.follow()

    async def incidents(self) -> list[Incident]:
        """Sort, and return every incident."""
        return await sorted_incidents(self.store, self.clock)

    async def names(self) -> list[str]:
        """Return the names of the signals made."""
        rows = await self.store.read(
            lambda tx: tx.signals._connection.exec_driver_sql("SELECT name FROM signals ORDER BY id").all()  # type: ignore[attr-defined]
        )
        return [str(row[0]) for row in rows]


def listener_on(containers: object, store: SqlStore, clock: Clock) -> ContainerListener:
    """Make a listener."""
    return ContainerListener(containers=containers, store=store, desk=DESK, clock=clock, stored=lambda: None)  # type: ignore[arg-type]


async def sorted_incidents(store: SqlStore, clock: Clock) -> list[Incident]:
    """Sort the inbox and return every incident."""
    now = clock.now()
    intake = Intake(DESK, lambda signal: title_of(DESK, signal))

    def work(tx: Tx) -> list[Incident]:
        intake.sort_inbox(tx, now)
        return tx.incidents.recent(now.replace(year=2000))

    return await store.write(work)


@pytest.fixture
def engine(sqlite_store: SqlStore) -> Engine:
    """Give a fake engine with a listener."""
    return Engine(sqlite_store)


async def test_a_crash_is_a_signal_of_its_bot(engine: Engine) -> None:
    """A death that nobody asked for, on the bot that runs in the container."""
    await engine.say("die", exit_code=1)
    (incident,) = await engine.incidents()
    assert (incident.name, str(incident.subject), incident.severity.value) == (
        "ContainerDied",
        "bot1",
        "Sev-2",
    )


@pytest.mark.parametrize("signal", ["15", "9", "2"])
async def test_a_stop_by_hand_is_no_signal(signal: str, engine: Engine) -> None:
    """The engine was told to send the signal: it stands among the changes."""
    await engine.say("kill", signal=signal)
    await engine.say("die", exit_code=137, after=8)
    await engine.say("stop", after=0.1)
    assert await engine.incidents() == []
    events = await kept(engine.store, engine.clock)
    assert [event.text for event in events if event.category == "die"] == [
        "hbot-bot1 was stopped by hand (exit code 137)"
    ]


async def test_a_harmless_signal_before_a_crash_excuses_nothing(engine: Engine) -> None:
    """SIGUSR1 does not end a process that expects it."""
    await engine.say("kill", signal="10")
    await engine.say("die", exit_code=1)
    assert await engine.names() == ["ContainerDied"]


async def test_a_loop_is_seen_at_its_third_turn(engine: Engine) -> None:
    """Two falls are falls; the third is a loop, said once and not at each further turn."""
    for turn in range(6):
        await engine.say("die", exit_code=1, after=2)
        await engine.say("start", after=0.5)
        await engine.incidents()
        assert ("ContainerRestartLoop" in await engine.names()) == (turn >= 2)
    assert await engine.names() == ["ContainerDied", "ContainerRestartLoop"]
    (incident,) = await engine.incidents()
    assert incident.severity.value == "Sev-1"


async def test_a_fall_right_after_an_action_of_our_own_is_told_as_ours(engine: Engine) -> None:
    """A rollback to a broken image: whoever reads the incident knows at once what to take back."""
    now = engine.clock.now()
    record = ActionRecord(
        kind="rollback",
        target="bot1",
        why="why",
        proposed_by="U1",
        proposed_at=now,
        expires_at=now,
        changed_at=now,
        arguments={"image": "hbot/bot:2"},
        status=ActionStatus.SUCCEEDED,
        started_at=now - timedelta(seconds=40),
    )
    await engine.store.write(lambda tx: tx.actions.add(record))
    await engine.say("die", exit_code=1)
    (incident,) = await engine.incidents()
    signals = await engine.store.read(lambda tx: tx.incidents.episodes([incident.id]))
    assert signals[0].annotations["summary"] == (
        "hbot-bot1 died by itself (exit code 1), 41 s after our own Rollback on bot1 (image hbot/bot:2)"
    )


async def test_falls_far_apart_are_no_loop(engine: Engine) -> None:
    """Three in an hour are three falls."""
    for _ in range(3):
        await engine.say("die", exit_code=1, after=1200)
    assert "ContainerRestartLoop" not in await engine.names()


async def test_out_of_memory_is_told_once(engine: Engine) -> None:
    """The oom event says it; the death that follows is part of it."""
    await engine.say("oom")
    await engine.say("die", exit_code=137, after=0.2)
    assert await engine.names() == ["ContainerOomKilled"]


async def test_an_unhealthy_container_fires_until_it_is_well(engine: Engine) -> None:
    """It holds its incident open, and closes it."""
    await engine.say("health_status", container="hbot-redis", attributes={"health": "unhealthy"})
    (incident,) = await engine.incidents()
    assert incident.is_open
    assert (incident.name, str(incident.subject)) == ("ContainerUnhealthy", "hbot-redis")
    await engine.say("health_status", container="hbot-redis", after=60, attributes={"health": "healthy"})
    (incident,) = await engine.incidents()
    assert not incident.is_open


async def test_somebody_elses_container_is_not_taken(engine: Engine) -> None:
    """One engine can serve others too."""
    await engine.say("die", container="mail-server", exit_code=1)
    assert await engine.names() == []
    assert await kept(engine.store, engine.clock) == []


async def test_an_event_that_is_told_twice_counts_once(engine: Engine) -> None:
    """After a break the engine is asked for the past again."""
    await engine.say("die", exit_code=1)
    for _ in range(3):
        await engine.listen()
    assert await engine.names() == ["ContainerDied"]
    assert engine.listener.counts.stored == 1


async def test_a_deploy_before_an_incident_stands_on_its_timeline(engine: Engine) -> None:
    """What changed is the first question: the recreation with another image, ten minutes before."""
    await engine.say("create", image="hbot/bot:1")
    await engine.say("destroy", after=86_400, image="hbot/bot:1")
    await engine.say("create", image="hbot/bot:2")
    await engine.say("die", after=600, exit_code=1, image="hbot/bot:2")
    (incident,) = await engine.incidents()
    lines = await timeline(engine.store, incident.id)
    assert [(line.kind.value, line.text) for line in lines] == [
        ("change", "hbot-bot1 removed"),
        ("change", "hbot-bot1 created with a new image hbot/bot:2 (was hbot/bot:1)"),
        ("opened", "ContainerDied on bot1"),
    ]


async def test_a_death_that_a_restarted_engine_forgot_is_found_in_the_state(engine: Engine) -> None:
    """Its events are gone with the old engine; the container's own state is not."""
    await engine.say("start")
    engine.clock.move(60)
    ended = engine.clock.now()
    engine.clock.move(60)
    engine.fake.past.clear()
    engine.fake.hold(state("hbot-bot1", status="exited", finished_at=ended, exit_code=255))
    await engine.listen()
    await engine.listen()
    (incident,) = await engine.incidents()
    assert incident.name == "ContainerDied"
    assert await engine.names() == ["ContainerDied"]


class MuteEngine(FakeContainers):
    """An engine whose stream of events stays open and tells nothing more: its connection is dead, and nobody knows."""

    async def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield the past of that moment, then hang."""
        for each in [each for each in self.past if each.at >= since]:
            yield each
        await asyncio.Event().wait()


async def test_a_connection_that_died_silently_is_made_anew(sqlite_store: SqlStore) -> None:
    """Nothing comes for a round: the stream is opened again from where it was, and the listener goes round."""
    engine, rounds = Engine(sqlite_store), []
    engine.fake = MuteEngine()
    listener = listener_on(engine.fake, sqlite_store, engine.clock)
    listener.round_seconds, listener.beat = 0.05, lambda: rounds.append(1)
    task = asyncio.create_task(listener.run())
    try:
        await until(lambda: len(rounds) > 2)
        engine.fake.past.append(engine.event("die", "hbot-bot1", exit_code=1))
        await until(lambda: listener.counts.stored == 1)
        assert (listener.counts.reconnects, listener.trouble) == (0, ""), "a quiet desk is no broken one"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert await engine.names() == ["ContainerDied"]


async def test_a_real_crash_loop_and_a_real_stop_are_told_apart(
    desk: ComposeDesk, sqlite_store: SqlStore
) -> None:
    """On a real engine: bot1 crashes by itself, bot2 is stopped by hand."""
    clock = SystemClock()
    async with open_sources(docker_host=desk.engine.host) as sources:
        listener = listener_on(sources.containers, sqlite_store, clock)
        task = asyncio.create_task(listener.run())
        try:
            await desk.up("bot1", "bot2", profiles=("multi",))
            desk.trouble("bot1", "crash")
            await desk.compose("stop", "-t", "1", "bot2")
            await until(lambda: listener.counts.signals >= 2)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    incidents = await sorted_incidents(sqlite_store, clock)
    assert [str(incident.subject) for incident in incidents] == ["bot1"]
    texts = [event.text for event in await kept(sqlite_store, clock) if event.category == "die"]
    assert any("hbot-bot2 was stopped by hand" in text for text in texts)
    assert any("hbot-bot1 died by itself" in text for text in texts)


async def test_nothing_is_missed_while_a_real_engine_restarts(
    desk: ComposeDesk, sqlite_store: SqlStore
) -> None:
    """The stream breaks, the listener comes back, and the end of the containers is known."""
    async with open_sources(docker_host=desk.engine.host) as sources:
        listener = listener_on(sources.containers, sqlite_store, SystemClock())
        task = asyncio.create_task(listener.run())
        try:
            await desk.up("bot1", profiles=())
            await until(lambda: listener.counts.stored >= 2)
            await desk.engine.restart()
            await until(lambda: listener.counts.reconnects >= 1 and not listener.trouble, within=40)
            await desk.engine.docker("kill", "hbot-bot1")
            await until(lambda: listener.counts.stored >= 5)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    events = await kept(sqlite_store, SystemClock())
    assert len({event.key for event in events}) == len(events)
    assert any(event.category in {"die", "missed"} for event in events)


def state(name: str, **changes: object) -> ContainerState:
    """Return a container's state."""
    values: dict[str, object] = {
        "name": name, "id": f"id-{name}", "status": "running", "image": "hbot/bot:1", "image_id": "sha256:1",
        "created_at": None, "started_at": None, "finished_at": None, "restart_count": 0, "exit_code": 0,
        "oom_killed": False, "health": "", **changes,
    }  # fmt: skip
    return ContainerState(**values)  # type: ignore[arg-type] # the caller names fields


async def kept(store: SqlStore, clock: Clock) -> list[DeskEvent]:
    """Return what is stored."""
    now = clock.now() + timedelta(days=1)
    return await store.read(lambda tx: tx.events.of((), since=now.replace(year=2000), until=now))


async def timeline(store: SqlStore, incident_id: int) -> Iterable[TimelineEntry]:
    """Return an incident's timeline."""
    return await store.read(lambda tx: tx.timeline.of(incident_id))


async def until(condition: Callable[[], bool], *, within: float = 30) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_an_event_that_raises_an_error_costs_only_itself(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """It is kept aside and said; the later ones are taken, and after a break it is not met again for ever."""
    engine = Engine(sqlite_store)

    def tripped(desk: Desk, told: ContainerEvent, now: datetime) -> DeskEvent | None:
        if told.container == "hbot-poison":
            raise fault
        return container_event(desk, told, now)

    monkeypatch.setattr("handlers.containers.container_event", tripped)
    await engine.say("die", container="hbot-poison", exit_code=1)
    await engine.say("oom")
    await engine.say("die", exit_code=137)
    assert await engine.names() != []
    assert engine.listener.counts.parked >= 1
    assert "could not be taken" in engine.listener.aside
    parked = await sqlite_store.read(
        lambda tx: tx.events._connection.exec_driver_sql("SELECT reason, payload FROM parked_entries").all()  # type: ignore[attr-defined]
    )
    assert len(parked) == 1
    assert type(fault).__name__ in parked[0][0]
    assert "hbot-poison" in parked[0][1]


async def test_an_event_that_we_failed_on_is_tried_again_after_a_start(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as it would have, and says nothing of the health that a later one told."""
    engine = Engine(sqlite_store)
    trips = {"unhealthy"}

    def tripped(desk: Desk, told: ContainerEvent, now: datetime) -> DeskEvent | None:
        if told.attributes.get("health") in trips:
            raise ZeroDivisionError
        return container_event(desk, told, now)

    monkeypatch.setattr("handlers.containers.container_event", tripped)
    await engine.say("health_status", attributes={"health": "unhealthy"})
    await engine.say("health_status", attributes={"health": "healthy"}, after=3)
    sizes = await sqlite_store.read(lambda tx: tx.events.sizes())
    assert sizes == {"events": 1, "parked": 1}
    still = listener_on(engine.fake, sqlite_store, engine.clock)
    await still.follow()
    assert await sqlite_store.read(lambda tx: tx.events.sizes()) == sizes
    trips.clear()
    engine.listener = listener_on(engine.fake, sqlite_store, engine.clock)
    await engine.listen()
    assert await sqlite_store.read(lambda tx: tx.events.sizes()) == {"events": 2, "parked": 0}
    assert await engine.names() == [], "it is healthy by now"


async def test_an_event_of_another_shape_is_kept_aside(sqlite_store: SqlStore) -> None:
    """The engine's next version tells something else: what is understood is taken."""
    engine = Engine(sqlite_store)
    odd = unreadable_event(b'{"Type": "container", "Actor": null}')
    engine.fake.past.append(replace(odd, at=engine.clock.now()))  # the fake tells what is new by its time
    await engine.say("oom")
    await engine.say("die", exit_code=137)
    assert engine.listener.counts.parked >= 1
    assert await engine.names() != []
