"""Our own degraded mode is on: the containers that it stopped alert one after the other."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Enter it."""
    desk.degraded_mode()


FAULT = Fault(
    name="degraded-mode-is-on",
    story="Our own degraded mode is on: the containers that it stopped alert one after the other.",
    truth=Truth("degraded_mode"),
    strike=strike,
    bots=(),
)
