"""The sources that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.settings import Settings
from bot.sources import open_sources
from triage.ports.sources import Sources


@asynccontextmanager
async def open_configured(settings: Settings) -> AsyncIterator[Sources]:
    """Make the sources of the settings; one that is not set is a stand-in that says so.

    With an agent the containers are seen through it.
    """
    async with open_sources(
        prometheus_url=settings.prometheus_url,
        loki_url=settings.loki_url,
        loki_tenant=settings.loki_tenant,
        alertmanager_url=settings.alertmanager_url,
        redis_url=settings.redis_url.get_secret_value(),
        docker_host=settings.docker_host,
    ) as sources:
        if settings.triage_agent:
            from bot.agent.client import RemoteContainers, Wire  # noqa: PLC0415 - only where there is one

            sources = replace(sources, containers=RemoteContainers(Wire(settings.triage_agent)))  # noqa: PLW2901 - as said
        yield sources
