"""PromQL's functions over instant vectors and numbers."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from demo.servers.go_text import compile_regexp
from demo.servers.promql_ranges import OVER_TIME, WINDOWED, quantile, regression
from demo.servers.promql_values import (
    Matrix,
    PromqlError,
    Range,
    Sample,
    Value,
    Vector,
    unique,
    vector_of,
    without_name,
)

_DOLLAR = re.compile(r"\$(?:(\d+|\w+)|\{(\w+)\})")


def _round(value: float, nearest: float = 1.0) -> float:
    return math.floor(value / nearest + 0.5) * nearest if math.isfinite(value) else value


def _whole(step: Callable[[float], int]) -> Callable[[float], float]:
    return lambda v: float(step(v)) if math.isfinite(v) else v


def _ln(value: float) -> float:
    if value > 0:
        return math.log(value)
    return -math.inf if value == 0 else math.nan


def _utc(value: float) -> datetime:
    return datetime.fromtimestamp(value, UTC)


_EACH: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "exp": lambda v: math.exp(v) if v < 700 else math.inf,  # noqa: PLR2004 (where a double overflows)
    "ln": _ln,
    "log10": lambda v: _ln(v) / math.log(10),
    "log2": lambda v: _ln(v) / math.log(2),
    "sqrt": lambda v: math.sqrt(v) if v >= 0 else math.nan,
    "sgn": lambda v: v if v == 0 or math.isnan(v) else math.copysign(1, v),
    "minute": lambda v: float(_utc(v).minute),
    "hour": lambda v: float(_utc(v).hour),
    "day_of_week": lambda v: float(_utc(v).isoweekday() % 7),
    "day_of_month": lambda v: float(_utc(v).day),
    "month": lambda v: float(_utc(v).month),
    "year": lambda v: float(_utc(v).year),
}


def call(name: str, args: list[Value], at_ms: int) -> Value:
    """Answer a function call whose arguments are evaluated. Raises PromqlError for one that is not known here."""
    if name in _EACH:
        vector = vector_of(args[0]) if args else [Sample((), at_ms / 1000)]
        return _each(vector, _EACH[name])
    if name in OVER_TIME or name in WINDOWED or name in ("quantile_over_time", "predict_linear"):
        return _over_ranges(name, args, at_ms)
    handler = _OTHERS.get(name)
    if handler is None:
        raise PromqlError(f"the Prometheus stand-in does not know the function {name}")
    return handler(args, at_ms)


def _matrix(value: Value) -> Matrix:
    return [r for r in value if isinstance(r, Range)] if isinstance(value, list) else []


def _number(value: Value) -> float:
    return value if isinstance(value, float) else math.nan


def _each(vector: Vector, change: Callable[[float], float]) -> Vector:
    return unique([Sample(without_name(s.labels), float(change(s.value))) for s in vector])


def _over_ranges(name: str, args: list[Value], at_ms: int) -> Vector:
    out: Vector = []
    for window in next(m for a in args if (m := _matrix(a)) or isinstance(a, list)):
        value = _over_range(name, window, args, at_ms)
        if value is not None:
            labels = window.labels if name == "last_over_time" else without_name(window.labels)
            out.append(Sample(labels, value))
    return unique(out)


def _over_range(name: str, window: Range, args: list[Value], at_ms: int) -> float | None:
    if not window.points:
        return None
    values = [v for _, v in window.points]
    if name in OVER_TIME:
        return float(OVER_TIME[name](values))
    if name == "quantile_over_time":
        return quantile(_number(args[0]), values)
    if name == "predict_linear":
        line = regression(window, at_ms)
        return None if line is None else line[0] * _number(args[1]) + line[1]
    return WINDOWED[name](window)


def _clamp(args: list[Value], low: float, high: float) -> Vector:
    if low > high:
        return []
    return _each(vector_of(args[0]), lambda v: v if math.isnan(v) else max(low, min(high, v)))


def _scalar(args: list[Value], _at: int) -> Value:
    vector = vector_of(args[0])
    return vector[0].value if len(vector) == 1 else math.nan


def _round_all(args: list[Value], _at: int) -> Value:
    nearest = _number(args[1]) if len(args) > 1 else 1.0
    return _each(vector_of(args[0]), lambda v: _round(v, nearest))


def _sorted(*, reverse: bool) -> Callable[[list[Value], int], Value]:
    def answer(args: list[Value], _at: int) -> Value:
        sign = -1 if reverse else 1
        return sorted(vector_of(args[0]), key=lambda s: (math.isnan(s.value), sign * s.value))

    return answer


def _label_replace(args: list[Value], _at: int) -> Value:
    target, template, source, pattern = (str(a) for a in args[1:5])
    regexp = compile_regexp(f"^(?:{pattern})$")
    out: Vector = []
    for sample in vector_of(args[0]):
        labels = dict(sample.labels)
        found = regexp.fullmatch(labels.get(source, ""))
        if found is not None:
            labels[target] = _expand(template, found)
        kept = tuple(sorted((n, v) for n, v in labels.items() if v))
        out.append(Sample(kept, sample.value, sample.at_ms))
    return unique(out)


def _expand(template: str, found: re.Match[str]) -> str:
    def group(reference: re.Match[str]) -> str:
        name = reference.group(1) or reference.group(2)
        try:
            return found.group(int(name) if name.isdigit() else name) or ""
        except IndexError:
            return ""

    return _DOLLAR.sub(group, template)


def _label_join(args: list[Value], _at: int) -> Value:
    target, separator, *sources = (str(a) for a in args[1:])
    out: Vector = []
    for sample in vector_of(args[0]):
        labels = dict(sample.labels)
        labels[target] = separator.join(labels.get(s, "") for s in sources)
        out.append(Sample(tuple(sorted((n, v) for n, v in labels.items() if v)), sample.value))
    return unique(out)


def _timestamp(args: list[Value], at_ms: int) -> Value:
    return [Sample(without_name(s.labels), (s.at_ms or at_ms) / 1000) for s in vector_of(args[0])]


_OTHERS: dict[str, Callable[[list[Value], int], Value]] = {
    "time": lambda _args, at: at / 1000,
    "pi": lambda _args, _at: math.pi,
    "vector": lambda args, _at: [Sample((), _number(args[0]))],
    "scalar": _scalar,
    "timestamp": _timestamp,
    "round": _round_all,
    "clamp": lambda args, _at: _clamp(args, _number(args[1]), _number(args[2])),
    "clamp_min": lambda args, _at: _clamp(args, _number(args[1]), math.inf),
    "clamp_max": lambda args, _at: _clamp(args, -math.inf, _number(args[1])),
    "sort": _sorted(reverse=False),
    "sort_desc": _sorted(reverse=True),
    "label_replace": _label_replace,
    "label_join": _label_join,
}
