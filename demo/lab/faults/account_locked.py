"""The exchange finds the account's status abnormal: a person must talk with it."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse everything that is signed."""
    desk.refuse(SIGNED, 400, "40013", "User status is abnormal")


FAULT = Fault(
    name="account-locked",
    story="The exchange finds the account's status abnormal: a person must talk with it.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)
