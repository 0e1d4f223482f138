"""The bot's pair is under maintenance."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse orders on the pair."""
    desk.refuse(
        ("place", "cancel"),
        400,
        "41114",
        "The current trading pair is under maintenance, please refer to the official announcement for the opening time",
    )


FAULT = Fault(
    name="pair-maintenance",
    story="The bot's pair is under maintenance.",
    truth=Truth("exchange_down", tolerated=("soft_pause",)),
    strike=strike,
)
