"""A bad reload left Prometheus without its rules."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Empty the rules and say that the reload failed."""
    desk.lose_rules()


FAULT = Fault(
    name="rules-lost",
    story="A bad reload left Prometheus without its rules.",
    truth=Truth("alerting_blind"),
    strike=strike,
    bots=(),
)
