"""The sources that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.settings import Settings
from bot.sources.opening import OpenedSources, open_each


@asynccontextmanager
async def open_configured(settings: Settings) -> AsyncIterator[OpenedSources]:
    """Open the sources of the settings; one that is not set is a stand-in that says so.

    With an agent the containers are seen through it.
    """
    async with open_each(settings) as opened:
        if settings.triage_agent:
            from bot.agent.client import Wire  # noqa: PLC0415 - only where there is one
            from bot.agent.remote_containers import RemoteContainers  # noqa: PLC0415 - as above

            containers = RemoteContainers(Wire(settings.triage_agent))
            yield opened.seen_through("docker", containers)
        else:
            yield opened
