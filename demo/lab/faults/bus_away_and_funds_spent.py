"""Redis was stopped, and bot3's account is empty."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop the one, refuse the other."""
    desk.world.engine.stop(desk.container("redis"))
    desk.refuse(("place",), 200, "170131", "Balance insufficient.", bots=("bot3",))


FAULT = Fault(
    name="bus-away-and-funds-spent",
    story="Redis was stopped, and bot3's account is empty.",
    truth=Truth(
        "redis_down",
        right=("degraded_mode desk",),
        tolerated=("restart redis", "recreate redis", "soft_pause"),
    ),
    strike=strike,
    bots=(),
    beside=((Truth("insufficient_funds", tolerated=("soft_pause",)), "bot3"),),
)
