"""promtail hangs: its container is up, and Loki gets nothing."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it hang."""
    desk.container("promtail").hung = True


FAULT = Fault(
    name="log-shipper-hangs",
    story="promtail hangs: its container is up, and Loki gets nothing.",
    truth=Truth("log_shipper_down", right=("restart promtail", "recreate promtail")),
    strike=strike,
    bots=(),
)
