"""A rare market made the controller divide by zero in every tick; nothing was changed."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let every tick fail."""
    desk.keeps_saying(
        9,
        "ERROR",
        "hummingbot.core.clock",
        "Unexpected error running clock tick.",
        trace(
            "determine_executor_actions",
            "ZeroDivisionError: float division by zero",
            "controllers/market_making/epp_v2_4.py",
        ),
        heals=False,
    )


FAULT = Fault(
    name="division-in-the-tick",
    story="A rare market made the controller divide by zero in every tick; nothing was changed.",
    truth=Truth("code_error", tolerated=("soft_pause",)),
    strike=strike,
)
