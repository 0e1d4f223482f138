"""The strategy's own profit or loss limit stopped it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"stop", "loss", "pause", "no_fills", "frozen"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for the strategy's own kill switch; one fresh line is proof."""
    for bot in facts.bots:
        case = bot_case(facts, "pnl_kill_switch", bot)
        found = reads_log(case, bot, "pnl_kill_switch")
        if found.fresh:
            case.sees("proof", "", "error_logs")
        yield from case.concludes(
            "{who}'s own profit or loss limit stopped the strategy{since}.",
            "It is meant to stop: review the fills, see whether it is flat, and restart nothing by itself.",
            settle=look_in_log(facts, bot, "Kill switch threshold\\|drawdown"),
            by_hand="review the fills; a person decides whether it starts again",
        )
