"""The part of desk.yaml about the desk's Redis streams: ``streams``."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from triage.desk_sections.names import Name
from triage.desk_sections.section import DeskSection


class StreamSettings(DeskSection):
    """The Redis streams of the desk and how we read them."""

    audit: str = "hb.audit.v1"
    dead_letter: str = "hb.dead_letter.v1"
    market_data: str = "hb.market_data.v1"
    execution_intent: str = "hb.execution_intent.v1"
    readers: dict[str, Name] = {  # noqa: RUF012 - pydantic copies it
        "hb.market_data.v1": "signal-service",
        "hb.signal.v1": "risk-service",
        "hb.risk_decision.v1": "coordination-service",
    }
    """Which service reads a stream in the desk's group: where that group falls behind there, it is the one to look at."""
    group: str = "hbot_triage_v1"
    desk_group: str = "hb_group_v1"
    look_back_minutes: float = Field(default=15, ge=0)
    claim_idle_seconds: float = Field(default=10, gt=0)
    dead_letters_per_hour_max: float = Field(default=20, ge=0)
    """More than this in an hour is not acceptable, whatever the baseline says."""
    burst_factor: float = Field(default=4.0, gt=1)
    """A rate is a surge above this many times its own baseline (and at least 5 in 10 minutes)."""
    market_data_stale_seconds: float = Field(default=180, gt=0)

    @model_validator(mode="after")
    def _own_group(self) -> Self:
        if self.group == self.desk_group:
            raise ValueError(f"group: {self.group!r} is the desk's own: it would steal their messages")
        return self
