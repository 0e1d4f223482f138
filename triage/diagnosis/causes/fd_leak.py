"""The process has used up its file descriptors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | {"frozen", "unhealthy"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for errors of a process that may open no more files."""
    for bot in facts.bots:
        case = bot_case(facts, "fd_leak", bot)
        reads_log(case, bot, "fd_leak")
        running = (bot,) if facts.container_of_bot(bot).get("running") else ()
        yield from case.concludes(
            "{who} has too many files open{since}.",
            "Restart it, then look for the leak and at ulimit; the network is not to blame.",
            settle=look_in_log(facts, bot, "Too many open files"),
            by_hand=f"docker exec {facts.desk.container_of(bot)} sh -c 'ls /proc/1/fd | wc -l'",
            remedies=remedy("restart", running, "only a new process gets free descriptors"),
        )
