"""Logs do not reach Loki any more, while the bots work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case, remedy
from triage.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"logs", "blind", "down", "strange", "errors"})
_SHIPPER = "promtail"
_TWO = 2


def rule(facts: Facts) -> Iterable[Candidate]:
    """Promtail's container is down, or no bot that runs has a line in Loki."""
    container = facts.desk.container_of(_SHIPPER)
    case = Case(facts, "log_shipper_down", facts.bots, (container,))
    now, ours = facts.container(container), _SHIPPER in facts.desk.compose.monitoring_services
    if now.get("running") is False or now.get("missing") or (not now and container in facts.down()):
        case.sees("proof", f"{container} does not run", "container" if now else "changes")
    for alert in facts.alerts("LogsStopped"):
        case.sees("strong", f"LogsStopped: {alert.annotations.get('summary') or alert.subject}", "alert")
    finding = facts.findings.get("error_logs")
    silent = [
        bot
        for bot in facts.bots
        if bot not in facts.data("error_logs").get("bots", {}) and facts.now_of(bot).get("state") == "running"
    ]
    if (
        finding is not None
        and "bots" in finding.data
        and silent
        and not finding.data["bots"]
        and facts.data("watchers").get("loki") == "ok"
    ):
        case.sees(
            "strong" if len(silent) >= _TWO else "some",
            f"Loki holds no line of {listed(silent, 3)}, {'and it runs' if len(silent) == 1 else 'and they run'}",
            "error_logs",
        )
    yield from case.concludes(
        "Logs do not reach Loki any more: what the bots log is not seen.",
        "Restart promtail; read the logs on the host until then.",
        remedies=remedy("restart", (_SHIPPER,) if ours else (), "it ships no logs"),
        settle=f"docker logs --tail 20 {container}",
        by_hand=f"docker logs --tail 20 {container}",
    )
