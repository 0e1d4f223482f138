"""All bots share one address, and together they ask more than it may."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse most requests of all bots."""
    desk.refuse(("place", "account", "orders"), 429, "429", "Too Many Requests", bots=None, share=0.7)


FAULT = Fault(
    name="rate-limit-of-the-address",
    story="All bots share one address, and together they ask more than it may.",
    truth=Truth("exchange_rate_limit", right=("soft_pause",)),
    strike=strike,
    bots=(),
)
