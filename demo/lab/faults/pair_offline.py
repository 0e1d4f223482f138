"""The exchange took the bot's pair offline."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse orders on the pair."""
    desk.refuse(("place",), 400, "40309", "The contract has been removed")


FAULT = Fault(
    name="pair-offline",
    story="The exchange took the bot's pair offline.",
    truth=Truth("exchange_down", also=frozenset({"order_rejected"}), tolerated=("soft_pause",)),
    strike=strike,
)
