"""What ``init`` asks: the engine for the desk's containers, Prometheus for its rules, targets and series.

Nothing is changed. Whoever does not answer is a doubt, said; init goes on with what the files tell.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from bot.init.running_desk import LiveDesk
from bot.sources.opening import open_sources
from triage.errors import SettingError, SourceError
from triage.ports.sources import UNREADABLE_RULE, ContainerState, Metrics, Sources, Target, every_container

SECONDS = 5.0
_T = TypeVar("_T")
_SERIES = "group by (bot) (last_over_time(hbot_bot_state[1h]))"


async def ask_engine_and_prometheus(*, docker: str, prometheus: str) -> LiveDesk:
    """Ask both, each at most ``SECONDS`` a question; an empty address is not asked. Raises nothing."""
    doubts: list[str] = []
    try:
        async with open_sources(
            docker_host=docker, prometheus_url=prometheus, total_seconds=SECONDS
        ) as sources:
            containers = await _answer(_every_container(sources), doubts) if docker else ()
            rules, targets, bots = (
                await _of_prometheus(sources.metrics, doubts) if prometheus else ((), (), ())
            )
    except SettingError as error:
        return LiveDesk(doubts=(str(error),))
    asked = [
        f"asked: {name} at {at}" for name, at in (("the engine", docker), ("Prometheus", prometheus)) if at
    ]
    return LiveDesk(
        containers=containers or (),
        rules=rules,
        targets=targets,
        bots=bots,
        asked=tuple(asked),
        doubts=tuple(doubts),
    )


async def _every_container(sources: Sources) -> tuple[ContainerState, ...]:
    return every_container(await sources.containers.list())


async def _of_prometheus(
    metrics: Metrics, doubts: list[str]
) -> tuple[tuple[str, ...], tuple[Target, ...], tuple[str, ...]]:
    rules = await _answer(metrics.rules(), doubts)
    if rules is None:  # away: the others would say the same
        return (), (), ()
    targets = await _answer(metrics.targets(), doubts)
    series = await _answer(metrics.query(_SERIES), doubts)
    bots = {sample.labels.get("bot", "") for sample in series.samples} - {""} if series is not None else set()
    return (
        tuple(dict.fromkeys(rule.name for rule in rules if rule != UNREADABLE_RULE)),
        tuple(target for target in targets or () if not target.unread),
        tuple(sorted(bots)),
    )


async def _answer(question: Awaitable[_T], doubts: list[str]) -> _T | None:
    try:
        return await question
    except SourceError as error:
        doubts.append(f"was not answered: {error}")
        return None
