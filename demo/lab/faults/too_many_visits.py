"""Another exchange counts too many visits, in an answer with status 200."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse what is signed for its number."""
    desk.refuse(SIGNED, 200, "10006", "Too many visits. Exceeded the API Rate Limit.")


FAULT = Fault(
    name="too-many-visits",
    story="Another exchange counts too many visits, in an answer with status 200.",
    truth=Truth("exchange_rate_limit", tolerated=("soft_pause",)),
    strike=strike,
)
