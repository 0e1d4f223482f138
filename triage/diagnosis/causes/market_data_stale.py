"""The book stands still at the source while the bot lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import ENOUGH, bot_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"book", "pause", "no_fills", "stop", "bus_stale", "edge"})
_OLD_SECONDS = 180.0
_BROKEN = (
    "dns_failure",
    "network_down",
    "exchange_down",
    "tls_failure",
    "egress_blocked",
)


def rule(facts: Facts) -> Iterable[Candidate]:
    """The guard's reason, or market data that does not move on a bus that answers."""
    age = facts.data("streams").get("market_data_age_seconds")
    stands = age is not None and age > max(_OLD_SECONDS, facts.desk.streams.market_data_stale_seconds)
    for bot in facts.bots:
        case = bot_case(facts, "market_data_stale", bot)
        if "order_book_stale" in facts.reasons(bot):
            case.sees("strong", f"{bot} gives the reason order book stale", "bot_state")
        if any(each.subject.name == bot for each in facts.alerts("OrderBookStale")):
            case.sees("some", "OrderBookStale fires", "alert")
        if stands and facts.data("streams").get("reachable") and facts.now_of(bot).get("state"):
            case.sees(
                "clear",
                f"market data in the bus is {round((age or 0) / 60)} min old while {bot} reports",
                "streams",
            )
        closed = facts.logged(bot, "exchange_unreachable").fresh
        # A silent stream is closed and opened anew: a few such lines are what silence brings about.
        if closed >= ENOUGH or facts.logged(bot, *_BROKEN).fresh:
            case.doubts("doubt", f"{bot}'s connections break", "error_logs")
        elif closed:
            case.doubts("hint_not", f"{bot}'s stream was closed a few times", "error_logs")
        if not facts.answered("error_logs"):
            case.doubts("contradiction", "whether its connections break is not known", "error_logs")
        trading = (bot,) if facts.now_of(bot).get("state") == "running" else ()
        case.needs("bot_state", "error_logs")
        yield from case.concludes(
            "{who}'s market data stand still.",
            "Compare with the exchange's own page; pause what still quotes on old prices.",
            remedies=remedy("soft_pause", trading, "it quotes on old prices"),
            settle="compare the bot's mid price with the exchange's page",
            by_hand="watch the exchange's status page; the stream comes back by itself",
        )
