"""The runbook's checklists, run by a machine: each item passes, fails, or could not be checked and says why."""

from collections.abc import Mapping
from types import MappingProxyType

from triage.reports.checklists import dashboard, health, paper, startup
from triage.reports.checklists.model import Checklist

CHECKLISTS: Mapping[str, Checklist] = MappingProxyType(
    {
        checklist.name: checklist
        for checklist in (startup.CHECKLIST, dashboard.CHECKLIST, paper.CHECKLIST, health.CHECKLIST)
    }
)
"""Every checklist by its name."""

__all__ = ["CHECKLISTS", "Checklist"]
