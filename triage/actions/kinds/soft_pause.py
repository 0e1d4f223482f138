"""Stop a bot from entering anew; it stays up and its guards stay active."""

from __future__ import annotations

from triage.actions.intent import IntentAction


class SoftPause(IntentAction):
    """The execution intent ``soft_pause``."""

    kind = "soft_pause"
    label = "Soft pause"
    description = "no new entries until it is resumed"
    intent = "soft_pause"
    title = "Soft pause"
    wanted_states = ("soft_pause",)
    side_effects = ("no new entries until the bot is resumed",)
    wont = ("close positions or stop the container", "survive a restart of the bot")


ACTION = SoftPause()
