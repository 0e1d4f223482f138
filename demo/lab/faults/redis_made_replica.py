"""Somebody made Redis a replica of another one."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Make it a replica."""
    desk.world.redis.refuses_writes = "replica"


FAULT = Fault(
    name="redis-made-replica",
    story="Somebody made Redis a replica of another one.",
    truth=Truth("redis_unwell"),
    strike=strike,
    bots=(),
)
