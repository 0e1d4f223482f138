"""The order amount in the configuration is below the pair's least notional; the client drops each order."""

from demo.desk.connector import BITGET
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the client turn every order down."""
    text = "Order notional 3.1 is lower than minimum notional size 5 for the pair. The order will not be created."
    desk.cannot_place("WARNING", BITGET, text)


FAULT = Fault(
    name="order-below-minimum",
    story="The order amount in the configuration is below the pair's least notional; the client drops each order.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
