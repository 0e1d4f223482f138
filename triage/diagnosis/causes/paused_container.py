"""The container is paused: frozen whole, its orders stay in the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._boxes import box_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset(
    {
        "down",
        "frozen",
        "no_fills",
        "book",
        "scrape",
        "redis",
        "bus_stale",
        "behind",
        "unhealthy",
        "pause",
        "errors",
    }
)


def rule(facts: Facts) -> Iterable[Candidate]:
    """Docker says so."""
    for name in facts.paused():
        if name == facts.desk.container_of("redis"):
            continue  # what that means is told by redis_down
        case = box_case(facts, "paused_container", name)
        case.sees(
            "proof", f"Docker says that {name} is paused", "container" if facts.container(name) else "changes"
        )
        yield from case.concludes(
            f"{name} is paused: it is frozen, and its orders stay live.",
            "Ask who paused it; then unpause it. A restart is not needed.",
            by_hand=f"docker unpause {name}",
        )
