"""A small time series database: what the Prometheus stand-in scraped, by series and time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from demo.servers.go_text import compile_regexp

Labels = tuple[tuple[str, str], ...]
Point = tuple[int, float]

LOOKBACK_MS = 5 * 60 * 1000
_SELECTED_MAX = 2_000


def labels_of(mapping: Mapping[str, str]) -> Labels:
    """Return the canonical form of a label set: sorted, without empty values."""
    return tuple(sorted((name, value) for name, value in mapping.items() if value))


class LabelMatcher(NamedTuple):
    """One `name op value` of a selector; `op` is `=`, `!=`, `=~` or `!~`."""

    name: str
    op: str
    value: str

    def matches(self, value: str) -> bool:
        """Whether a label's value (empty when the label is absent) is what is asked for."""
        if self.op in ("=", "!="):
            return (value == self.value) == (self.op == "=")
        return (compile_regexp(self.value).fullmatch(value) is not None) == (self.op == "=~")


@dataclass(slots=True)
class Series:
    """The samples of one label set in order of time; a value of None is a staleness mark."""

    labels: Labels
    times: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)

    def append(self, at_ms: int, value: float | None) -> None:
        """Keep a sample; one that is not newer than the last is dropped, as Prometheus drops it."""
        if self.times and at_ms <= self.times[-1]:
            return
        self.times.append(at_ms)
        self.values.append(value)

    def at(self, at_ms: int) -> Point | None:
        """Return the newest sample at or before a time, none when it is stale or older than the look-back."""
        index = bisect_right(self.times, at_ms) - 1
        if index < 0 or self.times[index] < at_ms - LOOKBACK_MS:
            return None
        value = self.values[index]
        return None if value is None else (self.times[index], value)

    def between(self, start_ms: int, end_ms: int) -> list[Point]:
        """Return the samples of `[start, end]`, staleness marks left out."""
        low, high = bisect_left(self.times, start_ms), bisect_right(self.times, end_ms)
        pairs = zip(self.times[low:high], self.values[low:high], strict=True)
        return [(at, value) for at, value in pairs if value is not None]

    def forget_before(self, at_ms: int) -> None:
        """Drop samples older than that."""
        if self.times and self.times[0] < at_ms:
            low = bisect_left(self.times, at_ms)
            del self.times[:low], self.values[:low]


@dataclass(slots=True)
class Tsdb:
    """All series, found by metric name first. Times are Unix milliseconds."""

    _by_name: dict[str, dict[Labels, Series]] = field(default_factory=dict)
    _series: dict[Labels, Series] = field(default_factory=dict)
    _selected: dict[tuple[LabelMatcher, ...], tuple[int, list[Series]]] = field(default_factory=dict)
    """What a selector found while there were so many series: the same while no series is new."""

    def append(self, labels: Labels, at_ms: int, value: float | None) -> None:
        """Keep one sample (None: the series ends here)."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = Series(labels)
            self._by_name.setdefault(dict(labels).get("__name__", ""), {})[labels] = series
        series.append(at_ms, value)

    def select(self, matchers: Iterable[LabelMatcher]) -> Sequence[Series]:
        """Return the series that every matcher accepts."""
        wanted = tuple(matchers)
        kept = self._selected.get(wanted)
        if kept is not None and kept[0] == len(self._series):
            return kept[1]
        found: list[Series] = []
        for series in self._candidates(wanted):
            own = dict(series.labels)
            if all(m.matches(own.get(m.name, "")) for m in wanted):
                found.append(series)
        if len(self._selected) >= _SELECTED_MAX:
            self._selected.clear()
        self._selected[wanted] = (len(self._series), found)
        return found

    def _candidates(self, wanted: tuple[LabelMatcher, ...]) -> Iterator[Series]:
        names = [m.value for m in wanted if m.name == "__name__" and m.op == "="]
        for name in names or list(self._by_name):
            yield from self._by_name.get(name, {}).values()

    def active(self, matchers: Iterable[LabelMatcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Return the label sets with a sample in `[start, end]`, sorted."""
        return sorted(s.labels for s in self.select(matchers) if s.between(start_ms, end_ms))

    def forget_before(self, at_ms: int) -> None:
        """Drop samples older than that, and series left without any."""
        before = len(self._series)
        for name, family in list(self._by_name.items()):
            for labels, series in list(family.items()):
                series.forget_before(at_ms)
                if not series.times:
                    del family[labels], self._series[labels]
            if not family:
                del self._by_name[name]
        if len(self._series) < before:
            self._selected.clear()
