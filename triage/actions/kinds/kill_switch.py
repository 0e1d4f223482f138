"""Stop a bot hard: it cancels its orders and trades no more until somebody acts."""

from __future__ import annotations

from triage.actions.fitness import NEVER, REDIS_SERVES, Fitness
from triage.actions.intent import IntentAction

FITNESS = Fitness(threshold=1.0, requires=(NEVER, REDIS_SERVES))
"""It stops a bot until somebody acts: no cause is sure enough to offer that unasked."""


class KillSwitch(IntentAction):
    """The execution intent ``kill_switch``."""

    kind = "kill_switch"
    fitness = FITNESS
    label = "Kill switch"
    description = "stop trading now"
    dangerous = True
    intent = "kill_switch"
    title = "Kill switch on"
    wanted_states = ("hard_stop",)
    stops_trading = True
    side_effects = ("open orders are cancelled, the bot stays in hard_stop until somebody acts",)
    wont = ("close positions", "stop the container")


ACTION = KillSwitch()
