"""The machine has no CPU or memory left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_LIMITS = {
    "cpu": (0.90, "CPU"),
    "memory": (0.92, "memory"),
    "pressure_cpu": (0.6, "CPU pressure"),
    "pressure_memory": (0.2, "memory pressure"),
    "pressure_io": (0.6, "disk pressure"),
}


def rule(facts: Facts) -> Iterable[Cause]:
    """Figures over their limits, and alerts that say so."""
    weighing = Weighing(facts)
    for name, host in facts.data("host").get("hosts", {}).items():
        for key, (limit, words) in _LIMITS.items():
            value = host.get(key)
            if value is not None and value > limit:
                weighing.add(0.45, f"{words} {percent(value, 0)} on {name}", "host")
    for alert in ("HighCpuUsage", "HighMemoryUsage", "TickDurationHigh"):
        if facts.alerts(alert):
            weighing.add(0.25, f"{alert} fires")
    weighing.needs("host")
    yield from weighing.cause(
        "host_saturated",
        "The host is saturated: everything on it is late.",
        "Find the container that takes it; stop what is not needed for trading first.",
    )
