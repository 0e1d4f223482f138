"""The price has more decimals than the exchange takes."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse every order, with HTTP status 200."""
    desk.refuse(("place",), 200, "41103", "param price scale error error")


FAULT = Fault(
    name="price-scale-wrong",
    story="The price has more decimals than the exchange takes.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
