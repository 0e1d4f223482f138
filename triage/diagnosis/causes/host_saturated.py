"""The machine has no CPU or memory left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset(
    {
        "cpu",
        "disk_busy",
        "memory",
        "slow",
        "frozen",
        "oom",
        "book",
        "behind",
        "redis_unwell",
        "scrape",
        "container_cpu",
        "unhealthy",
        "no_fills",
    }
)
_LIMITS = {
    "cpu": (0.90, "CPU"),
    "memory": (0.92, "memory"),
    "pressure_cpu": (0.6, "CPU pressure"),
    "pressure_memory": (0.2, "memory pressure"),
    "pressure_io": (0.6, "disk pressure"),
}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Figures over their limits, and alerts that say so."""
    case = Case(facts, "host_saturated", facts.bots, facts.containers)
    most = ""
    for name, host in facts.hosts().items():
        over = [(words, host[key]) for key, (limit, words) in _LIMITS.items() if (host.get(key) or 0) > limit]
        for words, value in over:
            case.sees(
                "strong" if words in {"CPU", "memory"} else "clear",
                f"{words} {percent(value, 0)} on {name}",
                "host",
            )
        most = most or (f"{over[0][0]} {percent(over[0][1], 0)} on {name}" if over else "")
    for alert in facts.alerts("HighCpuUsage", "HighMemoryUsage"):
        case.sees("clear" if not facts.answered("host") else "some", f"{alert.name} fires", "alert")
        if facts.answered("host") and not most:
            case.doubts("doubt", "no figure of the host is over its limit now", "host")
    case.needs("host")
    yield from case.concludes(
        f"The host is saturated{f': {most}' if most else ''}; what runs on it may be late.",
        "Find the container that takes it; stop what is not needed for trading first.",
        settle="docker stats --no-stream",
        by_hand="docker stats --no-stream; stop what is not needed for trading",
    )
