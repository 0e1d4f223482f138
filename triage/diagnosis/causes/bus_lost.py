"""Streams or groups are gone: Redis was flushed or restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset(
    {"bus_lost", "behind", "bus_stale", "dead_letters", "errors", "pause", "loop", "unhealthy"}
)


def rule(facts: Facts) -> Iterable[Candidate]:
    """What our own reader met, an empty bus, or a group that consumers miss."""
    streams = facts.data("streams")
    services = tuple(map(facts.desk.container_of, facts.desk.compose.external_services))
    case = Case(facts, "bus_lost", facts.bots, services)
    for alert in facts.alerts("StreamLost"):
        case.sees("strong", f"StreamLost: {alert.annotations.get('summary') or alert.subject}", "alert")
    lost = [bot for bot in facts.bots if facts.logged(bot, "redis_lost").fresh]
    if lost:
        case.sees("strong", f"{listed(lost, 3)}: {facts.logged(lost[0], 'redis_lost').example}", "error_logs")
    if (
        streams.get("reachable")
        and "market_data_age_seconds" in streams
        and streams["market_data_age_seconds"] is None
    ):
        case.sees("some", "there is no market data in the bus at all", "streams")
    for stream in streams.get("ungrouped", ()):
        reader = facts.desk.streams.readers.get(stream, "")
        if facts.runs(facts.desk.container_of(reader)):
            text = f"{reader} runs, and {stream} has no group {facts.desk.streams.desk_group}"
            case.sees("clear", text, "streams")
    if streams.get("reachable") is False:
        case.doubts("doubt", "Redis does not answer", "streams")
    yield from case.concludes(
        "Streams or groups are gone from Redis: it was flushed or restored.",
        "Find out who flushed or restored it; the desk's consumers lost their place and may need their groups made anew.",
        settle=f"redis-cli XINFO GROUPS {facts.desk.streams.market_data}",
        by_hand=f"redis-cli XINFO GROUPS {facts.desk.streams.market_data}",
    )
