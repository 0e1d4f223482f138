"""The HTTP API of the Prometheus stand-in: shapes and error bodies of Prometheus 2.42."""

import re
from typing import Any, Protocol

from aiohttp import web
from multidict import MultiMapping

from demo.clock import Clock
from demo.servers.go_text import rfc3339_nano
from demo.servers.local_server import Handler, read_form
from demo.servers.prometheus_params import (
    BadDataError,
    read_multi,
    read_selector,
    read_step,
    read_time,
)
from demo.servers.prometheus_shapes import alert_of, failure, page, point, result_of, success, whole
from demo.servers.promql import Evaluator
from demo.servers.promql_values import PromqlError, PromqlSyntaxError
from demo.servers.rules import Group, Rule, RuleEngine
from demo.servers.scraping import Scraper
from demo.servers.tsdb import Tsdb

MAX_POINTS = 11_000
_NEVER = "0001-01-01T00:00:00Z"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Monitoring(Protocol):
    """What the API answers from. ``started_at``: Unix seconds; ``reload_error``: empty where the rules are good."""

    clock: Clock
    tsdb: Tsdb
    scraper: Scraper
    evaluator: Evaluator
    engine: RuleEngine
    started_at: float
    reload_error: str


class PrometheusApi:
    """Answers requests from a Prometheus' database, rules and targets."""

    def __init__(self, server: Monitoring) -> None:
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
            web.get("/-/ready", page("Prometheus Server is Ready.\n")),
            web.get("/-/healthy", page("Prometheus Server is Healthy.\n")),
        ]

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn what goes wrong into Prometheus' bodies."""
        try:
            return await handler(request)
        except BadDataError as error:
            return failure(400, "bad_data", str(error))
        except PromqlSyntaxError as error:
            return failure(400, "bad_data", f'invalid parameter "query": {error}')
        except PromqlError as error:
            return failure(422, "execution", str(error))
        except web.HTTPNotFound:
            return web.Response(status=404, text="404 page not found\n")

    async def _query(self, request: web.Request) -> web.Response:
        form = await read_form(request)
        at_ms = read_time(form, "time", self._server.clock.now())
        value = self._server.evaluator.instant(form.get("query", ""), at_ms)
        return success(result_of(value, at_ms))

    async def _query_range(self, request: web.Request) -> web.Response:
        form = await read_form(request)
        start, end = read_time(form, "start"), read_time(form, "end")
        if end < start:
            raise BadDataError('invalid parameter "end": end timestamp must not be before start time')
        step_ms = read_step(form)
        if (end - start) // step_ms > MAX_POINTS:
            raise BadDataError(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        found = self._server.evaluator.series(form.get("query", ""), start, end, step_ms)
        result = [
            {"metric": dict(labels), "values": [point(t, v) for t, v in points]}
            for labels, points in sorted(found.items())
        ]
        return success({"resultType": "matrix", "result": result})

    async def _series(self, request: web.Request) -> web.Response:
        found = self._selected(await read_multi(request), required=True)
        return success([dict(labels) for labels in found])

    async def _labels(self, request: web.Request) -> web.Response:
        return success(sorted({n for s in self._selected(await read_multi(request)) for n, _ in s}))

    async def _label_values(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not _LABEL.fullmatch(name):
            raise BadDataError(f'invalid label name: "{name}"')
        return success(
            sorted({v for s in self._selected(await read_multi(request)) for n, v in s if n == name})
        )

    def _selected(
        self, form: MultiMapping[str], *, required: bool = False
    ) -> list[tuple[tuple[str, str], ...]]:
        """Return the label sets of `match[]` (all of them when there is none) in the window asked for."""
        selectors = [str(s) for s in form.getall("match[]", [])]
        if required and not selectors:
            raise BadDataError("no match[] parameter provided")
        now = self._server.clock.now()
        flat = {n: str(v) for n, v in form.items()}
        start, end = read_time(flat, "start", 0.0), read_time(flat, "end", now)
        tsdb = self._server.tsdb
        if not selectors:
            return tsdb.active((), start, end)
        found = {s for text in selectors for s in tsdb.active(read_selector(text), start, end)}
        return sorted(found)

    async def _rules(self, request: web.Request) -> web.Response:
        kind = request.query.get("type", "").lower()
        if kind not in ("", "alert", "record"):
            raise BadDataError(f'not supported value "{kind}"')
        groups = [self._group(g, kind) for g in self._server.engine.groups]
        return success({"groups": groups})

    def _group(self, group: Group, kind: str) -> dict[str, Any]:
        rules = [self._rule(r) for r in group.rules if kind in ("", "record" if r.spec.record else "alert")]
        return {
            "name": group.name,
            "file": group.file,
            "rules": rules,
            "interval": whole(group.interval),
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
        alerts = [alert_of(a) for a in rule.alerts.values() if a.state != "inactive"]
        return {
            "state": rule.state,
            "name": spec.alert,
            "query": spec.expr,
            "duration": whole(rule.hold),
            "keepFiringFor": whole(rule.keep_firing),
            "labels": spec.labels,
            "annotations": spec.annotations,
            "alerts": alerts,
            **common,
            "type": "alerting",
        }

    async def _alerts(self, _request: web.Request) -> web.Response:
        return success({"alerts": [alert_of(a) for _, a in self._server.engine.active()]})

    async def _targets(self, _request: web.Request) -> web.Response:
        return success({"activeTargets": self._server.scraper.report(), "droppedTargets": []})

    async def _metadata(self, request: web.Request) -> web.Response:
        wanted = request.query.get("metric", "")
        known = self._server.scraper.metadata
        return success(
            {n: [{"type": m.type, "help": m.help, "unit": ""}] for n, m in known.items() if wanted in ("", n)}
        )

    async def _buildinfo(self, _request: web.Request) -> web.Response:
        keys = ("revision", "branch", "buildUser", "buildDate", "goVersion")
        return success({"version": "2.42.0", **dict.fromkeys(keys, "stand-in")})

    async def _runtimeinfo(self, _request: web.Request) -> web.Response:
        server = self._server
        return success(
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
