"""Redis, asked in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from demo.lab.bus import GROUP
from demo.lab.evidence.answering import answering
from triage.errors import SourceRejected, SourceUnreachable
from triage.ports.sources import GroupInfo, RedisHealth, StreamEntry, StreamInfo

if TYPE_CHECKING:
    from demo.desk.world import World
    from demo.lab.bus import LabBus


@dataclass(slots=True)
class LabStreams:
    """Redis."""

    world: World
    bus: LabBus

    def _answering(self) -> None:
        answering(self.world, "redis", "Redis")
        if not self.world.redis.serving:
            raise SourceUnreachable("Redis", "Connection refused")

    async def health(self) -> RedisHealth:
        """Describe the server."""
        self._answering()
        redis = self.world.redis
        info: dict[str, Any] = {
            "maxmemory_policy": "allkeys-lru" if redis.evicts else "noeviction",
            "aof_last_write_status": "err" if redis.refuses_writes == "disk" else "ok",
            "rdb_last_bgsave_status": "ok" if redis.saves else "err",
        }
        return RedisHealth(
            role="slave" if redis.refuses_writes == "replica" else "master",
            memory_used=redis.memory_used,
            memory_max=redis.memory_max,
            evicted_keys=redis.evicted,
            persistence_ok=redis.saves,
            loading=False,
            ping_seconds=redis.answers_in,
            info=info,
        )

    async def info(self, stream: str) -> StreamInfo:
        """Describe one stream."""
        self._answering()
        entries = self.bus.entries.get(stream, [])
        last = entries[-1].id if entries else ""
        lag = self.bus.lag(stream)
        group = GroupInfo(
            name=GROUP, pending=0, lag=lag, last_delivered_id=last if not lag else "0-0", consumers=1
        )
        return StreamInfo(stream, len(entries), last, (group,) if self.bus.has_group(stream) else ())

    async def newest(self, stream: str, *, count: int = 100) -> tuple[StreamEntry, ...]:
        """Return the newest entries, oldest first."""
        self._answering()
        return tuple(
            StreamEntry(each.id, {"payload": each.payload})
            for each in self.bus.entries.get(stream, [])[-count:]
        )

    async def between(
        self, stream: str, *, start: datetime, end: datetime, count: int = 1000
    ) -> tuple[StreamEntry, ...]:
        """Return entries of a time range, oldest first."""
        self._answering()
        first, last = start.timestamp(), end.timestamp()
        found = [each for each in self.bus.entries.get(stream, []) if first <= each.at <= last]
        return tuple(StreamEntry(each.id, {"payload": each.payload}) for each in found[:count])

    async def add(self, stream: str, fields: Mapping[str, str], *, max_length: int) -> str:
        """Refuse: a triage writes nothing."""
        raise SourceRejected(
            "Redis", f"the lab writes nothing to {stream}: {len(fields)} fields, {max_length}"
        )
