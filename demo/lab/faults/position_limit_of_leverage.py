"""The position is as large as the exchange allows at this leverage."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse what would open more."""
    desk.refuse(
        ("place",), 400, "-2027", "Exceeded the maximum allowable position at current leverage.", side="BUY"
    )


FAULT = Fault(
    name="position-limit-of-leverage",
    story="The position is as large as the exchange allows at this leverage.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
