"""The exchange stopped publishing order books; everything else works."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let all book streams fall silent."""
    desk.world.exchange.silent.update(desk.world.bots)


FAULT = Fault(
    name="books-silent",
    story="The exchange stopped publishing order books; everything else works.",
    truth=Truth("market_data_stale", also=frozenset({"exchange_down"}), tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
