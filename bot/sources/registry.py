"""The sources of evidence there are. A new one is a folder here and its name in ``SYSTEMS``.

A folder has ``settings.py`` with ``SETTINGS`` (a pydantic model, light to import) and ``source.py`` with ``SOURCE`` (a
``bot.sources.declaration.EvidenceSource``). The service's settings, the wiring and the doctor are made from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from bot.declared import declarations, settings_of

if TYPE_CHECKING:
    from bot.sources.declaration import EvidenceSource

SYSTEMS = ("prometheus", "loki", "alertmanager", "redis", "docker", "grafana")
"""Folders of ``bot/sources``, in the order in which the doctor and the settings show them."""


def settings_of_all() -> tuple[type[BaseModel], ...]:
    """Return the settings of every source; imports no client."""
    return settings_of("bot.sources", SYSTEMS)


def declared() -> tuple[EvidenceSource, ...]:
    """Return every source. Raises TypeError for a folder that declares none."""
    from bot.sources.declaration import EvidenceSource  # noqa: PLC0415 - settings are read without any client

    return declarations("bot.sources", SYSTEMS, "source.SOURCE", EvidenceSource)
