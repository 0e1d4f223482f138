"""PromQL compiled: the tree that the package promql-parser reads becomes a function of a database and a moment.

A rule is evaluated at every step of a simulated day. Walking the parser's tree each time cost more than the answers:
each look at a node of it makes an object anew. A compiled expression belongs to no database, so it is made once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

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
    vector_of,
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


class Database(Protocol):
    """What a compiled expression is asked of."""

    @property
    def tsdb(self) -> Tsdb:
        """The samples."""
        ...

    def subquery(self, asked: "Subquery", at_ms: int) -> Matrix:
        """Answer a subquery at one moment."""
        ...


Answer = Callable[[Database, int], Value]


@dataclass(frozen=True, slots=True)
class Subquery:
    """An expression asked at each step of a range. ``text`` is how it is written; ``step_ms``: None is the default."""

    text: str
    inner: Answer
    length_ms: int
    step_ms: int | None
    offset_ms: int


@lru_cache(maxsize=1024)
def parse(text: str) -> ast.Expr:
    """Parse an expression. Raises PromqlSyntaxError with Prometheus' wording where the parser's own is near it."""
    try:
        return ast.parse(text)
    except ValueError as error:
        place = "unknown position" if "no expression found" in str(error) else "1:1"
        raise PromqlSyntaxError(f"{place}: parse error: {error}") from error


@lru_cache(maxsize=1024)
def compiled(text: str) -> Answer:
    """Compile an expression. Raises PromqlSyntaxError, PromqlError for what is not known here."""
    return _answer(parse(text))


def matchers_of(selector: ast.VectorSelector) -> list[LabelMatcher]:
    """Return a selector's matchers, the metric's name among them."""
    if selector.matchers.or_matchers:
        raise PromqlError("the Prometheus stand-in does not know `or` between matchers")
    found = [LabelMatcher(m.name, _op(m.op), m.value) for m in selector.matchers.matchers]
    return [LabelMatcher("__name__", "=", selector.name), *found] if selector.name else found


def _op(op: ast.MatchOp) -> str:
    return next(text for known, text in _OPS if known == op)


def _answer(expr: ast.Expr) -> Answer:  # noqa: PLR0911 (one case and one return a node type)
    match expr:
        case ast.NumberLiteral() | ast.StringLiteral():
            return _literal(expr.val)
        case ast.ParenExpr():
            return _answer(expr.expr)
        case ast.UnaryExpr():
            return _negated(expr)
        case ast.VectorSelector():
            return _selected(expr)
        case ast.MatrixSelector():
            return _ranges(expr)
        case ast.SubqueryExpr():
            return _subquery(expr)
        case ast.AggregateExpr():
            return _aggregate(expr)
        case ast.BinaryExpr():
            return _binary(expr)
        case ast.Call():
            return _call(expr)
        case _:
            raise PromqlError(f"the Prometheus stand-in does not know {type(expr).__name__}")


def _literal(value: float | str) -> Answer:
    return lambda _database, _at_ms: value


def _negated(expr: ast.UnaryExpr) -> Answer:
    inner = _answer(expr.expr)

    def answer(database: Database, at_ms: int) -> Value:
        value = inner(database, at_ms)
        if isinstance(value, float):
            return -value
        return unique([Sample(without_name(s.labels), -s.value) for s in vector_of(value)])

    return answer


def _offset_ms(selector: ast.VectorSelector | ast.SubqueryExpr) -> int:
    if selector.at is not None:
        raise PromqlError("the Prometheus stand-in does not know the @ modifier")
    offset = selector.offset
    return round(offset.total_seconds() * 1000) if offset is not None else 0


def _selected(selector: ast.VectorSelector) -> Answer:
    wanted, offset = tuple(matchers_of(selector)), _offset_ms(selector)

    def answer(database: Database, at_ms: int) -> Vector:
        moment = at_ms - offset
        return [
            Sample(series.labels, point[1], point[0])
            for series in database.tsdb.select(wanted)
            if (point := series.at(moment)) is not None
        ]

    return answer


def _ranges(expr: ast.MatrixSelector) -> Answer:
    wanted, offset = tuple(matchers_of(expr.vector_selector)), _offset_ms(expr.vector_selector)
    length = round(expr.range.total_seconds() * 1000)

    def answer(database: Database, at_ms: int) -> Matrix:
        end = at_ms - offset
        start = end - length
        return [
            Range(series.labels, points, start, end)
            for series in database.tsdb.select(wanted)
            if (points := series.between(start, end))
        ]

    return answer


def _subquery(expr: ast.SubqueryExpr) -> Answer:
    asked = Subquery(
        text=str(expr.prettify()),
        inner=_answer(expr.expr),
        length_ms=round(expr.range.total_seconds() * 1000) if expr.range is not None else 0,
        step_ms=round(expr.step.total_seconds() * 1000) if expr.step is not None else None,
        offset_ms=_offset_ms(expr),
    )
    return lambda database, at_ms: database.subquery(asked, at_ms)


def _aggregate(expr: ast.AggregateExpr) -> Answer:
    op, modifier, inner = str(expr.op), expr.modifier, _answer(expr.expr)
    names = frozenset(modifier.labels if modifier is not None else ())
    without = modifier is not None and modifier.type == ast.AggModifierType.Without
    parameter = _answer(expr.param) if expr.param is not None else None

    def answer(database: Database, at_ms: int) -> Vector:
        given = parameter(database, at_ms) if parameter is not None else None
        return aggregate(
            op,
            vector_of(inner(database, at_ms)),
            names,
            without=without,
            parameter=None if isinstance(given, list) else given,
        )

    return answer


def _binary(expr: ast.BinaryExpr) -> Answer:
    op, left, right, modifier = str(expr.op), _answer(expr.lhs), _answer(expr.rhs), expr.modifier
    matching, as_bool = _matching(modifier), modifier is not None and modifier.return_bool
    return lambda database, at_ms: apply(
        op, left(database, at_ms), right(database, at_ms), matching, as_bool=as_bool
    )


def _call(expr: ast.Call) -> Answer:
    name, args = expr.func.name, [_answer(argument) for argument in expr.args]
    if name in ("absent", "absent_over_time"):
        absent = [Sample(_absent_labels(expr.args[0]), 1.0)]
        return lambda database, at_ms: [] if args[0](database, at_ms) else list(absent)
    if name == "timestamp" and not isinstance(expr.args[0], ast.VectorSelector):
        args = [_without_times(args[0])]
    return lambda database, at_ms: call(name, [each(database, at_ms) for each in args], at_ms)


def _without_times(inner: Answer) -> Answer:
    """Only a plain selector keeps the samples' own times; of anything else it is the time asked for."""
    return lambda database, at_ms: [Sample(s.labels, s.value) for s in vector_of(inner(database, at_ms))]


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
