"""What checklists read besides the sources of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from triage.model import Json


class ClientConfigs(Protocol):
    """Hummingbot's ``conf_client.yml`` of each bot. Raises DeskFailure where it cannot be read."""

    async def read(self, bot: str) -> Mapping[str, Json]:
        """Return the whole of a bot's client configuration."""
        ...


@dataclass(frozen=True, slots=True)
class Datasource:
    """A Grafana datasource and what Grafana says of its health; None: it has no check that could be asked."""

    name: str
    kind: str
    healthy: bool | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class DashboardState:
    """A dashboard: whether it is there, how many panels were asked, and which of them returned no data."""

    title: str
    found: bool
    panels: int = 0
    without_data: tuple[str, ...] = ()


class Dashboards(Protocol):
    """Grafana. Raises SourceError."""

    async def datasources(self) -> tuple[Datasource, ...]:
        """Return every datasource with its health."""
        ...

    async def dashboard(self, title: str) -> DashboardState:
        """Look for a dashboard by its title, and ask its panels for data."""
        ...


@dataclass(frozen=True, slots=True)
class PaperDiagnostics:
    """The newest minute's paper diagnostics; a column the file does not have is None, or empty. ``spread``: a fraction."""

    fills: float | None
    rejects: float | None
    queue_delay_ms: float | None
    age_seconds: float
    regime: str = ""
    spread: float | None = None


class PaperFigures(Protocol):
    """The paper diagnostics a bot's status shows. Raises SourceError."""

    async def newest(self, bot: str) -> PaperDiagnostics | None:
        """Return the newest minute's figures; None where the bot wrote no minute."""
        ...
