"""Redis answers and cannot do its work: read-only, full, loading, not saving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.diagnosis.causes._evidence import ENOUGH
from triage.model import Source
from triage.wording import doing, listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts
    from triage.model import Json

EXPLAINS = frozenset(
    {"redis_unwell", "redis", "behind", "dead_letters", "bus_stale", "pause", "errors", "loop", "unhealthy"}
)
_FULL = 0.97
_SAYS = {
    "RedisReadOnly": "it takes no writes",
    "RedisSlow": "it answers slowly",
    "RedisNotSaving": "it cannot save to disk",
    "RedisEvicting": "it drops keys to stay below its memory limit",
}
"""What each alert of its own state says."""


def rule(facts: Facts) -> Iterable[Candidate]:
    """Read what Redis says of itself."""
    streams = facts.data("streams")
    services = tuple(map(facts.desk.container_of, facts.desk.compose.external_services))
    case = Case(facts, "redis_unwell", facts.bots, (facts.desk.redis_container, *services))
    stands, troubles = list[str](), list[str]()
    if streams.get("reachable"):
        stands, troubles = _stands(streams), _troubles(streams)
        for text in (*stands, *troubles):
            case.sees("proof", f"Redis: {text}", "streams")
        refused = [bot for bot in facts.bots if facts.logged(bot, "redis_refuses").fresh]
        if refused:
            case.sees(
                "clear",
                f"{listed(refused, 3)}: {facts.logged(refused[0], 'redis_refuses').example}",
                "error_logs",
            )
            stands = stands or ["it refuses commands"]
        lost = [bot for bot in facts.bots if _does_not_reach(facts, bot)]
        if lost:
            case.sees(
                "clear",
                f"Redis answers here, and {doing(lost, 'does', 'do')} not reach it: "
                f"{facts.logged(lost[0], 'redis_unreachable').example}",
                "error_logs",
            )
            troubles.append(f"{doing(lost, 'does', 'do')} not reach it")
        for alert in facts.alerts(*_SAYS):
            ours = alert.source is Source.STREAMS
            case.sees("strong" if ours else "clear", f"{alert.name} fires", "alert")
            said = stands if alert.name == "RedisReadOnly" else troubles
            if not (said is stands and stands) and _SAYS[alert.name] not in said:
                said.append(_SAYS[alert.name])
    how = "cannot do its work" if stands else "is not well"
    yield from case.concludes(
        f"Redis answers and {how}: {'; '.join((*stands, *troubles))}.",
        "Mend Redis (role, memory, disk) before it stops; degraded mode if that takes long.",
        settle=f"docker exec {facts.desk.container_of('redis')} redis-cli info memory persistence replication",
        by_hand=f"docker exec {facts.desk.container_of('redis')} redis-cli info; mend role, memory or disk",
    )


def _does_not_reach(facts: Facts, bot: str) -> bool:
    """Say whether a bot's log goes on to tell that Redis does not take its connections."""
    lines = facts.logged(bot, "redis_unreachable")
    return lines.fresh >= ENOUGH and lines.late > 0 and not lines.over(facts.now)


def _stands(streams: Mapping[str, Json]) -> list[str]:
    """Say what keeps it from taking writes. A memory that is full is its everyday state where it may drop keys."""
    role, limit = streams.get("role"), streams.get("memory_max") or 0
    share = streams.get("memory_used", 0) / limit if limit else 0.0
    found = [f"it is a {role} and takes no writes"] if role and role != "master" else []
    if share > _FULL and streams.get("memory_policy", "noeviction") == "noeviction":
        found.append(f"its memory is {percent(share, 0)} of its limit")
    if streams.get("loading"):
        found.append("it is loading its data")
    return found


def _troubles(streams: Mapping[str, Json]) -> list[str]:
    """Say what is wrong with it while it works on."""
    return [_SAYS["RedisNotSaving"]] if streams.get("persistence_ok") is False else []
