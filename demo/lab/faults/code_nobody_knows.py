"""The exchange refuses each order with a code that stands in no table."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse each order with it."""
    desk.refuse(("place",), 400, "47001", "Currency pair is in call auction")


FAULT = Fault(
    name="code-nobody-knows",
    story="The exchange refuses each order with a code that stands in no table.",
    truth=Truth("exchange_errors", also=frozenset({"order_rejected"}), tolerated=("soft_pause",)),
    strike=strike,
)
