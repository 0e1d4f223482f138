"""The process dies by itself, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import CODE, hits
from triage.diagnosis.weighing import Weighing, propose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """A loop without an OOM kill."""
    weighing = Weighing(facts)
    bots: list[str] = []
    for name, now in facts.of_containers():
        if not now.get("looping") or now.get("oom"):
            continue
        code = now.get("exit_code")
        exits = f", exit code {code}" if code else ""
        weighing.add(0.7, f"{name} restarts again and again{exits}", "container")
        bots += filter(None, [facts.bot_of(name)])
    if weighing.findings and facts.alerts("ContainerRestartLoop"):
        weighing.add(0.3, "ContainerRestartLoop fires")
    if facts.data("streams").get("reachable") is False:
        weighing.against(0.6, "Redis does not answer: what needs it dies with it", "streams")
    deployed = False
    for bot in bots:
        found = hits(facts, bot, CODE)
        if found.count:
            deployed = True
            weighing.add(0.3, f"{bot} logs: {found.loudest}", "error_logs")
    weighing.needs("container")
    yield from weighing.cause(
        "crash_restart_loop",
        "The process dies by itself, again and again.",
        "Read the last error before each exit; a restart alone repeats it.",
        propose("rollback", bots if deployed else (), "its code fails at start"),
    )
