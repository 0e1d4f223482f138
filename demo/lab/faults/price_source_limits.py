"""A price source that is no exchange limits the bot; an alert of its orders is false."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Write what the rate source logs, then let the alert fire."""
    text = "Couldn't fetch newest prices from https://api.coingecko.com. HTTP status is 429. Error: Too Many Requests"
    desk.keeps_saying(20, "WARNING", "hummingbot.core.rate_oracle.rate_oracle", text)
    labels = {"bot": desk.bot, "severity": "critical"}
    desk.after(240, lambda: desk.alert("ExchangeOrderFailureSpike", labels, "orders fail"))


FAULT = Fault(
    name="price-source-limits",
    story="A price source that is no exchange limits the bot; an alert of its orders is false.",
    truth=Truth("nothing_is_wrong", also=frozenset({"no_cause_found"})),
    strike=strike,
)
