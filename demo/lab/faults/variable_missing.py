"""A variable that the strategy asks for is not in .env: it dies when it starts."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Recreate it without the variable; what it logs last is written by hand."""
    desk.recreate()
    text = "Failed to start strategy v2_with_controllers"
    last = "RuntimeError: Required environment variable EXT_SIGNAL_RISK_ENABLED is missing"

    def die() -> None:
        desk.says("ERROR", "hummingbot.core.trading_core", text, trace("start", last))

    desk.dies_when_up(20, 1, die)


FAULT = Fault(
    name="variable-missing",
    story="A variable that the strategy asks for is not in .env: it dies when it starts.",
    truth=Truth("env_key_missing", also=frozenset({"crash_restart_loop"}), tolerated=("recreate {bot}",)),
    strike=strike,
)
