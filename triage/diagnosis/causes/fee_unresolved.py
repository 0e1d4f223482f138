"""The bot has no resolved fees and must not trade without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"stop", "fees", "pause"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason, and at the fee source that the bot's snapshot names."""
    for bot, case in guarded(facts, "fee_unresolved", "fee_unresolved"):
        fees = facts.data("fee_source").get("bots", {}).get(bot, {})
        if fees.get("kind") == "unresolved":
            case.sees("strong", f"{bot}: fee source {fees.get('source') or 'empty'}", "fee_source")
        case.needs("fee_source")
        yield from case.concludes(
            "{who} has no resolved fees: it must not trade without.",
            "Check the rights of the exchange key and the fee profiles; it trades again once the fees resolve.",
            by_hand="check the rights of the exchange key, then restart the bot",
        )
