"""Let a paused bot trade again."""

from __future__ import annotations

from triage.actions.intent import IntentAction


class Resume(IntentAction):
    """The execution intent ``resume``."""

    kind = "resume"
    label = "Resume"
    description = "let it trade again"
    intent = "resume"
    title = "Resume"
    wanted_states = ("running",)
    side_effects = ("the bot may place orders again at once",)
    wont = ("override the bot's own guards: one that still holds keeps it paused",)


ACTION = Resume()
