"""What a source of evidence says of itself: its settings, how it is opened, what the doctor asks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from bot.sources.http import HttpSource, base_url
from triage.desk import Desk


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """What the doctor saw: ``seen`` in a line, ``mend`` what to do where it is a warning."""

    state: Literal["ok", "warning"]
    seen: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a source is opened: what it registers on ``stack`` is closed at the end.

    ``total_seconds``: the longest one question over HTTP may take.
    """

    stack: AsyncExitStack
    total_seconds: float

    def http(
        self, source: str, setting: str, url: str, headers: Mapping[str, str] | None = None
    ) -> HttpSource:
        """Open a server that is asked over HTTP. Raises SettingError for an address that cannot be read."""
        return self.closing(
            HttpSource.open(
                source, base_url(source, setting, url), headers=headers, total_seconds=self.total_seconds
            )
        )

    def closing(self, source: HttpSource) -> HttpSource:
        """Return a source that is closed at the end."""
        self.stack.push_async_callback(source.aclose)
        return source


@dataclass(frozen=True, slots=True)
class EvidenceSource:
    """One folder of ``bot/sources``.

    ``name``: how the doctor calls it. ``fills``: the field of ``triage.ports.sources.Sources`` that it fills, empty
    for a source that fills none. ``written``: the settings to look at, for people. ``settings``: a model whose
    fields become settings of the service. ``open`` makes the adapter of them, or a stand-in where they are empty; it
    connects to nothing. ``look`` asks what triage will ask; raises SourceError.
    """

    name: str
    fills: str
    written: str
    settings: type[BaseModel]
    open: Callable[[Any, Opening], Any]
    look: Callable[[Desk, Any], Awaitable[SourceHealth]]
