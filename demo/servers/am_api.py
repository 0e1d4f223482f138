"""The HTTP API v2 of the Alertmanager stand-in: shapes and error bodies of Alertmanager 0.25."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aiohttp import web

from demo.servers.am_config import AlertmanagerConfig
from demo.servers.am_dispatch import Dispatcher
from demo.servers.am_model import AmAlert, Silence, all_match, label_order, parse_matcher
from demo.servers.am_requests import (
    RefusedError,
    answer_json,
    coded,
    flag,
    moment,
    problem_of,
    read_body,
    read_matcher,
    receiver_filter,
    silence_id,
)
from demo.servers.am_silences import SilenceInvalidError, Silences, SilenceUnknownError
from demo.servers.go_text import rfc3339_of_ns
from demo.servers.local_server import Handler

_SILENCE_FIELDS = ("comment", "createdBy", "endsAt", "matchers", "startsAt")


class Alerting(Protocol):
    """What the API answers from. ``started_ns``: Unix nanoseconds."""

    config: AlertmanagerConfig
    config_text: str
    started_ns: int
    resolve_timeout_ns: int
    silences: Silences
    dispatcher: Dispatcher

    def now_ns(self) -> int:
        """Return the clock's time in Unix nanoseconds."""
        ...


class AlertmanagerApi:
    """Answers requests from an Alertmanager's alerts and silences."""

    def __init__(self, server: Alerting) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """All paths."""
        api = "/api/v2"
        return [
            web.get(f"{api}/alerts", self._alerts),
            web.post(f"{api}/alerts", self._post_alerts),
            web.get(f"{api}/alerts/groups", self._groups),
            web.get(f"{api}/silences", self._silences),
            web.post(f"{api}/silences", self._post_silence),
            web.get(f"{api}/silence/{{id}}", self._silence),
            web.delete(f"{api}/silence/{{id}}", self._delete_silence),
            web.get(f"{api}/status", self._status),
            web.get(f"{api}/receivers", self._receivers),
            web.get("/-/ready", _ok),
            web.get("/-/healthy", _ok),
        ]

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn what goes wrong into Alertmanager's bodies."""
        try:
            return await handler(request)
        except RefusedError as error:
            return answer_json(error.body, error.status)
        except web.HTTPNotFound:
            return answer_json({"code": 404, "message": f"path {request.path} was not found"}, 404)
        except web.HTTPMethodNotAllowed as error:
            allowed = ",".join(sorted(error.allowed_methods - {"HEAD"}))
            message = f"method {request.method} is not allowed, but [{allowed}] are"
            return answer_json({"code": 405, "message": message}, 405)

    async def _alerts(self, request: web.Request) -> web.Response:
        now = self._server.now_ns()
        accepts = self._filter(request, now)
        receiver = receiver_filter(request)
        live = [a for a in self._server.dispatcher.alerts.values() if not a.resolved(now) and accepts(a)]
        shown = [d for a in live if receiver(d := self._gettable(a, now))]
        return answer_json(sorted(shown, key=lambda alert: str(alert["fingerprint"])))

    async def _groups(self, request: web.Request) -> web.Response:
        now = self._server.now_ns()
        accepts = self._filter(request, now)
        shown = []
        for group in sorted(
            self._server.dispatcher.groups.values(),
            key=lambda g: (label_order(g.labels), g.route.receiver),
        ):
            live = [a for a in group.alerts.values() if not a.resolved(now) and accepts(a)]
            live.sort(key=lambda a: label_order(a.labels))
            if live:
                alerts = [self._gettable(a, now) for a in live]
                for alert in alerts:
                    alert["receivers"].sort(key=lambda r: r["name"])
                receiver = {"name": group.route.receiver}
                shown.append({"alerts": alerts, "labels": group.labels, "receiver": receiver})
        return answer_json(shown)

    def _filter(self, request: web.Request, now: int) -> Callable[[AmAlert], bool]:
        """Read `filter`, `active`, `silenced`, `inhibited`. Raises RefusedError."""
        try:
            matchers = [parse_matcher(text) for text in request.query.getall("filter", [])]
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
        active, silenced, inhibited = (flag(request, n) for n in ("active", "silenced", "inhibited"))

        def accepts(alert: AmAlert) -> bool:
            status = self._server.dispatcher.status(alert, now)
            return (
                all_match(matchers, alert.labels)
                and (active or status.state != "active")
                and (silenced or not status.silenced_by)
                and (inhibited or not status.inhibited_by)
            )

        return accepts

    def _gettable(self, alert: AmAlert, now: int) -> dict[str, Any]:
        dispatcher = self._server.dispatcher
        status = dispatcher.status(alert, now)
        receivers = [{"name": r.receiver} for r in dispatcher.root.matching(alert.labels)]
        return {
            "annotations": alert.annotations,
            "endsAt": rfc3339_of_ns(alert.ends_at, 3),
            "fingerprint": alert.fingerprint,
            "receivers": receivers,
            "startsAt": rfc3339_of_ns(alert.starts_at, 3),
            "status": {
                "inhibitedBy": list(status.inhibited_by),
                "silencedBy": list(status.silenced_by),
                "state": status.state,
            },
            "updatedAt": rfc3339_of_ns(alert.updated_at, 3),
            **({"generatorURL": alert.generator_url} if alert.generator_url else {}),
            "labels": dict(sorted(alert.labels.items())),
        }

    async def _post_alerts(self, request: web.Request) -> web.Response:
        body = await read_body(request, "alerts", list, "models.PostableAlerts")
        for index, item in enumerate(body):
            if not isinstance(item, dict) or "labels" not in item:
                raise coded(422, f"{index}.labels in body is required", 602)
        now = self._server.now_ns()
        problems = []
        for item in body:
            alert = self._read_alert(item, now)
            problem = problem_of(alert)
            if problem:
                problems.append(problem)
            else:
                self._server.dispatcher.put(alert, now)
        if problems:
            raise RefusedError(400, "; ".join(problems))
        return web.Response()

    def _read_alert(self, item: Mapping[str, Any], now: int) -> AmAlert:
        starts, ends = (moment(item, name, "alerts") for name in ("startsAt", "endsAt"))
        return AmAlert(
            labels={str(n): str(v) for n, v in item["labels"].items() if v != ""},
            annotations={str(n): str(v) for n, v in (item.get("annotations") or {}).items() if v != ""},
            starts_at=starts or ends or now,
            ends_at=ends or now + self._server.resolve_timeout_ns,
            updated_at=now,
            generator_url=str(item.get("generatorURL") or ""),
            timeout=ends == 0,
        )

    async def _silences(self, request: web.Request) -> web.Response:
        try:
            wanted = [parse_matcher(text) for text in request.query.getall("filter", [])]
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
        now = self._server.now_ns()
        found = [
            _gettable_silence(s, now)
            for s in self._server.silences.listed(now)
            if all_match(wanted, {m.name: m.value for m in s.matchers if m.is_equal})
        ]
        return answer_json(found)

    async def _post_silence(self, request: web.Request) -> web.Response:
        item = await read_body(request, "silence", dict, "models.PostableSilence")
        missing = [name for name in _SILENCE_FIELDS if item.get(name) is None]
        if missing:
            raise coded(422, f"{missing[0]} in body is required", 602)
        if not item["matchers"]:
            raise coded(422, "matchers in body should have at least 1 items", 612)
        silence = Silence(
            id=str(item.get("id") or ""),
            matchers=tuple(read_matcher(m, i) for i, m in enumerate(item["matchers"])),
            starts_at=moment(item, "startsAt", "silence"),
            ends_at=moment(item, "endsAt", "silence"),
            updated_at=0,
            created_by=str(item["createdBy"]),
            comment=str(item["comment"]),
        )
        try:
            return answer_json({"silenceID": self._server.silences.set(silence, self._server.now_ns())})
        except SilenceInvalidError as error:
            raise RefusedError(400, str(error)) from error
        except SilenceUnknownError as error:
            raise RefusedError(404, str(error)) from error

    async def _silence(self, request: web.Request) -> web.Response:
        silence = self._server.silences.by_id.get(silence_id(request))
        if silence is None:
            return web.Response(status=404)
        return answer_json(_gettable_silence(silence, self._server.now_ns()))

    async def _delete_silence(self, request: web.Request) -> web.Response:
        try:
            self._server.silences.expire(silence_id(request), self._server.now_ns())
        except SilenceUnknownError as error:
            raise RefusedError(500, str(error)) from error  # 0.25 says 500 here, later versions 404
        return web.Response()

    async def _status(self, _request: web.Request) -> web.Response:
        keys = ("branch", "buildDate", "buildUser", "goVersion", "revision")
        return answer_json(
            {
                "cluster": {"peers": [], "status": "disabled"},
                "config": {"original": self._server.config_text},
                "uptime": rfc3339_of_ns(self._server.started_ns, 3),
                "versionInfo": {**dict.fromkeys(keys, "stand-in"), "version": "0.25.0"},
            }
        )

    async def _receivers(self, _request: web.Request) -> web.Response:
        return answer_json([{"name": r.name} for r in self._server.config.receivers])


async def _ok(_request: web.Request) -> web.Response:
    return web.Response(text="OK")


def _gettable_silence(silence: Silence, now: int) -> dict[str, Any]:
    return {
        "id": silence.id,
        "status": {"state": silence.state(now)},
        "updatedAt": rfc3339_of_ns(silence.updated_at, 3),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": rfc3339_of_ns(silence.ends_at, 3),
        "matchers": [
            {"isEqual": m.is_equal, "isRegex": m.is_regex, "name": m.name, "value": m.value}
            for m in silence.matchers
        ],
        "startsAt": rfc3339_of_ns(silence.starts_at, 3),
    }
