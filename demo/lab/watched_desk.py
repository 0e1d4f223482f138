"""The desk of one run: a world with a past, the servers that watch it, and time that passes in steps of five seconds.

A desk with a past takes a while to make; it is made once a seed and setting, and every run gets a copy of its own.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.desk.layout import Layout
from demo.desk.past import world_with_past
from demo.desk.scenarios import steps
from demo.desk.world import World
from demo.desk.world_state import MINUTE
from demo.lab.breaker import Breaker
from demo.lab.bus import LabBus
from demo.lab.incidents import Incidents
from demo.lab.listener import Listener
from demo.lab.prometheus import EVALUATES_EVERY, STEP, LabPrometheus
from demo.servers.log_store import LogStore
from triage.desk import Desk
from triage.desk_sections.triage import TriageSettings
from triage.model import Incident, utc

START = 1_772_000_000.0
SECONDS_APART = 86_400.0 * 3 + 4_700.0
"""Between the starts of two seeds: another day and another hour."""
PAST_HOURS = 2.0
TICK = 5.0
DEPLOYED_BEFORE = 2_400.0
PATIENCE_SECONDS = 120.0
"""The desk's clock stands still while triage asks: however busy the machine is, no check runs out of time."""


@dataclass(slots=True)
class Sink:
    """Takes the log lines that are shipped."""

    store: LogStore = field(default_factory=LogStore)

    def __call__(self, labels: Mapping[str, str], entries: Sequence[tuple[int, str]]) -> None:
        """Keep the lines of one stream."""
        for ns, line in entries:
            self.store.add(labels, line, ns)


@dataclass(slots=True)
class WatchedDesk:
    """One desk, watched."""

    world: World
    prometheus: LabPrometheus
    bus: LabBus
    sink: Sink
    listener: Listener
    incidents: Incidents
    evaluates_every: float = EVALUATES_EVERY
    """Seconds between two evaluations of the alert rules: fewer while the past is made."""
    degraded_since: float | None = None
    """Since when our own degraded mode is on (Unix seconds)."""
    _next_scrape: float = 0.0
    _next_evaluation: float = 0.0

    @property
    def now(self) -> float:
        """The desk's time, Unix seconds."""
        return self.world.clock.now()

    def all_incidents(self) -> list[Incident]:
        """Return every incident so far, the first one first."""
        return self.incidents.all()

    async def step(self, breaker: Breaker | None = None, tick: float = TICK) -> list[Incident]:
        """Let one tick pass; return the incidents that were opened, joined or reopened in it."""
        if breaker is not None:
            breaker.work_off()
            self.degraded_since = breaker.degraded_since
        self.world.advance(tick, tick)
        self.bus.sync(self.world)
        if self.now >= self._next_scrape:
            self._next_scrape = self.now + STEP
            await self.prometheus.scrape()
            if self.now >= self._next_evaluation:
                self._next_evaluation = self.now + self.evaluates_every
                self.prometheus.evaluate()
        signals = await self.listener.listen(breaker.alerts if breaker is not None else [])
        touched = [self.incidents.take(signal, utc(self.now)) for signal in signals]
        return [each for each in touched if each is not None]

    async def pass_time(self, seconds: float, tick: float = TICK, breaker: Breaker | None = None) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            await self.step(breaker, tick)


async def built(folder: Path, seed: int, *, deployed: str = "") -> WatchedDesk:
    """Make a desk with a past below ``folder``; ``deployed``: a bot recreated for no reason 40 minutes ago."""
    start = START + seed * SECONDS_APART
    holder: list[WatchedDesk] = []
    desk = Desk(triage=TriageSettings(deadline_seconds=PATIENCE_SECONDS))

    def desk_of(world: World) -> WatchedDesk:
        prometheus, bus, sink = LabPrometheus(world), LabBus(), Sink()
        listener = Listener(
            world=world, desk=desk, prometheus=prometheus, bus=bus, logs=sink.store, began=world.clock.now()
        )
        return WatchedDesk(
            world=world,
            prometheus=prometheus,
            bus=bus,
            sink=sink,
            listener=listener,
            incidents=Incidents(desk),
        )

    def each_minute(world: World) -> None:
        if not holder:
            holder.append(desk_of(world))
        holder[0].bus.sync(world)

    world = world_with_past(folder, now=start, seed=seed, hours=0.05, each_minute=each_minute)
    watched = holder[0]
    world.logbook.sinks.append(watched.sink)
    watched.listener.began = world.clock.now() - 86_400
    watched.listener.skip_past()
    watched.evaluates_every = EVALUATES_EVERY * 5
    await watched.pass_time(PAST_HOURS * 3_600 - DEPLOYED_BEFORE, MINUTE)
    watched.evaluates_every = EVALUATES_EVERY
    if deployed:
        steps.recreate(world, deployed)
    await watched.pass_time(DEPLOYED_BEFORE, STEP)
    if watched.all_incidents():
        raise AssertionError(
            f"seed {seed} has incidents before anything was broken: {watched.all_incidents()}"
        )
    return watched


@dataclass(slots=True)
class PreparedDesks:
    """Keeps desks that were made: by seed and deployed bot, pickled, with their folders."""

    root: Path
    _kept: dict[tuple[int, str], tuple[bytes, Path]] = field(default_factory=dict)
    _runs: int = 0

    async def take(self, seed: int, deployed: str = "") -> tuple[WatchedDesk, Path]:
        """Return a copy of that desk and its folder, which is the caller's to remove."""
        key = (seed, deployed)
        if key not in self._kept:
            folder = self.root / f"made-{seed}-{deployed or 'plain'}"
            watched = await built(folder, seed, deployed=deployed)
            watched.world.logbook.sinks.clear()
            self._kept[key] = (pickle.dumps(watched), folder)
        raw, folder = self._kept[key]
        self._runs += 1
        mine = self.root / f"run-{self._runs}"
        shutil.copytree(folder, mine)
        watched = pickle.loads(raw)  # noqa: S301 - what we pickled ourselves a moment ago
        watched.world.layout = Layout(mine)
        watched.world.logbook.sinks.append(watched.sink)
        return watched, mine
