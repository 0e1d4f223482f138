"""Somebody paused Redis' container for a backup."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Pause its container."""
    desk.world.engine.pause(desk.container("redis"))


FAULT = Fault(
    name="redis-paused",
    story="Somebody paused Redis' container for a backup.",
    truth=Truth(
        "redis_down",
        also=frozenset({"paused_container"}),
        right=("degraded_mode desk",),
        tolerated=("restart redis", "recreate redis", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
