"""A native library crashes the bot half a minute after each start."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it die again and again."""
    desk.dies_when_up(35, 139)


FAULT = Fault(
    name="segfault-loop",
    story="A native library crashes the bot half a minute after each start.",
    truth=Truth("crash_restart_loop", tolerated=("recreate {bot}",)),
    strike=strike,
)
