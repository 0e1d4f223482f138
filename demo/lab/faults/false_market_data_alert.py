"""A dashboard's alert takes a quiet market for stale data."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let a healthy bot's alert fire."""
    desk.alert("DailyStateStale", {"bot": desk.bot, "severity": "warning"}, "daily state is old")


FAULT = Fault(
    name="false-market-data-alert",
    story="A dashboard's alert takes a quiet market for stale data.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
)
