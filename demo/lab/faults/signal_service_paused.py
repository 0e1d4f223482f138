"""Somebody paused the signal service hours ago."""

from demo.desk.events import MARKET_DATA
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Pause it, with what it has not read."""
    desk.world.engine.pause(desk.container("signal-service"))
    desk.backlog(MARKET_DATA, 1_050)


FAULT = Fault(
    name="signal-service-paused",
    story="Somebody paused the signal service hours ago.",
    truth=Truth("paused_container", also=frozenset({"service_hung"})),
    strike=strike,
    bots=(),
)
