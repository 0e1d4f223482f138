"""The connector or the balances behind it are not ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import EXCHANGE, hits
from triage.diagnosis.weighing import Weighing, propose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """The guard's reason; errors of the exchange make the exchange the likelier cause."""
    weighing = Weighing(facts)
    found = facts.reasons("connector_not_ready", "balance_mismatch", "order_book_stale")
    bots = list(dict.fromkeys(bot for bot, _ in found))
    for bot, reason in found:
        weighing.add(0.6, f"{bot} gives the reason {reason}", "bot_state")
    outside = any(hits(facts, bot, EXCHANGE).fresh for bot in bots)
    if outside:
        weighing.against(0.8, "its log speaks of the exchange", "error_logs")
    weighing.needs("bot_state")
    yield from weighing.cause(
        "connector_not_ready",
        "The connector is not ready (or its balances do not match).",
        "Check the exchange's status, keys and balances; a restart helps only when the exchange is well.",
        propose("restart", () if outside else bots, "its connector does not come back"),
    )
