"""Opens the sources of evidence; one without an address is a stand-in that says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from bot.sources.declaration import Opening
from bot.sources.http import TOTAL_SECONDS
from bot.sources.registry import declared
from triage.ports.checklists import Dashboards
from triage.ports.sources import Sources


@dataclass(frozen=True, slots=True)
class OpenedSources:
    """Every source's adapter, by the name of the source."""

    adapters: Mapping[str, Any]

    @property
    def sources(self) -> Sources:
        """What triage asks."""
        return Sources(**{each.fills: self.adapters[each.name] for each in declared() if each.fills})

    @property
    def dashboards(self) -> Dashboards:
        """What the dashboards' checklist asks."""
        found: Dashboards = self.adapters["grafana"]
        return found

    def seen_through(self, name: str, adapter: object) -> OpenedSources:
        """Return the same with another adapter for one source."""
        return OpenedSources({**self.adapters, name: adapter})


@asynccontextmanager
async def open_each(
    settings: BaseModel, *, total_seconds: float = TOTAL_SECONDS
) -> AsyncIterator[OpenedSources]:
    """Open every source of settings that have the fields of all, and close them at the end.

    Nothing is connected yet: a source may be down. Raises SettingError for an address that cannot be read.
    """
    async with AsyncExitStack() as stack:
        opening = Opening(stack, total_seconds)
        yield OpenedSources({source.name: source.open(settings, opening) for source in declared()})


@asynccontextmanager
async def open_sources(*, total_seconds: float = TOTAL_SECONDS, **addresses: str) -> AsyncIterator[Sources]:
    """Open sources at some addresses, by the names of their settings (``prometheus_url=…``); the rest is not configured.

    Raises SettingError for an address that cannot be read, TypeError for a setting that no source has.
    """
    async with AsyncExitStack() as stack:
        opening, adapters = Opening(stack, total_seconds), {}
        for source in declared():
            fields = source.settings.model_fields
            given = {
                name: SecretStr(addresses.pop(name))
                if fields[name].annotation is SecretStr
                else addresses.pop(name)
                for name in fields
                if name in addresses
            }
            adapters[source.name] = source.open(source.settings.model_construct(**given), opening)  # type: ignore[arg-type] # by name
        if addresses:
            raise TypeError(f"no source has {', '.join(sorted(addresses))}")
        yield OpenedSources(adapters).sources
