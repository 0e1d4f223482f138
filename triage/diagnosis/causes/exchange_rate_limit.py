"""The exchange counts too many requests of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | {"fees"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for answers that say there were too many requests."""
    for bot in facts.bots:
        case = bot_case(facts, "exchange_rate_limit", bot)
        found = reads_log(case, bot, "exchange_rate_limit", ends=True)
        trading = (bot,) if facts.now_of(bot).get("state") == "running" else ()
        yield from case.concludes(
            "The exchange limits {who}'s requests{codes}{since}: they are too many.",
            "See what else asks from this address or account; pause what still trades. Each restart asks more.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "Too Many"),
            by_hand="slow the bot down (order refresh time), or pause it",
            remedies=remedy("soft_pause", trading, "its orders meet the limit; paused it asks less"),
        )
