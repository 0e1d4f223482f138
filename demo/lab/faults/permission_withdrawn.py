"""The key may read, and no longer trade."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse orders and cancels."""
    desk.refuse(("place", "cancel"), 400, "40014", "Incorrect permissions, need spot trade permissions")


FAULT = Fault(
    name="permission-withdrawn",
    story="The key may read, and no longer trade.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)
