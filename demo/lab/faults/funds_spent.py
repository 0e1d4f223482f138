"""The quote balance is spent; every buy is refused."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the buys."""
    desk.refuse(("place",), 400, "43012", "Insufficient balance", side="BUY")


FAULT = Fault(
    name="funds-spent",
    story="The quote balance is spent; every buy is refused.",
    truth=Truth("insufficient_funds", tolerated=("soft_pause",)),
    strike=strike,
)
