"""Somebody pulled the kill switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded
from triage.playbooks.table import known_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts
    from triage.model import Episode

EXPLAINS = frozenset({"stop"})


def _tells(episode: Episode) -> bool:
    return episode.firing and not episode.is_event and known_name(episode.name) == "KillSwitchTriggered"


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason, audit events, the audit stream and the alert; a bot that works speaks against it."""
    for bot, case in guarded(facts, "external_kill_switch", "external_kill_switch"):
        for event in facts.events("kill_switch"):
            if event.subject.name == bot:
                case.sees("proof", f"audit event kill_switch for {bot}", "audit event")
        if facts.said(bot, "kill_switch") and facts.now_of(bot).get("state") == "hard_stop":
            case.sees("strong", f"the audit stream tells of a kill switch for {bot}", "audit_trail")
        fires = [each for each in facts.episodes if each.subject.name == bot and _tells(each)]
        if fires and not facts.logged(bot, "pnl_kill_switch").count:
            case.sees("clear", f"{fires[0].name} fires", "alert")
            if facts.answered("audit_trail") and not facts.said(bot, "kill_switch"):
                case.doubts("hint_not", "the audit stream holds no kill switch of late", "audit_trail")
        if facts.works(bot):
            case.doubts("contradiction", f"{bot} runs, and no guard of it complains", "bot_state")
        yield from case.concludes(
            "The kill switch was pulled: {who} stops until somebody acts.",
            "Find out who pulled it and why (audit stream) before anything is resumed.",
            by_hand="ask who pulled it; only a person resumes",
        )
