"""An error counter was reset and counted twice; the log is calm."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let a healthy bot's alert fire."""
    desk.alert(
        "BotLogErrorSpike", {"bot": desk.bot, "severity": "warning"}, f"{desk.bot} writes many error lines"
    )


FAULT = Fault(
    name="false-error-spike",
    story="An error counter was reset and counted twice; the log is calm.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
)
