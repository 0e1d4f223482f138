"""An alert of Alertmanager as a signal: what it is about, how urgent it is, what to call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from triage.desk import Desk
from triage.errors import BadInput
from triage.incidents.episodes import signal_of
from triage.incidents.prometheus_answer import RECONCILED
from triage.incidents.subjects import subject_of
from triage.masking import masked_where_cut
from triage.model import Episode, Json, Signal, SignalStatus, Source
from triage.playbooks.lookup import playbook_for
from triage.severities import doubt

NEVER = "0001-01-01T00:00:00Z"
"""What Alertmanager sends as ``endsAt`` of an alert that fires."""
AGAIN = "/again-"
"""Marks the episode of an alert that fires once more with the startsAt of one that had ended."""
VALUE_MAX = 8_000
"""Characters of one label or annotation that are kept: far more than any view shows."""
NAME_MAX = 200
"""Characters of an alert's name, and of what it is about, that are kept: both end up in titles."""
FINGERPRINT_MAX = 128
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=5)
"""No alert began before that year, or begins later than this from now: such a time is a mistake. Less is another
machine's clock, and is taken for now: nothing lasts a negative time."""
NOTE = "note"
"""In a signal's data: what of it could not be taken as it came."""
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
    A time that cannot be (year 1, year 9999, none at all) is taken for the arrival, and the signal's note says so.
    """
    name = masked_where_cut(labels.get("alertname") or "unnamed alert", NAME_MAX)
    begun = _moment(starts_at, "startsAt", now)
    ended = _end(ends_at, begun, now) if status is SignalStatus.RESOLVED else None
    # By what came, not by what it is taken for: a repeat must be known again.
    came = begun.came
    episode = episode_of(fingerprint, came) if came else f"{fingerprint}/{starts_at[:40] or 'no time'}"
    playbook = playbook_for(desk, name)
    said = [moment.note for moment in (begun, ended) if moment is not None]
    said += [doubt(labels, desk.severities)] if playbook.severity is None else []
    notes = "; ".join(filter(None, said))
    return Signal(
        source=Source.ALERTMANAGER,
        episode=f"{episode}{AGAIN}{_milliseconds(again)}" if again is not None else episode,
        status=status,
        name=name,
        subject=subject_of(labels, desk),
        severity=playbook.severity_of(labels, desk.severities),
        starts_at=again or begun.at,
        ends_at=ended.at if ended is not None else None,
        received_at=now,
        labels=_kept(labels),
        annotations=_kept(annotations),
        generator_url=masked_where_cut(generator_url, VALUE_MAX),
        fingerprint=fingerprint,
        data={NOTE: notes} if notes else {},
    )


@dataclass(frozen=True, slots=True)
class _Moment:
    """A time of an alert, and the one that ``came`` where there was one. ``note`` says what was wrong with that."""

    at: datetime
    came: datetime | None
    note: str = ""


def _moment(text: str, path: str, now: datetime) -> _Moment:
    """Read a time; one that cannot be is taken for ``now``. Raises BadInput where it is no time."""
    if not text:
        return _Moment(now, None, f"{path} is missing: the time of arrival is shown")
    try:
        at: datetime | None = parse_time(text, path)
    except BadInput as error:
        if not isinstance(error.__cause__, OverflowError):
            raise
        at = None
    if at is None or at < EARLIEST or at > now + AHEAD:
        return _Moment(
            now, at, f"{path} {masked_where_cut(text, 40)} cannot be: the time of arrival is shown"
        )
    return _Moment(min(at, now), at)


def _end(text: str, begun: _Moment, now: datetime) -> _Moment:
    """Read when an alert ended; what lies before its begin is taken for ``now``. Raises BadInput where it is no time."""
    end = _moment(text, "endsAt", now)
    if end.at >= begun.at or end.note or begun.note:
        return _Moment(max(end.at, begun.at), end.came, end.note)
    return _Moment(now, end.came, "endsAt lies before startsAt: the time of arrival is shown")


def salvaged_signal(desk: Desk, came: Mapping[str, Json], why: str, now: datetime) -> Signal:
    """Make the signal of an alert that is not one as it should be: with what can be read, and why it is not more.

    ``came`` is the alert as it came; it is kept with the signal.
    """
    raw = json.dumps(came, sort_keys=True, default=str)
    labels = _texts(came.get("labels"))
    over = _as_text(came.get("status")).strip().lower() == "resolved"
    status = SignalStatus.RESOLVED if over else SignalStatus.FIRING
    fingerprint = came.get("fingerprint")
    if not isinstance(fingerprint, str) or not 0 < len(fingerprint) <= FINGERPRINT_MAX:
        # Without its times and status, so that its resolve and its repeats are known again.
        fingerprint = f"unread-{sha256(json.dumps(labels or raw, sort_keys=True).encode()).hexdigest()[:16]}"
    starts, ends = (_time_or_nothing(came.get(name), now) for name in ("startsAt", "endsAt"))
    signal = alert_signal(
        desk,
        status=status,
        fingerprint=fingerprint,
        labels=labels,
        annotations=_texts(came.get("annotations")),
        starts_at=starts,
        ends_at=ends or now.isoformat(),
        generator_url=_as_text(came.get("generatorURL")),
        now=now,
    )
    note = f"this alert could not be read as a whole ({why}): shown is what can be read"
    return replace(signal, data={**signal.data, NOTE: note, "came": masked_where_cut(raw, VALUE_MAX)})


def _time_or_nothing(value: Json, now: datetime) -> str:
    text = _as_text(value)
    try:
        _moment(text, "startsAt", now)
    except BadInput:
        return ""
    return text


def _texts(values: Json) -> dict[str, str]:
    if not isinstance(values, dict):
        return {}
    return {str(key): _as_text(value) for key, value in values.items() if value is not None}


def _as_text(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else masked_where_cut(json.dumps(value, default=str), VALUE_MAX)


def episode_of(fingerprint: str, began: datetime) -> str:
    """Return the name of an alert's episode.

    Of the time rather than of its text: Alertmanager prints one startsAt with nanoseconds in its webhook, and with
    milliseconds in its API.
    """
    return f"{fingerprint}/{_milliseconds(began)}"


def fires_again(signal: Signal, ended_at: datetime, now: datetime) -> Signal:
    """Return the signal of an alert that fires once more with the startsAt of an episode that had ended."""
    episode = f"{base_of(signal.episode)}{AGAIN}{_milliseconds(ended_at)}"
    return replace(signal, episode=episode, starts_at=now, received_at=now)


def ended_signal(episode: Episode, end: datetime, why: str, now: datetime) -> Signal:
    """Return the signal that an alert's episode is over, which did not come and was found out: ``why``."""
    return replace(
        signal_of(episode),
        status=SignalStatus.RESOLVED,
        ends_at=end,
        received_at=now,
        data={RECONCILED: why},
    )


def base_of(episode: str) -> str:
    """Return the episode as Alertmanager counts it: without the mark of one that fired again."""
    return episode.partition(AGAIN)[0]


def _milliseconds(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str, path: str) -> datetime:
    """Parse RFC 3339 (nanoseconds are cut to microseconds) into an aware UTC time. Raises BadInput."""
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}Z" if text.endswith("z") else text)
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{masked_where_cut(text, 60)!r} is not an RFC 3339 time: {error}", path) from error
    if moment.tzinfo is None:
        raise BadInput(f"{masked_where_cut(text, 60)!r} is not an RFC 3339 time: it has no time zone", path)
    return in_utc


def _kept(values: Mapping[str, str]) -> dict[str, str]:
    kept = list(values.items())[:VALUES_MAX]
    return {masked_where_cut(name, 200): masked_where_cut(value, VALUE_MAX) for name, value in kept}
