"""Another strategy on the account holds the balance in its own orders."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse all orders, with HTTP status 200."""
    desk.refuse(("place",), 200, "40762", "The order amount exceeds the balance")


FAULT = Fault(
    name="funds-locked-elsewhere",
    story="Another strategy on the account holds the balance in its own orders.",
    truth=Truth("insufficient_funds", tolerated=("soft_pause",)),
    strike=strike,
)
