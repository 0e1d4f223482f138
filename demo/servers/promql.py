"""PromQL over the small database: compiled expressions are asked at a moment, or at each step of a range.

Semantics of Prometheus 2.42: a range includes both its ends, an instant selector looks back five minutes, a
subquery's steps fall on multiples of its step. Answers 422 (PromqlError) for what it does not know.
"""

from typing import cast

from demo.servers.promql_compile import Subquery, compiled
from demo.servers.promql_values import Matrix, PromqlSyntaxError, Range, Sample, Value, Vector, vector_of
from demo.servers.tsdb import Labels, Tsdb


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
        step = asked.step_ms or self._default_step_ms
        found: dict[Labels, list[tuple[int, float]]] = {}
        for moment in range(-(-start // step) * step, end + 1, step):
            value = asked.inner(self, moment)
            vector = [Sample((), value)] if isinstance(value, float) else vector_of(value)
            for sample in vector:
                found.setdefault(sample.labels, []).append((moment, sample.value))
        return [Range(labels, points, start, end) for labels, points in found.items()]
