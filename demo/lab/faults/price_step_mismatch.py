"""The price step of the pair changed; the exchange says so with a code of its own."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse orders."""
    desk.refuse(("place",), 400, "45035", "Price step mismatch")


FAULT = Fault(
    name="price-step-mismatch",
    story="The price step of the pair changed; the exchange says so with a code of its own.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
