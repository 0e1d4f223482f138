"""The memory of one container climbs towards its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.diagnosis.causes._evidence import bot_case, reads_log
from triage.model import SubjectKind
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts
    from triage.model import Json

EXPLAINS = frozenset({"container_memory", "errors", "slow"})
_NEARLY_ALL, _ENOUGH_LEFT = 0.85, 0.75


def rule(facts: Facts) -> Iterable[Candidate]:
    """Its share of the limit is measured, an alert tells of it, or its process is given no more."""
    containers = {name: now for name, now in facts.of_containers() if (now.get("memory") or 0) > _NEARLY_ALL}
    for alert in facts.alerts("ContainerHighMemory"):
        about = alert.subject
        name = facts.desk.container_of(about.name) if about.kind is SubjectKind.BOT else about.name
        containers.setdefault(name, facts.container(name))
    for bot in facts.bots:
        if facts.logged(bot, "memory").fresh:
            name = facts.desk.container_of(bot)
            containers.setdefault(name, facts.container(name))
    for name, now in containers.items():
        yield from _climbs(facts, name, now)


def _climbs(facts: Facts, name: str, now: Mapping[str, Json]) -> Iterable[Candidate]:
    bot, share = facts.bot_of(name), now.get("memory")
    case = bot_case(facts, "memory_leak", bot) if bot else Case(facts, "memory_leak", (), (name,))
    if share is not None and share > _NEARLY_ALL:
        case.sees("proof", f"{name} uses {percent(share, 0)} of the memory it may have", "container")
    elif share is not None and share < _ENOUGH_LEFT and not (bot and facts.logged(bot, "memory").fresh):
        case.doubts(
            "contradiction", f"{name} uses {percent(share, 0)} of the memory it may have", "container"
        )
    named = [each for each in facts.alerts("ContainerHighMemory") if each.subject.name in {name, bot}]
    if named:
        case.sees("some" if share is not None else "strong", f"ContainerHighMemory fires for {name}", "alert")
    found = reads_log(case, bot, "memory") if bot else None
    if now.get("oom"):
        case.doubts("doubt", "it was killed for memory already", "container")
    case.needs("container")
    case.missing += share is None
    yield from case.concludes(
        f"{name} is given no more memory."
        if found is not None and found.fresh and not named
        else f"{name} uses nearly all the memory it may have.",
        "It meets its limit: find what grows, and plan a restart in a quiet time.",
        settle=f"docker stats --no-stream {name}",
        by_hand=f"docker stats --no-stream {name}; plan a restart in a quiet time",
    )
