"""The container outgrows its memory and is killed, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._containers import container_case, killed_again
from triage.wording import times

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"oom", "loop", "down", "frozen", "no_fills", "container_memory", "unhealthy"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look for containers that were killed for memory more than once."""
    for name, now in facts.of_containers():
        if not now.get("oom") or not killed_again(facts, name, now):
            continue
        case = container_case(facts, "oom_restart_loop", name)
        kills = now.get("oom_count") or 0
        often = f" {times(kills)}" if kills > 1 else " at its last end"
        case.sees("strong", f"{name} was killed for memory{often}", "container")
        case.sees("strong", f"{name} restarts again and again", "loop")
        bot = facts.bot_of(name)
        if bot and facts.logged(bot, "memory").fresh:
            case.sees("some", f"{bot} logs: {facts.logged(bot, 'memory').example}", "error_logs")
        change = facts.changed(name)
        yield from case.concludes(
            f"{name} is killed for memory again and again.",
            "Another restart starts the next round: undo what made it grow, or raise its limit.",
            remedies=remedy(
                "rollback",
                (bot,) if bot and change is not None else (),
                "it outgrows its memory since it was changed",
                **({"what": "image"} if change is not None and change["what"] == "image" else {}),
            ),
            settle=f"docker stats --no-stream {name}",
            by_hand=f"raise mem_limit of {name} in the compose file, or find what grows: docker stats --no-stream {name}",
        )
