"""The signal service hangs since hours: it is up and reads nothing."""

from demo.desk.events import MARKET_DATA
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it hang, with what it has not read."""
    desk.container("signal-service").hung = True
    desk.backlog(MARKET_DATA, 1_050)


FAULT = Fault(
    name="signal-service-hangs",
    story="The signal service hangs since hours: it is up and reads nothing.",
    truth=Truth("service_hung", right=("restart signal-service", "recreate signal-service")),
    strike=strike,
    bots=(),
)
