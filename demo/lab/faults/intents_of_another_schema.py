"""The coordination service was upgraded: its intents lack a field that the bots want."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it publish another shape."""
    desk.world.habits.intent_flaw, desk.world.habits.intent_every = "shape", 1


FAULT = Fault(
    name="intents-of-another-schema",
    story="The coordination service was upgraded: its intents lack a field that the bots want.",
    truth=Truth("schema_mismatch"),
    strike=strike,
    bots=(),
)
