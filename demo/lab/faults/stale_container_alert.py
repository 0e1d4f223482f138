"""A container's alert outlived the restart that cured it."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let a healthy container's alert fire."""
    desk.alert(
        "ContainerDown",
        {"name": f"hbot-{desk.bot}", "severity": "critical"},
        f"Container hbot-{desk.bot} is gone",
    )


FAULT = Fault(
    name="stale-container-alert",
    story="A container's alert outlived the restart that cured it.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
)
