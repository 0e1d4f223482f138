"""Somebody flushed Redis: streams and groups are gone, and the bots miss their group."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Flush it; what the bots' readers log is written by hand."""
    desk.bus.flush_all()
    text = "Error while reading intents from the bus."
    last = "redis.exceptions.ResponseError: NOGROUP No such key 'hb.execution_intent.v1' or consumer group 'hb_group_v1'"

    def miss() -> None:
        for bot in desk.world.bots:
            desk.says(
                "ERROR",
                "hummingbot.strategy_v2.controllers.epp_v2_4",
                text,
                trace("read_intents", last),
                bot=bot,
            )

    desk.every(15, miss)


FAULT = Fault(
    name="bus-flushed",
    story="Somebody flushed Redis: streams and groups are gone, and the bots miss their group.",
    truth=Truth("bus_lost"),
    strike=strike,
    bots=(),
)
