"""A service was left in debug logging: its log fills the disk."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Switch it to debug logging."""
    desk.world.debug_logging.add(desk.container("signal-service").id)


FAULT = Fault(
    name="service-logs-fill-disk",
    story="A service was left in debug logging: its log fills the disk.",
    truth=Truth("disk_full", right=("recreate signal-service",)),
    strike=strike,
    bots=(),
    settles=900,
)
