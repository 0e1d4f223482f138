"""The parts of desk.yaml about what the clock starts: ``schedules``, ``drill``, ``retention``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from triage.cron import Cron
from triage.desk_sections.names import Zone
from triage.desk_sections.section import DeskSection

CronText = Annotated[str, Field(json_schema_extra={"pattern": r"^(\s*|\s*\S+(\s+\S+){4}\s*)$"})]
"""Five fields, or none."""


class ScheduleSettings(DeskSection):
    """Cron expressions (five fields) in one time zone; an empty one switches the job off."""

    timezone: Zone = "UTC"
    digest: CronText = "5 0 * * *"
    drill: CronText = "0 9 * * mon"
    checklists: CronText = "*/30 * * * *"
    snapshots: CronText = "30 4 * * *"

    @field_validator("digest", "drill", "checklists", "snapshots")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        if not value.strip():
            return ""
        try:
            Cron.parse(value)
        except ValueError as error:
            raise ValueError(
                f"{value!r} is no cron expression ({error}); write for instance '5 0 * * *', or '' to switch it off"
            ) from error
        return value


class DrillSettings(DeskSection):
    """The controlled alert test: how long its alert fires, and how long each hop may take."""

    hold_seconds: float = Field(default=90, gt=0, le=3600)
    """Longer than Alertmanager's group_wait: an alert that ends before is never sent."""
    hop_seconds: float = Field(default=120, gt=0, le=3600)
    resolve_seconds: float = Field(default=900, gt=0, le=7200)
    """Longer than Alertmanager's group_interval, at which a resolve is sent."""


class RetentionSettings(DeskSection):
    """How long things are kept, in days. The audit trail and open incidents are kept for ever."""

    incidents_days: float = Field(default=365, gt=0)
    """Resolved incidents with their alerts, timelines, triages, messages and actions."""
    signals_days: float = Field(default=180, gt=0)
    findings_days: float = Field(default=180, gt=0)
    documents_days: float = Field(default=90, gt=0)
