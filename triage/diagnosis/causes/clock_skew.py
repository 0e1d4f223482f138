"""The exchange finds our time wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = REFUSED | {"fees", "clock"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for requests that were refused for their timestamp."""
    for bot in facts.bots:
        case = bot_case(facts, "clock_skew", bot)
        found = reads_log(case, bot, "clock_skew")
        yield from case.concludes(
            "The exchange finds {who}'s clock wrong{codes}{since}.",
            "Check the clock of the host (NTP); a new key does not help.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "timestamp"),
            by_hand="timedatectl status; chronyc tracking",
        )
