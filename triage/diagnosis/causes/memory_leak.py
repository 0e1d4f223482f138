"""The memory of one container climbs towards its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.model import SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"container_memory"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """The alert measures it; a kill for memory would be the next step."""
    for alert in facts.alerts("ContainerHighMemory"):
        about = alert.subject
        bot = about.name if about.kind is SubjectKind.BOT else facts.bot_of(about.name)
        name = facts.desk.container_of(bot) if bot else about.name
        case = Case(facts, "memory_leak", (bot,) if bot else (), (name,))
        case.sees("strong", f"ContainerHighMemory fires for {name}", "alert")
        if facts.container(name).get("oom"):
            case.doubts("doubt", "it was killed for memory already", "container")
        yield from case.concludes(
            f"{name} uses nearly all the memory it may have.",
            "It will meet its limit: find what grows, and plan a restart in a quiet time.",
            settle=f"docker stats --no-stream {name}",
            by_hand=f"docker stats --no-stream {name}; plan a restart in a quiet time",
        )
