"""Symbols and words: colour is never the only sign."""

from __future__ import annotations

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

ACTION = {
    "degraded_mode": "Degraded mode",
    "exit_degraded_mode": "Exit degraded mode",
    "clear_cache": "Clear cache",
    "rollback": "Rollback",
    "recreate": "Recreate",
    "restart": "Restart",
    "soft_pause": "Soft pause",
    "resume": "Resume",
    "kill_switch": "Kill switch",
    "disable_internal_paper": "Internal paper off",
    "start_desk": "Start desk",
    "stop_desk": "Stop desk",
}
"""What an action of the catalogue is called on its button."""

DANGEROUS = frozenset({"kill_switch", "stop_desk"})


def action_name(kind: str) -> str:
    """Return how people call an action: ``clear_cache`` is ``Clear cache``."""
    return ACTION.get(kind) or one_line(kind.replace("_", " "), 60).capitalize()


def check_name(name: str) -> str:
    """Return how people call a check: ``bot_state`` is ``Bot state``."""
    return one_line(name.replace("_", " "), 60).capitalize() or "Check"
