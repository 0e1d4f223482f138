"""The exchange raised the least value of an order above what the bot places."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse every order."""
    desk.refuse(("place",), 400, "45110", "less than the minimum amount 100 USDT")


FAULT = Fault(
    name="min-value-raised",
    story="The exchange raised the least value of an order above what the bot places.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
