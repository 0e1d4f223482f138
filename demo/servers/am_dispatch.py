"""From alerts to notifications: routing, grouping, inhibition, and the decision whether a webhook is notified again.

Decides and sends nothing: `due` says what to send, `delivered` and `failed` say what became of it. The rules are
those of Alertmanager 0.25: the first notice of a group waits `group_wait`, later ones `group_interval`; an unchanged
group is told again after `repeat_interval`; a failed delivery is tried again until the next flush would come.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from demo.servers.am_config import Inhibition, Route, WebhookConfig
from demo.servers.am_model import NANOS, AlertStatus, AmAlert, all_match, label_order
from demo.servers.am_silences import Silences
from demo.servers.go_text import rfc3339_of_ns

ZERO_TIME = "0001-01-01T00:00:00Z"
MIN_TIMEOUT = 10.0
FIRST_RETRY = 0.5
RETRY_GROWTH = 1.5
LONGEST_RETRY = 60.0


@dataclass(slots=True)
class LastNotification:
    """What a webhook was last told of a group: fingerprints, and when (nanoseconds)."""

    firing: frozenset[str]
    resolved: frozenset[str]
    at: int


@dataclass(slots=True)
class Group:
    """Alerts that are told together; `next_flush` in nanoseconds."""

    route: Route
    labels: dict[str, str]
    next_flush: int
    alerts: dict[str, AmAlert] = field(default_factory=dict)
    flushed: bool = False
    told: dict[int, LastNotification] = field(default_factory=dict)
    pending: dict[int, "Delivery"] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The `groupKey` of its notifications."""
        inner = ", ".join(f'{n}="{v}"' for n, v in sorted(self.labels.items()))
        return f"{self.route.key}:{{{inner}}}"


@dataclass(slots=True)
class Delivery:
    """One notification on its way to one webhook."""

    group: Group
    index: int
    webhook: WebhookConfig
    alerts: tuple[AmAlert, ...]
    told: LastNotification
    deadline: int
    next_try: int
    tries: int = 0
    in_flight: bool = False


@dataclass(slots=True)
class Dispatcher:
    """All alerts, their groups, and what is to be sent."""

    root: Route
    webhooks: Mapping[str, list[WebhookConfig]]
    inhibitions: tuple[Inhibition, ...]
    silences: Silences
    alerts: dict[str, AmAlert] = field(default_factory=dict)
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], Group] = field(default_factory=dict)

    def put(self, alert: AmAlert, now: int) -> None:
        """Take a posted alert in."""
        fingerprint = alert.fingerprint
        old = self.alerts.get(fingerprint)
        merged = alert if old is None else alert.merged_into(old, now)
        self.alerts[fingerprint] = merged
        for route in self.root.matching(merged.labels):
            labels = route.group_labels(merged.labels)
            key = (route.key, tuple(labels.items()))
            group = self.groups.get(key)
            if group is None:
                # An alert that is resolved already opens a group too; it has no news, so nothing is sent.
                group = self.groups[key] = Group(route, labels, now + _ns(route.group_wait))
            group.alerts[fingerprint] = merged
            if not group.flushed and merged.starts_at + _ns(route.group_wait) < now:
                group.next_flush = now

    def status(self, alert: AmAlert, now: int) -> AlertStatus:
        """Return why an alert is or is not told."""
        return AlertStatus(self.silences.silencing(alert.labels, now), self._inhibitors(alert, now))

    def _inhibitors(self, alert: AmAlert, now: int) -> tuple[str, ...]:
        for rule in self.inhibitions:
            if not all_match(rule.target, alert.labels):
                continue
            both = all_match(rule.source, alert.labels)
            for fingerprint, source in self.alerts.items():
                if source.resolved(now) or not all_match(rule.source, source.labels):
                    continue
                if both and all_match(rule.target, source.labels):
                    continue  # alerts that are source and target alike would inhibit each other
                if all(alert.labels.get(n, "") == source.labels.get(n, "") for n in rule.equal):
                    return (fingerprint,)
        return ()

    def due(self, now: int) -> list[Delivery]:
        """Flush the groups whose time has come; returns the deliveries to try now."""
        for key, group in list(self.groups.items()):
            if now >= group.next_flush:
                self._flush(group, now)
                if not group.alerts and not group.pending:
                    del self.groups[key]
        waiting = [d for g in self.groups.values() for d in g.pending.values()]
        ready = [d for d in waiting if not d.in_flight and now >= d.next_try]
        for delivery in ready:
            delivery.in_flight = True
        return ready

    def _flush(self, group: Group, now: int) -> None:
        group.flushed = True
        group.next_flush = now + _ns(group.route.group_interval)
        snapshot = sorted(group.alerts.values(), key=lambda a: label_order(a.labels))
        # A silenced or inhibited alert is left out: whoever reads the notification cannot tell it from a gone one.
        told = tuple(a for a in snapshot if self.status(a, now).state == "active")
        for index, webhook in enumerate(self.webhooks.get(group.route.receiver, [])):
            self._plan(group, index, webhook, told, now)
        for alert in snapshot:
            if alert.resolved(now) and not group.pending:
                group.alerts.pop(alert.fingerprint, None)

    def _plan(
        self, group: Group, index: int, webhook: WebhookConfig, alerts: tuple[AmAlert, ...], now: int
    ) -> None:
        firing = frozenset(a.fingerprint for a in alerts if not a.resolved(now))
        resolved = frozenset(a.fingerprint for a in alerts if a.resolved(now))
        known = group.told.get(index)
        if not _is_news(known, firing, resolved, webhook, now - _ns(group.route.repeat_interval)):
            return
        frozen = tuple(a if a.resolved(now) else replace(a, ends_at=0) for a in alerts)
        deadline = now + _ns(max(group.route.group_interval, MIN_TIMEOUT))
        group.pending[index] = Delivery(
            group=group,
            index=index,
            webhook=webhook,
            alerts=frozen,
            told=LastNotification(firing, resolved, now),
            deadline=deadline,
            next_try=now,
        )

    def delivered(self, delivery: Delivery, now: int) -> None:
        """Remember what was told; resolved alerts that were told leave the group."""
        group = delivery.group
        if group.pending.get(delivery.index) is delivery:
            del group.pending[delivery.index]
        group.told[delivery.index] = replace(delivery.told, at=now)
        for fingerprint in delivery.told.resolved:
            alert = group.alerts.get(fingerprint)
            if alert is not None and alert.resolved(now):
                del group.alerts[fingerprint]

    def failed(self, delivery: Delivery, now: int, *, retry: bool) -> None:
        """Try again later, or give up until the next flush."""
        delivery.in_flight = False
        delivery.tries += 1
        pause = min(FIRST_RETRY * RETRY_GROWTH ** (delivery.tries - 1), LONGEST_RETRY)
        delivery.next_try = now + _ns(pause)
        if not retry or delivery.next_try >= delivery.deadline:
            delivery.group.pending.pop(delivery.index, None)


def _ns(seconds: float) -> int:
    return round(seconds * NANOS)


def _is_news(
    known: LastNotification | None,
    firing: frozenset[str],
    resolved: frozenset[str],
    webhook: WebhookConfig,
    repeat_before: int,
) -> bool:
    """Whether a webhook is notified of a group whose alerts are these."""
    if not webhook.send_resolved and not firing:
        return False
    if known is None:
        return bool(firing)
    if not firing <= known.firing:
        return True
    if not firing:
        return bool(known.firing)
    if webhook.send_resolved and not resolved <= known.resolved:
        return True
    return known.at < repeat_before


def body_of(delivery: Delivery, external_url: str, now: int) -> dict[str, Any]:
    """Write a delivery as the webhook's version 4 body."""
    alerts: Iterable[AmAlert] = delivery.alerts
    if not delivery.webhook.send_resolved:
        alerts = (a for a in alerts if a.ends_at == 0)
    every = list(alerts)
    limit = delivery.webhook.max_alerts
    shown = every[:limit] if limit else every
    return {
        "receiver": re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", delivery.group.route.receiver),
        "status": "firing" if any(_firing(a, now) for a in shown) else "resolved",
        "alerts": [_alert(a, now) for a in shown],
        "groupLabels": delivery.group.labels,
        "commonLabels": _common([a.labels for a in shown]),
        "commonAnnotations": _common([a.annotations for a in shown]),
        "externalURL": external_url,
        "version": "4",
        "groupKey": delivery.group.key,
        "truncatedAlerts": len(every) - len(shown),
    }


def _firing(alert: AmAlert, now: int) -> bool:
    return alert.ends_at == 0 or alert.ends_at > now


def _alert(alert: AmAlert, now: int) -> dict[str, Any]:
    return {
        "status": "firing" if _firing(alert, now) else "resolved",
        "labels": dict(sorted(alert.labels.items())),
        "annotations": dict(sorted(alert.annotations.items())),
        "startsAt": rfc3339_of_ns(alert.starts_at),
        "endsAt": rfc3339_of_ns(alert.ends_at) if alert.ends_at else ZERO_TIME,
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def _common(sets: list[dict[str, str]]) -> dict[str, str]:
    if not sets:
        return {}
    return {n: v for n, v in sorted(sets[0].items()) if all(s.get(n) == v for s in sets)}
