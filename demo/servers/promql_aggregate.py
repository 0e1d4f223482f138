"""PromQL's aggregations: `sum by (bot) (…)` and its siblings."""

import math
from collections.abc import Callable

from demo.servers.go_text import format_float
from demo.servers.promql_ranges import quantile, variance
from demo.servers.promql_values import PromqlError, Sample, Vector, drop, keep
from demo.servers.tsdb import Labels

_FOLDS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "count": lambda values: float(len(values)),
    "group": lambda _values: 1.0,
    "stddev": lambda values: math.sqrt(variance(values)),
    "stdvar": variance,
    "min": lambda values: min(values, key=lambda v: math.inf if math.isnan(v) else v),
    "max": lambda values: max(values, key=lambda v: -math.inf if math.isnan(v) else v),
}


def aggregate(
    op: str, vector: Vector, names: frozenset[str], *, without: bool, parameter: float | str | None
) -> Vector:
    """Fold the groups of a vector; `names` are the labels of `by`, or of `without`."""
    groups: dict[Labels, Vector] = {}
    for sample in vector:
        key = drop(sample.labels, names) if without else keep(sample.labels, names)
        groups.setdefault(key, []).append(sample)
    if op in ("topk", "bottomk"):
        return [s for members in groups.values() for s in _best(op, members, parameter)]
    if op == "count_values":
        return [s for key, members in groups.items() for s in _count_values(key, members, str(parameter))]
    if op == "quantile":
        q = _number(parameter)
        return [Sample(key, quantile(q, [s.value for s in members])) for key, members in groups.items()]
    return [Sample(key, float(_FOLDS[op]([s.value for s in members]))) for key, members in groups.items()]


def _number(parameter: float | str | None) -> float:
    if not isinstance(parameter, float):
        raise PromqlError("expected type scalar in aggregation parameter")
    return parameter


def _best(op: str, members: Vector, parameter: float | str | None) -> Vector:
    sign = -1 if op == "topk" else 1
    ranked = sorted(members, key=lambda s: (math.isnan(s.value), sign * s.value, s.labels))
    return ranked[: max(0, int(_number(parameter)))]


def _count_values(key: Labels, members: Vector, name: str) -> Vector:
    counts: dict[str, int] = {}
    for sample in members:
        text = format_float(sample.value)
        counts[text] = counts.get(text, 0) + 1
    return [
        Sample(tuple(sorted({**dict(key), name: text}.items())), float(count))
        for text, count in counts.items()
    ]
