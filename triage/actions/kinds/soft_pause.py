"""Stop a bot from entering anew; it stays up and its guards stay active."""

from __future__ import annotations

from collections.abc import Sequence

from triage.actions.fitness import REDIS_SERVES, TRADES, Fitness
from triage.actions.intent import IntentAction
from triage.model import ActionProposal
from triage.plans.record import ActionRecord, ActionStatus, StepRecord

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

    def follow_ups(self, record: ActionRecord, steps: Sequence[StepRecord]) -> tuple[ActionProposal, ...]:
        """Offer to resume, also where it is not known whether the pause came through."""
        del steps
        if record.status in {ActionStatus.SUCCEEDED, ActionStatus.UNKNOWN}:
            return (ActionProposal("resume", record.target, "undo: it may trade again"),)
        return ()


ACTION = SoftPause()
