"""Stop a bot from entering anew; it stays up and its guards stay active."""

from __future__ import annotations

from triage.actions.fitness import REDIS_SERVES, TRADES, Fitness
from triage.actions.intent import IntentAction

FITNESS = Fitness(threshold=0.7, requires=(REDIS_SERVES, TRADES))


class SoftPause(IntentAction):
    """The execution intent ``soft_pause``."""

    kind = "soft_pause"
    fitness = FITNESS
    label = "Soft pause"
    description = "no new entries until it is resumed"
    intent = "soft_pause"
    title = "Soft pause"
    wanted_states = ("soft_pause",)
    stops_trading = True
    side_effects = ("no new entries until the bot is resumed",)
    wont = ("close positions or stop the container", "survive a restart of the bot")


ACTION = SoftPause()
