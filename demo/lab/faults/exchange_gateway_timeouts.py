"""Behind the exchange's edge orders run into time-outs."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Answer most requests with 504."""
    desk.refuse(("place", "account", "orders"), 504, bots=None, share=0.8)


FAULT = Fault(
    name="exchange-gateway-timeouts",
    story="Behind the exchange's edge orders run into time-outs.",
    truth=Truth("exchange_down", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
