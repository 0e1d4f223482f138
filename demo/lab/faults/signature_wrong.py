"""The secret in the bot's connector file does not belong to its key."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse every signature, and restart the bot with that secret."""
    desk.refuse(SIGNED, 400, "40009", "sign signature error")
    desk.restart()


FAULT = Fault(
    name="signature-wrong",
    story="The secret in the bot's connector file does not belong to its key.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)
