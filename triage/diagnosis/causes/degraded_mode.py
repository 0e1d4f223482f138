"""Our own degraded mode is on: Redis and what needs it are off on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.wording import clock_time, doing, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"degraded", "down", "redis", "behind", "bus_stale", "bus_lost", "unhealthy", "pause"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """We entered it ourselves. It explains what began since, and no bot but those that wait for the bus."""
    since = facts.degraded_since
    if since is None:
        return
    services = tuple(facts.desk.compose.external_services)
    waiting = tuple(bot for bot in facts.bots if "bus_outage" in facts.reasons(bot))
    case = Case(facts, "degraded_mode", waiting, tuple(map(facts.desk.container_of, services)), after=since)
    case.began(since)
    case.sees(
        "proof",
        f"degraded mode was entered at {clock_time(since)} and not left since: {listed(services, 4)} are off on purpose",
        "degraded mode",
    )
    if waiting:
        case.sees("some", doing(waiting, "waits for the bus", "wait for the bus"), "bot_state")
    yield from case.concludes(
        f"Degraded mode is on since {clock_time(since)}: the external stack is off on purpose.",
        "Leave degraded mode once Redis is well again; until then the bots' local safeguards are what they have.",
        settle=f"docker ps -a --filter name={facts.desk.container_of('redis')}",
        by_hand="once Redis is well again: /triage do exit_degraded_mode",
    )
