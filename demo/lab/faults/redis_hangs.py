"""Redis' process hangs: its port is open, and nothing answers."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it hang."""
    desk.container("redis").hung = True


FAULT = Fault(
    name="redis-hangs",
    story="Redis' process hangs: its port is open, and nothing answers.",
    truth=Truth(
        "redis_down",
        right=("degraded_mode desk",),
        tolerated=("restart redis", "recreate redis", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
