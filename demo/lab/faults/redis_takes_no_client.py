"""Redis answers those it has, and takes no further client."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth

CONTROLLER = "hummingbot.strategy_v2.controllers.epp_v2_4"


def strike(desk: Breaker) -> None:
    """Write what the bots log."""
    last = "redis.exceptions.ConnectionError: max number of clients reached"

    def miss() -> None:
        for bot in ("bot1", "bot3"):
            desk.says("ERROR", CONTROLLER, "Could not publish the snapshot.", trace("publish", last), bot=bot)

    desk.every(15, miss)


FAULT = Fault(
    name="redis-takes-no-client",
    story="Redis answers those it has, and takes no further client.",
    truth=Truth("redis_unwell", also=frozenset({"redis_down"}), tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
