"""The disk has no room left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import DISK, hits
from triage.diagnosis.weighing import Weighing
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_FULL, _NEARLY = 0.95, 0.88


def rule(facts: Facts) -> Iterable[Cause]:
    """The figure, and errors that say so."""
    weighing = Weighing(facts)
    place = ""
    for name, host in facts.data("host").get("hosts", {}).items():
        used = host.get("disk") or 0.0
        if used > _NEARLY:
            place = f" ({host['mount']} on {name})"
            weighing.add(
                0.75 if used > _FULL else 0.35,
                f"{host['mount']} on {name} is {percent(used, 0)} full",
                "host",
            )
    for name in ("DiskAlmostFull", "HighDiskUsage"):
        if facts.alerts(name):
            weighing.add(0.4, f"{name} fires")
    for bot in facts.bots:
        found = hits(facts, bot, DISK)
        if found.count:
            weighing.add(0.7, f"{bot} logs: {found.loudest}", "error_logs")
    if facts.data("streams").get("persistence_ok") is False:
        weighing.add(0.2, "Redis cannot save to disk", "streams")
    weighing.needs("host")
    yield from weighing.cause(
        "disk_full",
        f"The disk is full{place}.",
        "Free space (old logs, images, core dumps) before anything is restarted: a restart needs room too.",
    )
