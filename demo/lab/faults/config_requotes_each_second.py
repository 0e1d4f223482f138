"""Somebody lets the bot requote every second and recreates it."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Change the setting and recreate the bot."""
    desk.set_setting("order_refresh_time", "1")
    desk.recreate()


FAULT = Fault(
    name="config-requotes-each-second",
    story="Somebody lets the bot requote every second and recreates it.",
    truth=Truth(
        "bad_release",
        also=frozenset({"cancel_failures", "exchange_rate_limit"}),
        right=("rollback {bot}",),
        tolerated=("soft_pause",),
    ),
    strike=strike,
)
