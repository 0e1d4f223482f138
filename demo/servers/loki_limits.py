"""The limits of a Loki tenant, as Loki 2.9 has them by default, and the queue in which questions wait for them."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from demo.servers.go_text import format_duration, format_go_duration
from demo.servers.logql_tree import Aggregation, Binary, Query, RangeQuery
from demo.servers.loki_params import NANOS, BadParameterError, RangeParams


class TooManyRequestsError(Exception):
    """What Loki answers 429 to; `str()` is the body."""


@dataclass(frozen=True, slots=True)
class LokiLimits:
    """Limits of a tenant. Times in seconds.

    A question is parted by time (`split`) and by shard (`shards`); of its parts `parallelism` wait at once, and
    all questions together may have `outstanding` parts waiting. `busy`: how long a question takes here.
    """

    outstanding: int = 100
    split: float = 1_800.0
    shards: int = 16
    parallelism: int = 32
    max_entries: int = 5_000
    max_query: float = 721 * 3_600.0
    structured_metadata: bool = False
    busy: float = 0.0

    def check_lines(self, params: RangeParams) -> None:
        """Refuse more lines than a query may ask for. Raises BadParameterError."""
        if params.limit > self.max_entries:
            raise BadParameterError(
                "max entries limit per query exceeded, limit > max_entries_limit "
                f"({params.limit} > {self.max_entries})"
            )

    def check_length(self, seconds: float) -> None:
        """Refuse a range that is too long. Raises BadParameterError."""
        if seconds > self.max_query:
            raise BadParameterError(
                f"the query time range exceeds the limit (query length: {format_go_duration(seconds)}, "
                f"limit: {format_duration(self.max_query)})"
            )

    def parts(self, start_ns: int, end_ns: int) -> int:
        """How many parts of a question over this time wait at once."""
        split = round(self.split * NANOS)
        splits = max(1, math.ceil(end_ns / split) - start_ns // split)
        return min(self.parallelism, splits * self.shards)


@dataclass(slots=True)
class Queue:
    """The parts of all questions that are being answered."""

    limits: LokiLimits
    waiting: int = 0
    refused: int = 0
    most: int = 0

    @asynccontextmanager
    async def turn(self, start_ns: int, end_ns: int) -> AsyncIterator[None]:
        """Hold a question's parts while it is answered. Raises TooManyRequestsError."""
        parts = self.limits.parts(start_ns, end_ns)
        if self.waiting + parts > self.limits.outstanding:
            self.refused += 1
            raise TooManyRequestsError("too many outstanding requests")
        self.waiting += parts
        self.most = max(self.most, self.waiting)
        try:
            if self.limits.busy:
                await asyncio.sleep(self.limits.busy)
            yield
        finally:
            self.waiting -= parts


def reach(query: Query) -> float:
    """Return how far a metric query looks back from each moment, in seconds; 0 for a log query."""
    return max((each.seconds + each.offset for each in _ranges(query)), default=0.0)


def _ranges(query: Query) -> Iterator[RangeQuery]:
    if isinstance(query, RangeQuery):
        yield query
    elif isinstance(query, Aggregation):
        yield from _ranges(query.inner)
    elif isinstance(query, Binary):
        yield from _ranges(query.left)
        yield from _ranges(query.right)
