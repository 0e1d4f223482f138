"""Something beside the desk keeps Redis busy: it answers after more than a second."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Slow it down."""
    desk.world.redis.answers_in = 1.4


FAULT = Fault(
    name="redis-slow",
    story="Something beside the desk keeps Redis busy: it answers after more than a second.",
    truth=Truth("redis_unwell", also=frozenset({"host_saturated"})),
    strike=strike,
    bots=(),
)
