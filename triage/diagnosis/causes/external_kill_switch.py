"""Somebody, or the external stack, pulled the kill switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """The guard's reason, the alert, or the audit event itself."""
    weighing = Weighing(facts)
    for bot, _ in facts.reasons("external_kill_switch"):
        weighing.add(0.85, f"{bot} gives the reason external_kill_switch", "bot_state")
    for event in facts.events("kill_switch"):
        weighing.add(0.7, f"audit event kill_switch for {event.subject}")
    if facts.alerts("KillSwitchTriggered"):
        weighing.add(0.6, "KillSwitchTriggered fires")
    weighing.needs("bot_state")
    yield from weighing.cause(
        "external_kill_switch",
        "The kill switch was pulled: the bot stops until somebody acts.",
        "Find out who pulled it and why (audit stream) before anything is resumed.",
    )
