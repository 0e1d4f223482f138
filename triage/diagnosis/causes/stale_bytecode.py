"""The bot runs old code: a controller was changed, its bytecode or process was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import CODE, hits
from triage.diagnosis.weighing import Weighing, propose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """A controller newer than what runs, and errors of code that does not fit together."""
    for bot in facts.bots:
        weighing = Weighing(facts)
        code = facts.data("bytecode").get("bots", {}).get(bot)
        found = hits(facts, bot, CODE)
        if found.count:
            text = f"{bot} logs: {found.loudest}"
            weighing.add(0.4 if found.fresh else 0.2, text, "error_logs")
        if code is None:
            weighing.needs("bytecode")
            if facts.asked("bytecode") and not found.fresh:
                continue
        elif code["controller_stale"]:
            older = "its bytecode" if code["newer_than_bytecode"] else "the process"
            weighing.add(0.7, f"the controller on disk is newer than {older}", "bytecode")
        elif code["newer_than_process"] or code["newer_than_bytecode"]:
            weighing.add(0.35, "files beside the controller are newer than what runs", "bytecode")
        else:
            weighing.against(0.25, "the code on disk is the code that runs", "bytecode")
        yield from weighing.cause(
            "stale_bytecode",
            f"{bot} runs old code: a controller file was changed after the code it loaded.",
            "Clear the bytecode cache and recreate the bot; a restart alone does not clear it.",
            propose("clear_cache", (bot,), "the controller on disk is newer than the code that runs"),
        )
