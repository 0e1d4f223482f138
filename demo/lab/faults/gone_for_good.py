"""The bot's container has no restart policy since somebody made it by hand; its process died."""

from dataclasses import replace

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Take the policy away, then end the process."""
    container = desk.container()
    container.spec = replace(container.spec, restart="no")
    desk.crash(desk.bot, 1)


FAULT = Fault(
    name="gone-for-good",
    story="The bot's container has no restart policy since somebody made it by hand; its process died.",
    truth=Truth("container_down", right=("recreate {bot}",), tolerated=("restart {bot}",)),
    strike=strike,
)
