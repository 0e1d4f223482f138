"""What the service asks its measuring process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from triage.kpis.limits import KpiLimits
from triage.kpis.model import ActionNote, IncidentNote, as_json


@dataclass(frozen=True, slots=True)
class BotAsk:
    """A bot to be measured: its configured variant (None: whichever wrote most) and its limits."""

    name: str
    variant: str | None = None
    limits: KpiLimits = field(default_factory=KpiLimits)


@dataclass(frozen=True, slots=True)
class Request:
    """Bots, and the window to measure them in (whole minutes; times with an offset)."""

    data: Path
    start: datetime
    end: datetime
    bots: tuple[BotAsk, ...]
    incidents: tuple[IncidentNote, ...] = ()
    actions: tuple[ActionNote, ...] = ()
    pictures: bool = False
    bot_seconds: float = 20.0
    """How long one bot's files may take: a file without an end must not cost the other bots their figures."""

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON."""
        body: dict[str, Any] = as_json(self)
        return body | {"data": str(self.data)}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the request that :meth:`to_json` gave."""
        return cls(
            data=Path(body["data"]),
            start=datetime.fromisoformat(body["start"]),
            end=datetime.fromisoformat(body["end"]),
            bots=tuple(_ask(ask) for ask in body["bots"]),
            incidents=tuple(_incident(note) for note in body["incidents"]),
            actions=tuple(
                ActionNote(**{**note, "at": datetime.fromisoformat(note["at"])}) for note in body["actions"]
            ),
            pictures=body["pictures"],
            bot_seconds=body["bot_seconds"],
        )


def _ask(body: dict[str, Any]) -> BotAsk:
    limits = body["limits"]
    return BotAsk(
        body["name"],
        body["variant"],
        KpiLimits(**{**limits, **{name: tuple(limits[name]) for name in ("base_pct", "may_be_missing")}}),
    )


def _incident(body: dict[str, Any]) -> IncidentNote:
    times = ("started_at", "acknowledged_at", "resolved_at")
    read = {name: datetime.fromisoformat(body[name]) if body[name] else None for name in times}
    return IncidentNote(**{**body, **read, "bots": tuple(body["bots"])})
