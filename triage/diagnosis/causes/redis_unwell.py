"""Redis answers and cannot do its work: read-only, full, loading, not saving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset(
    {"redis_unwell", "redis", "behind", "dead_letters", "bus_stale", "pause", "errors", "loop", "unhealthy"}
)
_FULL = 0.97


def rule(facts: Facts) -> Iterable[Candidate]:
    """Read what Redis says of itself."""
    streams = facts.data("streams")
    services = tuple(map(facts.desk.container_of, facts.desk.compose.external_services))
    case = Case(facts, "redis_unwell", facts.bots, (facts.desk.container_of("redis"), *services))
    what = []
    if streams.get("reachable"):
        role, limit = streams.get("role"), streams.get("memory_max") or 0
        if role and role != "master":
            what.append(f"it is a {role} and takes no writes")
        if limit and streams.get("memory_used", 0) / limit > _FULL:
            what.append(f"its memory is {percent(streams['memory_used'] / limit, 0)} of its limit")
        if streams.get("persistence_ok") is False:
            what.append("it cannot save to disk")
        if streams.get("loading"):
            what.append("it is loading its data")
        for text in what:
            case.sees("proof", f"Redis: {text}", "streams")
        refused = [bot for bot in facts.bots if facts.logged(bot, "redis_refuses").fresh]
        if refused:
            case.sees(
                "clear",
                f"{listed(refused, 3)}: {facts.logged(refused[0], 'redis_refuses').example}",
                "error_logs",
            )
        for alert in facts.alerts("RedisReadOnly", "RedisSlow", "RedisNotSaving", "RedisEvicting"):
            case.sees("clear", f"{alert.name} fires", "alert")
    yield from case.concludes(
        f"Redis answers and cannot do its work: {'; '.join(what) or 'it refuses commands'}.",
        "Mend Redis (role, memory, disk) before it stops; degraded mode if that takes long.",
        settle=f"docker exec {facts.desk.container_of('redis')} redis-cli info memory persistence replication",
        by_hand=f"docker exec {facts.desk.container_of('redis')} redis-cli info; mend role, memory or disk",
    )
