"""The connector does not get ready, and nothing deeper says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded, look_in_log

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"stop", "pause", "no_fills", "errors", "book"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason; the log confirms it, and must be known because it would name a deeper cause."""
    for bot, case in guarded(facts, "connector_not_ready", "connector_not_ready"):
        if facts.logged(bot, "not_ready").fresh:
            case.sees("some", f"{bot} logs that it is not ready", "error_logs")
        case.needs("error_logs")
        if not facts.answered("error_logs"):
            case.doubts("contradiction", "its log is not known: it would say why", "error_logs")
        yield from case.concludes(
            "{who}'s connector is not ready.",
            "Read the error before it; check the exchange's status, key and balances.",
            settle=look_in_log(facts, bot, "ERROR"),
            by_hand=f"read what it logged before that: {look_in_log(facts, bot, 'ERROR')}",
        )
