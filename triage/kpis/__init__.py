"""The KPI digest's arithmetic: rows in, report out. ``docs/kpis.md`` has the definitions in words."""

from triage.kpis.limits import KpiLimits
from triage.kpis.model import (
    ActionNote,
    BotReport,
    Coverage,
    DigestReport,
    Gate,
    IncidentFigures,
    IncidentNote,
    Kpi,
    KpiStatus,
    Picture,
    Skipped,
    Trading,
    Verdict,
)

__all__ = [
    "ActionNote",
    "BotReport",
    "Coverage",
    "DigestReport",
    "Gate",
    "IncidentFigures",
    "IncidentNote",
    "Kpi",
    "KpiLimits",
    "KpiStatus",
    "Picture",
    "Skipped",
    "Trading",
    "Verdict",
]
