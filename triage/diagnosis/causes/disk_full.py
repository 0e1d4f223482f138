"""The disk is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset(
    {
        "disk",
        "backup",
        "database",
        "frozen",
        "errors",
        "down",
        "loop",
        "redis_unwell",
        "stop",
        "no_fills",
        "unhealthy",
        "pause",
        "redis",
        "scrape",
    }
)
_FULL, _ALMOST, _NEARLY = 0.99, 0.95, 0.85


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the share of the disk in use, and at errors in the logs that say it is full."""
    case = Case(facts, "disk_full", facts.bots, facts.containers)
    place, most = "", 0.0
    for name, host in facts.hosts().items():
        used = host.get("disk") or 0.0
        if used > _NEARLY:
            place, most = f" ({host.get('mount') or '/'} on {name}, {percent(used, 0)})", max(most, used)
            case.sees(
                "proof" if used > _ALMOST else "some",
                f"{host.get('mount') or '/'} on {name} is {percent(used, 0)} full",
                "host",
            )
    for alert in facts.alerts("DiskAlmostFull", "HighDiskUsage"):
        case.sees("some" if facts.answered("host") else "strong", f"{alert.name} fires", "alert")
    for bot in facts.bots:
        found = facts.logged(bot, "disk_full")
        if found.count:
            case.sees("proof" if found.fresh else "some", f"{bot} logs: {found.example}", "error_logs")
            case.began(found.first_at)
    if facts.data("streams").get("persistence_ok") is False:
        case.sees("some", "Redis cannot save to disk", "streams")
    if facts.answered("host") and not place:
        case.doubts("doubt", "no disk that node-exporter watches is full", "host")
    case.needs("host")
    full = most > _FULL or any(facts.logged(bot, "disk_full").fresh for bot in facts.bots)
    if not full:  # what still takes writes stops nothing
        case.alone, case.bots, case.containers = True, (), ()
    yield from case.concludes(
        f"The disk is full{place}."
        if full
        else f"The disk is almost full{place}."
        if most > _ALMOST
        else f"The disk fills up{place}.",
        "Free space (old logs, images, core dumps) before anything is restarted: a restart needs room too.",
        settle="df -h; docker system df",
        by_hand="df -h; docker system df; remove old logs and images, never the bots' sqlite files",
    )
