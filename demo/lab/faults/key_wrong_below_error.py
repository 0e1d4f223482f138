"""A key is wrong since the bot was made anew: only polls fail, and nothing of that is logged as an error."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the account, then make the bot anew."""
    desk.refuse(("account",), 400, "40006", "Invalid ACCESS_KEY")
    desk.recreate()


FAULT = Fault(
    name="key-wrong-below-error",
    story="A key is wrong since the bot was made anew: only polls fail, and nothing of that is logged as an error.",
    truth=Truth("credentials_refused", also=frozenset({"connector_not_ready"}), tolerated=("soft_pause",)),
    strike=strike,
)
