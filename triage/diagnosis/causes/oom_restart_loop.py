"""The container runs out of memory, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import MEMORY, hits
from triage.diagnosis.weighing import Weighing, propose
from triage.wording import times

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """An OOM kill and a loop: each alone is half the story."""
    weighing = Weighing(facts)
    bots: list[str] = []
    for name, now in facts.of_containers():
        if not now.get("oom"):
            continue
        bots += filter(None, [facts.bot_of(name)])
        weighing.add(0.6, f"{name} was killed for memory {times(max(1, now['oom_count']))}", "container")
        if now.get("looping") or (now.get("restarts_hour") or 0) > 1:
            weighing.add(0.65, f"{name} restarts again and again", "container")
    for alert in ("ContainerOomKilled", "ContainerRestartLoop"):
        if facts.alerts(alert):
            weighing.add(0.3, f"{alert} fires")
    if not bots and not weighing.findings:
        weighing.factor = 0.8 if facts.alerts("ContainerOomKilled") or facts.events("oom") else 0.0
    for bot in facts.bots:
        found = hits(facts, bot, MEMORY)
        if found.count:
            weighing.add(0.4, f"{bot} logs: {found.loudest}", "error_logs")
    weighing.needs("container")
    yield from weighing.cause(
        "oom_restart_loop",
        "The container hits its memory limit and is killed, again and again.",
        "Another restart only starts the next round: undo what made it grow (deploy, settings), or raise its limit.",
        propose("rollback", bots, "it outgrows its memory; the configuration before did not"),
    )
