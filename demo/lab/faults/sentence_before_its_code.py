"""Another exchange's client prints its sentence before its code: the order is too small."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth
from demo.lab.faults._lines import keep_failing


def strike(desk: Breaker) -> None:
    """Write what it logs."""
    last = "OSError: {'msg': 'Order size below the minimum requirement.', 'code': '400100'}"
    keep_failing(desk, last)


FAULT = Fault(
    name="sentence-before-its-code",
    story="Another exchange's client prints its sentence before its code: the order is too small.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
