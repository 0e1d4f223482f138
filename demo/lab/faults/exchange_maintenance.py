"""The exchange is under maintenance."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Answer with 503 and a code."""
    desk.refuse((*SIGNED, "rules"), 503, "40200", "Server upgrade, please try again later", bots=None)


FAULT = Fault(
    name="exchange-maintenance",
    story="The exchange is under maintenance.",
    truth=Truth("exchange_down", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
