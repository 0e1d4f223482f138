"""Let a paused bot trade again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from triage.actions.base import ActionContext
from triage.actions.fitness import NEVER, REDIS_SERVES, Fitness
from triage.actions.intent import IntentAction
from triage.model import Finding
from triage.plans.verification import Row

_INTENT = "external_intent"

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

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """The bot's state; a pause that another guard holds is not the intent's any more."""
        (row,) = await super().rows(ctx, findings)
        finding = findings.get("bot_state")
        facts = finding.data.get("bots", {}).get(ctx.target, {}) if finding is not None else {}
        reasons = facts.get("reasons") or ()
        others = facts.get("state") == "soft_pause" and bool(reasons) and _INTENT not in reasons
        return (replace(row, good=True),) if others and not facts.get("frozen") else (row,)


ACTION = Resume()
