"""The fees come from a resolved fallback instead of the exchange's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import FEES, hits
from triage.diagnosis.weighing import Weighing, propose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_ALERTS = ("BotFeeSourceFallback", "BotNegativeEdgePersistent", "RealizedPnlNegative")


def rule(facts: Facts) -> Iterable[Cause]:
    """A fallback may be this desk's everyday life: it is a cause where fees or edge are the matter."""
    weighing = Weighing(facts)
    asked_once: list[str] = []
    bots = [bot for bot, fees in facts.of_bots("fee_source") if fees["kind"] == "resolved"]
    for bot, fees in facts.of_bots("fee_source"):
        if fees["kind"] != "resolved":
            continue
        about_fees = bool(facts.alerts("BotFeeSourceFallback"))
        weighing.add(0.7 if about_fees else 0.15, f"{bot} takes its fees from {fees['source']}", "fee_source")
        if fees["changed"]:
            weighing.add(0.4, f"{bot}: its fees differ from yesterday's", "fee_source")
        if facts.alerts(*_ALERTS[1:]):
            weighing.add(0.2, "the edge is the matter", "fee_source")
        found = hits(facts, bot, FEES)
        asked_once += [bot] if about_fees and not found.fresh else []
        if found.count:
            weighing.add(0.4, f"{bot} logs: {found.loudest}", "error_logs")
    if weighing.findings and facts.alerts("BotFeeSourceFallback"):
        weighing.add(0.35, "BotFeeSourceFallback fires")
    weighing.needs("fee_source")
    yield from weighing.cause(
        "fee_fallback",
        f"{', '.join(bots)}: fees come from a fallback, not from the exchange.",
        "Find out why the fee query fails (key rights, rate limit) before adjusting strategy thresholds.",
        propose("restart", asked_once, "it asks for its fees when it starts, and nothing fails now"),
    )
