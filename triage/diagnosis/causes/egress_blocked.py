"""The exchange's edge refuses the address we come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | {"fees", "probe"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for answers with which the exchange's edge refuses the address."""
    for bot in facts.bots:
        case = bot_case(facts, "egress_blocked", bot)
        reads_log(case, bot, "egress_blocked")
        yield from case.concludes(
            "The exchange's edge refuses the address that {who} comes from{codes}{since}.",
            "Look at the address we go out with (VPN, region); the key is not to blame.",
            settle=look_in_log(facts, bot, "403"),
            by_hand="curl -sI https://api.bitget.com/api/v2/public/time",
        )
