"""The account was switched to one-way positions; the bot sends orders for hedge mode."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse every order."""
    desk.refuse(
        ("place",),
        400,
        "40774",
        "The order type for unilateral position must also be the unilateral position type.",
    )


FAULT = Fault(
    name="position-mode-mismatch",
    story="The account was switched to one-way positions; the bot sends orders for hedge mode.",
    truth=Truth("position_mode", tolerated=("soft_pause",)),
    strike=strike,
)
