"""Redis, and with it the external signal and risk stack, is gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triage.diagnosis.case import Case, remedy
from triage.wording import doing, listed

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
        "unhealthy",
    }
)
_REFUSED = re.compile(r"refused|reset|closed|no such host|not known|unreachable", re.IGNORECASE)


def rule(facts: Facts) -> Iterable[Candidate]:
    """Redis that does not answer us is nearly proof; the bots and its container say the rest."""
    compose, container = facts.desk.compose, facts.desk.redis_container
    services = tuple(map(facts.desk.container_of, compose.external_services))
    case = Case(facts, "redis_down", facts.bots, (container, *services))
    streams = facts.data("streams")
    if streams.get("reachable") is False:
        why = str(streams.get("why"))
        # Refused is Redis' own silence; no answer in time may be the way from here to it.
        case.sees("strong" if _REFUSED.search(why) else "clear", f"Redis does not answer: {why}", "streams")
    runs, paused = facts.runs(container), container in facts.paused()
    loops = bool(facts.container(container).get("looping"))
    _container(facts, case, container)
    if facts.alerts("RedisDown", "RedisClientDisconnected"):
        case.sees("some", f"{facts.alerts('RedisDown', 'RedisClientDisconnected')[0].name} fires", "alert")
    waiting = [bot for bot in facts.bots if "bus_outage" in facts.reasons(bot)]
    if waiting:
        case.sees("clear", f"{listed(waiting, 3)} paused: bus outage", "bot_state")
    lost = [bot for bot in facts.bots if facts.logged(bot, "redis_unreachable").fresh]
    if lost:
        case.sees(
            "clear", f"{listed(lost, 3)}: {facts.logged(lost[0], 'redis_unreachable').example}", "error_logs"
        )
    at_work = [bot for bot in facts.bots if facts.works(bot)]
    if at_work and not waiting and not lost and not paused and runs is not False:
        case.doubts(
            "doubt",
            doing(at_work, "runs on without the bus", "run on without the bus"),
            "bot_state",
        )
    if streams.get("reachable"):  # of one in a loop that was but between two of its ends
        case.doubts("doubt" if loops else "excluded", "Redis answers now", "streams")
    case.needs("streams")
    yield from case.concludes(
        f"Redis {'dies again and again' if loops else 'is down'}: the external signal and risk stack cannot work.",
        "Mend Redis; degraded mode is on already."
        if facts.degraded_since is not None
        else "Degraded mode: run without the external profile; the bots' local safeguards stay active.",
        remedies=remedy(
            "degraded_mode",
            ("desk",) if facts.degraded_since is None else (),
            "Redis does not answer; the bots' local safeguards stay active",
        ),
        settle=f"docker exec {container} redis-cli ping",
        by_hand=_by_hand(facts, container, paused=paused, loops=loops),
    )


def _container(facts: Facts, case: Case, container: str) -> None:
    """Take into account how its container stands."""
    asked = "container" if facts.container(container) else "changes"
    if container in facts.paused():
        case.sees("proof", f"Docker says that {container} is paused", "redis container")
    elif facts.container(container).get("looping"):
        case.sees("proof", f"{container} dies and restarts again and again", "container")
    elif facts.runs(container) is False:
        case.sees("proof", f"{container} does not run", asked)
    elif facts.runs(container) and facts.container(container).get("health") != "unhealthy":
        case.doubts("doubt", f"{container} runs", asked)


def _by_hand(facts: Facts, container: str, *, paused: bool, loops: bool) -> str:
    """Return how to mend Redis; while degraded mode is on it is stopped on purpose, and starting it is the last step.

    One in a loop is started by the engine, again and again: only what it wrote last helps.
    """
    if paused:
        return f"docker unpause {container}"
    logs = f"docker logs --tail 50 {container}"
    if facts.degraded_since is not None:
        return f"find why: {logs}; mend it; then docker start {container}"
    return logs if loops else f"{logs}; then docker start {container}"
