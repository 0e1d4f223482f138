"""What several rules read of containers in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.diagnosis.stops import requested_stop
from triage.diagnosis.symptoms import family

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triage.diagnosis.facts import Facts
    from triage.model import Json

KILLED = 137


def container_case(facts: Facts, cause: str, name: str) -> Case:
    """Open a case about one container, and the bot in it."""
    bot = facts.bot_of(name)
    return Case(facts, cause, (bot,) if bot else (), (name,))


def stopped(facts: Facts) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Yield each container that does not run and is not between two starts."""
    for name, now in facts.of_containers():
        if (
            now.get("running") is False
            and not now.get("looping")
            and now.get("status") not in {"paused", "restarting"}
        ):
            yield name, now


def stopped_by_us(facts: Facts, name: str) -> bool:
    """Say whether an action of ours stopped a container: what that brings is no fault of the desk."""
    stop = requested_stop(facts, name)
    return stop is not None and bool(stop.get("by"))


def alive(now: Mapping[str, Json]) -> bool:
    """Say whether a container runs, and not only since a moment ago."""
    return bool(now.get("running")) and not now.get("looping")


def killed_again(facts: Facts, name: str, now: Mapping[str, Json]) -> bool:
    """Say whether a container that was killed for memory dies again and again.

    The engine often reports only the last of several kills; an alert that counts restarts then shows that there were more.
    """
    about = {name, facts.bot_of(name)}
    killed = any(
        family(each) == "loop" and each.subject.name in about and (each.firing or each.is_event)
        for each in facts.episodes
    )
    looped = killed and (now.get("restarts_hour") is None or now["restarts_hour"] > 1)
    return looped or bool(now.get("looping")) or (now.get("oom_count") or 0) > 1 or ended_again(now)


def ended_again(now: Mapping[str, Json]) -> bool:
    """Say whether a container ended more than once in the last hour, by itself.

    The engine counts its own restarts and begins anew with each creation; the hour's count also holds what people did.
    """
    counts = [each for each in (now.get("restarts_hour"), now.get("restarts")) if each is not None]
    return bool(counts) and min(counts) > 1
