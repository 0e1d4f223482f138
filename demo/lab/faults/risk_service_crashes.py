"""The risk service dies of an exception twenty seconds after each start."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it die again and again."""
    desk.dies_when_up(
        20, 1, lambda: desk.prints("risk-service", "KeyError: 'limits'"), service="risk-service"
    )


FAULT = Fault(
    name="risk-service-crashes",
    story="The risk service dies of an exception twenty seconds after each start.",
    truth=Truth(
        "service_down",
        also=frozenset({"crash_restart_loop"}),
        tolerated=("restart risk-service", "recreate risk-service"),
    ),
    strike=strike,
    bots=(),
)
