"""The host lost its uplink."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Cut the network."""
    desk.world.exchange.network_down_until = desk.now + 86_400


FAULT = Fault(
    name="uplink-lost",
    story="The host lost its uplink.",
    truth=Truth("network_down", also=frozenset({"alert_storm"}), tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
