"""A client counts its own reconnects as Redis' failure."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the alert fire beside a healthy Redis."""
    desk.alert("RedisClientDisconnected", {"severity": "critical"}, "A client lost Redis")


FAULT = Fault(
    name="false-redis-alert",
    story="A client counts its own reconnects as Redis' failure.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
    bots=(),
)
