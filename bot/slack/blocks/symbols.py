"""Symbols and words: colour is never the only sign."""

from __future__ import annotations

from triage.actions.catalogue import CATALOGUE
from triage.model import FindingStatus, IncidentStatus, Severity
from triage.untrusted_text import one_line

SEVERITY = {Severity.SEV1: "🔴", Severity.SEV2: "🟠", Severity.SEV3: "🟡"}
FINDING = {
    FindingStatus.CRITICAL: "🔴",
    FindingStatus.WARNING: "🟠",
    FindingStatus.OK: "🟢",
    FindingStatus.UNKNOWN: "⚪",
}
STATUS = {
    IncidentStatus.TRIGGERED: "",
    IncidentStatus.ACKNOWLEDGED: "acknowledged",
    IncidentStatus.MITIGATED: "mitigated",
    IncidentStatus.RESOLVED: "resolved",
}


def dangerous(kind: str) -> bool:
    """Return whether an action's button is red."""
    action = CATALOGUE.get(kind)
    return action is not None and action.dangerous


def check_name(name: str) -> str:
    """Return how people call a check: ``bot_state`` is ``Bot state``."""
    return one_line(name.replace("_", " "), 60).capitalize() or "Check"
