"""The risk service pulled the kill switch."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Publish the intent."""
    desk.intent("kill_switch", "risk-service", reason="portfolio exposure")


FAULT = Fault(
    name="kill-switch-by-risk",
    story="The risk service pulled the kill switch.",
    truth=Truth("external_kill_switch"),
    strike=strike,
)
