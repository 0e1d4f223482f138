"""The exchange itself fails, or the pair is offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import TRADING
from triage.wording import doing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | {"edge", "fees", "probe"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for errors of the exchange's own, and for the same on other bots."""
    for bot in facts.bots:
        case = bot_case(facts, "exchange_down", bot)
        found = reads_log(case, bot, "exchange_down", ends=True)
        same = [other for other in facts.bots if other != bot and facts.logged(other, "exchange_down").fresh]
        if same and not found.over(facts.now):
            case.sees("some", f"the same on {', '.join(same[:3])}", "peers")
        healthy = facts.healthy_peers((bot, *same))
        what = (
            f"The exchange fails {{who}}'s requests{{codes}}{{since}}; {doing(healthy, 'runs on', 'run on')}."
            if healthy
            else "The exchange itself fails{codes}{since}: {who} cannot trade there."
        )
        trading = (bot,) if facts.now_of(bot).get("state") == "running" else ()
        yield from case.concludes(
            what,
            "Read the exchange's status page and announcements; it heals when the exchange does.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "maintenance"),
            by_hand="watch the exchange's status page; look at open orders when it is back",
            remedies=remedy("soft_pause", trading, "it trades into an exchange that fails"),
        )
