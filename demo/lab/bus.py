"""Redis as the lab has it: the streams in memory, read by the desk's services while they work."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo.desk.bus import GROUP
from demo.desk.events import EXECUTION_INTENT, MARKET_DATA, RISK_DECISION, SIGNAL

if TYPE_CHECKING:
    from demo.desk.world import World

READERS = {MARKET_DATA: "signal-service", SIGNAL: "risk-service", RISK_DECISION: "coordination-service"}
KEPT = 3_000


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry: its id (``ms-seq``), the text of its field ``payload``, when it was added (Unix seconds)."""

    id: str
    payload: str
    at: float


@dataclass(slots=True)
class LabBus:
    """The streams, and up to where the desk's own group has read each (a number of entries ever added)."""

    entries: defaultdict[str, list[Kept]] = field(default_factory=lambda: defaultdict(list))
    added: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    read: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    flushed: bool = False

    def sync(self, world: World) -> None:
        """Take what was published, and let the readers that work read it."""
        if not world.redis.serving:
            world.published.clear()
            return
        while world.published:
            event = world.published.popleft()
            self._add(event.stream, json.dumps(event.payload), event.at)
            if event.stream == EXECUTION_INTENT:
                world.deliver(self.entries[event.stream][-1].id, self.entries[event.stream][-1].payload)
        for stream in (*READERS, EXECUTION_INTENT):
            if stream == EXECUTION_INTENT or world.works(READERS[stream]):
                self.read[stream] = self.added[stream]

    def flush_all(self) -> None:
        """Lose everything, the groups too."""
        self.entries.clear()
        self.added.clear()
        self.read.clear()
        self.flushed = True

    def lag(self, stream: str) -> int:
        """Return how many entries the desk's group has not read."""
        return self.added[stream] - self.read[stream]

    def has_group(self, stream: str) -> bool:
        """Whether the desk's own group reads this stream."""
        return (stream in READERS or stream == EXECUTION_INTENT) and not self.flushed

    def _add(self, stream: str, payload: str, at: float) -> None:
        kept = self.entries[stream]
        milliseconds = int(at * 1000)
        number = sum(1 for each in kept[-50:] if each.id.startswith(f"{milliseconds}-"))
        kept.append(Kept(f"{milliseconds}-{number}", payload, at))
        self.added[stream] += 1
        if len(kept) > KEPT:
            del kept[: KEPT // 10]


__all__ = ["GROUP", "Kept", "LabBus"]
