"""The account lost its fee tier: every trade costs nearly twice as much since now."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Raise the fee that the exchange tells."""
    for bot in desk.world.bots.values():
        if bot.process is not None:
            bot.process.fee_pct = 0.0015


FAULT = Fault(
    name="fee-tier-lost",
    story="The account lost its fee tier: every trade costs nearly twice as much since now.",
    truth=Truth("fee_changed", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
