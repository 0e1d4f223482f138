"""Post-only orders would take: the book moved, the bot quotes behind it."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse orders as exchanges do that know post-only ones."""
    desk.refuse(("place",), 400, "-2010", "Order would immediately match and take.")


FAULT = Fault(
    name="maker-orders-would-take",
    story="Post-only orders would take: the book moved, the bot quotes behind it.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
