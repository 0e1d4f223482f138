"""A notebook on the host takes its memory."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Take the memory."""
    desk.world.host.other_memory = 12.6e9


FAULT = Fault(
    name="host-memory-taken",
    story="A notebook on the host takes its memory.",
    truth=Truth("host_saturated"),
    strike=strike,
    bots=(),
)
