"""The risk service crashed once and is back."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Crash it once."""
    desk.crash("risk-service", 1)


FAULT = Fault(
    name="service-crashes-once",
    story="The risk service crashed once and is back.",
    truth=Truth("blip", also=frozenset({"nothing_is_wrong"})),
    strike=strike,
    bots=(),
)
