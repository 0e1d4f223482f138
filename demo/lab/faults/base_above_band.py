"""A transfer left the account with too much base."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Turn quote into base."""
    account, mid = desk.struck.account, desk.struck.market.mid
    moved = account.quote * 0.9
    account.quote -= moved
    account.base += moved / mid


FAULT = Fault(
    name="base-above-band",
    story="A transfer left the account with too much base.",
    truth=Truth("inventory_band"),
    strike=strike,
)
