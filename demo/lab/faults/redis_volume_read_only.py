"""The volume under Redis went read-only: it exits at every start."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Break the volume."""
    desk.world.redis.volume_broken = True


FAULT = Fault(
    name="redis-volume-read-only",
    story="The volume under Redis went read-only: it exits at every start.",
    truth=Truth(
        "redis_down",
        right=("degraded_mode desk",),
        tolerated=("restart redis", "recreate redis", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
