"""The bot cannot learn the exchange's time, and its time stamps drift out of the window."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the time call hang and the stamps be too old."""
    desk.cut_off("timeout", ("time",))
    desk.refuse(("place", "cancel", "account"), 400, "40004", "Request timestamp expired")


FAULT = Fault(
    name="server-time-unknown",
    story="The bot cannot learn the exchange's time, and its time stamps drift out of the window.",
    truth=Truth("clock_skew", tolerated=("soft_pause",)),
    strike=strike,
)
