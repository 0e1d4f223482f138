"""The pair has fewer decimals since today; the bot still sends the old ones."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse every order."""
    text = "Parameter verification exception size checkBDScale error value=0.00088215 checkScale=4"
    desk.refuse(("place",), 400, "40808", text)


FAULT = Fault(
    name="precision-changed",
    story="The pair has fewer decimals since today; the bot still sends the old ones.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
