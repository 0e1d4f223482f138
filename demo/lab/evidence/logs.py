"""Loki, asked in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from demo.lab.evidence.answering import answering
from demo.servers.logql import parse
from demo.servers.logql_tree import LogQuery
from triage.errors import SourceRejected
from triage.model import utc
from triage.ports.sources import LogLine, LogLines

if TYPE_CHECKING:
    from demo.desk.world import World
    from demo.servers.log_store import LogStore


@dataclass(slots=True)
class LabLogs:
    """Loki."""

    world: World
    store: LogStore

    async def lines(
        self,
        selector: str,
        *,
        contains: str = "",
        start: datetime,
        end: datetime,
        limit: int = 5000,
        kept_seconds: float = 0,
    ) -> LogLines:
        """Return the newest lines of a range that contain a text."""
        del kept_seconds
        answering(self.world, "loki", "Loki")
        first, last = round(start.timestamp() * 1e9), round(end.timestamp() * 1e9) + 1
        found = [
            LogLine(utc(ns / 1e9), text, dict(labels))
            for labels, entries in self.store.select(_query(selector), first, last).items()
            for ns, text in entries
            if contains in text
        ]
        found.sort(key=lambda each: each.at)
        return LogLines(tuple(found[-limit:]), truncated=len(found) > limit)

    async def counts(
        self, selector: str, *, by: str, end: datetime, window_seconds: float, kept_seconds: float = 0
    ) -> Mapping[str, int]:
        """Count the lines of a window by the values of a label."""
        del kept_seconds
        answering(self.world, "loki", "Loki")
        last = round(end.timestamp() * 1e9) + 1
        found: Counter[str] = Counter()
        selected = self.store.select(_query(selector), last - round(window_seconds * 1e9), last)
        for labels, entries in selected.items():
            found[dict(labels).get(by, "") if by else ""] += len(entries)
        return found

    async def count(
        self, selector: str, *, contains: str = "", end: datetime, window_seconds: float
    ) -> int | None:
        """Return how many lines of the window contain a text; None where there is no line at all."""
        every = await self.counts(selector, by="", end=end, window_seconds=window_seconds)
        if not every or not contains:
            return every.get("")
        last = round(end.timestamp() * 1e9) + 1
        found = self.store.select(_query(selector), last - round(window_seconds * 1e9), last)
        return sum(contains in text for entries in found.values() for _, text in entries)

    async def ready(self) -> None:
        """Raise where it does not answer."""
        answering(self.world, "loki", "Loki")


def _query(selector: str) -> LogQuery:
    query = parse(selector)
    if not isinstance(query, LogQuery):
        raise SourceRejected("Loki", f"{selector} selects no lines")
    return query
