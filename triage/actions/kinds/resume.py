"""Let a paused bot trade again."""

from __future__ import annotations

from triage.actions.fitness import NEVER, REDIS_SERVES, Fitness
from triage.actions.intent import IntentAction

FITNESS = Fitness(threshold=1.0, requires=(NEVER, REDIS_SERVES))
"""Trading begins again by a person's decision alone."""


class Resume(IntentAction):
    """The execution intent ``resume``."""

    kind = "resume"
    fitness = FITNESS
    label = "Resume"
    description = "let it trade again"
    intent = "resume"
    title = "Resume"
    wanted_states = ("running",)
    side_effects = ("the bot may place orders again at once",)
    wont = ("override the bot's own guards: one that still holds keeps it paused",)


ACTION = Resume()
