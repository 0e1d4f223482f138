"""Requests to the exchange fail, and the lines do not say more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import ENOUGH, FLOOD, bot_case, look_in_log, reads_log
from triage.signals.guard_reasons import in_words
from triage.wording import times

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts
    from triage.diagnosis.weights import Level

EXPLAINS = frozenset({"stop", "pause", "no_fills", "errors", "orders", "book", "position", "slow", "edge"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at failed requests and closed streams in the log, the guard's reasons, and the same on other bots."""
    for bot in facts.bots:
        case = bot_case(facts, "exchange_errors", bot)
        found = reads_log(
            case, bot, "exchange_unreachable", "exchange_refuses", "order_failed", "lost_order", heals=True
        )
        closed = facts.logged(bot, "stream_closed")
        if closed.fresh and not closed.over(facts.now):
            level: Level = "clear" if closed.fresh >= FLOOD else "hint"
            case.sees(
                level,
                f"{bot}: its streams were closed {closed.bound}{times(closed.fresh)}",
                "streams of the exchange",
            )
        for reason in set(facts.reasons(bot)) & {"order_book_stale", "connector_not_ready"}:
            if found.fresh >= ENOUGH:
                case.sees("some", f"{bot} gives the reason {in_words([reason])}", "bot_state")
        same = [
            other
            for other in facts.bots
            if other != bot
            and facts.logged(other, "exchange_unreachable", "exchange_refuses").fresh >= ENOUGH
        ]
        if same and not found.over(facts.now):
            case.sees("some", f"the same on {', '.join(same[:3])}", "peers")
        if facts.now_of(bot).get("state") == "running" and not facts.reasons(bot) and found.fresh < FLOOD:
            case.doubts("doubt", f"{bot} runs on, and no guard of it complains", "bot_state")
        goes_on = facts.now_of(bot).get("state") == "running" and not found.over(facts.now)
        trading = (bot,) if goes_on else ()
        yield from case.concludes(
            "{who}'s requests to the exchange fail{codes}{since}.",
            "Check the exchange's status page and the way to it; pause what still trades until the errors end.",
            settle=look_in_log(facts, bot, "Error"),
            by_hand="read the error text behind the wrapper; look at the open orders at the exchange",
            remedies=remedy("soft_pause", trading, "its orders meet errors of the exchange"),
        )
