"""The passphrase of the key was changed at the exchange."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse everything that is signed."""
    desk.refuse(SIGNED, 400, "40012", "apikey/password is incorrect")


FAULT = Fault(
    name="passphrase-wrong",
    story="The passphrase of the key was changed at the exchange.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)
