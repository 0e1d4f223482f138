"""The coordination service is hours behind: its intents are expired when they come."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it publish old intents."""
    desk.world.habits.intent_flaw, desk.world.habits.intent_every = "late", 1


FAULT = Fault(
    name="intents-too-late",
    story="The coordination service is hours behind: its intents are expired when they come.",
    truth=Truth("intents_late"),
    strike=strike,
    bots=(),
)
