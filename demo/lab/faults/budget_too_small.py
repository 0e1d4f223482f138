"""The executor finds no budget for its orders and does not even ask the exchange."""

from demo.desk.connector import EXECUTOR
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the client turn every order down."""
    desk.cannot_place("ERROR", EXECUTOR, "Not enough budget to open position.")


FAULT = Fault(
    name="budget-too-small",
    story="The executor finds no budget for its orders and does not even ask the exchange.",
    truth=Truth("insufficient_funds", tolerated=("soft_pause",)),
    strike=strike,
)
