"""The process runs but does nothing any more: its snapshot is old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing, propose
from triage.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """An old snapshot while the container is up and the exporter is not to blame."""
    weighing = Weighing(facts)
    frozen = [(bot, state) for bot, state in facts.of_bots("bot_state") if state.get("frozen")]
    up: list[str] = []
    for bot, state in frozen:
        weighing.add(0.6, f"{bot}: last snapshot {duration(state['age_seconds'])} old", "bot_state")
        container = facts.container(facts.desk.container_of(bot))
        if container.get("running") and not container.get("looping"):
            up.append(bot)
            weighing.add(0.4, f"its container runs ({facts.desk.container_of(bot)})", "container")
        elif container.get("running") is False or container.get("looping"):
            weighing.against(0.3, "its container does not stay up", "container")
        if bot not in facts.data("error_logs").get("bots", {}) and facts.asked("error_logs"):
            weighing.add(0.2, f"{bot} logs nothing", "error_logs")
    if facts.alerts("BotFrozen"):
        weighing.add(0.3 if frozen else 0.1, "BotFrozen fires")
    _doubts(facts, weighing, [bot for bot, _ in frozen])
    weighing.needs("bot_state", "container")
    yield from weighing.cause(
        "frozen_bot",
        f"{', '.join(bot for bot, _ in frozen) or 'The bot'} runs but does nothing any more.",
        "Look at the exchange for open orders it left, then restart it.",
        propose("restart", up, "the process is up and does nothing"),
    )


def _doubts(facts: Facts, weighing: Weighing, frozen: list[str]) -> None:
    if facts.data("watchers").get("target_up") is False:
        weighing.against(0.4, "the exporter itself is not scraped", "watchers")
    hosts = facts.data("host").get("hosts", {}).values()
    if any((host.get("disk") or 0) > 0.99 for host in hosts):  # noqa: PLR2004 - no room for a row of minute.csv
        weighing.against(0.5, "the disk is full: it cannot write its snapshot", "host")
    others = facts.data("scope").get("bots", {})
    known = [state for state in others.values() if state != "no data"]
    if len(known) > len(frozen) > 0 and len(known) > 1 and all(state == "frozen" for state in known):
        weighing.against(
            0.4, "every bot's snapshot is old: the exporter or the disk is the likelier cause", "scope"
        )
