"""The market pays too little; the bot's edge gate holds it."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Keep the gross edge just above the fees."""

    def thin() -> None:
        desk.struck.gross_edge = 0.00085 + desk.dice.gauss(0, 0.00002)

    desk.every(5, thin)


FAULT = Fault(
    name="edge-too-thin",
    story="The market pays too little; the bot's edge gate holds it.",
    truth=Truth("edge_gate"),
    strike=strike,
)
