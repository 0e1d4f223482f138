"""The host's resolver does not answer; open connections stay open for a while."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let every name stay unknown."""
    desk.cut_off("dns_again", bots=None)


FAULT = Fault(
    name="resolver-of-the-host-down",
    story="The host's resolver does not answer; open connections stay open for a while.",
    truth=Truth("dns_failure", also=frozenset({"network_down"}), tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
