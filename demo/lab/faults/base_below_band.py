"""A transfer left the account with too little base."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Turn base into quote."""
    account, mid = desk.struck.account, desk.struck.market.mid
    moved = account.base * 0.85
    account.base -= moved
    account.quote += moved * mid


FAULT = Fault(
    name="base-below-band",
    story="A transfer left the account with too little base.",
    truth=Truth("inventory_band"),
    strike=strike,
)
