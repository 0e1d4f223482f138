"""A Loki stand-in that answers as Loki 2.9 does, error bodies included.

Facts from Loki's own source and documentation: https://grafana.com/docs/loki/v2.9.x/reference/api/.
What the stand-in does not know (parsers, `unwrap`, protobuf push) is answered 501, never guessed.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from demo.clock import Clock, SimClock
from demo.servers.go_text import format_float
from demo.servers.local_server import Handler, LocalServer, compact, read_form
from demo.servers.log_store import Labels, LogStore
from demo.servers.logql import parse
from demo.servers.logql_eval import evaluate
from demo.servers.logql_lexer import ParseError
from demo.servers.logql_tree import Entry, LogQuery, Metric, NotSupportedError
from demo.servers.loki_limits import LokiLimits, Queue, TooManyRequestsError, reach
from demo.servers.loki_params import (
    NANOS,
    BadParameterError,
    RangeParams,
    bounds,
    range_params,
    read_limit,
    timestamp,
)
from demo.servers.loki_stats import stats

SINGLE_TENANT = "fake"  # the tenant Loki itself uses when it asks for none
INSTANT_LOG_QUERY = (
    "log queries are not supported as an instant query type, please change your query to a range query type"
)
# What Loki says with a 429 and a 504; a test gives them to a Fault.
TOO_MANY_REQUESTS = "too many outstanding requests\n"
REQUEST_TIMED_OUT = (
    "Request timed out, decrease the duration of the request or add more label matchers "
    "(prefer exact match over regex match) to reduce the amount of data processed.\n"
)
_PLAIN_VALUE = 2
"""A time and a line; what is more is structured metadata."""
NOT_READY = "Ingester not ready: waiting for 15s after being ready"


class PushStream(BaseModel):
    """One stream of a push; a value is `[nanoseconds as a string, line]`, metadata may follow."""

    stream: dict[str, str]
    values: list[list[Any]]


class PushBody(BaseModel):
    """The JSON body of `/loki/api/v1/push`."""

    streams: list[PushStream]


class LokiServer(LocalServer):
    """Loki on a loopback port.

    `auth`: ask for `X-Scope-OrgID` and keep tenants apart. `ready_after`: seconds of the clock's time after
    `start` during which `/ready` answers 503. `limits`: the tenant's. `faults` (from LocalServer) make it fail.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        port: int = 0,
        auth: bool = False,
        ready_after: float = 0.0,
        limits: LokiLimits | None = None,
    ) -> None:
        super().__init__(port)
        self.limits = limits or LokiLimits()
        self.queue = Queue(self.limits)
        self.clock = clock or SimClock()
        self.auth = auth
        self.ready_after = ready_after
        self.tenants: dict[str, LogStore] = {}
        self._ready_at = 0.0

    async def start(self) -> None:
        """Listen, and begin the time in which it is not ready yet."""
        self._ready_at = self.clock.now() + self.ready_after
        await super().start()

    def add(
        self, labels: Mapping[str, str], line: str, at: float | None = None, *, tenant: str = SINGLE_TENANT
    ) -> None:
        """Keep one line, as if promtail had sent it; `at` is Unix seconds, now when left out."""
        moment = self.clock.now() if at is None else at
        self.store(tenant).add(labels, line, round(moment * 1_000_000) * 1_000)

    def store(self, tenant: str = SINGLE_TENANT) -> LogStore:
        """Return the lines of a tenant, to read or to add to directly."""
        return self.tenants.setdefault(tenant, LogStore())

    def routes(self) -> list[web.RouteDef]:
        """Loki's read API, push, readiness and build information."""
        api = "/loki/api/v1"
        reads = {
            f"{api}/query_range": self._query_range,
            f"{api}/query": self._query,
            f"{api}/labels": self._labels,
            f"{api}/label": self._labels,
            f"{api}/label/{{name}}/values": self._label_values,
            f"{api}/series": self._series,
        }
        return [
            *(web.route(method, path, reads[path]) for path in reads for method in ("GET", "POST")),
            web.post(f"{api}/push", self._push),
            web.get(f"{api}/status/buildinfo", _buildinfo),
            web.get("/ready", self._ready),
        ]

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the tenant and turn what went wrong into Loki's text bodies."""
        if self.auth and request.path.startswith("/loki/") and not request.headers.get("X-Scope-OrgID"):
            return _refuse(401, "no org id")
        try:
            return await handler(request)
        except (ParseError, BadParameterError) as error:
            return _refuse(400, str(error))
        except TooManyRequestsError as error:
            return _refuse(429, str(error))
        except NotSupportedError as error:
            return _refuse(501, f"the Loki stand-in does not know {error}")
        except web.HTTPNotFound:
            return _refuse(404, "404 page not found")

    def _tenant(self, request: web.Request) -> LogStore:
        return self.store(request.headers.get("X-Scope-OrgID", SINGLE_TENANT) if self.auth else SINGLE_TENANT)

    def _now_ns(self) -> int:
        return round(self.clock.now() * 1_000_000) * 1_000

    async def _query_range(self, request: web.Request) -> web.Response:
        params = range_params(await read_form(request), self._now_ns())
        query = parse(params.query)
        if isinstance(query, LogQuery):
            self.limits.check_lines(params)
        self.limits.check_length((params.end - params.start) / NANOS)
        async with self.queue.turn(params.start, params.end):
            if isinstance(query, LogQuery):
                return _json_answer("streams", _streams(self._tenant(request), query, params))
            return _json_answer("matrix", _matrix(self._tenant(request), query, params))

    async def _query(self, request: web.Request) -> web.Response:
        form = await read_form(request)
        read_limit(form)
        at = timestamp(form.get("time", ""), self._now_ns())
        query = parse(form.get("query", ""))
        if isinstance(query, LogQuery):
            raise BadParameterError(INSTANT_LOG_QUERY)
        back = reach(query)
        self.limits.check_length(back)
        async with self.queue.turn(at - round(back * NANOS), at):
            vector = evaluate(self._tenant(request), query, at)
        return _json_answer(
            "vector",
            [
                {"metric": dict(k), "value": [_seconds(at), format_float(v)]}
                for k, v in sorted(vector.items())
            ],
        )

    async def _labels(self, request: web.Request) -> web.Response:
        start, end = self._label_bounds(await read_form(request))
        return _values({n for s in self._tenant(request).touched(start, end) for n, _ in s})

    async def _label_values(self, request: web.Request) -> web.Response:
        start, end = self._label_bounds(await read_form(request))
        name = request.match_info["name"]
        return _values({v for s in self._tenant(request).touched(start, end) for n, v in s if n == name})

    def _label_bounds(self, form: Mapping[str, str]) -> tuple[int, int]:
        """Read the window; labels look back six hours by default, and the end belongs to it."""
        now = self._now_ns()
        start, end = bounds({"since": "6h", **form}, now)
        return start, end + 1

    async def _series(self, request: web.Request) -> web.Response:
        form = await request.post() if request.method == "POST" else request.query
        selectors = [str(s) for s in (*form.getall("match[]", []), *form.getall("match", []))]
        start, end = bounds(await read_form(request), self._now_ns())
        if not selectors:
            raise BadParameterError("0 matcher groups supplied")
        store = self._tenant(request)
        touched = set(store.touched(start, end + 1))
        found: set[Labels] = set()
        for selector in selectors:
            query = parse(selector)
            if not isinstance(query, LogQuery) or query.filters:
                raise BadParameterError("only label matchers are supported")
            found |= touched & set(store.matching(query.matchers))
        return web.json_response({"status": "success", "data": [dict(s) for s in sorted(found)]})

    async def _push(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise NotSupportedError(f"a push of {request.content_type}: send application/json")
        try:
            body = PushBody.model_validate_json(await request.read())
            entries = [
                (_labels_of(s.stream, v), str(v[1]), int(v[0])) for s in body.streams for v in s.values
            ]
            extra = any(len(v) > _PLAIN_VALUE for s in body.streams for v in s.values)
        except (ValidationError, ValueError, IndexError) as error:
            raise BadParameterError(f"loghttp.PushRequest.Streams: {error}") from error
        if extra and not self.limits.structured_metadata:
            raise BadParameterError(
                "stream includes structured metadata, but this feature is disallowed. Please see "
                "`limits_config.allow_structured_metadata`"
            )
        for labels, line, at_ns in entries:
            if not labels:
                raise BadParameterError("error at least one label pair is required per stream")
            self._tenant(request).add(labels, line, at_ns)
        return web.Response(status=204)

    async def _ready(self, _request: web.Request) -> web.Response:
        if self.clock.now() < self._ready_at:
            return _refuse(503, NOT_READY)
        return web.Response(text="ready\n")


def _labels_of(stream: Mapping[str, str], value: list[Any]) -> dict[str, str]:
    """Structured metadata makes streams of its own in an answer, as labels do."""
    extra = value[_PLAIN_VALUE] if len(value) > _PLAIN_VALUE else {}
    return {**stream, **{str(name): str(text) for name, text in extra.items()}}


def _streams(store: LogStore, query: LogQuery, params: RangeParams) -> list[dict[str, Any]]:
    """Take the first `limit` lines over all streams in that direction, and give them stream by stream."""
    found = store.select(query, params.start, params.end)
    lines: list[tuple[Entry, Labels]] = [(e, labels) for labels, entries in found.items() for e in entries]
    lines.sort(key=lambda item: (item[0][0], item[1]))
    if not params.forward:  # lines of one moment come in reverse too
        lines.reverse()
    streams: dict[Labels, list[list[str]]] = {}
    for (at_ns, line), labels in lines[: params.limit]:
        streams.setdefault(labels, []).append([str(at_ns), line])
    return [{"stream": dict(labels), "values": streams[labels]} for labels in sorted(streams)]


def _matrix(store: LogStore, metric: Metric, params: RangeParams) -> list[dict[str, Any]]:
    """Evaluate at each step; start and end fall on multiples of the step, as Loki aligns them."""
    series: dict[Labels, list[list[Any]]] = {}
    first, last = (params.start // params.step) * params.step, (params.end // params.step) * params.step
    for at in range(first, last + 1, params.step):
        for labels, value in evaluate(store, metric, at).items():
            series.setdefault(labels, []).append([_seconds(at), format_float(value)])
    return [{"metric": dict(labels), "values": series[labels]} for labels in sorted(series)]


def _seconds(at_ns: int) -> float | int:
    """Write a sample's time in seconds with milliseconds, whole when it is whole."""
    millis = at_ns // 1_000_000
    return millis // 1000 if millis % 1000 == 0 else millis / 1000


def _json_answer(kind: str, result: list[dict[str, Any]]) -> web.Response:
    body = {"status": "success", "data": {"resultType": kind, "result": result, "stats": stats(kind, result)}}
    return web.Response(
        text=compact(body) + "\n",
        content_type="application/json",
        charset="UTF-8",
    )


def _values(values: set[str]) -> web.Response:
    """Loki leaves `data` out when there is none."""
    body: dict[str, Any] = {"status": "success"}
    if values:
        body["data"] = sorted(values)
    return web.json_response(body)


def _refuse(status: int, text: str) -> web.Response:
    return web.Response(
        status=status, text=f"{text}\n", headers={"X-Content-Type-Options": "nosniff"}, charset="utf-8"
    )


async def _buildinfo(_request: web.Request) -> web.Response:
    return web.json_response(
        {
            "version": "2.9.8",
            "revision": "stand-in",
            "branch": "HEAD",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        }
    )
