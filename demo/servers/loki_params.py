"""The parameters of Loki's query endpoints, read and refused as Loki 2.9 does."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from demo.servers.go_text import parse_duration, parse_rfc3339

NANOS = 1_000_000_000
DEFAULT_LIMIT = 100
MAX_POINTS = 11_000
SECONDS_DIGITS = 10
HOUR_NS = 3_600 * NANOS
_INTEGER = re.compile(r"[+-]?\d+")


class BadParameterError(Exception):
    """A parameter Loki answers 400 to; `str()` is the body."""


@dataclass(frozen=True, slots=True)
class RangeParams:
    """A `query_range` request; times in Unix nanoseconds, the step in nanoseconds."""

    query: str
    start: int
    end: int
    step: int
    limit: int
    forward: bool


def range_params(form: Mapping[str, str], now_ns: int) -> RangeParams:
    """Read a `query_range` request. Raises BadParameterError."""
    limit = read_limit(form)
    forward = _forward(form.get("direction", ""))
    start, end = bounds(form, now_ns)
    if end <= start:
        raise BadParameterError("end timestamp must not be before or equal to start time")
    step = _step(form.get("step", ""), start, end)
    if step <= 0:
        raise BadParameterError(
            "zero or negative query resolution step widths are not accepted. Try a positive integer"
        )
    if (end - start) // step > MAX_POINTS:
        raise BadParameterError(
            "exceeded maximum resolution of 11,000 points per time series. "
            "Try increasing the value of the step parameter"
        )
    return RangeParams(
        query=form.get("query", ""), start=start, end=end, step=step, limit=limit, forward=forward
    )


def read_limit(form: Mapping[str, str]) -> int:
    """Read `limit`, 100 when it is not given. Raises BadParameterError."""
    text = form.get("limit", "") or str(DEFAULT_LIMIT)
    if not _INTEGER.fullmatch(text):
        raise BadParameterError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) <= 0:
        raise BadParameterError("limit must be a positive value")
    return int(text)


def bounds(form: Mapping[str, str], now_ns: int) -> tuple[int, int]:
    """Read `start` and `end`; the last hour when neither is given. Raises BadParameterError."""
    end = timestamp(form.get("end", ""), now_ns)
    since = form.get("since", "")
    length = round(parse_duration(since) * NANOS) if since else HOUR_NS
    return timestamp(form.get("start", ""), min(end, now_ns) - length), end


def timestamp(text: str, default: int) -> int:
    """Read a time as Loki does: nanoseconds, seconds when short or with a point, RFC 3339. Nanoseconds."""
    if not text:
        return default
    if "." in text:
        try:
            return round(float(text) * 1000) * 1_000_000
        except ValueError:
            pass
    if _INTEGER.fullmatch(text):
        return int(text) * (NANOS if len(text) <= SECONDS_DIGITS else 1)
    try:
        return round(parse_rfc3339(text) * 1_000_000) * 1_000
    except ValueError:
        raise BadParameterError(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _forward(text: str) -> bool:
    if text.upper() not in ("", "FORWARD", "BACKWARD"):
        raise BadParameterError(f"invalid direction '{text}'")
    return text.upper() == "FORWARD"


def _step(text: str, start: int, end: int) -> int:
    if not text:
        return max(math.floor((end - start) / NANOS / 250), 1) * NANOS
    try:
        return round(float(text) * NANOS)
    except ValueError:
        pass
    try:
        return round(parse_duration(text) * NANOS)
    except ValueError:
        raise BadParameterError(f'cannot parse "{text}" to a valid duration') from None
