"""Somebody stopped Redis."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop its container."""
    desk.world.engine.stop(desk.container("redis"))


FAULT = Fault(
    name="redis-stopped",
    story="Somebody stopped Redis.",
    truth=Truth(
        "redis_down",
        also=frozenset({"container_stopped"}),
        right=("degraded_mode desk",),
        tolerated=("restart redis", "recreate redis", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
