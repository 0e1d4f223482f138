"""Redis cannot save to its disk."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let its saves fail."""
    desk.world.redis.saves = False


FAULT = Fault(
    name="redis-cannot-save",
    story="Redis cannot save to its disk.",
    truth=Truth("redis_unwell"),
    strike=strike,
    bots=(),
)
