"""What we missed: compares what Alertmanager and Prometheus hold with what our incidents believe.

An alert that fires there and is unknown here becomes a firing signal; so does one whose episode we hold for
ended (Alertmanager took it for resolved while Prometheus could not reach it, and it fires on with the same
startsAt: the webhook alone cannot tell that from a firing that arrives late). An alert that we hold for firing
and that Alertmanager no longer has is *not* taken for resolved on that account (a silence, a restart, an
inhibition hide alerts too): it ends only when Prometheus evaluates its rule and it does not fire, or when
Alertmanager itself had given it an end that has passed for good.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from loguru import logger

from triage.desk import Desk
from triage.drill_alert import is_drill
from triage.errors import BadInput
from triage.incidents.alerts import alert_signal, base_of, ended_signal, episode_of, parse_time
from triage.incidents.prometheus_answer import is_of
from triage.model import Episode, Signal, SignalStatus
from triage.ports.sources import UNREADABLE_ALERT, UNREADABLE_RULE, ActiveAlert, FiringAlert, RuleState
from triage.untrusted_text import fault_words

T = TypeVar("T")
R = TypeVar("R")
PASSED_FOR_GOOD = timedelta(minutes=5)
"""How long an end that Alertmanager gave must be past: Prometheus moves it on every minute while it fires."""


@dataclass(frozen=True, slots=True)
class ReportedAlerts:
    """What the two said, asked from ``asked_at`` on.

    ``firing`` and ``rules`` are None where Prometheus could not be asked. What we learned since ``asked_at`` is
    newer than this evidence, which then proves nothing about it.
    """

    active: Sequence[ActiveAlert]
    firing: Sequence[FiringAlert] | None
    rules: Sequence[RuleState] | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Signals that were missed, and episodes whose announced end moved. ``failed``: of what we failed on, in words."""

    signals: tuple[Signal, ...]
    ends: tuple[Episode, ...]
    failed: tuple[str, ...] = ()


def by_episode(evidence: ReportedAlerts) -> dict[str, ActiveAlert]:
    """Return what Alertmanager holds by the name of its episode; what has an unreadable time is left out."""
    found = {}
    for alert in evidence.active:
        try:
            found[episode_of(alert.fingerprint, parse_time(alert.starts_at, "startsAt"))] = alert
        except BadInput:
            continue
    return found


def reconcile(
    desk: Desk, evidence: ReportedAlerts, held: Sequence[Episode], ended: Collection[str], now: datetime
) -> Reconciled:
    """Return what was missed.

    ``held``: our alert episodes that fire, as far as we know. ``ended``: the episodes whose end we learned of
    before ``asked_at``.
    """
    alerts = by_episode(evidence)
    known = {base_of(episode.episode) for episode in held}
    unknown = {name: alert for name, alert in alerts.items() if name not in known}
    by_fingerprint = {alert.fingerprint: alert for alert in alerts.values()}
    firing = _by_name(evidence.firing)
    failed: list[str] = []

    def missed(name: str) -> list[Signal]:
        alert, again = unknown[name], now if name in ended else None
        return _firing(desk, alert, now, again=again) if _counts(desk, alert) else []

    def moved(episode: Episode) -> list[Episode]:
        alert = alerts.get(base_of(episode.episode))
        return [] if alert is None else _moved_end(episode, alert)

    def gone(episode: Episode) -> list[Signal]:
        if base_of(episode.episode) in alerts or episode.last_seen_at >= evidence.asked_at:
            return []
        return _ended(episode, evidence, firing, now, other=by_fingerprint.get(episode.fingerprint))

    ends = _of_each(held, moved, failed)
    signals = (*_of_each(held, gone, failed), *_of_each(unknown, missed, failed))
    return Reconciled(signals, tuple(ends), tuple(failed))


def _of_each(items: Iterable[T], work: Callable[[T], list[R]], failed: list[str]) -> list[R]:
    """Return what comes of each item; one that we fail on is noted, and costs only itself."""
    found: list[R] = []
    for item in items:
        try:
            found += work(item)
        except Exception as error:  # noqa: BLE001 - see above
            logger.opt(exception=error).error("one alert is not reconciled")
            failed.append(fault_words(error))
    return found


def _counts(desk: Desk, alert: ActiveAlert) -> bool:
    """Whether an alert becomes a signal. A drill tests whether the webhook comes: finding it here would hide that."""
    watchdog = alert.labels.get("alertname") == desk.watchdog.alertname
    return alert.state == "active" and not watchdog and not is_drill(alert.labels)


def _firing(desk: Desk, alert: ActiveAlert, now: datetime, *, again: datetime | None) -> list[Signal]:
    try:
        return [
            alert_signal(
                desk,
                status=SignalStatus.FIRING,
                fingerprint=alert.fingerprint,
                labels=alert.labels,
                annotations=alert.annotations,
                starts_at=alert.starts_at,
                ends_at=alert.ends_at,
                generator_url=alert.generator_url,
                now=now,
                again=again,
            )
        ]
    except BadInput:
        return []  # Alertmanager parsed its times itself; what it prints and we cannot read is not an alert


def _moved_end(episode: Episode, alert: ActiveAlert) -> list[Episode]:
    try:
        end = parse_time(alert.ends_at, "endsAt")
    except BadInput:
        return []
    return [replace(episode, ends_at=end)] if end != episode.ends_at else []


def _by_name(firing: Iterable[FiringAlert] | None) -> Mapping[str, list[FiringAlert]]:
    """Return what Prometheus holds. A pending alert counts: its condition holds, and after a restart it waits anew."""
    named: dict[str, list[FiringAlert]] = {}
    for alert in firing or ():
        named.setdefault(alert.labels.get("alertname", ""), []).append(alert)
    return named


def _ended(
    episode: Episode,
    evidence: ReportedAlerts,
    firing: Mapping[str, list[FiringAlert]],
    now: datetime,
    *,
    other: ActiveAlert | None,
) -> list[Signal]:
    if other is not None:
        why = "Alertmanager holds another episode of it"
        # Before the other one began: a resolve ends all that began before it.
        end = parse_time(other.starts_at, "startsAt") - timedelta(milliseconds=1)
    else:
        why, end = _over(episode, evidence, firing, now), now
    return [ended_signal(episode, end, why, now)] if why else []


def _over(
    episode: Episode, evidence: ReportedAlerts, firing: Mapping[str, list[FiringAlert]], now: datetime
) -> str:
    if evidence.firing is None or evidence.rules is None:
        return ""
    if UNREADABLE_RULE in evidence.rules:
        return ""  # it may be this one's, or one more of its name
    rules = [rule for rule in evidence.rules if rule.name == episode.name]
    if rules:
        healthy = all(rule.health == "ok" for rule in rules)
        held = (
            *firing.get(episode.name, ()),
            *firing.get("", ()),
        )  # the latter: it cannot be read, and may be any
        still = any(is_of(alert, episode) for alert in held)
        return "" if still or not healthy else "Prometheus evaluates its rule and it does not fire"
    if UNREADABLE_ALERT in evidence.active:
        return ""  # it may be this one, with a later end
    if episode.ends_at is not None and now - episode.ends_at > PASSED_FOR_GOOD:
        return "the end that Alertmanager had given it has passed"
    return ""
