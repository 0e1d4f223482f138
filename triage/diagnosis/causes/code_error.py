"""The bot's own code fails, and no change before it explains that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import STANDING, TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | STANDING


def rule(facts: Facts) -> Iterable[Candidate]:
    """The last line of the traceback is an exception of code."""
    for bot in facts.bots:
        case = bot_case(facts, "code_error", bot)
        found = reads_log(case, bot, "code_error", "import_error")
        if facts.changed(facts.desk.container_of(bot)) is not None:
            case.doubts("hint_not", "something was deployed before", "changes")
        yield from case.concludes(
            "{who}'s own code fails{since}{figure}.",
            "Read the traceback: its last line names what fails.",
            settle=look_in_log(facts, bot, "Error"),
            figure=f": {found.example.rstrip('.')}" if found.example else "",
            by_hand="read the traceback and tell whoever owns the strategy; look at the open orders",
        )
