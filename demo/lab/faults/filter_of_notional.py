"""Another exchange's filter refuses orders that are worth too little."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse each order for its value."""
    desk.refuse(("place",), 400, "-1013", "Filter failure: NOTIONAL")


FAULT = Fault(
    name="filter-of-notional",
    story="Another exchange's filter refuses orders that are worth too little.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
