"""A parameter of the order is bad, and the code says no more than that."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Answer with the code that has several meanings."""
    desk.refuse(("place",), 400, "40808", "Parameter verification exception margin mode == FIXED")


FAULT = Fault(
    name="parameter-is-bad",
    story="A parameter of the order is bad, and the code says no more than that.",
    truth=Truth("exchange_errors", tolerated=("soft_pause",)),
    strike=strike,
)
