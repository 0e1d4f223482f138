"""The part of desk.yaml about the bots: ``bots``."""

from __future__ import annotations

from pydantic import Field, field_validator

from triage.desk_sections.names import Name
from triage.desk_sections.section import DeskSection
from triage.kpis.limits import sound_band

CONFIGURATION = "/home/hummingbot/conf"
"""Where a bot's configuration is in its container."""


class Bot(DeskSection):
    """One bot. ``container``, ``controller`` and ``variant`` default from the desk's templates."""

    name: Name
    container: Name | None = None
    service: Name | None = None
    controller: str = "epp_v2_4"
    variant: str = "a"
    cancel_budget_per_min: float | None = Field(default=None, gt=0)
    base_pct: tuple[float, float] | None = None

    @field_validator("base_pct")
    @classmethod
    def _is_band(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None:
            sound_band(value)
        return value

    @property
    def monitors(self) -> bool:
        """It is of variant d: it only monitors, and never trades."""
        return self.variant == "d"
