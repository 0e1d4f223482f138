"""Is Redis well and do the streams flow: reachability, role, memory, ages, groups, dead letters.

Redis that does not answer is the finding (critical), not an unknown: it is the incident that degraded
mode is for. Not configured, or not allowed to us, is unknown.

``data``: ``{"reachable": bool, "why", "role", "loading": bool, "memory_used", "memory_max" (bytes),
"memory_policy" (of eviction), "evicted",
"persistence_ok": bool, "market_data_age_seconds", "audit_age_seconds" (None: stream empty),
"dead_letters_hour", "dead_letters_at_least": bool, "dead_letter_reasons": {reason: count},
"groups": [{"stream", "name", "lag", "pending"}], "ungrouped": [stream]}``: streams that hold entries and that the desk's
own group does not read, of those that a service of the desk reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from triage.concurrency import attempt, together
from triage.desk_events import DeskEvent, PayloadEntry, moment_of
from triage.diagnosis.checks.base import CheckContext, each_of, refused, worst_status
from triage.errors import SourceDenied, SourceError, SourceNotConfigured
from triage.masking import masked
from triage.model import Finding, FindingStatus, Json
from triage.outside_numbers import is_whole
from triage.ports.sources import RedisHealth, StreamEntry, StreamInfo
from triage.signals.dead_letters import read_dead_letter, volume
from triage.signals.rates import Rate
from triage.wording import counted, duration, percent, size, times

NAME = "streams"
TITLE = "Streams"
SOURCE = "Redis"

_DEAD_MAX = 1000
_LAG_MAX = 1000
_MEMORY_WARNING, _MEMORY_CRITICAL = 0.85, 0.97
_SLOW_PING_SECONDS = 0.5
_UNREADABLE = "unreadable"
_UNREAD_SHARE = 0.5
"""Above this share of dead letters without a reason, their reasons are not known."""


@dataclass(slots=True)
class StreamsNow:
    """What Redis says; see the module."""

    reachable: bool = True
    why: str = ""
    role: str = ""
    loading: bool = False
    memory_used: int = 0
    memory_max: int = 0
    memory_policy: str = "noeviction"
    evicted: int = 0
    persistence_ok: bool = True
    market_data_age_seconds: float | None = None
    audit_age_seconds: float | None = None
    dead_letters_hour: int = 0
    dead_letters_at_least: bool = False
    dead_letter_reasons: dict[str, int] = field(default_factory=dict)
    groups: list[dict[str, Json]] = field(default_factory=list)
    ungrouped: list[str] = field(default_factory=list)


_Part = tuple[FindingStatus, str]


async def run(ctx: CheckContext) -> Finding:
    """Ask Redis about itself and about the desk's streams."""
    names, streams = ctx.desk.streams, ctx.sources.streams
    (health, market, audit, dead), others = await together(
        together(
            attempt(streams.health()),
            attempt(streams.info(names.market_data)),
            attempt(streams.info(names.audit)),
            attempt(
                streams.between(
                    names.dead_letter, start=ctx.now - timedelta(hours=1), end=ctx.now, count=_dead_max(ctx)
                )
            ),
        ),
        each_of(streams.info(name) for name in names.readers if name not in {names.market_data, names.audit}),
    )
    now = StreamsNow()
    if isinstance(health, SourceError):
        if all(isinstance(each, SourceError) for each in (market, audit, dead)):
            if isinstance(health, SourceNotConfigured | SourceDenied):
                raise health
            return _down(health)
        # Who answers for its streams is up, whatever it does not tell of itself (INFO may be denied).
        parts = [(FindingStatus.UNKNOWN, f"Redis answers, its own state is not known: {health.why}")]
    else:
        parts = [*_server(health, now)]
    parts += _flow(ctx, market, audit, now)
    if isinstance(dead, SourceError):
        parts.append((FindingStatus.UNKNOWN, "dead letters not known"))
    else:
        parts += _dead_letters(ctx, dead, now)
    infos = [each for each in (market, audit, *others) if not isinstance(each, SourceError)]
    parts += _groups(infos, now)
    now.ungrouped = [
        each.name
        for each in infos
        if each.length
        and each.name in names.readers
        and names.desk_group not in {group.name for group in each.groups}
    ]
    parts += [
        (FindingStatus.WARNING, f"no group {names.desk_group} on {stream}: nobody reads it on")
        for stream in now.ungrouped
    ]
    ranked = sorted(parts, key=lambda part: part[0] is FindingStatus.OK)
    return Finding(
        name=NAME,
        status=worst_status(status for status, _ in parts),
        headline=" · ".join(text for _, text in ranked if text),
        source=SOURCE,
        why=refused(market, audit, dead, *others),
        details=tuple(
            f"dead letters: {_bound(now)}{times(n)} {reason}" for reason, n in now.dead_letter_reasons.items()
        ),
        data=asdict(now),
    )


def _down(error: SourceError) -> Finding:
    return Finding(
        NAME,
        FindingStatus.CRITICAL,
        f"Redis does not answer: {error.why}",
        SOURCE,
        data=asdict(StreamsNow(reachable=False, why=error.why)),
    )


def _server(health: RedisHealth, now: StreamsNow) -> Iterable[_Part]:
    now.role, now.memory_used, now.memory_max = health.role, health.memory_used, health.memory_max
    now.loading = health.loading
    now.memory_policy = str(health.info.get("maxmemory_policy", now.memory_policy))
    now.evicted, now.persistence_ok = health.evicted_keys, health.persistence_ok
    if health.loading:
        yield FindingStatus.CRITICAL, "Redis is loading its data"
    if health.role != "master":
        yield FindingStatus.CRITICAL, f"Redis is a {health.role}: it takes no writes"
    if not health.persistence_ok:
        yield FindingStatus.WARNING, "Redis cannot save to disk"
    if health.ping_seconds > _SLOW_PING_SECONDS:
        yield FindingStatus.WARNING, f"Redis answers slowly ({health.ping_seconds:.1f} s)"
    yield _memory(health)
    if health.evicted_keys:
        yield FindingStatus.WARNING, f"{health.evicted_keys} keys evicted"


def _memory(health: RedisHealth) -> _Part:
    if not health.memory_max:
        return FindingStatus.OK, f"Redis up, {size(health.memory_used)}"
    share = health.memory_used / health.memory_max
    text = f"Redis up, memory {percent(share, 0)} of {size(health.memory_max)}"
    if share > _MEMORY_CRITICAL:
        return FindingStatus.CRITICAL, text
    return (FindingStatus.WARNING if share > _MEMORY_WARNING else FindingStatus.OK), text


def _flow(
    ctx: CheckContext, market: StreamInfo | SourceError, audit: StreamInfo | SourceError, now: StreamsNow
) -> Iterable[_Part]:
    now.market_data_age_seconds = None if isinstance(market, SourceError) else _age(market, ctx.now)
    now.audit_age_seconds = None if isinstance(audit, SourceError) else _age(audit, ctx.now)
    limit = ctx.desk.streams.market_data_stale_seconds
    if isinstance(market, SourceError):
        yield FindingStatus.UNKNOWN, "market data not known"
    elif now.market_data_age_seconds is None:
        yield FindingStatus.WARNING, "no market data in the stream"
    else:
        stale = now.market_data_age_seconds > limit
        text = f"market data {duration(now.market_data_age_seconds)} old"
        yield (FindingStatus.WARNING if stale else FindingStatus.OK), text
    # The audit stream is quiet on a quiet desk: its age says something only beside the rest.
    if isinstance(audit, SourceError):
        yield FindingStatus.UNKNOWN, "audit stream not known"
        return
    text = (
        "audit stream empty"
        if now.audit_age_seconds is None
        else f"audit {duration(now.audit_age_seconds)} old"
    )
    yield (FindingStatus.WARNING if now.audit_age_seconds is None else FindingStatus.OK), text


def _age(stream: StreamInfo, now: datetime) -> float | None:
    milliseconds = stream.last_id.partition("-")[0]
    if not stream.length or not is_whole(milliseconds):
        return None
    return max(0.0, now.timestamp() - int(milliseconds) / 1000)


def _dead_letters(ctx: CheckContext, entries: tuple[StreamEntry, ...], now: StreamsNow) -> Iterable[_Part]:
    """Judge their volume as the signal does: an absolute limit, and the rate against what there was before."""
    reasons = Counter(_reason_of(ctx, entry) for entry in entries)
    now.dead_letters_hour = len(entries)
    now.dead_letters_at_least = len(entries) >= _dead_max(ctx)
    now.dead_letter_reasons = dict(reasons.most_common(8))
    window = ctx.now - timedelta(minutes=ctx.desk.listening.window_minutes)
    lately = sum(moment_of(entry.id, ctx.now) >= window for entry in entries)
    wrong = volume(ctx.desk, reasons, replace(ctx.dead_letters or Rate(0, 0, 0), count=lately))
    bound = _bound(now)
    unread = reasons.get(_UNREADABLE, 0)
    if unread > _UNREAD_SHARE * len(entries):
        yield FindingStatus.UNKNOWN, f"{unread} of {len(entries)} dead letters could not be read"
    if wrong is None:
        yield FindingStatus.OK, f"{bound}{counted(len(entries), 'dead letter')} in 1 h"
    else:
        yield FindingStatus.WARNING, f"{bound}{wrong.text}"


def _bound(now: StreamsNow) -> str:
    """Of what was read up to the limit there is at least so much, of each reason too."""
    return "≥ " if now.dead_letters_at_least else ""


def _dead_max(ctx: CheckContext) -> int:
    """Return how many are read: enough to know that there are more than the limit allows."""
    return max(_DEAD_MAX, int(ctx.desk.streams.dead_letters_per_hour_max) + 1)


def _reason_of(ctx: CheckContext, entry: StreamEntry) -> str:
    """Return a dead letter's reason as it is counted, masked; ``unreadable`` where it has none."""
    stream = ctx.desk.streams.dead_letter
    letter = read_dead_letter(ctx.desk, stream, PayloadEntry(entry.id, entry.fields.get("payload")), ctx.now)
    return masked(letter.reason)[:80] if isinstance(letter, DeskEvent) else _UNREADABLE


def _groups(streams: Iterable[StreamInfo], now: StreamsNow) -> Iterable[_Part]:
    for stream in streams:
        for group in stream.groups:
            now.groups.append(
                {"stream": stream.name, "name": group.name, "lag": group.lag, "pending": group.pending}
            )
            behind = max(group.lag or 0, group.pending)
            if behind > _LAG_MAX:
                yield FindingStatus.WARNING, f"{group.name} is {behind} entries behind on {stream.name}"
