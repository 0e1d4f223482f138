"""What we missed: compares what Alertmanager and Prometheus hold with what our incidents believe.

An alert that fires there and is unknown here becomes a firing signal. An alert that we hold for firing and
that Alertmanager no longer has is *not* taken for resolved on that account (a silence, a restart, an
inhibition hide alerts too): it ends only when Prometheus evaluates its rule and it does not fire, or when
Alertmanager itself had given it an end that has passed for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from triage.alerts import alert_signal, parse_time
from triage.desk import Desk
from triage.drill.alert import is_drill
from triage.errors import BadInput
from triage.model import Episode, Signal, SignalStatus, Source
from triage.ports.sources import ActiveAlert, FiringAlert, RuleState

PASSED_FOR_GOOD = timedelta(minutes=5)
"""How long an end that Alertmanager gave must be past: Prometheus moves it on every minute while it fires."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the two said. ``firing`` and ``rules`` are None where Prometheus could not be asked."""

    active: Sequence[ActiveAlert]
    firing: Sequence[FiringAlert] | None
    rules: Sequence[RuleState] | None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Signals that were missed, and episodes whose announced end moved."""

    signals: tuple[Signal, ...]
    ends: tuple[Episode, ...]


def reconcile(desk: Desk, evidence: Evidence, held: Sequence[Episode], now: datetime) -> Reconciled:
    """Return what was missed. ``held``: our alert episodes that fire, as far as we know."""
    known = {episode.episode for episode in held}
    there = {f"{alert.fingerprint}/{alert.starts_at}": alert for alert in evidence.active}
    same_thing = {alert.fingerprint for alert in evidence.active}
    missed = [
        signal
        for name, alert in there.items()
        if name not in known
        and alert.state == "active"
        and alert.labels.get("alertname") != desk.watchdog.alertname
        and not is_drill(alert.labels)  # it tests whether the webhook comes: finding it here would hide that
        for signal in _firing(desk, alert, now)
    ]
    ended, ends = [], []
    for episode in held:
        alert = there.get(episode.episode)
        if alert is not None:
            ends += _moved_end(episode, alert)
        elif episode.fingerprint not in same_thing or _older(episode, evidence.active):
            ended += _ended(episode, evidence, now)
    return Reconciled((*ended, *missed), tuple(ends))


def _firing(desk: Desk, alert: ActiveAlert, now: datetime) -> list[Signal]:
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


def _older(episode: Episode, active: Sequence[ActiveAlert]) -> bool:
    """Whether Alertmanager holds a later episode of the same alert: then this one is over for certain."""
    return any(alert.fingerprint == episode.fingerprint for alert in active)


def _ended(episode: Episode, evidence: Evidence, now: datetime) -> list[Signal]:
    why = _over(episode, evidence, now)
    if not why:
        return []
    return [
        Signal(
            source=Source.ALERTMANAGER,
            episode=episode.episode,
            status=SignalStatus.RESOLVED,
            name=episode.name,
            subject=episode.subject,
            severity=episode.severity,
            starts_at=episode.starts_at,
            ends_at=now,
            received_at=now,
            labels=episode.labels,
            annotations=episode.annotations,
            generator_url=episode.generator_url,
            fingerprint=episode.fingerprint,
            data={"reconciled": why},
        )
    ]


def _over(episode: Episode, evidence: Evidence, now: datetime) -> str:
    if _older(episode, evidence.active):
        return "Alertmanager holds a later episode of it"
    if evidence.firing is None or evidence.rules is None:
        return ""
    rules = [rule for rule in evidence.rules if rule.name == episode.name]
    if rules:
        healthy = all(rule.health == "ok" for rule in rules)
        still = any(_is(alert, episode) for alert in evidence.firing)
        return "" if still or not healthy else "Prometheus evaluates its rule and it does not fire"
    if episode.ends_at is not None and now - episode.ends_at > PASSED_FOR_GOOD:
        return "the end that Alertmanager had given it has passed"
    return ""


def _is(alert: FiringAlert, episode: Episode) -> bool:
    """Prometheus' own labels are among the alert's; external labels and relabelling may have added more."""
    if alert.state != "firing" or alert.labels.get("alertname") != episode.name:
        return False
    return all(episode.labels.get(name, value) == value for name, value in alert.labels.items())
