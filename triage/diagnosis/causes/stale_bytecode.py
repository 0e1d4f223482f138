"""The bot runs old code: a controller was changed, its bytecode or process was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import bot_case
from triage.diagnosis.causes._families import STANDING, TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | STANDING


def rule(facts: Facts) -> Iterable[Candidate]:
    """A controller newer than what runs, and errors of code that does not fit together."""
    caches = " ".join(facts.desk.paths.caches)
    for bot in facts.bots:
        code = facts.data("bytecode").get("bots", {}).get(bot)
        if code is None:
            continue
        case = bot_case(facts, "stale_bytecode", bot)
        found = facts.logged(bot, "code_error", "import_error")
        if code["controller_stale"]:
            older = "its bytecode" if code["newer_than_bytecode"] else "the process"
            case.sees("clear", f"the controller on disk is newer than {older}", "bytecode")
        elif code["newer_than_process"] or code["newer_than_bytecode"]:
            case.sees("hint", "files beside the controller are newer than what runs", "bytecode")
        if not case.pieces:
            continue
        if found.fresh:
            case.sees("clear", f"{bot} logs: {found.example}", "error_logs")
            case.began(found.first_at)
        elif facts.answered("error_logs"):
            case.doubts("hint_not", "its log has no error of code that does not fit", "error_logs")
        yield from case.concludes(
            "{who} runs old code: a controller file was changed after the code it loaded.",
            "Clear the bytecode cache and recreate the bot; a restart alone does not clear it.",
            remedies=remedy("clear_cache", (bot,), "the controller on disk is newer than the code that runs"),
            by_hand=f"docker exec {facts.desk.container_of(bot)} rm -rf {caches}, then recreate it",
        )
