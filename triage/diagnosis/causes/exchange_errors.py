"""The exchange or the way to it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import EXCHANGE, NETWORK, hits
from triage.diagnosis.weighing import Weighing, propose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_ALERTS = ("ExchangeOrderFailureSpike", "WsReconnectSpike", "ConnectorIOSlow", "OrderBookStale")
_SOME, _MANY = 3, 20


def rule(facts: Facts) -> Iterable[Cause]:
    """New or surging errors that speak of the exchange, on one bot or better on several."""
    weighing = Weighing(facts)
    hit: list[str] = []
    for bot in facts.bots:
        found = hits(facts, bot, EXCHANGE)
        if found.fresh >= _SOME:
            hit.append(bot)
            weighing.add(
                0.7 if found.fresh >= _MANY else 0.45,
                f"{bot}: {found.fresh} errors, {found.loudest}",
                "error_logs",
            )
    for name in _ALERTS:
        if facts.alerts(name):
            weighing.add(0.3, f"{name} fires")
    for bot, _ in facts.reasons("order_book_stale"):
        weighing.add(0.3, f"{bot} gives the reason order_book_stale", "bot_state")
    if facts.alerts("HighNetworkErrorRate"):
        weighing.against(0.8, "the host's network has errors of its own")
    if len(hit) > 1:
        weighing.add(0.3, "several bots at once")
    if len([bot for bot in hit if hits(facts, bot, NETWORK).count]) > 1:
        weighing.against(0.6, "several bots do not get out of this host at all", "error_logs")
    weighing.needs("error_logs")
    trading = [bot for bot in hit if facts.state(bot).get("state") == "running"]
    yield from weighing.cause(
        "exchange_errors",
        "The exchange, or the way to it, fails.",
        "Check the exchange's status page and our rate limits; pause what still trades until the errors end.",
        propose("soft_pause", trading, "its orders meet errors of the exchange"),
    )
