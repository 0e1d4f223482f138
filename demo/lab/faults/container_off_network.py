"""Docker lost the container's network: nothing that it sends arrives."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let every request of one bot hang."""
    desk.cut_off("timeout")


FAULT = Fault(
    name="container-off-network",
    story="Docker lost the container's network: nothing that it sends arrives.",
    truth=Truth("network_down", tolerated=("soft_pause", "restart {bot}", "recreate {bot}")),
    strike=strike,
)
