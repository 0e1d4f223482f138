"""PromQL's binary operators: between numbers, a number and a vector, two vectors, and the set operators."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

from demo.servers.comparisons import COMPARISON
from demo.servers.promql_values import (
    PromqlError,
    Sample,
    Value,
    Vector,
    drop,
    keep,
    show,
    unique,
    vector_of,
    without_name,
)
from demo.servers.tsdb import Labels

SETS = ("and", "or", "unless")


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def _modulo(a: float, b: float) -> float:
    return math.nan if not b or math.isinf(a) else math.fmod(a, b)


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.inf if a == 0 else math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "^": _power,
    "atan2": math.atan2,
}


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors are paired: `on` (or `ignoring`) those labels; `many` is the side with several, if any."""

    on: bool = False
    labels: frozenset[str] = frozenset()
    many: str = ""
    include: tuple[str, ...] = ()

    def key(self, labels: Labels) -> Labels:
        """Return the labels by which an element finds its partner."""
        return keep(labels, self.labels) if self.on else drop(labels, self.labels)


def apply(op: str, left: Value, right: Value, matching: Matching, *, as_bool: bool) -> Value:
    """Answer `left op right`. Raises PromqlError where Prometheus refuses the pairing."""
    if isinstance(left, float) and isinstance(right, float):
        return ARITHMETIC[op](left, right) if op in ARITHMETIC else float(COMPARISON[op](left, right))
    if isinstance(left, list) and isinstance(right, list):
        ours, theirs = vector_of(left), vector_of(right)
        if op in SETS:
            return _set(op, ours, theirs, matching)
        return _pair(op, ours, theirs, matching, as_bool=as_bool)
    vector, number = (left, right) if isinstance(left, list) else (right, left)
    if not isinstance(vector, list) or not isinstance(number, float):
        raise PromqlError(f"operator {op} not defined on strings")
    swapped = vector is right
    out: Vector = []
    for sample in vector_of(vector):
        a, b = (number, sample.value) if swapped else (sample.value, number)
        value = _operate(op, a, b, sample.value, as_bool=as_bool)
        if value is not None:
            bare = op in ARITHMETIC or as_bool
            out.append(Sample(without_name(sample.labels) if bare else sample.labels, value))
    return unique(out)


def _operate(op: str, a: float, b: float, own: float, *, as_bool: bool) -> float | None:
    if op in ARITHMETIC:
        return ARITHMETIC[op](a, b)
    holds = COMPARISON[op](a, b)
    return float(holds) if as_bool else own if holds else None


def _set(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    theirs = {matching.key(s.labels) for s in right}
    if op == "and":
        return [s for s in left if matching.key(s.labels) in theirs]
    if op == "unless":
        return [s for s in left if matching.key(s.labels) not in theirs]
    ours = {matching.key(s.labels) for s in left}
    return [*left, *(s for s in right if matching.key(s.labels) not in ours)]


def _pair(op: str, left: Vector, right: Vector, matching: Matching, *, as_bool: bool) -> Vector:
    swap = matching.many == "right"
    many, one = (right, left) if swap else (left, right)
    partners = _partners(one, matching, "left" if swap else "right")
    out: Vector = []
    seen: set[Labels] = set()
    for sample in many:
        key = matching.key(sample.labels)
        partner = partners.get(key)
        if partner is None:
            continue
        a, b = (partner.value, sample.value) if swap else (sample.value, partner.value)
        value = _operate(op, a, b, a, as_bool=as_bool)
        if value is None:
            continue
        labels = _result(op, sample.labels, partner.labels, matching, as_bool=as_bool)
        mark = labels if matching.many else key
        if mark in seen:
            raise PromqlError(
                "multiple matches for labels: grouping labels must ensure unique matches"
                if matching.many
                else "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            )
        seen.add(mark)
        out.append(Sample(labels, value))
    return out


def _partners(one: Vector, matching: Matching, side: str) -> dict[Labels, Sample]:
    partners: dict[Labels, Sample] = {}
    for sample in one:
        key = matching.key(sample.labels)
        if key in partners:
            raise PromqlError(
                f"found duplicate series for the match group {show(key)} on the {side} hand-side of the operation: "
                f"[{show(sample.labels)}, {show(partners[key].labels)}];many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )
        partners[key] = sample
    return partners


def _result(op: str, own: Labels, partner: Labels, matching: Matching, *, as_bool: bool) -> Labels:
    labels = without_name(own) if op in ARITHMETIC or as_bool else own
    if not matching.many:
        if matching.on:
            labels = keep(labels, matching.labels)
        else:
            labels = tuple(pair for pair in labels if pair[0] not in matching.labels)
    included = dict(labels)
    for name in matching.include:
        included.pop(name, None)
        value = dict(partner).get(name)
        if value:
            included[name] = value
    return tuple(sorted(included.items()))
