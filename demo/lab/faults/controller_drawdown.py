"""The controller reached its own largest drawdown and was stopped."""

from demo.desk.connector import STRATEGY
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop the strategy from within."""
    desk.says("INFO", STRATEGY, f"Controller epp_v2_4_{desk.bot} reached max drawdown.")
    if desk.struck.process is not None:
        desk.struck.process.stopped = True


FAULT = Fault(
    name="controller-drawdown",
    story="The controller reached its own largest drawdown and was stopped.",
    truth=Truth("pnl_kill_switch", also=frozenset({"drawdown_limit"})),
    strike=strike,
)
