"""A workspace whose people press buttons of a running bot."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from bot.slack.app import build_app
from bot.slack.blocks.report import report_view
from bot.slack.directory import UserGroups
from bot.slack.refused_answers import RefusedAnswers
from bot.slack.socket_mode import Sockets
from bot.store import SqlStore
from demo.slack import AppConfig, SlackServer
from demo.slack.settings import BOT_SCOPES
from handlers.slack.faults import tell_faults
from handlers.slack.gate import Gate, guard
from handlers.slack.routes import register
from handlers.slack.services import Services
from tests.bot.slack.workbench import CHANNEL, Bench, bench_on
from triage.desk_sections.roles import Role, RoleSettings
from triage.errors import SourceError
from triage.ports.clock import SystemClock
from triage.ports.sources import ActiveAlert, Matcher, Silences
from triage.roles import Readers, Roles


@dataclass
class FakeAlertmanager:
    """Takes silences, ``takes`` of them where it was told to, and then raises the trouble it was given."""

    written: list[tuple[Sequence[Matcher], datetime, datetime, str, str]] = field(default_factory=list)
    trouble: SourceError | None = None
    takes: int = 0
    holds: tuple[ActiveAlert, ...] = ()

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Return what fires, as it was told to."""
        if self.trouble is not None:
            raise self.trouble
        return self.holds

    async def silence(
        self, matchers: Sequence[Matcher], *, start: datetime, end: datetime, created_by: str, comment: str
    ) -> str:
        """Keep the silence."""
        if self.trouble is not None and len(self.written) >= self.takes:
            raise self.trouble
        self.written.append((matchers, start, end, created_by, comment))
        return f"silence-{len(self.written)}"

    async def silences(self) -> Silences:
        """Show nothing."""
        return Silences(())

    async def expire_silence(self, silence_id: str) -> None:
        """Forget nothing."""

    async def fire(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], *, start: datetime, end: datetime
    ) -> None:
        """Fire nothing."""

    async def ready(self) -> None:
        """Be ready."""


async def nobody_in_channel() -> frozenset[str]:
    """Return the people of a channel where nobody is."""
    return frozenset()


@dataclass
class Desk:
    """A running bot: its sender, its services, and the Alertmanager it talks to."""

    bench: Bench
    services: Services
    alertmanager: FakeAlertmanager
    sockets: Sockets
    refused: RefusedAnswers
    faults: list[BaseException]


async def private_answer(desk: Desk, user: str) -> str:
    """Wait for the newest answer that only one person sees."""
    slack = desk.bench.slack
    await slack.workspace.until(lambda: slack.ephemerals(CHANNEL, user), 3, f"an answer to {user} alone")
    return slack.ephemerals(CHANNEL, user)[-1].text


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Start a workspace whose app may look channels up by name."""
    async with SlackServer(AppConfig(scopes=(*BOT_SCOPES, "channels:read", "groups:read"))) as server:
        yield server


@pytest.fixture
async def desk(sqlite_store: SqlStore, slack: SlackServer) -> AsyncIterator[Desk]:
    """Run a bot: ana is an operator by her group, ben by his id, vik is nobody."""
    alertmanager, clock = FakeAlertmanager(), SystemClock()
    async with bench_on(sqlite_store, slack) as bench:
        settings = RoleSettings(
            operator=Role(users=frozenset({"U0BEN00001"}), groups=frozenset({"S0OPERATOR"}))
        )
        services = Services(
            store=sqlite_store,
            clock=clock,
            roles=Roles(settings, UserGroups(bench.client, clock)),
            alerts=alertmanager,
            changed=bench.bell.ring,
            report=report_view,
        )
        identity = await bench.client.identity()
        refused = RefusedAnswers(clock)
        app = build_app(bench.client, identity, watches=[refused])
        readers = Readers(settings, services.roles, nobody_in_channel)
        guard(app, Gate(services, identity.team_id, readers.may_read))
        faults = list[BaseException]()
        tell_faults(app, faults.append)
        register(app, services)
        sockets = Sockets(app, slack.app.app_token, clock, ping_seconds=1)
        async with sockets.open(), asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.sender.run())
            yield Desk(
                bench=bench,
                services=services,
                alertmanager=alertmanager,
                sockets=sockets,
                refused=refused,
                faults=faults,
            )
            assert await services.in_flight.drained(3)
            bench.sender.stop()
