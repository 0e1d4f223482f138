"""Grafana as a source of evidence: opened, and asked by the doctor. Checklists ask it; it fills no field of ``Sources``."""

from __future__ import annotations

from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.grafana.client import NAME, Grafana
from bot.sources.grafana.settings import GrafanaSettings
from bot.sources.not_configured import not_configured
from triage.desk import Desk
from triage.ports.checklists import Dashboards


def _open(settings: GrafanaSettings, opening: Opening) -> Dashboards:
    if not settings.grafana_url:
        stand_in: Dashboards = not_configured(NAME)
        return stand_in
    token = settings.grafana_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Grafana(opening.http(NAME, "GRAFANA_URL", settings.grafana_url, headers))


async def _look(_: Desk, dashboards: Dashboards) -> SourceHealth:
    found = await dashboards.datasources()
    ill = [source.name for source in found if source.healthy is False]
    if ill:
        return SourceHealth("warning", f"unhealthy: {', '.join(ill)}", "look at them in Grafana")
    return SourceHealth("ok", f"{len(found)} datasources")


SOURCE = EvidenceSource(
    name="grafana",
    fills="",
    written="GRAFANA_URL and GRAFANA_TOKEN",
    settings=GrafanaSettings,
    open=_open,
    look=_look,
)
