"""What Prometheus says against a resolve: Alertmanager also takes for over what nobody sends it any more.

Prometheus sends what fires again and again, each time with an end that is a few minutes ahead. From one that died,
hangs or is cut off nothing comes, that end passes, and Alertmanager says that everything resolved. Such a resolve is
not taken: what Prometheus holds fires on, and of what it cannot be asked nobody knows. Reconciling ends it once
Prometheus evaluates its rule and it does not fire.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from triage.model import Episode, Signal, SignalStatus, Source
from triage.ports.sources import FiringAlert

FIRES_ON = "Alertmanager takes it for over, and Prometheus holds it still"
UNREAD = "Alertmanager takes it for over, and of what Prometheus holds one that cannot be read may be it"
AWAY = "Alertmanager takes it for over, and Prometheus, whose alert it is, does not answer"
PRECISION = timedelta(milliseconds=5)
"""Alertmanager keeps the milliseconds of a beginning, Prometheus more."""
RECONCILED = "reconciled"
"""In a resolve's data: how it was found out. Prometheus was asked then."""


@dataclass(frozen=True, slots=True)
class PrometheusAnswer:
    """What Prometheus holds as pending or firing, asked at ``asked_at``; ``alerts`` None where it did not answer.

    ``rules`` are those that it had when it answered last: of other alerts it has nothing to say.
    """

    asked_at: datetime
    alerts: Sequence[FiringAlert] | None = ()
    rules: Collection[str] = ()

    def against(self, signal: Signal) -> str:
        """Return why a resolve is not taken; empty where it is."""
        if not may_be_early(signal) or signal.name not in self.rules:
            return ""
        if self.alerts is None:
            return AWAY
        if signal.received_at > self.asked_at:  # it may be newer than the answer
            return ""
        same = [alert for alert in self.alerts if is_of(alert, signal) and began_before(alert, signal)]
        if same and all(alert.unread for alert in same):
            return UNREAD
        return FIRES_ON if same else ""


def may_be_early(signal: Signal) -> bool:
    """Tell whether a signal is a resolve that rests on Alertmanager's word alone."""
    over = signal.status is SignalStatus.RESOLVED and signal.source is Source.ALERTMANAGER
    return over and RECONCILED not in signal.data


def is_of(alert: FiringAlert, known: Episode | Signal) -> bool:
    """Prometheus' own labels are among the alert's; external labels and relabelling may have added more."""
    return all(known.labels.get(name, value) == value for name, value in alert.labels.items())


def began_before(alert: FiringAlert, known: Episode | Signal) -> bool:
    """Tell whether what Prometheus holds is the episode itself and none that began after it."""
    return alert.active_at <= known.starts_at + PRECISION


NOTHING_SAID = PrometheusAnswer(datetime.min.replace(tzinfo=UTC))
"""Where there is no Prometheus to ask, every resolve is taken."""
