"""A backtest on the host takes all its cores."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Take the cores."""
    desk.world.host.other_cpu = 3.9


FAULT = Fault(
    name="host-cpu-taken",
    story="A backtest on the host takes all its cores.",
    truth=Truth("host_saturated"),
    strike=strike,
    bots=(),
)
