"""Redis is at its memory limit and takes no writes."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Fill it."""
    redis = desk.world.redis
    redis.memory_used, redis.refuses_writes = redis.memory_max, "full"


FAULT = Fault(
    name="redis-memory-full",
    story="Redis is at its memory limit and takes no writes.",
    truth=Truth("redis_unwell"),
    strike=strike,
    bots=(),
)
