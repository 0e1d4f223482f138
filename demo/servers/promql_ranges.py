"""PromQL's functions over a range of samples: rates, changes, and the `…_over_time` family.

The extrapolation of `rate`, `increase` and `delta` follows Prometheus' documented algorithm: the change seen
between the first and the last sample is stretched to the window's borders when samples lie close to them.
"""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from operator import lt

from demo.servers.promql_values import Range

# How much farther than the mean distance of samples a border may be, to be extrapolated to in full.
_NEAR = 1.1


def extrapolated(window: Range, *, counter: bool, per_second: bool) -> float | None:
    """Answer rate (`counter`, `per_second`), increase (`counter`) or delta; None with less than two samples."""
    points = window.points
    if len(points) < 2:  # noqa: PLR2004 (a change needs two samples)
        return None
    change = points[-1][1] - points[0][1]
    if counter:
        change += sum(before for (_, before), (_, after) in pairwise(points) if after < before)
    sampled = (points[-1][0] - points[0][0]) / 1000
    mean = sampled / (len(points) - 1)
    to_start = (points[0][0] - window.start_ms) / 1000
    to_end = (window.end_ms - points[-1][0]) / 1000
    if counter and change > 0 and points[0][1] >= 0:
        # A counter cannot have been below zero: do not go back beyond where it would have been.
        to_start = min(to_start, sampled * (points[0][1] / change))
    stretched = sampled
    stretched += to_start if to_start < mean * _NEAR else mean / 2
    stretched += to_end if to_end < mean * _NEAR else mean / 2
    result = change * (stretched / sampled)
    return result / ((window.end_ms - window.start_ms) / 1000) if per_second else result


def instant_change(window: Range, *, rate: bool) -> float | None:
    """Answer irate or idelta: the change between the last two samples."""
    if len(window.points) < 2:  # noqa: PLR2004 (a change needs two samples)
        return None
    (t0, v0), (t1, v1) = window.points[-2:]
    change = v1 if rate and v1 < v0 else v1 - v0
    return change / ((t1 - t0) / 1000) if rate else change


def regression(window: Range, origin_ms: int) -> tuple[float, float] | None:
    """Return slope (per second) and value at `origin_ms` of the line through the samples."""
    points = window.points
    if len(points) < 2:  # noqa: PLR2004 (a line needs two samples)
        return None
    if all(v == points[0][1] for _, v in points):
        return 0.0, points[0][1]
    xs = [(t - origin_ms) / 1000 for t, _ in points]
    ys = [v for _, v in points]
    n = len(points)
    covariance = sum(x * y for x, y in zip(xs, ys, strict=True)) - sum(xs) * sum(ys) / n
    slope = covariance / (sum(x * x for x in xs) - sum(xs) ** 2 / n)
    return slope, sum(ys) / n - slope * sum(xs) / n


def quantile(q: float, values: Iterable[float]) -> float:
    """Interpolate the q-quantile; infinities outside 0..1, NaN of nothing."""
    ordered = sorted(values, key=lambda v: (not math.isnan(v), v))
    if not ordered or math.isnan(q):
        return math.nan
    if not 0 <= q <= 1:
        return math.copysign(math.inf, q - 0.5)
    rank = q * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    weight = rank - low
    return ordered[low] * (1 - weight) + ordered[high] * weight


def variance(values: list[float]) -> float:
    """Return the population variance."""
    mean = math.fsum(values) / len(values)
    return math.fsum((v - mean) ** 2 for v in values) / len(values)


def _skip_nan(choose: Callable[[list[float]], float]) -> Callable[[list[float]], float]:
    def chosen(values: list[float]) -> float:
        numbers = [v for v in values if not math.isnan(v)]
        return choose(numbers) if numbers else math.nan

    return chosen


def _differs(before: float, after: float) -> bool:
    return before != after and not (math.isnan(before) and math.isnan(after))


# Answers from the values alone; a window without samples never gets here.
OVER_TIME: dict[str, Callable[[list[float]], float]] = {
    "avg_over_time": lambda values: sum(values) / len(values),
    "sum_over_time": sum,
    "min_over_time": _skip_nan(min),
    "max_over_time": _skip_nan(max),
    "count_over_time": lambda values: float(len(values)),
    "last_over_time": lambda values: values[-1],
    "present_over_time": lambda _values: 1.0,
    "stddev_over_time": lambda values: math.sqrt(variance(values)),
    "stdvar_over_time": variance,
    "changes": lambda values: float(sum(_differs(a, b) for a, b in pairwise(values))),
    "resets": lambda values: float(sum(map(lt, values[1:], values))),
}
# Answers from the whole window; None leaves the series out.
WINDOWED: dict[str, Callable[[Range], float | None]] = {
    "rate": lambda w: extrapolated(w, counter=True, per_second=True),
    "increase": lambda w: extrapolated(w, counter=True, per_second=False),
    "delta": lambda w: extrapolated(w, counter=False, per_second=False),
    "irate": lambda w: instant_change(w, rate=True),
    "idelta": lambda w: instant_change(w, rate=False),
    "deriv": lambda w: (
        None if (line := regression(w, w.points[0][0] if w.points else 0)) is None else line[0]
    ),
}
