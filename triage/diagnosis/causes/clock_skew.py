"""The exchange finds our time wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import REFUSED
from triage.diagnosis.symptoms import family

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

_LOOK = "timedatectl status; chronyc tracking"
EXPLAINS = REFUSED | {"fees", "clock"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for requests that were refused for their timestamp; else an alert of the clock says it."""
    alerts = [each for each in facts.episodes if each.firing and family(each) == "clock"]
    for bot in facts.bots:
        case = bot_case(facts, "clock_skew", bot)
        found = reads_log(case, bot, "clock_skew")
        if found.fresh and alerts:
            case.sees("some", f"{alerts[0].name} fires", "alerts")
        yield from case.concludes(
            "The exchange finds {who}'s clock wrong{codes}{since}.",
            "Check the clock of the host (NTP); a new key does not help.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "timestamp"),
            by_hand=_LOOK,
        )
    if alerts and not any(facts.logged(bot, "clock_skew").fresh for bot in facts.bots):
        case = Case(facts, "clock_skew", families=frozenset({"clock"}))
        case.sees(
            "clear",
            f"{alerts[0].name} fires, and no request was seen that the exchange refused for it",
            "alerts",
        )
        case.needs("error_logs")
        yield from case.concludes(
            f"The host's clock is off, as {alerts[0].name} says.",
            "Check the clock of the host (NTP) before the exchange refuses what the bots send.",
            settle=_LOOK,
            by_hand=_LOOK,
        )
