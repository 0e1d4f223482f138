"""Cancels fail: orders stay in the book against the bot's will."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import CANCEL, hits
from triage.diagnosis.weighing import Weighing, propose
from triage.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_SOME = 3
_SOON_SECONDS = 2 * 3600.0


def rule(facts: Facts) -> Iterable[Cause]:
    """The guard's reason, errors of cancels, and a cancel budget that is used up."""
    weighing = Weighing(facts)
    for bot, _ in facts.reasons("cancel_fail_hard_limit"):
        weighing.add(0.75, f"{bot} gives the reason cancel_fail_hard_limit", "bot_state")
    left: list[str] = []
    for bot in facts.bots:
        found = hits(facts, bot, CANCEL)
        if found.count >= _SOME:
            left.append(bot)
            weighing.add(
                0.5 if found.fresh else 0.2, f"{bot}: {found.count} errors, {found.loudest}", "error_logs"
            )
        rate = facts.state(bot).get("cancel_per_min")
        known = facts.desk.bot(bot)
        budget = (known.cancel_budget_per_min if known else None) or facts.desk.kpis.cancel_budget_per_min
        if rate is not None and rate > budget:
            weighing.add(0.3, f"{bot}: {number(rate)} cancels a minute, budget {number(budget)}", "bot_state")
    if left and _deployed(facts):
        weighing.against(0.7, "it began right after a deploy", "changes")
    weighing.needs("error_logs", "bot_state")
    yield from weighing.cause(
        "cancel_failures",
        "Cancels fail: orders may stay in the book against the bot's will.",
        "Look at the open orders on the exchange and cancel them by hand before it trades on.",
        propose("kill_switch", left, "orders it cannot cancel may still fill"),
    )


def _deployed(facts: Facts) -> bool:
    """What was deployed is the likelier cause of cancels that fail ever since."""
    return any(
        change["ours"]
        and change["what"] in {"image", "created"}
        and 0 <= change["seconds_before"] <= _SOON_SECONDS
        for change in facts.data("changes").get("changes", ())
    )
