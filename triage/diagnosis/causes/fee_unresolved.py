"""No source for the fees at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """Unresolved fees stop a bot that requires them."""
    weighing = Weighing(facts)
    bots = [bot for bot, fees in facts.of_bots("fee_source") if fees["kind"] == "unresolved"]
    for bot in bots:
        source = facts.data("fee_source")["bots"][bot]["source"] or "empty"
        weighing.add(0.65, f"{bot}: fee source {source}", "fee_source")
    for bot, _ in facts.reasons("fee_unresolved"):
        weighing.add(0.8, f"{bot} gives the reason fee_unresolved", "bot_state")
    weighing.needs("fee_source")
    yield from weighing.cause(
        "fee_unresolved",
        "The bot has no resolved fee source; it must not trade without.",
        "Check the exchange key's rights and the fee profiles file; it resumes when the fees resolve.",
    )
