"""The risk service is up and reads nothing any more."""

from demo.desk.events import SIGNAL
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Hang it, and let signals pile up."""
    desk.container("risk-service").hung = True
    desk.every(5, lambda: desk.backlog(SIGNAL, 15))


FAULT = Fault(
    name="risk-service-hangs-now",
    story="The risk service is up and reads nothing any more.",
    truth=Truth("service_hung", right=("restart risk-service",), tolerated=("recreate risk-service",)),
    strike=strike,
    bots=(),
)
