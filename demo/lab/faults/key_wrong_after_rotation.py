"""The key was rotated, and the bot was recreated with a key that the exchange does not know."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the new key, and start the bot with it."""
    desk.refuse(SIGNED, 400, "40006", "Invalid ACCESS_KEY")
    desk.recreate()


FAULT = Fault(
    name="key-wrong-after-rotation",
    story="The key was rotated, and the bot was recreated with a key that the exchange does not know.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)
