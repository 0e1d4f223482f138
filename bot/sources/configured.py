"""The sources that the settings name."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from bot.settings import Settings
from bot.sources import open_sources
from triage.ports.sources import Sources


def open_configured(settings: Settings) -> AbstractAsyncContextManager[Sources]:
    """Make the sources of the settings; one that is not set is a stand-in that says so."""
    return open_sources(
        prometheus_url=settings.prometheus_url,
        loki_url=settings.loki_url,
        loki_tenant=settings.loki_tenant,
        alertmanager_url=settings.alertmanager_url,
        redis_url=settings.redis_url.get_secret_value(),
        docker_host=settings.docker_host,
    )
