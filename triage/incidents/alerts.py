"""An alert of Alertmanager as a signal: what it is about, how urgent it is, what to call it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from triage.desk import Desk
from triage.diagnosis.playbooks import playbook_for
from triage.errors import BadInput
from triage.model import Signal, SignalStatus, Source, Subject, SubjectKind

NEVER = "0001-01-01T00:00:00Z"
"""What Alertmanager sends as ``endsAt`` of an alert that fires."""
AGAIN = "/again-"
"""Marks the episode of an alert that fires once more with the startsAt of one that had ended."""
VALUE_MAX = 8_000
"""Characters of one label or annotation that are kept: far more than any view shows."""
NAME_MAX = 200
"""Characters of an alert's name, and of what it is about, that are kept: both end up in titles."""
VALUES_MAX = 200
"""Labels, and annotations, of one alert that are kept."""


def alert_signal(
    desk: Desk,
    *,
    status: SignalStatus,
    fingerprint: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    starts_at: str,
    ends_at: str,
    generator_url: str,
    now: datetime,
    again: datetime | None = None,
) -> Signal:
    """Make the signal of one alert. Raises BadInput where a time is none.

    ``again``: when an episode that had ended was found to fire once more; it begins another one.
    """
    name = (labels.get("alertname") or "unnamed alert")[:NAME_MAX]
    began = parse_time(starts_at, "startsAt")
    episode = episode_of(fingerprint, began)
    playbook = playbook_for(desk, name)
    return Signal(
        source=Source.ALERTMANAGER,
        episode=f"{episode}{AGAIN}{_milliseconds(again)}" if again is not None else episode,
        status=status,
        name=name,
        subject=subject_of(labels, desk),
        severity=playbook.severity_of(labels),
        starts_at=again or began,
        ends_at=parse_time(ends_at, "endsAt") if status is SignalStatus.RESOLVED else None,
        received_at=now,
        labels=_kept(labels),
        annotations=_kept(annotations),
        generator_url=generator_url[:VALUE_MAX],
        fingerprint=fingerprint,
    )


def episode_of(fingerprint: str, began: datetime) -> str:
    """Return the name of an alert's episode.

    Of the time rather than of its text: Alertmanager prints one startsAt with nanoseconds in its webhook, and with
    milliseconds in its API.
    """
    return f"{fingerprint}/{_milliseconds(began)}"


def base_of(episode: str) -> str:
    """Return the episode as Alertmanager counts it: without the mark of one that fired again."""
    return episode.partition(AGAIN)[0]


def _milliseconds(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def subject_of(labels: Mapping[str, str], desk: Desk) -> Subject:
    """Return what an alert is about: its bot, else its container (a bot's container is that bot), else its host.

    An alert that names none of them is about the desk.
    """
    if bot := labels.get("bot"):
        return Subject(SubjectKind.BOT, bot[:NAME_MAX])
    if container := labels.get("name") or labels.get("container"):
        owner = desk.bot_of_container(container)
        if owner is not None:
            return Subject(SubjectKind.BOT, owner.name)
        return Subject(SubjectKind.CONTAINER, container[:NAME_MAX])
    if host := labels.get("instance"):
        return Subject(SubjectKind.HOST, host[:NAME_MAX])
    return Subject(SubjectKind.DESK, (labels.get("job") or desk.name)[:NAME_MAX])


def parse_time(text: str, path: str) -> datetime:
    """Parse RFC 3339 (nanoseconds are cut to microseconds) into an aware UTC time. Raises BadInput."""
    try:
        moment = datetime.fromisoformat(text)
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{text[:60]!r} is not an RFC 3339 time: {error}", path) from error
    if moment.tzinfo is None:
        raise BadInput(f"{text[:60]!r} is not an RFC 3339 time: it has no time zone", path)
    return in_utc


def _kept(values: Mapping[str, str]) -> dict[str, str]:
    return {name[:200]: value[:VALUE_MAX] for name, value in list(values.items())[:VALUES_MAX]}
