"""Somebody upgraded the account to the unified mode, which the connector does not speak."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse everything that is signed."""
    desk.refuse(
        SIGNED,
        400,
        "40085",
        "You are in Unified Account mode, and the Classic Account API is not supported at this time",
    )


FAULT = Fault(
    name="unified-account",
    story="Somebody upgraded the account to the unified mode, which the connector does not speak.",
    truth=Truth("account_mode", tolerated=("soft_pause",)),
    strike=strike,
)
