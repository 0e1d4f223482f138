"""The exchange is overloaded and says so only in the words of an answer with status 200."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Answer with words of failure."""
    desk.refuse(SIGNED, 200, "50001", "Service temporarily unavailable. Try again later", bots=None)


FAULT = Fault(
    name="service-unavailable-in-words",
    story="The exchange is overloaded and says so only in the words of an answer with status 200.",
    truth=Truth("exchange_down", also=frozenset({"exchange_errors"}), tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
