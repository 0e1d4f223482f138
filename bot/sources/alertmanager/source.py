"""Alertmanager as a source of evidence: opened, and asked by the doctor."""

from __future__ import annotations

from bot.sources.alertmanager.client import NAME, Alertmanager
from bot.sources.alertmanager.settings import AlertmanagerSettings
from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.not_configured import not_configured
from triage.desk import Desk
from triage.ports.sources import UNREADABLE_ALERT, Alerts, unread_alerts


def _open(settings: AlertmanagerSettings, opening: Opening) -> Alerts:
    url = settings.alertmanager_url
    return Alertmanager(opening.http(NAME, "ALERTMANAGER_URL", url)) if url else not_configured(NAME)


async def _look(_: Desk, alerts: Alerts) -> SourceHealth:
    await alerts.ready()
    held = await alerts.alerts()
    seen = f"ready, holds {len(held) - held.count(UNREADABLE_ALERT)} alerts"
    unread = unread_alerts(held)
    if not unread:
        return SourceHealth("ok", seen)
    return SourceHealth(
        "warning", f"{seen}; {unread}", "look at its /api/v2/alerts, and what stands before it"
    )


SOURCE = EvidenceSource(
    name="alertmanager",
    fills="alerts",
    written="ALERTMANAGER_URL",
    settings=AlertmanagerSettings,
    open=_open,
    look=_look,
)
