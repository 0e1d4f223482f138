"""Grafana: its datasources, and whether each of them answers.

``GET /api/datasources/uid/<uid>/health`` asks the datasource's backend plugin. Plugins that have no such check
answer 404 (Prometheus and Loki before Grafana 10) or 500 ``plugin.unavailable`` (Alertmanager, which lives in the
browser alone): those are asked through Grafana's own proxy instead, with the cheapest question of their kind.
A bad datasource answers 400 with ``{"message": …, "status": "ERROR"}``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from bot.sources.grafana.panels import dashboard_state
from bot.sources.http import HttpSource, Reply, first_line
from triage.errors import SourceDenied, SourceError
from triage.ports.checklists import DashboardState, Datasource

NAME = "Grafana"
MOST = 50
PROBES: Mapping[str, str] = {
    "prometheus": "api/v1/query?query=1",
    "loki": "loki/api/v1/labels",
    "alertmanager": "api/v2/status",
}
"""What to ask a datasource through the proxy, by its type."""
NO_CHECK = frozenset({"plugin.unavailable", "plugin.notImplemented", "plugin.notFound"})


class Grafana:
    """Implements ``triage.ports.checklists.Dashboards``."""

    def __init__(self, http: HttpSource) -> None:
        self._http = http

    async def datasources(self) -> tuple[Datasource, ...]:
        """Return every datasource with its health. Raises SourceError."""
        listed = self._http.json(await self._http.get("api/datasources"))
        with self._http.shape("a list of datasources"):
            known = [(str(one["uid"]), str(one["name"]), str(one["type"])) for one in listed[:MOST]]
        return tuple(await asyncio.gather(*(self._health(*one) for one in known)))

    async def dashboard(self, title: str) -> DashboardState:
        """Look for a dashboard by its title, and ask its panels for data. Raises SourceError."""
        return await dashboard_state(self._http, title)

    async def _health(self, uid: str, name: str, kind: str) -> Datasource:
        try:
            reply = await self._http.ask("GET", f"api/datasources/uid/{quote(uid, safe='')}/health")
            if not self._has_no_check(reply):
                return Datasource(name, kind, reply.status == httpx.codes.OK, self._words(reply))
            return await self._probed(uid, name, kind)
        except SourceDenied:
            raise
        except SourceError as error:
            return Datasource(name, kind, healthy=False, message=error.why)

    async def _probed(self, uid: str, name: str, kind: str) -> Datasource:
        question = PROBES.get(kind)
        if question is None:
            return Datasource(name, kind, healthy=None, message="has no health check of its own")
        reply = await self._http.ask("GET", f"api/datasources/proxy/uid/{quote(uid, safe='')}/{question}")
        good = reply.status == httpx.codes.OK
        return Datasource(name, kind, good, "answers through the proxy" if good else self._words(reply))

    def _has_no_check(self, reply: Reply) -> bool:
        if reply.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise self._http.refusal(reply)
        if reply.status == httpx.codes.NOT_FOUND:
            return True
        return (
            reply.status >= httpx.codes.INTERNAL_SERVER_ERROR
            and self._answer(reply).get("messageId") in NO_CHECK
        )

    def _answer(self, reply: Reply) -> Mapping[str, Any]:
        try:
            answer = self._http.json(reply)
        except SourceError:
            return {}
        return answer if isinstance(answer, dict) else {}

    def _words(self, reply: Reply) -> str:
        said = first_line(str(self._answer(reply).get("message") or ""))
        return said or ("healthy" if reply.status == httpx.codes.OK else f"answered {reply.status}")
