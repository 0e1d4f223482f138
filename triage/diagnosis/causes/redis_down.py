"""Redis, and with it the external signal and risk stack, is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import REDIS, hits
from triage.diagnosis.weighing import Weighing, propose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """Redis that does not answer us is nearly proof; the bots and the container say the rest."""
    weighing = Weighing(facts)
    streams = facts.data("streams")
    reachable = streams.get("reachable")
    if reachable is False:
        weighing.add(0.8, f"Redis does not answer: {streams.get('why')}", "streams")
    container = facts.desk.container_of("redis")
    state = facts.container(container)
    if (
        state.get("running") is False
        or state.get("looping")
        or state.get("missing")
        or container in facts.data("changes").get("down", ())
    ):
        weighing.add(0.65, f"{container} does not run", "container" if state else "changes")
    for name in ("RedisDown", "RedisClientDisconnected"):
        if facts.alerts(name):
            weighing.add(0.4, f"{name} fires")
    paused = facts.reasons("bus_outage")
    if paused:
        weighing.add(0.4, f"{', '.join(bot for bot, _ in paused)} paused for bus_outage", "bot_state")
    for bot in facts.bots:
        found = hits(facts, bot, REDIS)
        if found.fresh:
            weighing.add(0.25, f"{bot} logs: {found.loudest}", "error_logs")
    if reachable:
        weighing.against(0.1, "Redis answers now", "streams")
    weighing.needs("streams")
    yield from weighing.cause(
        "redis_down",
        "Redis is down: the external signal and risk stack cannot work.",
        "Degraded mode: run without the external profile, the bots' local safeguards stay active.",
        propose("degraded_mode", ("desk",), "Redis does not answer; the bots' local safeguards stay active"),
    )
