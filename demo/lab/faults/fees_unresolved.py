"""The bot was restarted while the fee query failed, and has no profile to fall back to."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Restart it, and leave it without fees."""
    desk.restart()
    if desk.struck.process is not None:
        desk.struck.process.fee_source = "manual:config"
        desk.says(
            "WARNING",
            "hummingbot.strategy.fees",
            "user fee query failed, no fee profile for bitget; using manual fees",
        )


FAULT = Fault(
    name="fees-unresolved",
    story="The bot was restarted while the fee query failed, and has no profile to fall back to.",
    truth=Truth("fee_unresolved", tolerated=("restart {bot}",)),
    strike=strike,
)
