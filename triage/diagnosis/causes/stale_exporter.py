"""The exporter answers and its data stand still, while the bots work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case, remedy
from triage.wording import doing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"frozen", "no_fills", "scrape", "stop", "pause"})
_EXPORTER = "bot-metrics-exporter"
_FRESH_SECONDS = 180.0
_TWO = 2


def rule(facts: Facts) -> Iterable[Candidate]:
    """Every bot's snapshot is old at once, and something else shows that they live."""
    everyone = {**{bot: facts.state_of_any(bot) for bot in facts.bots}, **facts.peers(())}
    known = {bot: state for bot, state in everyone.items() if state and state != "no data"}
    if not known or any(state != "frozen" for state in known.values()):
        return
    case = Case(facts, "stale_exporter", tuple(known), (facts.desk.container_of(_EXPORTER),))
    case.sees(
        "clear" if len(known) >= _TWO else "hint",
        f"the snapshots of all {len(known)} bots are old at once",
        "scope",
    )
    age = facts.data("streams").get("market_data_age_seconds")
    if age is not None and age < _FRESH_SECONDS:
        case.sees("clear", f"the bots publish: their newest market data is {round(age)} s old", "streams")
    elif age is not None:
        case.doubts("doubt", "nothing new on the bus either", "streams")
    up = [bot for bot in known if facts.container_of_bot(bot).get("running")]
    if up:
        case.sees("hint", doing(up, "runs", "run"), "container")
    if facts.data("watchers").get("target_up") is False:
        case.doubts("doubt", "the exporter does not answer at all", "watchers")
    case.needs("scope", "streams", "container")
    yield from case.concludes(
        "The exporter shows old figures of all bots, while they work."
        if age is not None and age < _FRESH_SECONDS
        else "The exporter shows old figures of all bots; whether they work, nothing tells.",
        "Restart the exporter; what is shown of the bots is old until then.",
        remedies=remedy("restart", (_EXPORTER,), "it answers and its figures stand still"),
        settle=f"tail -1 {facts.desk.paths.data}/{next(iter(known))}/logs/epp_v24/*/minute.csv",
        by_hand=f"tail -1 {facts.desk.paths.data}/*/logs/epp_v24/*/minute.csv",
    )
