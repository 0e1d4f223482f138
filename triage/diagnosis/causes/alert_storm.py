"""So much fires at once that one cause behind it all is likely."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import NETWORK, hits
from triage.diagnosis.weighing import Weighing
from triage.model import IncidentShape
from triage.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_MANY_KINDS, _MANY, _FLOOD = 6, 12, 40
_NAMED = 3


def rule(facts: Facts) -> Iterable[Cause]:
    """Many alerts of many kinds, on most of the bots."""
    weighing = Weighing(facts)
    firing = facts.data("scope").get("alerts", {})
    watchdog = facts.desk.watchdog.alertname
    kinds = [name for name in firing if name != watchdog]
    total = sum(max(1, len(firing[name])) for name in kinds)
    mine = len([each for each in facts.episodes if each.firing])
    if facts.shape is IncidentShape.STORM:
        weighing.add(0.75, f"{counted(mine, 'alert')} in one storm")
    if len(kinds) >= _MANY_KINDS or total >= _MANY:
        weighing.add(0.45, f"{counted(total, 'alert')} of {counted(len(kinds), 'kind')} fire", "scope")
    if total >= _FLOOD:
        weighing.add(0.7, "more than one cause could make", "scope")
    unwell = facts.data("scope").get("others_unwell", ())
    if len(unwell) > 1:
        weighing.add(0.25, f"{len(unwell)} further bots are not well", "scope")
        weighing.factor = 1.0 if kinds else 0.5
    cut_off = [bot for bot in facts.bots if hits(facts, bot, NETWORK).fresh]
    if kinds and len(cut_off) > 1:
        weighing.add(
            0.5,
            f"{', '.join(cut_off[:_NAMED])} do not get out of this host: they share its network",
            "error_logs",
        )
    weighing.needs("scope")
    yield from weighing.cause(
        "alert_storm",
        "Many alerts at once: one common cause (host, network, exchange, Redis) is likelier than many.",
        "Look for what they share before working through them one by one.",
    )
