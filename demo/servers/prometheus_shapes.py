"""What Prometheus' API answers, written as Prometheus 2.42 writes it."""

import math
from typing import Any, cast

from aiohttp import web

from demo.servers.go_text import format_float, rfc3339_nano
from demo.servers.local_server import Handler, compact
from demo.servers.promql_values import Sample, Value, Vector
from demo.servers.rules import Alert


def point(at_ms: int, value: float) -> list[float | int | str]:
    """Write a sample: seconds (whole when they are) and the value as a string."""
    return [at_ms // 1000 if at_ms % 1000 == 0 else at_ms / 1000, format_float(value)]


def result_of(value: Value, at_ms: int) -> dict[str, Any]:
    """Write the answer of an instant query with its type."""
    if isinstance(value, str):
        return {"resultType": "string", "result": [point(at_ms, 0)[0], value]}
    if isinstance(value, float):
        return {"resultType": "scalar", "result": point(at_ms, value)}
    if value and not isinstance(value[0], Sample):
        ranges = [{"metric": dict(r.labels), "values": [point(t, v) for t, v in r.points]} for r in value]
        return {"resultType": "matrix", "result": ranges}
    samples = [{"metric": dict(s.labels), "value": point(at_ms, s.value)} for s in cast("Vector", value)]
    return {"resultType": "vector", "result": samples}


def alert_of(alert: Alert) -> dict[str, Any]:
    """Write an alert of `/rules` and `/alerts`."""
    return {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": alert.state,
        "activeAt": rfc3339_nano(alert.active_at),
        "value": scientific(alert.value),
    }


def scientific(value: float) -> str:
    """Write an alert's value as Prometheus does here: `1e+00`, `2.5e-01`."""
    if not math.isfinite(value):
        return format_float(value)
    digits = repr(value).split("e")[0].replace("-", "").replace(".", "").strip("0")
    return f"{value:.{max(0, len(digits) - 1)}e}"


def whole(seconds: float) -> float | int:
    """Write a number without a point when it needs none, as Go's encoder does."""
    return int(seconds) if seconds.is_integer() else seconds


def success(data: object) -> web.Response:
    """Answer data."""
    return web.json_response({"status": "success", "data": data}, dumps=compact)


def failure(status: int, kind: str, text: str) -> web.Response:
    """Answer an error of that kind."""
    return web.json_response(
        {"status": "error", "errorType": kind, "error": text}, status=status, dumps=compact
    )


def page(text: str) -> Handler:
    """Answer a path with a fixed text."""

    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text)

    return handler
