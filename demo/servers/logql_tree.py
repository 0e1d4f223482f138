"""What a LogQL query is once it is read: selectors, line filters, range functions, aggregations."""

from dataclasses import dataclass

from demo.servers.go_text import compile_regexp

Entry = tuple[int, str]
"""A line and its time, Unix nanoseconds."""


class NotSupportedError(Exception):
    """The query is good LogQL, but beyond what the stand-in can do."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One `name op value` of a selector."""

    name: str
    op: str
    value: str

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether a stream has what is asked for; a label it lacks counts as empty."""
        value = labels.get(self.name, "")
        if self.op in ("=", "!="):
            return (value == self.value) == (self.op == "=")
        return (compile_regexp(self.value).fullmatch(value) is not None) == (self.op == "=~")


@dataclass(frozen=True, slots=True)
class LineFilter:
    """One `|= "text"` of a pipeline."""

    op: str
    value: str

    def passing(self, entries: list[Entry]) -> list[Entry]:
        """Return the entries whose lines pass."""
        if self.op in ("|=", "!="):
            value, wanted = self.value, self.op == "|="
            return [entry for entry in entries if (value in entry[1]) is wanted]
        found, wanted = compile_regexp(self.value).search, self.op == "|~"
        return [entry for entry in entries if (found(entry[1]) is not None) is wanted]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A selector and its line filters: answers lines."""

    matchers: tuple[Matcher, ...]
    filters: tuple[LineFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """A range function: `count_over_time({…} |= "x" [15m] offset 1h)`; seconds throughout."""

    function: str
    logs: LogQuery
    seconds: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Aggregation:
    """`sum by (bot) (…)`; `labels` None means no grouping clause at all."""

    op: str
    inner: "Metric"
    labels: tuple[str, ...] | None = None
    without: bool = False
    parameter: int = 0


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic or a comparison between two metrics."""

    op: str
    left: "Metric"
    right: "Metric"
    as_bool: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number; `vector` when written as `vector(n)`."""

    value: float
    vector: bool = False


Metric = RangeQuery | Aggregation | Binary | Number
Query = LogQuery | RangeQuery | Aggregation | Binary | Number
