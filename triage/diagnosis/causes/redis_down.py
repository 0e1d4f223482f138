"""Redis, and with it the external signal and risk stack, is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case, remedy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset(
    {
        "redis",
        "pause",
        "loop",
        "down",
        "behind",
        "bus_stale",
        "errors",
        "dead_letters",
        "bus_lost",
        "redis_unwell",
        "stop",
        "no_fills",
        "unhealthy",
    }
)


def rule(facts: Facts) -> Iterable[Candidate]:
    """Redis that does not answer us is nearly proof; the bots and its container say the rest."""
    compose, container = facts.desk.compose, facts.desk.container_of("redis")
    services = tuple(map(facts.desk.container_of, compose.external_services))
    case = Case(facts, "redis_down", facts.bots, (container, *services))
    streams = facts.data("streams")
    if streams.get("reachable") is False:
        case.sees("proof", f"Redis does not answer: {streams.get('why')}", "streams")
    state = facts.container(container)
    if (
        state.get("running") is False
        or state.get("looping")
        or state.get("missing")
        or container in facts.down()
    ):
        case.sees("proof", f"{container} does not run", "container" if state else "changes")
    if facts.alerts("RedisDown", "RedisClientDisconnected"):
        case.sees("some", f"{facts.alerts('RedisDown', 'RedisClientDisconnected')[0].name} fires", "alert")
    paused = [bot for bot in facts.bots if "bus_outage" in facts.reasons(bot)]
    if paused:
        case.sees("clear", f"{', '.join(paused)} paused for bus_outage", "bot_state")
    lost = [bot for bot in facts.bots if facts.logged(bot, "redis_unreachable").fresh]
    if lost:
        case.sees(
            "clear", f"{', '.join(lost)}: {facts.logged(lost[0], 'redis_unreachable').example}", "error_logs"
        )
    if streams.get("reachable"):
        case.doubts("excluded", "Redis answers now", "streams")
    case.needs("streams")
    yield from case.concludes(
        "Redis is down: the external signal and risk stack cannot work.",
        "Degraded mode: run without the external profile; the bots' local safeguards stay active.",
        remedies=remedy(
            "degraded_mode", ("desk",), "Redis does not answer; the bots' local safeguards stay active"
        ),
        settle=f"docker exec {container} redis-cli ping",
        by_hand=f"docker logs --tail 50 {container}; docker start {container}",
    )
