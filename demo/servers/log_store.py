"""The lines a Loki stand-in holds: per stream, in order of time."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from demo.servers.logql_tree import Entry, LogQuery, Matcher

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class LogStore:
    """Streams of one tenant; times are Unix nanoseconds."""

    streams: dict[Labels, list[Entry]] = field(default_factory=dict)

    def add(self, labels: Mapping[str, str], line: str, at_ns: int) -> None:
        """Keep one line. The same line at the same time in the same stream is kept once, as Loki does."""
        entries = self.streams.setdefault(tuple(sorted(labels.items())), [])
        entry = (at_ns, line)
        if not entries or entries[-1] < entry:
            entries.append(entry)
            return
        place = bisect_left(entries, entry)
        if place == len(entries) or entries[place] != entry:
            insort(entries, entry)

    def select(self, query: LogQuery, start_ns: int, end_ns: int) -> dict[Labels, list[Entry]]:
        """Return the lines of `[start_ns, end_ns)` that the query keeps, by stream; no empty streams."""
        found: dict[Labels, list[Entry]] = {}
        for labels in self.matching(query.matchers):
            entries = self.streams[labels]
            kept = entries[bisect_left(entries, (start_ns, "")) : bisect_left(entries, (end_ns, ""))]
            for each in query.filters:
                kept = each.passing(kept)
            if kept:
                found[labels] = kept
        return found

    def matching(self, matchers: Iterable[Matcher]) -> list[Labels]:
        """Return the streams that the matchers select, sorted."""
        wanted = tuple(matchers)
        return sorted(s for s in self.streams if all(m.matches(dict(s)) for m in wanted))

    def touched(self, start_ns: int, end_ns: int) -> list[Labels]:
        """Return the streams with a line in `[start_ns, end_ns)`, sorted."""
        return sorted(
            labels
            for labels, entries in self.streams.items()
            if bisect_left(entries, (start_ns, "")) < bisect_left(entries, (end_ns, ""))
        )

    def forget_before(self, at_ns: int) -> None:
        """Drop lines older than that, and streams that are then empty."""
        for labels, entries in list(self.streams.items()):
            del entries[: bisect_left(entries, (at_ns, ""))]
            if not entries:
                del self.streams[labels]

    def in_order(self) -> bool:
        """Whether every stream is sorted and free of doubles (what tests ask)."""
        return all(a < b for entries in self.streams.values() for a, b in pairwise(entries))
