"""The Grafana adapter against a stand-in that answers as Grafana 9, 10 and 11 do."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.sources.declaration import Opening
from bot.sources.grafana.settings import GrafanaSettings
from bot.sources.grafana.source import SOURCE
from triage.errors import SourceBadAnswer, SourceDenied, SourceNotConfigured, SourceUnreachable
from triage.ports.checklists import Dashboards, DashboardState, Datasource

pytestmark = pytest.mark.slow

TOKEN = "glsa_test"
OK_PROMETHEUS = (200, {"message": "Successfully queried the Prometheus API.", "status": "OK"})
NO_BACKEND = (500, {"message": "Plugin unavailable", "messageId": "plugin.unavailable", "statusCode": 500})
OLD = (404, {"message": "Not found", "messageId": "plugin.notImplemented", "statusCode": 404})
ILL = (400, {"message": "Get http://loki:3100: connection refused", "status": "ERROR"})


@dataclass
class GrafanaStandIn:
    """Serves datasources by (uid, type), their health, and what the proxy answers."""

    sources: list[tuple[str, str]] = field(default_factory=lambda: [("prom", "prometheus")])
    health: dict[str, tuple[int, object]] = field(default_factory=dict)
    proxied: dict[str, int] = field(default_factory=dict)
    listing: object = None
    asked: list[str] = field(default_factory=list)
    url: str = ""
    dashboards_found: object = field(default_factory=list)
    dashboard: dict[str, object] = field(default_factory=dict)
    queries: list[Any] = field(default_factory=list)

    def _queried(self, query: dict[str, Any]) -> web.Response:
        """Answer data for what names the metric, an empty frame for another, 400 for what is no expression."""
        if "(" in query["expr"] and ")" not in query["expr"]:
            return web.json_response({"results": {"A": {"error": "parse error", "status": 400}}}, status=400)
        values = [[1700000000000], [1.0]] if "hbot_bot_state" in query["expr"] else []
        return web.json_response(
            {"results": {"A": {"status": 200, "frames": [{"data": {"values": values}}]}}}
        )

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append(request.path)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "Unauthorized"}, status=401)
        parts = request.path.strip("/").split("/")
        if parts[1] in {"search", "dashboards", "ds"}:
            return await self._dashboards(parts, request)
        if parts == ["api", "datasources"]:
            found = [{"uid": uid, "name": uid.title(), "type": kind} for uid, kind in self.sources]
            return web.json_response(found if self.listing is None else self.listing)
        if parts[2] == "proxy":
            return web.json_response({}, status=self.proxied.get(parts[4], 502))
        status, body = self.health.get(parts[3], OK_PROMETHEUS)
        return web.json_response(body, status=status)

    async def _dashboards(self, parts: list[str], request: web.Request) -> web.Response:
        """Answer what a dashboard's page asks."""
        if parts[1] == "search":
            return web.json_response(self.dashboards_found)
        if parts[1] == "dashboards":
            return web.json_response({"dashboard": self.dashboard})
        self.queries.append(await request.json())
        return self._queried(self.queries[-1]["queries"][0])


@pytest.fixture
async def grafana() -> AsyncIterator[GrafanaStandIn]:
    """Run the stand-in on a free port."""
    stand_in = GrafanaStandIn()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", stand_in.serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stand_in
    await runner.cleanup()


@asynccontextmanager
async def open_grafana(url: str, token: str, *, total_seconds: float = 3) -> AsyncIterator[Dashboards]:
    """Open Grafana as the service does."""
    async with AsyncExitStack() as stack:
        settings = GrafanaSettings(grafana_url=url, grafana_token=SecretStr(token))
        yield SOURCE.open(settings, Opening(stack, total_seconds))


async def ask(grafana: GrafanaStandIn, token: str = TOKEN) -> tuple[Datasource, ...]:
    """Ask for the datasources."""
    async with open_grafana(grafana.url, token, total_seconds=3) as dashboards:
        return await dashboards.datasources()


async def test_a_healthy_datasource_is_healthy_in_grafanas_words(grafana: GrafanaStandIn) -> None:
    """200 with a message."""
    assert await ask(grafana) == (
        Datasource("Prom", "prometheus", healthy=True, message="Successfully queried the Prometheus API."),
    )


async def test_an_ill_one_says_why(grafana: GrafanaStandIn) -> None:
    """400 with the reason of its backend."""
    grafana.sources, grafana.health = [("loki", "loki")], {"loki": ILL}
    [found] = await ask(grafana)
    assert (found.healthy, found.message) == (False, "Get http://loki:3100: connection refused")


async def test_an_older_grafana_is_asked_through_its_proxy(grafana: GrafanaStandIn) -> None:
    """Before Grafana 10 Prometheus and Loki have no health check of their own."""
    grafana.sources = [("prom", "prometheus"), ("loki", "loki")]
    grafana.health = {"prom": OLD, "loki": OLD}
    grafana.proxied = {"prom": 200, "loki": 502}
    prometheus, loki = await ask(grafana)
    assert (prometheus.healthy, loki.healthy) == (True, False)
    assert "/api/datasources/proxy/uid/prom/api/v1/query" in grafana.asked


async def test_a_plugin_without_a_backend_is_not_taken_for_ill(grafana: GrafanaStandIn) -> None:
    """Alertmanager's answers 500 plugin.unavailable however well it is."""
    grafana.sources, grafana.health = [("am", "alertmanager")], {"am": NO_BACKEND}
    grafana.proxied = {"am": 200}
    [found] = await ask(grafana)
    assert found.healthy


async def test_what_cannot_be_asked_is_unknown_and_never_healthy(grafana: GrafanaStandIn) -> None:
    """A plugin without a check and without a question we know."""
    grafana.sources, grafana.health = [("x", "some-panel-plugin")], {"x": NO_BACKEND}
    [found] = await ask(grafana)
    assert found.healthy is None


async def test_another_500_is_an_illness(grafana: GrafanaStandIn) -> None:
    """Only the two known message ids mean that there is no check."""
    grafana.health = {"prom": (500, {"message": "boom"})}
    [found] = await ask(grafana)
    assert (found.healthy, found.message) == (False, "boom")


async def test_a_wrong_token_is_denied(grafana: GrafanaStandIn) -> None:
    """401 is about us, not about a datasource."""
    with pytest.raises(SourceDenied):
        await ask(grafana, "wrong")


async def test_an_answer_of_another_shape_is_refused(grafana: GrafanaStandIn) -> None:
    """A login page's JSON is no list of datasources."""
    grafana.listing = {"not": "a list"}
    with pytest.raises(SourceBadAnswer):
        await ask(grafana)


async def test_a_grafana_that_is_away_is_unreachable() -> None:
    """Nobody listens there."""
    async with open_grafana("http://127.0.0.1:9", TOKEN, total_seconds=2) as dashboards:
        with pytest.raises(SourceUnreachable):
            await dashboards.datasources()


async def test_without_an_address_it_is_not_configured() -> None:
    """An empty setting says so."""
    async with open_grafana("", "") as dashboards:
        with pytest.raises(SourceNotConfigured):
            await dashboards.datasources()


def panel(title: str, expression: str, **more: object) -> dict[str, object]:
    """Return a panel as a dashboard's JSON has it."""
    return {"title": title, "datasource": {"uid": "prom"}, "targets": [{"expr": expression}], **more}


async def test_a_dashboards_panels_are_asked_for_data(grafana: GrafanaStandIn) -> None:
    """Those in rows too; a variable stands for everything; what is refused returns no data."""
    grafana.dashboards_found = [{"uid": "x", "title": "Other Deep Dive"}, {"uid": "d1", "title": "Deep Dive"}]
    inner = panel("Refused", "sum(")
    grafana.dashboard = {
        "panels": [
            panel("States", 'hbot_bot_state{bot="$bot"}'),
            {
                "type": "row",
                "title": "More",
                "panels": [panel("Nothing", 'hbot_nothing{bot=~"${bot:regex}"}'), inner],
            },
            {"type": "text", "title": "Words"},
        ]
    }
    async with open_grafana(grafana.url, TOKEN, total_seconds=3) as dashboards:
        found = await dashboards.dashboard("Deep Dive")
    assert found == DashboardState("Deep Dive", found=True, panels=3, without_data=("Nothing", "Refused"))
    asked = {query["queries"][0]["expr"] for query in grafana.queries}
    assert 'hbot_bot_state{bot=~".+"}' in asked
    assert 'hbot_nothing{bot=~".+"}' in asked


async def test_a_dashboard_of_another_title_is_not_there(grafana: GrafanaStandIn) -> None:
    """The search finds parts of titles: only the exact one counts."""
    grafana.dashboards_found = [{"uid": "x", "title": "Deep Dive (old)"}]
    async with open_grafana(grafana.url, TOKEN, total_seconds=3) as dashboards:
        assert await dashboards.dashboard("Deep Dive") == DashboardState("Deep Dive", found=False)
