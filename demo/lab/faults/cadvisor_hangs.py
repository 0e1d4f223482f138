"""cAdvisor hangs; the containers run on."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it hang."""
    desk.container("cadvisor").hung = True


FAULT = Fault(
    name="cadvisor-hangs",
    story="cAdvisor hangs; the containers run on.",
    truth=Truth("metrics_blind", tolerated=("restart cadvisor", "recreate cadvisor")),
    strike=strike,
    bots=(),
)
