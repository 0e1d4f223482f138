"""Redis drops keys to stay below its limit."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it drop keys."""
    redis = desk.world.redis
    redis.evicts, redis.memory_used = True, redis.memory_max

    def drop() -> None:
        redis.evicted += 3

    desk.every(5, drop)


FAULT = Fault(
    name="redis-evicts",
    story="Redis drops keys to stay below its limit.",
    truth=Truth("redis_unwell"),
    strike=strike,
    bots=(),
)
