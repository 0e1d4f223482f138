"""Whether a container does not run because somebody told it to stop. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triage.diagnosis.facts import Facts
    from triage.model import Json

_STARTS = frozenset({"started", "created", "image", "config"})
"""Changes after which a container runs."""


def requested_stop(facts: Facts, name: str) -> Mapping[str, Json] | None:
    """Return the newest stop or kill of a container that somebody asked for; None where it was started after it.

    A restart stops a container too; that stop is not reported, because a start follows it.
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
