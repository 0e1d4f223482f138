"""The host's resolver was away for two minutes; all is back."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Cut it for a while."""
    desk.cut_off("dns_again", lasts=150, bots=None)


FAULT = Fault(
    name="names-away-for-a-while",
    story="The host's resolver was away for two minutes; all is back.",
    truth=Truth("blip", also=frozenset({"nothing_is_wrong", "dns_failure", "network_down"})),
    strike=strike,
    bots=(),
    patience=2400,
)
