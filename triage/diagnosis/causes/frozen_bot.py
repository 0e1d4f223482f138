"""The process is up and does nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._containers import alive
from triage.diagnosis.causes._evidence import bot_case
from triage.diagnosis.weights import CEILINGS
from triage.wording import duration, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate, Case
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"frozen", "no_fills", "unhealthy", "slow", "bus_stale", "stop", "pause"})
_STARTING_SECONDS = 240.0


def rule(facts: Facts) -> Iterable[Candidate]:
    """An old snapshot while the container is up and what shows the snapshot is not to blame."""
    for bot in facts.bots:
        state = facts.state(bot)
        if not state.get("frozen"):
            continue
        case = bot_case(facts, "frozen_bot", bot)
        case.sees("clear", f"{bot}: last snapshot {duration(state['age_seconds'])} old", "bot_state")
        container = facts.container_of_bot(bot)
        up = alive(container)
        if up:
            there = "runs" if facts.engine_knows(facts.desk.container_of(bot)) else "is there"
            case.sees("some", f"its container {there} ({facts.desk.container_of(bot)})", "container")
            if (container.get("up_seconds") or _STARTING_SECONDS) < _STARTING_SECONDS:
                case.doubts("doubt", "it started only now", "container")
        elif container:
            case.doubts("contradiction", "its container does not stay up", "container")
        if not facts.engine_knows(facts.desk.container_of(bot)):
            case.doubts("hint_not", "whether it is paused is not known: Docker does not tell", "container")
            case.missing += len(
                CEILINGS
            )  # paused and frozen look the same from elsewhere: a possibility, no more
        log = facts.data("error_logs").get("bots", {}).get(bot)
        if facts.answered("error_logs") and log is None:
            case.sees("some", f"{bot} logs nothing", "error_logs")
        elif facts.logs_on(bot):
            case.doubts("doubt", f"{bot} still logs: its process does something", "error_logs")
        _doubts(facts, bot, case)
        case.needs("container", "bot_state", "error_logs")
        told = facts.engine_knows(facts.desk.container_of(bot))
        yield from case.concludes(
            f"{{who}} {'runs and ' if told and up else ''}shows nothing new: its last snapshot is "
            f"{duration(state['age_seconds'])} old.",
            "Look at the exchange for open orders it left, then restart it."
            if told
            else "See whether its container is paused (docker ps -a) before anything is started.",
            remedies=remedy("restart", (bot,) if up else (), "the process is up and shows nothing new"),
            settle=f"docker logs --since 5m {facts.desk.container_of(bot)}",
            by_hand=f"docker logs --since 5m {facts.desk.container_of(bot)}; look at the open orders at the exchange",
        )


def _doubts(facts: Facts, bot: str, case: Case) -> None:
    if facts.data("watchers").get("target_up") is False:
        case.doubts("contradiction", "the exporter itself is not scraped", "watchers")
    others = facts.peers((bot,))
    frozen = [name for name, state in others.items() if state == "frozen"]
    if others and len(frozen) == len(others):
        case.doubts(
            "contradiction", "every bot's snapshot is old: the exporter or the disk is likelier", "scope"
        )
    elif others:
        case.sees(
            "hint",
            f"other bots' snapshots are fresh: {listed([name for name in others if name not in frozen], 3)}",
            "scope",
        )
