"""The bot's books and the exchange's balances differ."""

from demo.desk.connector import TRACKER
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let that guard hold."""
    text = "The order fill updates did not arrive on time for an order. The cancel update will be processed with "
    text += "incomplete information."
    desk.says("WARNING", TRACKER, text)
    desk.hold("balance_mismatch")


FAULT = Fault(
    name="books-differ",
    story="The bot's books and the exchange's balances differ.",
    truth=Truth("balance_mismatch"),
    strike=strike,
)
