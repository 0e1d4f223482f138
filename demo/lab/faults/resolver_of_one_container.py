"""The container's resolv.conf points to an address that is gone."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let every name stay unknown to one bot."""
    desk.cut_off("dns")


FAULT = Fault(
    name="resolver-of-one-container",
    story="The container's resolv.conf points to an address that is gone.",
    truth=Truth("dns_failure", tolerated=("soft_pause", "restart {bot}", "recreate {bot}")),
    strike=strike,
)
