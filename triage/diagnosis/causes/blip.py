"""A short interruption that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._boxes import alive
from triage.diagnosis.causes._evidence import bot_case
from triage.diagnosis.log_table import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"down", "loop", "frozen", "book", "errors", "orders", "unhealthy", "scrape"})
_OVER_SECONDS = 300.0
_SETTLED_SECONDS = 60.0
_PASSES = frozenset(
    {
        "exchange_unreachable",
        "dns_failure",
        "exchange_down",
        "benign",
        "own_throttle",
        "cancel_gone",
        "not_ready",
        "paper",
    }
)


def rule(facts: Facts) -> Iterable[Candidate]:
    """It started anew once, or its connections broke for a while; now it works."""
    for bot in facts.bots:
        state, box = facts.now_of(bot), facts.box_of(bot)
        if (
            state.get("state") != "running"
            or state.get("reasons")
            or box.get("oom")
            or _still_fails(facts, bot)
        ):
            continue
        case = bot_case(facts, "blip", bot)
        up = box.get("up_seconds")
        began = (facts.now - facts.since).total_seconds()
        if alive(box) and up is not None and _SETTLED_SECONDS <= up <= began + _OVER_SECONDS:
            case.sees("strong", f"{facts.desk.container_of(bot)} started anew and runs", "container")
        broken = facts.logged(bot, "exchange_unreachable", "dns_failure", "exchange_down")
        if (
            broken.fresh
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


def _still_fails(facts: Facts, bot: str) -> bool:
    """Say whether its log tells of something else than connections that broke for a while."""
    others = [name for name in CLASSES if name not in _PASSES]
    return bool(facts.logged(bot, *others).fresh)
