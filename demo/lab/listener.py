"""What the lab gets of the desk: alerts, container events, audit events, dead letters and Redis, as the product does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.sources.docker.shapes import from_event
from demo.desk.container import DockerEvent
from demo.desk.docker_views import event as docker_event
from demo.desk.docker_views import rfc3339
from demo.desk.events import AUDIT, DEAD_LETTER
from demo.lab.edits import Edits
from demo.lab.evidence.alerts import active
from demo.lab.watches import Watches
from demo.servers.am_model import fingerprint
from triage.desk import Desk
from triage.desk_events import DeskEvent, EventKind, PayloadEntry
from triage.incidents.alerts import NEVER, alert_signal
from triage.model import Severity, Signal, SignalStatus, Source, Subject, SubjectKind, utc
from triage.ports.sources import ActiveAlert
from triage.signals.audit import read_audit
from triage.signals.audit_policy import audit_signals
from triage.signals.condition import Condition
from triage.signals.containers import container_event, container_signal, judge, unhealthy
from triage.signals.dead_letters import read_dead_letter
from triage.signals.rates import Rate

if TYPE_CHECKING:
    from demo.desk.world import World
    from demo.lab.breaker import LoneAlert
    from demo.lab.bus import LabBus
    from demo.lab.prometheus import LabPrometheus
    from demo.servers.log_store import LogStore

GROUP_WAIT = 30.0
BASELINE_HOURS = 24.0
HEARD_BACK = timedelta(minutes=60)


@dataclass(slots=True)
class Listener:
    """Turns what happens on the desk into signals. ``events`` is the memory that triage reads."""

    world: World
    desk: Desk
    prometheus: LabPrometheus
    bus: LabBus
    logs: LogStore
    began: float
    events: list[DeskEvent] = field(default_factory=list)
    held: list[ActiveAlert] = field(default_factory=list)
    _notified: dict[str, ActiveAlert] = field(default_factory=dict)
    _engine_seen: int = 0
    _read: dict[str, str] = field(default_factory=dict)
    _unhealthy: dict[str, Condition] = field(default_factory=dict)
    _raised: dict[EventKind, datetime] = field(default_factory=dict)
    _loss_reported: bool = False
    watches: Watches = field(init=False)
    edits: Edits = field(init=False)

    def __post_init__(self) -> None:
        self.edits = Edits(self.world, self.desk)
        self.watches = Watches(
            world=self.world, desk=self.desk, bus=self.bus, logs=self.logs, began=self.began
        )

    @property
    def now(self) -> datetime:
        """The desk's time."""
        return utc(self.world.clock.now())

    def skip_past(self) -> None:
        """Take what lies in the past as received, without a signal."""
        self._engine_seen = len(self.world.engine.events)
        self._container_events(list(self.world.engine.events))
        for stream, kept in self.bus.entries.items():
            self._read[stream] = kept[-1].id if kept else ""
        self.watches.watchdog_at = self.world.clock.now()
        self.edits.look()

    async def listen(self, lone: list[LoneAlert]) -> list[Signal]:
        """Return the signals of what happened since the last look."""
        self.events += self.edits.look()
        signals = self._containers() + self._audit() + self._lost()
        signals += await self.watches.look(self.events, self.dead_letters(), self._unhealthy)
        return signals + self._alerts(lone)

    # alerts

    def _alerts(self, lone: list[LoneAlert]) -> list[Signal]:
        now = self.world.clock.now()
        if not self.world.works("alertmanager"):
            return []
        firing = self.prometheus.firing() if self.prometheus.works else []
        if any(each.labels["alertname"] == self.desk.watchdog.alertname for each in firing):
            self.watches.watchdog_at = now
        due = [
            each
            for each in firing
            if each.labels["alertname"] != self.desk.watchdog.alertname and now - each.fired_at >= GROUP_WAIT
        ]
        held = {each.fingerprint: each for each in (active(one, now) for one in due)}
        held.update((each.fingerprint, each) for each in (_lone(one, now) for one in lone))
        signals = [
            self._alert(one, SignalStatus.FIRING) for key, one in held.items() if key not in self._notified
        ]
        signals += [
            self._alert(one, SignalStatus.RESOLVED) for key, one in self._notified.items() if key not in held
        ]
        self._notified, self.held = held, list(held.values())
        return signals

    def _alert(self, alert: ActiveAlert, status: SignalStatus) -> Signal:
        ended = status is SignalStatus.RESOLVED
        return alert_signal(
            self.desk,
            status=status,
            fingerprint=alert.fingerprint,
            labels=alert.labels,
            annotations=alert.annotations,
            starts_at=alert.starts_at,
            ends_at=rfc3339(self.world.clock.now()) if ended else NEVER,
            generator_url="",
            now=self.now,
        )

    # containers

    def _containers(self) -> list[Signal]:
        told = list(self.world.engine.events)
        fresh, self._engine_seen = told[self._engine_seen :], len(told)
        return self._container_events(fresh)

    def _container_events(self, fresh: list[DockerEvent]) -> list[Signal]:
        signals = []
        for one in fresh:
            read = from_event(docker_event(one))
            event = container_event(self.desk, read, self.now) if read is not None else None
            if event is None:
                continue
            before = [
                each
                for each in self.events
                if each.source is Source.CONTAINER
                and each.subject == event.subject
                and event.at - each.at <= HEARD_BACK
            ]
            judged = judge(self.desk, event, before)
            named = judged.event._replace(reason=judged.name)
            self.events.append(named)
            self._health(named)
            if judged.name and self._fresh(named.kind):
                signals.append(container_signal(self.desk, replace(judged, event=named), self.now))
        return signals

    def _health(self, event: DeskEvent) -> None:
        container = str(event.data.get("container", ""))
        if event.data.get("health") == "unhealthy":
            self._unhealthy[container] = unhealthy(self.desk, event)
        elif event.category in {"health_status", "start", "stop", "die", "destroy"}:
            self._unhealthy.pop(container, None)

    def _fresh(self, kind: EventKind) -> bool:
        last = self._raised.get(kind)
        if last is not None and self.now - last < timedelta(minutes=self.desk.listening.repeat_minutes):
            return False
        self._raised[kind] = self.now
        return True

    # the streams

    def _audit(self) -> list[Signal]:
        fresh = []
        for stream in (AUDIT, DEAD_LETTER):
            for kept in self._unread(stream):
                reader = read_audit if stream == AUDIT else read_dead_letter
                event = reader(self.desk, stream, PayloadEntry(kept[0], kept[1]), self.now)
                if isinstance(event, DeskEvent):
                    self.events.append(event)
                    fresh.append(event)
        audited = [event for event in fresh if event.source is Source.AUDIT]
        rates = {event.kind: self._rate(event.kind) for event in audited}
        lately = timedelta(minutes=self.desk.listening.repeat_minutes)
        raised = {kind for kind, at in self._raised.items() if self.now - at < lately}
        made = audit_signals(self.desk, audited, raised=raised, rates=rates, now=self.now)
        self._raised.update((event.kind, self.now) for event, _ in made)
        return [signal for _, signal in made]

    def _lost(self) -> list[Signal]:
        """Return what our own reader says once its group is gone."""
        if not self.bus.flushed or self._loss_reported or not self.world.redis.serving:
            return []
        self._loss_reported = True
        signal = Signal(
            source=Source.STREAMS,
            episode=f"streams/StreamLost/{self.now.isoformat()}",
            status=SignalStatus.EVENT,
            name="StreamLost",
            subject=Subject(SubjectKind.CONTAINER, self.desk.container_of("redis")),
            severity=Severity.SEV2,
            starts_at=self.now,
            received_at=self.now,
            annotations={"summary": f"our group on {self.desk.streams.audit} was gone"},
        )
        return [signal]

    def _unread(self, stream: str) -> list[tuple[str, str]]:
        if not self.world.redis.serving:
            return []
        kept = self.bus.entries.get(stream, [])
        last = self._read.get(stream, "")
        place = next((number for number, each in enumerate(reversed(kept)) if each.id == last), len(kept))
        if kept:
            self._read[stream] = kept[-1].id
        return [(each.id, each.payload) for each in kept[len(kept) - place :]]

    def _rate(self, kind: EventKind) -> Rate:
        return self._counted([event for event in self.events if event.kind == kind])

    def dead_letters(self) -> Rate:
        """Return the rate of dead letters."""
        return self._counted([event for event in self.events if event.source is Source.DEAD_LETTER])

    def _counted(self, events: list[DeskEvent]) -> Rate:
        window = self.now - timedelta(minutes=self.desk.listening.window_minutes)
        late = sum(event.at >= window for event in events)
        hours = min(BASELINE_HOURS, max(0.0, (self.world.clock.now() - self.began) / 3600))
        return Rate(late, len(events) - late, hours)


def _lone(alert: LoneAlert, now: float) -> ActiveAlert:
    stamps = (rfc3339(alert.at), rfc3339(now + 240), rfc3339(now))
    return ActiveAlert(fingerprint(alert.labels), *stamps, "active", alert.labels, alert.annotations)
