"""Tells a desk's story in one line a step: alerts fire and resolve, time passes, people press buttons."""

from dataclasses import dataclass, field

from bot.store import SqlStore
from tests.fakes.clock import ManualClock
from triage.desk import Desk
from triage.incidents import operations
from triage.incidents.intake import Intake
from triage.incidents.operations import OperationResult
from triage.model import Incident, Severity, Signal, SignalStatus, Source, Subject, SubjectKind, TimelineEntry
from triage.playbooks.lookup import playbook_for
from triage.ports.store import MessageKind, Tx


def title_of(desk: Desk, signal: Signal) -> str:
    """Title an incident as the service does."""
    return playbook_for(desk, signal.name, signal.source).title_for(signal.subject.name, signal.name)


@dataclass
class Story:
    """A store, a clock, and the verbs of an incident's life."""

    store: SqlStore
    clock: ManualClock = field(default_factory=ManualClock)
    desk: Desk = field(default_factory=Desk)

    def signal(
        self,
        name: str,
        bot: str,
        status: SignalStatus,
        *,
        began: str = "t0",
        severity: Severity = Severity.SEV2,
        source: Source = Source.ALERTMANAGER,
    ) -> Signal:
        """Make a signal; ``began`` stands for the startsAt that tells two episodes of one alert apart."""
        container = SubjectKind.CONTAINER if bot.startswith("hbot-") else SubjectKind.HOST
        kind = SubjectKind.BOT if bot.startswith("bot") else container
        return Signal(
            source=source,
            episode=f"{name}-{bot}/{began}",
            status=status,
            name=name,
            subject=Subject(kind, bot),
            severity=severity,
            starts_at=self.clock.now(),
            received_at=self.clock.now(),
            ends_at=self.clock.now() if status is SignalStatus.RESOLVED else None,
            labels={"alertname": name, "bot": bot},
            fingerprint=f"{name}-{bot}",
        )

    async def arrive(self, *signals: Signal, then_sort: bool = True) -> None:
        """Store signals as one webhook does, and sort them."""
        await self.store.write(lambda tx: tx.signals.add(signals))
        if then_sort:
            await self.sort()

    async def sort(self) -> None:
        """Run one pass over the inbox."""
        intake = Intake(self.desk, lambda signal: title_of(self.desk, signal))
        await self.store.write(lambda tx: intake.sort_inbox(tx, self.clock.now()))

    async def fire(
        self, name: str, bot: str = "bot1", *, began: str = "t0", severity: Severity = Severity.SEV2
    ) -> None:
        """An alert fires."""
        await self.arrive(self.signal(name, bot, SignalStatus.FIRING, began=began, severity=severity))

    async def clear(self, name: str, bot: str = "bot1", *, began: str = "t0") -> None:
        """An alert resolves."""
        await self.arrive(self.signal(name, bot, SignalStatus.RESOLVED, began=began))

    async def happen(self, name: str, bot: str = "bot1", *, event: str = "e1") -> None:
        """An event of the audit stream comes."""
        await self.arrive(self.signal(name, bot, SignalStatus.EVENT, began=event, source=Source.AUDIT))

    async def acknowledge(self, incident_id: int = 1, actor: str = "U0ANA") -> OperationResult:
        """Somebody presses Acknowledge."""
        return await self.store.write(
            lambda tx: operations.acknowledge(tx, incident_id, actor=actor, now=self.clock.now())
        )

    async def resolve(self, incident_id: int = 1, actor: str = "U0ANA") -> OperationResult:
        """Somebody presses Resolve."""
        return await self.store.write(
            lambda tx: operations.resolve(tx, incident_id, actor=actor, now=self.clock.now())
        )

    async def incidents(self) -> list[Incident]:
        """Return every incident, oldest first."""
        long_ago = self.clock.now().replace(year=2000)
        return await self.store.read(lambda tx: tx.incidents.recent(long_ago, limit=10_000))

    async def incident(self, incident_id: int = 1) -> Incident:
        """Return one incident."""
        incident = await self.store.read(lambda tx: tx.incidents.get(incident_id))
        assert incident is not None
        return incident

    async def told(self, incident_id: int = 1) -> list[str]:
        """Return the lines that the thread was given, in their order."""

        def read(tx: Tx) -> list[TimelineEntry]:
            entries = tx.timeline.of(incident_id)
            return [entry for entry in entries if tx.outbox.find(MessageKind.LINE, str(entry.id))]

        return [entry.text for entry in await self.store.read(read)]
