"""A short interruption that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._boxes import alive
from triage.diagnosis.causes._evidence import bot_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"down", "loop", "frozen", "book", "errors", "orders", "unhealthy", "scrape"})
_OVER_SECONDS = 300.0
_SETTLED_SECONDS = 60.0


def rule(facts: Facts) -> Iterable[Candidate]:
    """It started anew once, or its connections broke for a while; now it works."""
    for bot in facts.bots:
        state, box = facts.now_of(bot), facts.box_of(bot)
        if state.get("state") != "running" or state.get("reasons") or box.get("oom"):
            continue
        case = bot_case(facts, "blip", bot)
        up = box.get("up_seconds")
        began = (facts.now - facts.since).total_seconds()
        if alive(box) and up is not None and _SETTLED_SECONDS <= up <= began + _OVER_SECONDS:
            case.sees("strong", f"{facts.desk.container_of(bot)} started anew and runs", "container")
        broken = facts.logged(bot, "exchange_unreachable", "dns_failure", "exchange_down")
        if (
            broken.count
            and broken.last_at is not None
            and (facts.now - broken.last_at).total_seconds() > _OVER_SECONDS
        ):
            case.sees(
                "strong", f"the last such line is of {broken.last_at:%H:%M}: {broken.example}", "error_logs"
            )
        if case.pieces:
            case.sees("some", f"{bot} runs as it should", "bot_state")
        yield from case.concludes(
            "{who} was interrupted for a short time and works again.",
            "Nothing to do now; look into it if it comes again.",
            settle="does it stay well for ten minutes?",
        )
