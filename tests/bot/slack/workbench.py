"""A sender on a real store and our own Slack, and incidents to tell of."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry

from bot.slack.client import SlackClient, open_client
from bot.slack.delivery import Delivery
from bot.slack.directory import Channels
from bot.slack.meters import SlackMeters
from bot.slack.rate_limits import RateLimiter, RateLimits
from bot.slack.renderers import incident_renderers
from bot.slack.sender import Sender
from bot.slack.unknown_outcomes import DeliveryTimes
from bot.store import SqlStore
from demo.slack import Message as SlackMessage
from demo.slack import SlackServer
from triage.incidents.notifications import IN_CHANNEL, tell_card, tell_line
from triage.model import (
    Incident,
    IncidentStatus,
    Severity,
    Subject,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
)
from triage.ports.bell import Bell
from triage.ports.clock import SystemClock
from triage.ports.store import MessageKind, Tx

CHANNEL = "desk-alerts"
FAST = RateLimits(posts=1000, edits=1000, same_edit=0.02, same_card=0.15)
QUICK = DeliveryTimes(timeout=0.4, settle=0.5, after=(0.3, 1.2), look_every=0.1)
"""As the service is with Slack, some twenty times faster."""


def new_incident(title: str = "bot1 hard_stop: drawdown limit", **changes: Any) -> Incident:  # noqa: ANN401 - any field of the model
    """Return an incident that is not stored yet."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "id": 0,
        "title": title,
        "name": "BotHardStopActive",
        "subjects": (Subject(SubjectKind.BOT, "bot1"),),
        "severity": Severity.SEV1,
        "status": IncidentStatus.TRIGGERED,
        "opened_at": now,
        "changed_at": now,
        **changes,
    }
    return Incident(**values)


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until something is true that nobody announces."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)


@dataclass
class Bench:
    """What a sender test holds in its hands."""

    store: SqlStore
    slack: SlackServer
    client: SlackClient
    sender: Sender
    bell: Bell
    meters: SlackMeters
    delivery: Delivery
    pace: RateLimiter = field(repr=False)

    async def open(self, title: str = "bot1 hard_stop: drawdown limit", **changes: Any) -> Incident:  # noqa: ANN401 - any field of the model
        """Store an incident, ask for its card, ring."""

        def work(tx: Tx) -> Incident:
            incident = tx.incidents.save(new_incident(title, **changes))
            tell_card(tx, incident, datetime.now(UTC))
            return incident

        incident = await self.store.write(work)
        self.bell.ring()
        return incident

    async def line(self, incident: Incident, *texts: str) -> None:
        """Tell changes of an incident in its thread."""

        def work(tx: Tx) -> None:
            for text in texts:
                now = datetime.now(UTC)
                entry = TimelineEntry(
                    incident_id=incident.id, at=now, recorded_at=now, kind=TimelineKind.NOTE, text=text
                )
                tell_line(tx, entry, now)

        await self.store.write(work)
        self.bell.ring()

    async def tell_in_channel(self, incident: Incident, text: str) -> None:
        """Tell a change of an incident that the channel shows, too."""
        now = datetime.now(UTC)
        entry = TimelineEntry(
            incident_id=incident.id,
            at=now,
            recorded_at=now,
            kind=TimelineKind.NOTE,
            text=text,
            data={IN_CHANNEL: True},
        )
        await self.store.write(lambda tx: tell_line(tx, entry, now))
        self.bell.ring()

    async def change(self, incident: Incident) -> None:
        """Store a changed incident and ask for its edit."""
        await self.store.write(lambda tx: tell_card(tx, tx.incidents.save(incident), datetime.now(UTC)))
        self.bell.ring()

    async def pending(self) -> int:
        """Return how many messages are owed."""
        return await self.store.read(lambda tx: tx.outbox.state().pending)

    async def settled(self, seconds: float = 10.0) -> None:
        """Wait until nothing is owed."""
        async with asyncio.timeout(seconds):
            while await self.pending():  # noqa: ASYNC110 - a database rings no bell
                await asyncio.sleep(0.02)

    def cards(self) -> list[SlackMessage]:
        """Return what stands in the channel."""
        return self.slack.messages(CHANNEL)

    async def delivery_id(self, incident: Incident) -> str:
        """Return the delivery id of an incident's card."""
        card = await self.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, str(incident.id)))
        assert card is not None
        return card.delivery_id


@asynccontextmanager
async def bench_on(
    store: SqlStore,
    slack: SlackServer,
    *,
    limits: RateLimits = FAST,
    times: DeliveryTimes = QUICK,
    owner: str = "test",
) -> AsyncIterator[Bench]:
    """Put a sender together; it does not run yet."""
    clock, bell = SystemClock(), Bell()
    meters, pace = SlackMeters(CollectorRegistry()), RateLimiter(clock, limits)
    async with open_client(slack.app.bot_token, url=slack.api_url, timeout_seconds=times.timeout) as client:
        channels = Channels(client, {"incidents": CHANNEL, "digests": "desk-digest"}, store)
        delivery = Delivery(
            store,
            client,
            channels,
            incident_renderers(),
            clock=clock,
            meters=meters,
            owner=owner,
            times=times,
        )
        sender = Sender(store, delivery, pace=pace, clock=clock, meters=meters, bell=bell)
        yield Bench(
            store=store,
            slack=slack,
            client=client,
            sender=sender,
            bell=bell,
            meters=meters,
            delivery=delivery,
            pace=pace,
        )
