"""Another exchange finds the balance short, in a sentence with the currency in it."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse each order for want of funds."""
    desk.refuse(("place",), 200, "51008", "Order failed. Insufficient USDT balance in account")


FAULT = Fault(
    name="funds-short-elsewhere",
    story="Another exchange finds the balance short, in a sentence with the currency in it.",
    truth=Truth("insufficient_funds", tolerated=("soft_pause",)),
    strike=strike,
)
