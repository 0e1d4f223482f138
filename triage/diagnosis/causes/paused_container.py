"""The container is paused: frozen whole, its orders stay in the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._containers import container_case

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
        "logs",
    }
)

_LONG_SECONDS = 3600.0


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the state that Docker gives: paused now, or paused when the trouble began."""
    yield from _was_paused(facts)
    for name in facts.paused():
        if name == facts.desk.redis_container:
            continue  # what that means is told by redis_down
        case = container_case(facts, "paused_container", name)
        case.sees(
            "proof", f"Docker says that {name} is paused", "container" if facts.container(name) else "changes"
        )
        yield from case.concludes(
            f"{name} is paused: it is frozen, and its orders stay live.",
            "Ask who paused it; then unpause it. A restart is not needed.",
            by_hand=f"docker unpause {name}",
        )


def _was_paused(facts: Facts) -> Iterable[Candidate]:
    """It was paused when the trouble began, and runs again."""
    for change in facts.data("changes").get("changes", ()):
        name = change["container"]
        if change["what"] != "paused" or change["seconds_before"] > _LONG_SECONDS or name in facts.paused():
            continue
        case = container_case(facts, "paused_container", name)
        case.sees(
            "strong", f"Docker recorded a pause of {name} at {change['at'][11:16]}; it runs again", "changes"
        )
        yield from case.concludes(
            f"{name} was paused at {change['at'][11:16]} and runs again.",
            "Nothing to start; look at the orders that stayed live meanwhile.",
            by_hand="look at the open orders at the exchange",
        )
