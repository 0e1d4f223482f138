"""Orders fail, and no line says why."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Count failures, and log none."""

    def fail() -> None:
        desk.struck.order_failures += 1

    desk.every(10, fail)


FAULT = Fault(
    name="failures-nobody-logs",
    story="Orders fail, and no line says why.",
    truth=Truth("no_cause_found", tolerated=("soft_pause",)),
    strike=strike,
)
