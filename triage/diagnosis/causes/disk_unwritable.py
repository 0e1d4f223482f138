"""The disk takes no writes: it went read-only, or gives errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import STANDING, TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | STANDING | {"disk", "logs", "redis_unwell", "backup", "database"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """What the kernel answered to a write stands in the log."""
    for bot in facts.bots:
        case = bot_case(facts, "disk_unwritable", bot)
        found = reads_log(case, bot, "disk_unwritable")
        yield from case.concludes(
            "The disk below {who} takes no writes{since}{figure}.",
            "Look at the disk before anything is started anew: no start can write either.",
            figure=f": {found.example.rstrip('.')}" if found.example else "",
            settle="dmesg | tail -20; mount | grep '(ro'",
            by_hand=f"dmesg | tail -20; mount | grep '(ro'; {look_in_log(facts, bot, 'Errno')}",
        )
