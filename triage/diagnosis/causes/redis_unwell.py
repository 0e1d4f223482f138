"""Redis answers but cannot do its work: read-only, out of memory, loading, not saving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_FULL = 0.97


def rule(facts: Facts) -> Iterable[Cause]:
    """Read what Redis says of itself."""
    weighing = Weighing(facts)
    streams = facts.data("streams")
    if streams.get("reachable"):
        if streams.get("role") != "master":
            weighing.add(0.85, f"Redis is a {streams.get('role')}: it takes no writes", "streams")
        limit = streams.get("memory_max") or 0
        if limit and streams.get("memory_used", 0) / limit > _FULL:
            weighing.add(0.8, f"memory {percent(streams['memory_used'] / limit, 0)} of its limit", "streams")
        if streams.get("persistence_ok") is False:
            weighing.add(0.5, "Redis cannot save to disk", "streams")
    yield from weighing.cause(
        "redis_unwell",
        "Redis answers but cannot do its work.",
        "Mend Redis (role, memory, disk) before it stops; degraded mode if that takes long.",
    )
