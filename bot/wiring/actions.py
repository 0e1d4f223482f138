"""Actions, wired: the engine with its access to the desk, its buttons, its messages, its jobs."""

from __future__ import annotations

from collections.abc import Callable

from slack_bolt.async_app import AsyncApp

from bot.agent.embedded import embedded_access
from bot.agent.remote_desk import remote_access
from bot.liveness import Liveness
from bot.settings import Settings
from bot.slack.blocks.action_modal import ActionModals
from bot.slack.rendered import Renderer
from bot.slack.renderers import render_action
from bot.sources.minute_csv.newest import NewestMinutes
from bot.store import SqlStore
from handlers.slack.actions import ActionDependencies, register_actions
from handlers.slack.services import Services
from schedules.table import Job
from triage.actions import jobs
from triage.actions.context import ActionServices
from triage.actions.engine import ActionEngine
from triage.actions.outcome_check import watch_for_trading
from triage.ports.actions import DeskAccess
from triage.ports.clock import Clock
from triage.ports.sources import Sources
from triage.ports.store import MessageKind
from triage.roles import Roles


def desk_access(settings: Settings, clock: Clock) -> DeskAccess:
    """Return access that asks the agent that the settings name; without one the agent works in this process."""
    if settings.triage_agent:
        return remote_access(settings.triage_agent)
    record = settings.agent_record
    return embedded_access(settings.desk, docker_host=settings.docker_host, record=record, clock=clock)


class ActionWiring:
    """The engine of actions with its buttons, messages and jobs. ``wake_sender`` wakes the sender."""

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        sources: Sources,
        clock: Clock,
        *,
        owner: str,
        wake_sender: Callable[[], None],
        liveness: Liveness,
        roles: Roles,
    ) -> None:
        access = desk_access(settings, clock)
        self._settings = settings
        self._alone = store.alone
        self._wake_sender = wake_sender
        variants = {bot.name: bot.variant for bot in settings.desk.bots}
        minutes = NewestMinutes(settings.desk.paths.data, clock, variants)
        self.services = ActionServices(
            store=store,
            desk=settings.desk,
            sources=sources,
            access=access,
            clock=clock,
            roles=roles,
            minutes=minutes,
        )
        self.engine = ActionEngine(
            self.services,
            owner,
            wake_sender,
            beat=lambda: liveness.beat("actions"),
            fault=lambda error: liveness.failed("actions", error),
        )
        self.renderers: dict[MessageKind, Renderer] = {MessageKind.ACTION: render_action}

    async def run(self) -> None:
        """Run and verify actions until cancelled."""
        await self.engine.run(alone=self._alone)

    def register(self, app: AsyncApp, services: Services) -> ActionDependencies:
        """Register the buttons and forms of actions."""
        parts = ActionDependencies(services, self.engine, ActionModals())
        register_actions(app, parts)
        return parts

    def jobs(self) -> list[Job]:
        """Return what the clock starts."""
        schedules, services = self._settings.desk.schedules, self.services

        async def remind() -> None:
            if await jobs.remind_degraded(services):
                self._wake_sender()

        async def expire() -> None:
            expired = await jobs.expire_proposals(services)
            if await jobs.remind_waiting(services) or expired:
                self._wake_sender()

        async def returns() -> None:
            if await watch_for_trading(services):
                self._wake_sender()

        async def snapshots() -> None:
            await jobs.take_snapshots(services)

        async def judge() -> None:
            await jobs.judge_snapshots(services)

        found = [
            Job("degraded_reminder", remind, seconds=60),
            Job("proposals", expire, seconds=30),
            Job("trading_back", returns, seconds=15),
            Job("known_good", judge, seconds=3600),
        ]
        if schedules.snapshots:
            found.append(Job("snapshots", snapshots, cron=schedules.snapshots, timezone=schedules.timezone))
        return found
