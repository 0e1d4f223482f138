"""PromQL over the small database: the package promql-parser reads an expression, this walks its tree.

Semantics of Prometheus 2.42: a range includes both its ends, an instant selector looks back five minutes, a
subquery's steps fall on multiples of its step. Answers 422 (PromqlError) for what it does not know.
"""

from functools import lru_cache
from typing import cast

import promql_parser as ast

from demo.servers.promql_aggregate import aggregate
from demo.servers.promql_binary import Matching, apply
from demo.servers.promql_functions import call
from demo.servers.promql_values import (
    Matrix,
    PromqlError,
    PromqlSyntaxError,
    Range,
    Sample,
    Value,
    Vector,
    unique,
    without_name,
)
from demo.servers.tsdb import LabelMatcher, Labels, Tsdb

# The parser's enums cannot be hashed, so these are searched.
_OPS = (
    (ast.MatchOp.Equal, "="),
    (ast.MatchOp.NotEqual, "!="),
    (ast.MatchOp.Re, "=~"),
    (ast.MatchOp.NotRe, "!~"),
)


@lru_cache(maxsize=1024)
def parse(text: str) -> ast.Expr:
    """Parse an expression. Raises PromqlSyntaxError with Prometheus' wording where the parser's own is near it."""
    try:
        return ast.parse(text)
    except ValueError as error:
        place = "unknown position" if "no expression found" in str(error) else "1:1"
        raise PromqlSyntaxError(f"{place}: parse error: {error}") from error


def _op(op: ast.MatchOp) -> str:
    return next(text for known, text in _OPS if known == op)


def matchers_of(selector: ast.VectorSelector) -> list[LabelMatcher]:
    """Return a selector's matchers, the metric's name among them."""
    if selector.matchers.or_matchers:
        raise PromqlError("the Prometheus stand-in does not know `or` between matchers")
    found = [LabelMatcher(m.name, _op(m.op), m.value) for m in selector.matchers.matchers]
    return [LabelMatcher("__name__", "=", selector.name), *found] if selector.name else found


class Evaluator:
    """Answers expressions over a database; `default_step_ms` is the step of a subquery that names none."""

    def __init__(self, tsdb: Tsdb, default_step_ms: int = 60_000) -> None:
        self._tsdb = tsdb
        self._default_step_ms = default_step_ms

    def instant(self, text: str, at_ms: int) -> Value:
        """Answer an expression at one moment. Raises PromqlSyntaxError, PromqlError."""
        return self.evaluate(parse(text), at_ms)

    def series(
        self, text: str, start_ms: int, end_ms: int, step_ms: int
    ) -> dict[Labels, list[tuple[int, float]]]:
        """Answer an expression at each step; a number becomes one series without labels."""
        expr = parse(text)
        found: dict[Labels, list[tuple[int, float]]] = {}
        for at in range(start_ms, end_ms + 1, step_ms):
            value = self.evaluate(expr, at)
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

    def evaluate(self, expr: ast.Expr, at_ms: int) -> Value:  # noqa: C901, PLR0911 (one case and one return a node type)
        """Answer a tree at one moment."""
        match expr:
            case ast.NumberLiteral():
                return expr.val
            case ast.StringLiteral():
                return expr.val
            case ast.ParenExpr():
                return self.evaluate(expr.expr, at_ms)
            case ast.UnaryExpr():
                return self._negated(expr, at_ms)
            case ast.VectorSelector():
                return self._select(expr, at_ms)
            case ast.MatrixSelector():
                return self._select_range(expr, at_ms)
            case ast.SubqueryExpr():
                return self._subquery(expr, at_ms)
            case ast.AggregateExpr():
                return self._aggregate(expr, at_ms)
            case ast.BinaryExpr():
                return self._binary(expr, at_ms)
            case ast.Call():
                return self._call(expr, at_ms)
            case _:
                raise PromqlError(f"the Prometheus stand-in does not know {type(expr).__name__}")

    def _vector(self, expr: ast.Expr, at_ms: int) -> Vector:
        value = self.evaluate(expr, at_ms)
        return [s for s in value if isinstance(s, Sample)] if isinstance(value, list) else []

    def _negated(self, expr: ast.UnaryExpr, at_ms: int) -> Value:
        value = self.evaluate(expr.expr, at_ms)
        if isinstance(value, float):
            return -value
        vector = [s for s in value if isinstance(s, Sample)] if isinstance(value, list) else []
        return unique([Sample(without_name(s.labels), -s.value) for s in vector])

    def _moment(self, selector: ast.VectorSelector | ast.SubqueryExpr, at_ms: int) -> int:
        if selector.at is not None:
            raise PromqlError("the Prometheus stand-in does not know the @ modifier")
        offset = selector.offset
        return at_ms - (round(offset.total_seconds() * 1000) if offset is not None else 0)

    def _select(self, selector: ast.VectorSelector, at_ms: int) -> Vector:
        moment = self._moment(selector, at_ms)
        found: Vector = []
        for series in self._tsdb.select(matchers_of(selector)):
            point = series.at(moment)
            if point is not None:
                found.append(Sample(series.labels, point[1], point[0]))
        return found

    def _select_range(self, expr: ast.MatrixSelector, at_ms: int) -> Matrix:
        end = self._moment(expr.vector_selector, at_ms)
        start = end - round(expr.range.total_seconds() * 1000)
        windows = (
            Range(series.labels, series.between(start, end), start, end)
            for series in self._tsdb.select(matchers_of(expr.vector_selector))
        )
        return [window for window in windows if window.points]

    def _subquery(self, expr: ast.SubqueryExpr, at_ms: int) -> Matrix:
        end = self._moment(expr, at_ms)
        length = expr.range.total_seconds() if expr.range is not None else 0.0
        start = end - round(length * 1000)
        step = round(expr.step.total_seconds() * 1000) if expr.step is not None else self._default_step_ms
        found: dict[Labels, list[tuple[int, float]]] = {}
        for moment in range(-(-start // step) * step, end + 1, step):
            value = self.evaluate(expr.expr, moment)
            vector = [Sample((), value)] if isinstance(value, float) else value
            for sample in vector:
                if isinstance(sample, Sample):
                    found.setdefault(sample.labels, []).append((moment, sample.value))
        return [Range(labels, points, start, end) for labels, points in found.items()]

    def _aggregate(self, expr: ast.AggregateExpr, at_ms: int) -> Vector:
        modifier = expr.modifier
        parameter: float | str | None = None
        if expr.param is not None:
            value = self.evaluate(expr.param, at_ms)
            parameter = None if isinstance(value, list) else value
        return aggregate(
            str(expr.op),
            self._vector(expr.expr, at_ms),
            frozenset(modifier.labels if modifier is not None else ()),
            without=modifier is not None and modifier.type == ast.AggModifierType.Without,
            parameter=parameter,
        )

    def _binary(self, expr: ast.BinaryExpr, at_ms: int) -> Value:
        modifier = expr.modifier
        return apply(
            str(expr.op),
            self.evaluate(expr.lhs, at_ms),
            self.evaluate(expr.rhs, at_ms),
            _matching(modifier),
            as_bool=modifier is not None and modifier.return_bool,
        )

    def _call(self, expr: ast.Call, at_ms: int) -> Value:
        name = expr.func.name
        if name in ("absent", "absent_over_time"):
            value = self.evaluate(expr.args[0], at_ms)
            return [] if value else [Sample(_absent_labels(expr.args[0]), 1.0)]
        args = [self.evaluate(argument, at_ms) for argument in expr.args]
        if name == "timestamp" and not isinstance(expr.args[0], ast.VectorSelector):
            # Only a plain selector keeps the samples' own times; of anything else it is the time asked for.
            args = [[Sample(s.labels, s.value) for s in self._vector(expr.args[0], at_ms)]]
        return call(name, args, at_ms)


def _matching(modifier: ast.BinModifier | None) -> Matching:
    if modifier is None:
        return Matching()
    many = ""
    if modifier.card == ast.VectorMatchCardinality.ManyToOne:
        many = "left"
    elif modifier.card == ast.VectorMatchCardinality.OneToMany:
        many = "right"
    matching = modifier.matching
    return Matching(
        on=matching is not None and matching.type == ast.LabelModifierType.Include,
        labels=frozenset(matching.labels if matching is not None else ()),
        many=many,
        include=tuple(modifier.group_labels or ()),
    )


def _absent_labels(expr: ast.Expr) -> Labels:
    """Return what `absent` can say of a series that is not there: the labels asked for with `=`, once each."""
    selector = expr.vector_selector if isinstance(expr, ast.MatrixSelector) else expr
    if not isinstance(selector, ast.VectorSelector):
        return ()
    asked = [m for m in matchers_of(selector) if m.name != "__name__"]
    names = [m.name for m in asked]
    return tuple(sorted((m.name, m.value) for m in asked if m.op == "=" and names.count(m.name) == 1))
