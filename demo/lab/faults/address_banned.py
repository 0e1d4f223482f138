"""The exchange banned our address for a while, for the weight of all requests: public ones too."""

from demo.desk.replies import EVERYTHING
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse everything to all."""
    desk.refuse(
        EVERYTHING,
        418,
        "-1003",
        "Way too much request weight used; IP banned until 1772734500000.",
        bots=None,
    )


FAULT = Fault(
    name="address-banned",
    story="The exchange banned our address for a while, for the weight of all requests: public ones too.",
    truth=Truth("exchange_rate_limit", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
