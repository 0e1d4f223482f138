"""What a LogQL metric query answers at one moment."""

import math
import operator
from collections.abc import Callable, Iterator

from demo.servers.comparisons import COMPARISON
from demo.servers.log_store import Labels, LogStore
from demo.servers.logql_tree import Aggregation, Binary, LogQuery, Metric, Number, RangeQuery

NANOS = 1_000_000_000
Vector = dict[Labels, float]


def _divide(a: float, b: float) -> float:
    return a / b if b else math.nan


def _modulo(a: float, b: float) -> float:
    return math.fmod(a, b) if b else math.nan


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
}


def evaluate(store: LogStore, metric: Metric, at_ns: int) -> Vector:
    """Return the value of each series at that moment; a series without a line in its window is absent."""
    if isinstance(metric, RangeQuery):
        return _range(store, metric, at_ns)
    if isinstance(metric, Aggregation):
        return _aggregate(metric, evaluate(store, metric.inner, at_ns))
    if isinstance(metric, Number):
        return {(): metric.value}
    return _binary(store, metric, at_ns)


def log_queries(metric: Metric) -> Iterator[LogQuery]:
    """Yield every selector a metric query reads."""
    if isinstance(metric, RangeQuery):
        yield metric.logs
    elif isinstance(metric, Aggregation):
        yield from log_queries(metric.inner)
    elif isinstance(metric, Binary):
        yield from log_queries(metric.left)
        yield from log_queries(metric.right)


def _range(store: LogStore, query: RangeQuery, at_ns: int) -> Vector:
    """Count the lines of the window `(at - range, at]`."""
    end = at_ns - round(query.offset * NANOS) + 1
    found = store.select(query.logs, end - round(query.seconds * NANOS), end)
    if query.function == "absent_over_time":
        return {} if found else {_absent_labels(query.logs): 1.0}
    out: Vector = {}
    for labels, entries in found.items():
        in_bytes = query.function.startswith("bytes")
        amount = float(sum(len(line.encode()) for _, line in entries) if in_bytes else len(entries))
        out[labels] = amount / query.seconds if query.function.endswith("rate") else amount
    return out


def _absent_labels(logs: LogQuery) -> Labels:
    return tuple(sorted((m.name, m.value) for m in logs.matchers if m.op == "="))


def _aggregate(query: Aggregation, vector: Vector) -> Vector:
    groups: dict[Labels, list[tuple[Labels, float]]] = {}
    for labels, value in vector.items():
        groups.setdefault(_group(query, labels), []).append((labels, value))
    if query.op in ("topk", "bottomk"):
        sign = -1 if query.op == "topk" else 1
        return {
            labels: value
            for members in groups.values()
            for labels, value in sorted(members, key=lambda m: (sign * m[1], m[0]))[: query.parameter]
        }
    return {key: _fold(query.op, [v for _, v in members]) for key, members in groups.items()}


def _group(query: Aggregation, labels: Labels) -> Labels:
    wanted = query.labels or ()
    if query.without:
        return tuple(pair for pair in labels if pair[0] not in wanted)
    return tuple(pair for pair in labels if pair[0] in wanted)


def _fold(op: str, values: list[float]) -> float:
    match op:
        case "sum":
            return sum(values)
        case "avg":
            return sum(values) / len(values)
        case "min":
            return min(values)
        case "max":
            return max(values)
        case _:
            return float(len(values))


def _binary(store: LogStore, query: Binary, at_ns: int) -> Vector:
    left, right = evaluate(store, query.left, at_ns), evaluate(store, query.right, at_ns)
    left_scalar = isinstance(query.left, Number) and not query.left.vector
    right_scalar = isinstance(query.right, Number) and not query.right.vector
    if left_scalar and not right_scalar:
        left = dict.fromkeys(right, left[()])
    elif right_scalar and not left_scalar:
        right = dict.fromkeys(left, right[()])
    out: Vector = {}
    for labels in left.keys() & right.keys():
        # A comparison keeps the series' own value, which is the right one when a number stands on the left.
        own = right[labels] if left_scalar else left[labels]
        value = _operate(query, left[labels], right[labels], own)
        if value is not None:
            out[labels] = value
    return out


def _operate(query: Binary, left: float, right: float, own: float) -> float | None:
    arithmetic = _ARITHMETIC.get(query.op)
    if arithmetic is not None:
        return arithmetic(left, right)
    holds = COMPARISON[query.op](left, right)
    if query.as_bool:
        return float(holds)
    return own if holds else None
