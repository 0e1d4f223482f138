"""Looks at Redis every few seconds and at its streams every half minute; what is wrong is a signal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from loguru import logger

from schedules.living_bots import living_bots
from triage.concurrency import attempt
from triage.desk import Desk
from triage.errors import SourceDenied, SourceError, SourceNotConfigured, StoreUnavailable
from triage.model import Signal
from triage.ports.clock import Clock
from triage.ports.sources import RedisHealth, Sources, StreamInfo
from triage.ports.store import Store, Tx
from triage.signals.condition import Condition
from triage.signals.dead_letter_volume import settle_dead_letters
from triage.signals.redis_health import (
    RedisObservation,
    age_of,
    redis_conditions,
    redis_unknown,
    stream_conditions,
    streams_unknown,
)
from triage.signals.watched_conditions import Debounce, settle

LOOK_SECONDS = 2.0
"""How long one look at Redis may take: two that fail, and the pauses between, are below ten seconds."""
STREAMS_SECONDS = 30.0


@dataclass(slots=True)
class RedisWatch:
    """Asks Redis how it is. ``trouble`` says why it cannot tell (our user is refused), else empty."""

    store: Store
    desk: Desk
    sources: Sources
    clock: Clock
    stored: Callable[[], None]
    steady: Debounce = field(default_factory=Debounce)
    health: RedisHealth | None = None
    trouble: str = ""
    _settled: tuple[frozenset[str], frozenset[str]] | None = None
    """What was settled last: what stands, and of what nothing was known."""

    async def run(self) -> bool:
        """Look once. Returns False where no Redis is configured: nothing more to look at."""
        look = await self._look()
        if isinstance(look.error, SourceNotConfigured):
            await self._settle({}, frozenset())
            return False
        self.trouble = str(look.error) if isinstance(look.error, SourceDenied) else ""
        wrong, unknown = redis_conditions(self.desk, look), redis_unknown(look)
        standing = self.steady.look(wrong, unknown)
        if standing is not None:
            await self._settle(dict(standing), unknown | wrong.keys())
        return True

    async def _look(self) -> RedisObservation:
        before = self.health.evicted_keys if self.health is not None else None
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                self.health = await self.sources.streams.health()
        except TimeoutError:
            self.health = None
            return RedisObservation(None, SourceError("Redis", f"no answer within {LOOK_SECONDS:g} s"))
        except SourceError as error:
            self.health = None
            return RedisObservation(None, error)
        return RedisObservation(self.health, evicted_before=before)

    async def _settle(self, standing: dict[str, Condition], unsure: frozenset[str]) -> None:
        told = frozenset(standing), unsure
        if told == self._settled:
            return
        now = self.clock.now()
        try:
            signals = await self.store.write(
                lambda tx: settle(tx, self.desk, "redis", standing, now, unsure=unsure)
            )
        except StoreUnavailable as error:
            logger.error("the state of Redis was not stored: {why}", why=error)
            return  # told again at the next look
        self._settled = told
        tell(signals, self.stored)


@dataclass(slots=True)
class StreamsWatch:
    """Asks whether the streams get new entries and are consumed, and whether dead letters have stopped again."""

    store: Store
    desk: Desk
    sources: Sources
    clock: Clock
    stored: Callable[[], None]
    steady: Debounce = field(default_factory=Debounce)
    streams: dict[str, StreamInfo] = field(default_factory=dict)
    trouble: str = ""
    unseen: str = ""
    """Which of the streams cannot be looked at, though others can."""

    async def run(self) -> None:
        """Look once; Redis that does not answer is the other watch's matter."""
        try:
            async with asyncio.timeout(10):
                await self._ours()
                await self._others()
                living = await attempt(living_bots(self.sources.metrics, self.desk))
        except SourceNotConfigured:
            return
        except (SourceError, TimeoutError) as error:
            self.trouble, self.unseen = str(error) or "no answer within 10 s", ""
            self.streams.clear()
            return
        self.trouble = ""
        now = self.clock.now()
        expected = None if isinstance(living, SourceError) else living
        wrong = stream_conditions(self.desk, self.streams, now, expected=expected)
        unknown = streams_unknown(self.desk, self.streams, now, expected=expected)
        standing = self.steady.look(wrong, unknown)

        def work(tx: Tx) -> tuple[Signal, ...]:
            flow: tuple[Signal, ...] = ()
            if standing is not None:
                unsure = unknown | wrong.keys()
                flow = settle(tx, self.desk, "streams", standing, now, unsure=unsure)
            return (*flow, *settle_dead_letters(tx, self.desk, now))

        try:
            tell(await self.store.write(work), self.stored)
        except StoreUnavailable as error:
            logger.error("the state of the streams was not stored: {why}", why=error)

    async def _ours(self) -> None:
        """Look at the streams that this service needs; one that cannot be looked at costs only itself, and is said."""
        names, errors = self.desk.streams, list[SourceError]()
        ours = (names.market_data, names.audit, names.execution_intent, names.dead_letter)
        for stream in ours:
            self.streams.pop(stream, None)
            found = await attempt(self.sources.streams.info(stream))
            if not isinstance(found, SourceError):
                self.streams[stream] = found
            elif isinstance(found, SourceNotConfigured):
                raise found
            else:
                errors.append(found)
        if len(errors) == len(ours):
            raise errors[0]
        unseen = [stream for stream in ours if stream not in self.streams]
        self.unseen = f"{', '.join(unseen)} cannot be looked at: {errors[0]}" if errors else ""

    async def _others(self) -> None:
        """Look at the streams that only the desk's services read; one that our user may not see costs only itself."""
        names = self.desk.streams
        mine = {names.market_data, names.audit, names.execution_intent, names.dead_letter}
        for stream in (each for each in names.readers if each not in mine):
            self.streams.pop(stream, None)
            found = await attempt(self.sources.streams.info(stream))
            if not isinstance(found, SourceError):
                self.streams[stream] = found

    def ages(self) -> dict[str, float]:
        """Return how old each stream's newest entry is, in seconds."""
        now = self.clock.now()
        found = {name: age_of(info, now) for name, info in self.streams.items()}
        return {name: age for name, age in found.items() if age is not None}


def tell(signals: tuple[Signal, ...], stored: Callable[[], None]) -> None:
    """Log what turned and wake the sorter."""
    for signal in signals:
        text = signal.annotations.get("summary", "it is well again")
        logger.warning("{name} {status}: {text}", name=signal.name, status=signal.status.value, text=text)
    if signals:
        stored()


__all__ = ["RedisWatch", "StreamsWatch", "tell"]
