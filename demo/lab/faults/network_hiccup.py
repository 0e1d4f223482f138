"""The network was away for a minute and a half; all is back."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Cut it for a moment."""
    desk.cut_off("reset", lasts=90)


FAULT = Fault(
    name="network-hiccup",
    story="The network was away for a minute and a half; all is back.",
    truth=Truth("blip", also=frozenset({"nothing_is_wrong"})),
    strike=strike,
    patience=2400,
)
