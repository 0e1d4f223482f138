"""The exchange cannot cancel: each request ends in an error of its own."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let every cancel fail."""
    desk.refuse(("cancel",), 500, "40725", "service return an error")


FAULT = Fault(
    name="cancels-fail",
    story="The exchange cannot cancel: each request ends in an error of its own.",
    truth=Truth(
        "cancel_failures", also=frozenset({"exchange_down", "exchange_errors"}), tolerated=("soft_pause",)
    ),
    strike=strike,
)
