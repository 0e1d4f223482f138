"""Somebody flushed Redis; nobody logs it, and streams are written again within a minute."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Flush it."""
    desk.bus.flush_all()


FAULT = Fault(
    name="bus-flushed-quietly",
    story="Somebody flushed Redis; nobody logs it, and streams are written again within a minute.",
    truth=Truth("bus_lost"),
    strike=strike,
    bots=(),
)
