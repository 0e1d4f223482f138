"""Redis and its streams, looked at every few seconds: which conditions stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from triage.desk import Desk
from triage.desk_events import moment_of
from triage.errors import SourceDenied, SourceError, SourceNotConfigured
from triage.model import Source, Subject, SubjectKind
from triage.ports.sources import RedisHealth, StreamInfo
from triage.signals.condition import Condition
from triage.wording import duration, percent, size

DOWN, READ_ONLY, SLOW, NOT_SAVING, EVICTING = (
    "RedisDown", "RedisReadOnly", "RedisSlow", "RedisNotSaving", "RedisEvicting",
)  # fmt: skip
STALE, BEHIND = "MarketDataStale", "StreamGroupBehind"
OF_ITS_HEALTH = frozenset({READ_ONLY, SLOW, NOT_SAVING, EVICTING})
"""What only a Redis that answers tells of itself."""
_FULL = 0.99
"""Of the limit: what it counts moves a little with its clients' buffers."""


@dataclass(frozen=True, slots=True)
class RedisObservation:
    """One look at Redis: its health, or why there is no answer. ``evicted_before``: of the look before."""

    health: RedisHealth | None
    error: SourceError | None = None
    evicted_before: int | None = None


def redis_conditions(desk: Desk, look: RedisObservation) -> dict[str, Condition]:
    """Return what is wrong with the server. A refusal of our user is our trouble and no fault of Redis."""
    if look.error is not None:
        if isinstance(look.error, (SourceDenied, SourceNotConfigured)):
            return {}
        return {DOWN: _condition(desk, DOWN, f"Redis does not answer: {look.error.why}")}
    if look.health is None:
        return {}
    return {each.name: each for each in _unwell(desk, look.health, look.evicted_before)}


def redis_unknown(look: RedisObservation) -> frozenset[str]:
    """Return of which conditions a look learned nothing: a Redis that is down is not known to be writable again."""
    if look.health is None:
        return OF_ITS_HEALTH
    return frozenset({EVICTING}) if look.evicted_before is None else frozenset()


def _unwell(desk: Desk, health: RedisHealth, evicted_before: int | None) -> Iterable[Condition]:
    if health.loading:
        yield _condition(desk, DOWN, "Redis is loading its data and takes no commands")
    if health.role != "master":
        yield _condition(desk, READ_ONLY, f"Redis is a {health.role}: it takes no writes")
    elif full := _full(health):
        yield _condition(desk, READ_ONLY, full)
    elif not health.persistence_ok and health.info.get("aof_last_write_status", "ok") != "ok":
        yield _condition(desk, READ_ONLY, "Redis cannot write its append-only file and takes no writes")
    if health.ping_seconds > desk.listening.redis_slow_seconds:
        yield _condition(desk, SLOW, f"Redis took {health.ping_seconds:.1f} s to answer PING")
    if not health.persistence_ok:
        yield _condition(
            desk, NOT_SAVING, "Redis cannot save to disk: what it holds would not survive a restart"
        )
    if evicted_before is not None and health.evicted_keys > evicted_before:
        more = health.evicted_keys - evicted_before
        yield _condition(desk, EVICTING, f"Redis dropped {more} keys to stay below its memory limit")


def _full(health: RedisHealth) -> str:
    policy = str(health.info.get("maxmemory_policy", "noeviction"))
    if not health.memory_max or policy != "noeviction" or health.memory_used / health.memory_max < _FULL:
        return ""
    share = percent(health.memory_used / health.memory_max, 0)
    return f"Redis is out of memory ({share} of {size(health.memory_max)}) and takes no writes"


def _condition(desk: Desk, name: str, text: str) -> Condition:
    # The alert on its container and our own signal are one incident: both are about the container.
    return Condition(name, Source.STREAMS, Subject(SubjectKind.CONTAINER, desk.redis_container), text)


def stream_conditions(
    desk: Desk, streams: Mapping[str, StreamInfo], now: datetime, *, expected: tuple[str, ...] | None
) -> dict[str, Condition]:
    """Return what is wrong with the streams.

    ``expected``: bots whose state, seen elsewhere, says that they publish market data now; with none of them
    an old stream is what is to be expected. None: nobody knows which do.
    """
    found: dict[str, Condition] = {}
    market = streams.get(desk.streams.market_data)
    age = age_of(market, now)
    subject = Subject(SubjectKind.DESK, desk.name)
    if age is not None and expected and age > desk.streams.market_data_stale_seconds:
        text = f"market data is {duration(age)} old although {', '.join(expected)} run"
        found[STALE] = Condition(STALE, Source.STREAMS, subject, text)
    for info in streams.values():
        for group in info.groups:
            behind = max(group.lag or 0, group.pending)
            if group.name == desk.streams.desk_group and behind > desk.listening.group_lag_max:
                text = f"{group.name} is {behind} entries behind on {info.name}"
                found[f"{BEHIND}/{info.name}"] = Condition(BEHIND, Source.STREAMS, subject, text)
    return found


def streams_unknown(
    desk: Desk, streams: Mapping[str, StreamInfo], now: datetime, *, expected: tuple[str, ...] | None
) -> frozenset[str]:
    """Return of which conditions a look learned nothing: old data of bots of which nobody knows, streams not seen."""
    names = desk.streams
    looked_at = {names.market_data, names.audit, names.execution_intent, names.dead_letter, *names.readers}
    unseen = {f"{BEHIND}/{name}" for name in looked_at - set(streams)}
    age = age_of(streams.get(names.market_data), now)
    old = age is not None and age > names.market_data_stale_seconds
    unsure = names.market_data not in streams or (old and expected is None)
    return frozenset(unseen | ({STALE} if unsure else set()))


def age_of(stream: StreamInfo | None, now: datetime) -> float | None:
    """Return how old a stream's newest entry is (seconds); None where it has none."""
    if stream is None or not stream.length or not stream.last_id:
        return None
    return max(0.0, (now - moment_of(stream.last_id, now)).total_seconds())
