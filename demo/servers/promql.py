"""PromQL over the small database: compiled expressions are asked at a moment, or at each step of a range.

Semantics of Prometheus 2.42: a range includes both its ends, an instant selector looks back five minutes, a
subquery's steps fall on multiples of its step. Answers 422 (PromqlError) for what it does not know.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import cast

from demo.servers.promql_compile import Subquery, compiled
from demo.servers.promql_values import Matrix, PromqlSyntaxError, Range, Sample, Value, Vector, vector_of
from demo.servers.tsdb import Labels, Point, Tsdb


class Evaluator:
    """Answers expressions over a database; `default_step_ms` is the step of a subquery that names none."""

    def __init__(self, tsdb: Tsdb, default_step_ms: int = 60_000) -> None:
        self.tsdb = tsdb
        self._default_step_ms = default_step_ms

    def instant(self, text: str, at_ms: int) -> Value:
        """Answer an expression at one moment. Raises PromqlSyntaxError, PromqlError."""
        return compiled(text)(self, at_ms)

    def series(
        self, text: str, start_ms: int, end_ms: int, step_ms: int
    ) -> dict[Labels, list[tuple[int, float]]]:
        """Answer an expression at each step; a number becomes one series without labels."""
        answer = compiled(text)
        found: dict[Labels, list[tuple[int, float]]] = {}
        for at in range(start_ms, end_ms + 1, step_ms):
            value = answer(self, at)
            if isinstance(value, float):
                value = [Sample((), value)]
            if isinstance(value, str) or any(isinstance(v, Range) for v in value):
                kind = "string" if isinstance(value, str) else "range vector"
                raise PromqlSyntaxError(
                    f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
                )
            for sample in cast("Vector", value):
                found.setdefault(sample.labels, []).append((at, sample.value))
        return found

    def subquery(self, asked: Subquery, at_ms: int) -> Matrix:
        """Answer a subquery at one moment."""
        end = at_ms - asked.offset_ms
        start = end - asked.length_ms
        found: dict[Labels, list[Point]] = {}
        self._look(asked, range(-(-start // self._step(asked)) * self._step(asked), end + 1), found)
        return [Range(labels, points, start, end) for labels, points in found.items()]

    def _step(self, asked: Subquery) -> int:
        return asked.step_ms or self._default_step_ms

    def _look(self, asked: Subquery, moments: range, found: dict[Labels, list[Point]]) -> None:
        """Note what the inner expression answers at each step of the moments."""
        for moment in moments[:: self._step(asked)]:
            value = asked.inner(self, moment)
            for sample in [Sample((), value)] if isinstance(value, float) else vector_of(value):
                found.setdefault(sample.labels, []).append((moment, sample.value))


@dataclass(slots=True)
class _Window:
    """What a subquery found so far: up to which moment (Unix ms), and the points of each series."""

    until: int = 0
    points: dict[Labels, list[Point]] = field(default_factory=dict)


class RememberingEvaluator(Evaluator):
    """Answers as its base does; what a subquery found at a moment of the past is not looked up again.

    For whoever asks at ever later moments, none of which lies ahead of the samples: as rules do, and no person.
    """

    def __init__(self, tsdb: Tsdb, default_step_ms: int = 60_000) -> None:
        super().__init__(tsdb, default_step_ms)
        self._windows: dict[str, _Window] = {}

    def subquery(self, asked: Subquery, at_ms: int) -> Matrix:
        """Answer a subquery at one moment."""
        window, step = self._windows.setdefault(asked.text, _Window()), self._step(asked)
        if asked.offset_ms or at_ms < window.until:
            return super().subquery(asked, at_ms)
        start, end = at_ms - asked.length_ms, at_ms // step * step
        self._look(asked, range(max(-(-start // step) * step, window.until + step), end + 1), window.points)
        window.until = max(window.until, end)
        found = []
        for labels, points in window.points.items():
            del points[: bisect_left(points, (start, -math.inf))]
            if points:
                found.append(Range(labels, list(points), start, at_ms))
        return found
