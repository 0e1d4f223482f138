"""The dead-man's switch: an alert that always fires must keep coming, or the others would not arrive either."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from triage.desk import Desk
from triage.model import Source, Subject, SubjectKind
from triage.signals.condition import Condition
from triage.wording import clock_time, duration

BLIND = "AlertingBlind"
WATCHDOG_NOTE = "watchdog/seen"
"""The note of when the Watchdog alert came last, as an ISO time."""

TO_COME = datetime.max.replace(tzinfo=UTC)
"""Stands for a time that lay in the future when we began: the clock was set back, and nobody knows when that was."""


def watchdog_unknown(
    desk: Desk, *, seen: datetime | None, rule_loaded: bool | None, started: datetime, now: datetime
) -> bool:
    """Whether nothing is known of it yet: the alert has not come for long, and this process did not wait long enough.

    What the process before told goes on standing then. ``rule_loaded`` None: Prometheus has not said.
    """
    limit = timedelta(seconds=desk.watchdog.max_silence_seconds)
    if not desk.watchdog.enabled or (seen is None and rule_loaded is False):
        return False
    came = _came(seen, now)
    late = came is None or now - came > limit
    return late and (now - started <= limit or (seen is None and rule_loaded is None))


def watchdog_missing(
    desk: Desk, *, seen: datetime | None, rule_loaded: bool, started: datetime, now: datetime
) -> Condition | None:
    """Return the condition where the Watchdog alert stopped coming.

    The absence counts once the alert was ever ``seen``, or where its rule is known to be loaded: a desk
    without the rule gets a note from ``doctor`` and no false alarm. Time before this process ``started``
    does not count: nothing could receive it then. Of a ``seen`` to come (the clock was set back) only ``started`` counts.
    """
    if not desk.watchdog.enabled or (seen is None and not rule_loaded):
        return None
    came = _came(seen, now)
    since = max(came or started, started)
    silent = now - since
    if silent <= timedelta(seconds=desk.watchdog.max_silence_seconds):
        return None
    if seen is None:
        text = f"alerting is blind: {desk.watchdog.alertname} is a rule of Prometheus, but never reached us"
    else:
        last = came or started
        text = (
            f"alerting is blind since {clock_time(last)}: {desk.watchdog.alertname} has not come for "
            f"{duration((now - last).total_seconds())}"
        )
    return Condition(
        BLIND, Source.WATCHDOG, Subject(SubjectKind.DESK, desk.name), text, since=came or started
    )


def _came(seen: datetime | None, now: datetime) -> datetime | None:
    """Return when the alert came last; None where it never did, or where nobody knows since the clock was set back."""
    return None if seen is None or seen > now else seen
