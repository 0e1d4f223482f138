"""What the lab watches itself, as the product does: Redis and its streams, log lines, health checks, the Watchdog."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from demo.lab.evidence.logs import LabLogs
from demo.lab.evidence.streams import LabStreams
from triage.desk import Desk
from triage.errors import SourceError
from triage.model import Signal, SignalStatus, Source, utc
from triage.signals.condition import Condition
from triage.signals.dead_letters import volume
from triage.signals.log_silence import STOPPED, LogFlow, log_silence
from triage.signals.redis_health import (
    RedisObservation,
    redis_conditions,
    redis_unknown,
    stream_conditions,
)
from triage.signals.watchdog import watchdog_missing
from triage.signals.watched_conditions import Debounce, begun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from demo.desk.world import World
    from demo.lab.bus import LabBus
    from demo.servers.log_store import LogStore
    from triage.desk_events import DeskEvent
    from triage.signals.rates import Rate

LINES_EVERY, USUAL_SECONDS = 60.0, 5_400.0
"""How often Loki is asked for its lines, and over how long what is usual is counted: a run has two hours behind it."""


@dataclass(slots=True)
class Watches:
    """Which conditions stand; a signal when one begins and when it ends. ``began``: since when we look (Unix seconds)."""

    world: World
    desk: Desk
    bus: LabBus
    logs: LogStore
    began: float
    watchdog_at: float = 0.0
    _redis: Debounce = field(default_factory=Debounce)
    _streams: Debounce = field(default_factory=Debounce)
    _standing: dict[str, Signal] = field(default_factory=dict)
    _evicted: int | None = None
    _lines: Debounce = field(default_factory=Debounce)
    _lines_due: float = 0.0

    @property
    def now(self) -> datetime:
        """The desk's time."""
        return utc(self.world.clock.now())

    async def look(
        self, events: Sequence[DeskEvent], letters: Rate, unhealthy: Mapping[str, Condition]
    ) -> list[Signal]:
        """Return what began and what ended since the last look; ``unhealthy``: containers whose health check fails."""
        server = await self._server()
        wrong = dict(self._redis.look(redis_conditions(self.desk, server), redis_unknown(server)) or {})
        if self.world.redis.serving:
            wrong |= await self._flow()
            told = [each for each in events if each.source is Source.DEAD_LETTER]
            hour = Counter(each.reason for each in told if self.now - each.at <= timedelta(hours=1))
            loud = volume(self.desk, hour, letters)
            wrong |= {loud.name: loud} if loud is not None else {}
        wrong |= {f"health/{name}": one for name, one in unhealthy.items()}
        wrong |= await self._log_lines()
        blind = watchdog_missing(
            self.desk, seen=utc(self.watchdog_at), rule_loaded=True, started=utc(self.began), now=self.now
        )
        wrong |= {blind.name: blind} if blind is not None else {}
        return self._settled(wrong)

    async def _flow(self) -> Mapping[str, Condition]:
        source, streams = LabStreams(self.world, self.bus), self.desk.streams
        watched = (streams.market_data, streams.audit, streams.execution_intent, streams.dead_letter)
        infos = {name: await source.info(name) for name in dict.fromkeys((*watched, *streams.readers))}
        expected = tuple(bot for bot in self.world.bots if self._publishes(bot))
        return self._streams.look(stream_conditions(self.desk, infos, self.now, expected=expected)) or {}

    async def _log_lines(self) -> Mapping[str, Condition]:
        now = self.world.clock.now()
        if now >= self._lines_due:
            self._lines_due = now + LINES_EVERY
            try:
                look = await self._log_flow()
            except SourceError:
                return self._lines.standing
            silent = log_silence(self.desk, look, self.now, stands=STOPPED in self._lines.standing)
            self._lines.look({STOPPED: silent} if silent is not None else {})
        return self._lines.standing

    async def _log_flow(self) -> LogFlow:
        selector, window = self.desk.listening.log_selector, 60 * self.desk.listening.log_silence_minutes
        logs, then = LabLogs(self.world, self.logs), utc(self.world.clock.now() - window)
        late = await logs.counts(selector, by="", end=self.now, window_seconds=window)
        if late:
            return LogFlow(sum(late.values()), 0.0, ())
        before = await logs.counts(selector, by="", end=then, window_seconds=USUAL_SECONDS)
        living = tuple(bot for bot in self.world.bots if self._publishes(bot))
        return LogFlow(0, sum(before.values()) * window / USUAL_SECONDS, living)

    async def _server(self) -> RedisObservation:
        try:
            health = await LabStreams(self.world, self.bus).health()
        except SourceError as error:
            return RedisObservation(None, error)
        before, self._evicted = self._evicted, health.evicted_keys
        return RedisObservation(health, evicted_before=before)

    def _publishes(self, bot: str) -> bool:
        """Whether the bot's state, as its metrics show it, says that it publishes market data now."""
        row = self.world.bots[bot].shown
        fresh = self.desk.triage.snapshot_stale_seconds
        return row is not None and row.state != "hard_stop" and self.world.clock.now() - row.at < fresh

    def _settled(self, wrong: dict[str, Condition]) -> list[Signal]:
        signals = []
        for key, condition in wrong.items():
            if key not in self._standing:
                self._standing[key] = begun(self.desk, "lab", key, condition, self.now)
                signals.append(self._standing[key])
        for key in [one for one in self._standing if one not in wrong]:
            ended = self._standing.pop(key)
            signals.append(
                replace(ended, status=SignalStatus.RESOLVED, ends_at=self.now, received_at=self.now)
            )
        return signals
