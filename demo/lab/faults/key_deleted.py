"""Somebody deleted the bot's API key at the exchange."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse everything that is signed."""
    desk.refuse(SIGNED, 400, "40037", "Apikey does not exist")


FAULT = Fault(
    name="key-deleted",
    story="Somebody deleted the bot's API key at the exchange.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)
