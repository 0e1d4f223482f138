"""The connector stays unready after a hiccup that nothing in the log tells of."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Hold it, with the line that each tick writes; both are written by hand."""
    desk.hold("connector_not_ready")
    text = "bitget is not ready. Please wait..."
    desk.keeps_saying(5, "WARNING", "hummingbot.strategy.strategy_v2_base", text)


FAULT = Fault(
    name="connector-never-ready",
    story="The connector stays unready after a hiccup that nothing in the log tells of.",
    truth=Truth("connector_not_ready", also=frozenset({"exchange_errors"}), tolerated=("soft_pause",)),
    strike=strike,
)
