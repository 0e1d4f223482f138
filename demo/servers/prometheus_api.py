"""The HTTP API of the Prometheus stand-in: shapes and error bodies of Prometheus 2.42."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web
from multidict import MultiMapping

from demo.servers.go_text import format_float, parse_duration, parse_rfc3339, rfc3339_nano
from demo.servers.local_server import Handler, compact
from demo.servers.promql import matchers_of, parse
from demo.servers.promql_values import PromqlError, PromqlSyntaxError, Sample, Value, Vector
from demo.servers.rules import Alert, Group, Rule

if TYPE_CHECKING:
    from demo.servers.prometheus import PrometheusServer

MAX_POINTS = 11_000
_NEVER = "0001-01-01T00:00:00Z"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class BadDataError(Exception):
    """A request Prometheus answers 400 `bad_data`."""


class PrometheusApi:
    """Answers requests from a PrometheusServer's database, rules and targets."""

    def __init__(self, server: "PrometheusServer") -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """All paths."""
        api = "/api/v1"
        both = {
            f"{api}/query": self._query,
            f"{api}/query_range": self._query_range,
            f"{api}/series": self._series,
            f"{api}/labels": self._labels,
        }
        return [
            *(web.route(method, path, both[path]) for path in both for method in ("GET", "POST")),
            web.get(f"{api}/label/{{name}}/values", self._label_values),
            web.get(f"{api}/rules", self._rules),
            web.get(f"{api}/alerts", self._alerts),
            web.get(f"{api}/targets", self._targets),
            web.get(f"{api}/metadata", self._metadata),
            web.get(f"{api}/status/buildinfo", self._buildinfo),
            web.get(f"{api}/status/runtimeinfo", self._runtimeinfo),
            web.get("/-/ready", _text("Prometheus Server is Ready.\n")),
            web.get("/-/healthy", _text("Prometheus Server is Healthy.\n")),
        ]

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn what goes wrong into Prometheus' bodies."""
        try:
            return await handler(request)
        except BadDataError as error:
            return _error(400, "bad_data", str(error))
        except PromqlSyntaxError as error:
            return _error(400, "bad_data", f'invalid parameter "query": {error}')
        except PromqlError as error:
            return _error(422, "execution", str(error))
        except web.HTTPNotFound:
            return web.Response(status=404, text="404 page not found\n")

    async def _query(self, request: web.Request) -> web.Response:
        form = await _form(request)
        at_ms = _time(form, "time", self._server.clock.now())
        value = self._server.evaluator.instant(form.get("query", ""), at_ms)
        return _answer(_result(value, at_ms))

    async def _query_range(self, request: web.Request) -> web.Response:
        form = await _form(request)
        start, end = _time(form, "start"), _time(form, "end")
        if end < start:
            raise BadDataError('invalid parameter "end": end timestamp must not be before start time')
        step_ms = _step(form)
        if (end - start) // step_ms > MAX_POINTS:
            raise BadDataError(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        found = self._server.evaluator.series(form.get("query", ""), start, end, step_ms)
        result = [
            {"metric": dict(labels), "values": [_point(t, v) for t, v in points]}
            for labels, points in sorted(found.items())
        ]
        return _answer({"resultType": "matrix", "result": result})

    async def _series(self, request: web.Request) -> web.Response:
        found = self._selected(await _multi(request), required=True)
        return _answer([dict(labels) for labels in found])

    async def _labels(self, request: web.Request) -> web.Response:
        return _answer(sorted({n for s in self._selected(await _multi(request)) for n, _ in s}))

    async def _label_values(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not _LABEL.fullmatch(name):
            raise BadDataError(f'invalid label name: "{name}"')
        return _answer(sorted({v for s in self._selected(await _multi(request)) for n, v in s if n == name}))

    def _selected(
        self, form: MultiMapping[str], *, required: bool = False
    ) -> list[tuple[tuple[str, str], ...]]:
        """Return the label sets of `match[]` (all of them when there is none) in the window asked for."""
        selectors = [str(s) for s in form.getall("match[]", [])]
        if required and not selectors:
            raise BadDataError("no match[] parameter provided")
        now = self._server.clock.now()
        flat = {n: str(v) for n, v in form.items()}
        start, end = _time(flat, "start", 0.0), _time(flat, "end", now)
        tsdb = self._server.tsdb
        if not selectors:
            return tsdb.active((), start, end)
        found = {s for text in selectors for s in tsdb.active(_selector(text), start, end)}
        return sorted(found)

    async def _rules(self, request: web.Request) -> web.Response:
        kind = request.query.get("type", "").lower()
        if kind not in ("", "alert", "record"):
            raise BadDataError(f'not supported value "{kind}"')
        groups = [self._group(g, kind) for g in self._server.engine.groups]
        return _answer({"groups": groups})

    def _group(self, group: Group, kind: str) -> dict[str, Any]:
        rules = [self._rule(r) for r in group.rules if kind in ("", "record" if r.spec.record else "alert")]
        return {
            "name": group.name,
            "file": group.file,
            "rules": rules,
            "interval": _whole(group.interval),
            "limit": 0,
            "evaluationTime": 0.001,
            "lastEvaluation": rfc3339_nano(group.last_evaluation) if group.last_evaluation else _NEVER,
        }

    def _rule(self, rule: Rule) -> dict[str, Any]:
        spec = rule.spec
        common = {
            "health": rule.health,
            **({"lastError": rule.last_error} if rule.last_error else {}),
            "evaluationTime": 0.001,
            "lastEvaluation": rfc3339_nano(rule.last_evaluation) if rule.last_evaluation else _NEVER,
        }
        if spec.record:
            return {
                "name": spec.record,
                "query": spec.expr,
                "labels": spec.labels,
                **common,
                "type": "recording",
            }
        alerts = [_alert(a) for a in rule.alerts.values() if a.state != "inactive"]
        return {
            "state": rule.state,
            "name": spec.alert,
            "query": spec.expr,
            "duration": _whole(rule.hold),
            "keepFiringFor": _whole(rule.keep_firing),
            "labels": spec.labels,
            "annotations": spec.annotations,
            "alerts": alerts,
            **common,
            "type": "alerting",
        }

    async def _alerts(self, _request: web.Request) -> web.Response:
        return _answer({"alerts": [_alert(a) for _, a in self._server.engine.active()]})

    async def _targets(self, _request: web.Request) -> web.Response:
        return _answer({"activeTargets": self._server.scraper.report(), "droppedTargets": []})

    async def _metadata(self, request: web.Request) -> web.Response:
        wanted = request.query.get("metric", "")
        known = self._server.scraper.metadata
        return _answer(
            {n: [{"type": m.type, "help": m.help, "unit": ""}] for n, m in known.items() if wanted in ("", n)}
        )

    async def _buildinfo(self, _request: web.Request) -> web.Response:
        keys = ("revision", "branch", "buildUser", "buildDate", "goVersion")
        return _answer({"version": "2.42.0", **dict.fromkeys(keys, "stand-in")})

    async def _runtimeinfo(self, _request: web.Request) -> web.Response:
        server = self._server
        return _answer(
            {
                "startTime": rfc3339_nano(server.started_at),
                "CWD": "/",
                "reloadConfigSuccess": not server.reload_error,
                "lastConfigTime": rfc3339_nano(server.started_at),
                "corruptionCount": 0,
                "goroutineCount": 1,
                "GOMAXPROCS": 1,
                "GOMEMLIMIT": 9223372036854775807,
                "GOGC": "",
                "GODEBUG": "",
                "storageRetention": "2d",
            }
        )


def _selector(text: str) -> list[Any]:
    """Read a `match[]` selector."""
    try:
        expr = parse(text)
    except PromqlSyntaxError as error:
        raise BadDataError(f'invalid parameter "match[]": {error}') from error
    if not hasattr(expr, "matchers"):
        raise BadDataError(f'invalid parameter "match[]": not a selector: {text}')
    return list(matchers_of(cast("Any", expr)))


async def _multi(request: web.Request) -> MultiMapping[str]:
    return cast("MultiMapping[str]", await request.post() if request.method == "POST" else request.query)


async def _form(request: web.Request) -> dict[str, str]:
    """Return the parameters; in a POST the body's go before the address'."""
    form = {name: str(value) for name, value in request.query.items()}
    if request.method == "POST":
        form.update({name: str(value) for name, value in (await request.post()).items()})
    return form


def _time(form: Mapping[str, str], name: str, default: float | None = None) -> int:
    """Read a time parameter (Unix seconds or RFC 3339) as milliseconds."""
    text = form.get(name, "")
    if not text and default is not None:
        return round(default * 1000)
    try:
        return round(float(text) * 1000)
    except ValueError:
        pass
    try:
        return round(parse_rfc3339(text) * 1000)
    except ValueError:
        what = f'cannot parse "{text}" to a valid timestamp'
        if default is not None:
            what = f"Invalid time value for '{name}': {what}"
        raise BadDataError(f'invalid parameter "{name}": {what}') from None


def _step(form: Mapping[str, str]) -> int:
    text = form.get("step", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parse_duration(text)
        except ValueError:
            raise BadDataError(
                f'invalid parameter "step": cannot parse "{text}" to a valid duration'
            ) from None
    if seconds <= 0:
        raise BadDataError(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer"
        )
    return round(seconds * 1000)


def _point(at_ms: int, value: float) -> list[float | int | str]:
    return [at_ms // 1000 if at_ms % 1000 == 0 else at_ms / 1000, format_float(value)]


def _result(value: Value, at_ms: int) -> dict[str, Any]:
    if isinstance(value, str):
        return {"resultType": "string", "result": [_point(at_ms, 0)[0], value]}
    if isinstance(value, float):
        return {"resultType": "scalar", "result": _point(at_ms, value)}
    if value and not isinstance(value[0], Sample):
        ranges = [{"metric": dict(r.labels), "values": [_point(t, v) for t, v in r.points]} for r in value]
        return {"resultType": "matrix", "result": ranges}
    samples = [{"metric": dict(s.labels), "value": _point(at_ms, s.value)} for s in cast("Vector", value)]
    return {"resultType": "vector", "result": samples}


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": alert.state,
        "activeAt": rfc3339_nano(alert.active_at),
        "value": _scientific(alert.value),
    }


def _scientific(value: float) -> str:
    """Write an alert's value as Prometheus does here: `1e+00`, `2.5e-01`."""
    if not math.isfinite(value):
        return format_float(value)
    digits = repr(value).split("e")[0].replace("-", "").replace(".", "").strip("0")
    return f"{value:.{max(0, len(digits) - 1)}e}"


def _whole(seconds: float) -> float | int:
    """Write a number without a point when it needs none, as Go's encoder does."""
    return int(seconds) if seconds.is_integer() else seconds


def _answer(data: object) -> web.Response:
    return web.json_response({"status": "success", "data": data}, dumps=compact)


def _error(status: int, kind: str, text: str) -> web.Response:
    return web.json_response(
        {"status": "error", "errorType": kind, "error": text}, status=status, dumps=compact
    )


def _text(text: str) -> Handler:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text)

    return handler
