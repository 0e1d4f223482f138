"""The fees come from a fallback: the fee query failed when the bot started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import bot_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"fees", "edge"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """A fallback may be usual on this desk: it is a cause where fees or edge are the matter."""
    for bot, fees in facts.of_bots("fee_source"):
        if fees["kind"] != "resolved":
            continue
        case = bot_case(facts, "fee_fallback", bot)
        about_fees = any(each.subject.name == bot for each in facts.alerts("BotFeeSourceFallback"))
        case.sees(
            "proof" if about_fees else "some", f"{bot} takes its fees from {fees['source']}", "fee_source"
        )
        if fees["changed"]:
            case.sees("some", f"{bot}: its fees differ from yesterday's", "fees")
        failing = facts.logged(bot, "fee_query_failed")
        if failing.fresh:
            case.sees("some", f"{bot} logs: {failing.example}", "error_logs")
        case.needs("fee_source")
        well = (
            not failing.fresh and facts.answered("error_logs") and facts.container_of_bot(bot).get("running")
        )
        yield from case.concludes(
            "{who} takes its fees from a fallback, not from the exchange.",
            "Find out why the fee query failed (rights of the key, rate limit) before adjusting thresholds.",
            remedies=remedy(
                "restart",
                (bot,) if about_fees and well else (),
                "it asks for its fees when it starts, and no fee query fails now",
            ),
            by_hand="check the rights of the exchange key; the bot asks for its fees when it starts",
        )
