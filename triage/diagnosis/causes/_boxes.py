"""What several rules read of containers in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from triage.diagnosis.facts import Facts
    from triage.model import Json

KILLED = 137
_STARTS = frozenset({"started", "created", "image", "config"})
"""Changes after which a container runs."""


def box_case(facts: Facts, cause: str, name: str) -> Case:
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


def told_to_stop(facts: Facts, name: str) -> Mapping[str, Json] | None:
    """Return the newest stop or kill of a container that somebody asked for; None where it was started after it.

    What ended a container that was restarted is not the stop of that restart.
    """
    changes: Sequence[Mapping[str, Json]] = facts.data("changes").get("changes", ())
    mine = [each for each in changes if each["container"] == name]
    stop = min(
        (each for each in mine if each["what"] in {"stopped", "killed"}), key=_seconds_before, default=None
    )
    starts = (each for each in mine if each["what"] in _STARTS)
    if stop is None or any(_seconds_before(each) < _seconds_before(stop) for each in starts):
        return None
    return stop


def _seconds_before(change: Mapping[str, Json]) -> float:
    return float(change["seconds_before"])


def stopped_by_us(facts: Facts, name: str) -> bool:
    """Say whether an action of ours stopped a container: what that brings is no fault of the desk."""
    told = told_to_stop(facts, name)
    return told is not None and bool(told.get("by"))


def alive(now: Mapping[str, Json]) -> bool:
    """Say whether a container runs, and not only since a moment ago."""
    return bool(now.get("running")) and not now.get("looping")


def ended_again(now: Mapping[str, Json]) -> bool:
    """Say whether a container ended more than once in the last hour, by itself.

    The engine counts its own restarts and begins anew with each creation; the hour's count also holds what people did.
    """
    counts = [each for each in (now.get("restarts_hour"), now.get("restarts")) if each is not None]
    return bool(counts) and min(counts) > 1
