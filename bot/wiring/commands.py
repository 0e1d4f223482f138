"""Commands, wired: what they and mentions ask, App Home, checklists, drills, digests, and what the clock starts of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.charts.process import ChartProcess
from bot.desk.client_config import DeskClientConfigs
from bot.fallback.registry import open_channels
from bot.settings import Settings
from bot.slack.blocks.answer import answer_blocks
from bot.slack.blocks.home import home_view
from bot.slack.client import Identity, posted_at
from bot.sources.minute_csv.digests import CsvDigests
from bot.sources.minute_csv.newest import NewestMinutes
from handlers.slack.actions import ActionDependencies, open_action
from handlers.slack.cause import open_cause_of
from handlers.slack.click import Click
from handlers.slack.command import Call, CommandServices
from handlers.slack.command_catalogue import COMMANDS
from handlers.slack.command_listener import register_commands
from handlers.slack.home import HomeTab
from handlers.slack.services import Services
from handlers.slack.silencing import open_silence_of
from schedules.charts import EVERY_SECONDS as CHART_SECONDS
from schedules.charts import ChartJob
from schedules.checklists import ChecklistJob
from schedules.digest import DigestJob
from schedules.drill import DrillJob
from schedules.retention import RetentionJob
from schedules.table import Job
from triage.actions.degraded import degraded
from triage.desk import Desk
from triage.memory.believed_clock import BelievedClock
from triage.model import Incident
from triage.ports.actions import DeskAccess
from triage.ports.chat import Answer, saying
from triage.ports.checklists import Dashboards
from triage.ports.clock import Clock
from triage.ports.sources import Sources
from triage.ports.store import Store, Tx
from triage.reports.answers.catalogue import actions as actions_answer
from triage.reports.answers.checklist import run_lists
from triage.reports.answers.context import AnswerContext
from triage.reports.answers.kpi import kpi
from triage.reports.answers.postmortem import file_postmortem
from triage.reports.checklists import CHECKLISTS
from triage.reports.checklists.model import ChecklistContext, ChecklistResult
from triage.reports.drill.follow import Drills, last_success
from triage.reports.incident_view import IncidentView
from triage.reports.postmortem.charting import Charting

LOOK_SECONDS = 10.0
"""How often the schedules are looked at; what is due is decided from the clock and the store."""
HOME_SECONDS, FOLLOW_SECONDS = 5.0, 1.0


@dataclass(frozen=True, slots=True)
class CommandDependencies:
    """What the service lends. ``view`` gathers an incident's view, ``wake_sender`` wakes the sender.

    ``web`` has the token: the client of a bolt app has none outside its listeners.
    """

    store: Store
    sources: Sources
    clock: Clock
    believed: BelievedClock
    access: DeskAccess
    dashboards: Dashboards
    web: AsyncWebClient
    view: Callable[[Tx, Incident], IncidentView]
    wake_sender: Callable[[], None]


class CommandWiring:
    """The commands, App Home, checklists, drills and digests, with their jobs."""

    def __init__(self, settings: Settings, parts: CommandDependencies, services: Services) -> None:
        self.settings, self.parts, self.services = settings, parts, services
        self.desk: Desk = settings.desk
        data = self.desk.paths.data
        self.clients = DeskClientConfigs(data)
        self.papers = NewestMinutes(data, parts.clock, {bot.name: bot.variant for bot in self.desk.bots})
        self.digests = CsvDigests(self.desk, data)
        self.charting = Charting(parts.store, self.desk, parts.sources.metrics, ChartProcess())
        self.answer_context = AnswerContext(
            store=parts.store,
            desk=self.desk,
            sources=parts.sources,
            clock=parts.clock,
            view=parts.view,
            checklist=self.checklist_context,
        )
        self.drills = Drills(
            store=parts.store,
            desk=self.desk,
            alerts=parts.sources.alerts,
            clock=parts.clock,
            wake_sender=parts.wake_sender,
            posted_at=posted_at,
            channels=tuple(open_channels(settings)),
        )
        self.home = HomeTab(self.answer_context, home_view, services.in_flight, parts.web)

    async def checklist_context(self) -> ChecklistContext:
        """Say what the checklists may ask, now."""
        parts = self.parts
        drilled_at, on = await parts.store.read(lambda tx: (last_success(tx), degraded(tx) is not None))
        return ChecklistContext(
            desk=self.desk,
            sources=parts.sources,
            env=parts.access.env,
            controllers=parts.access.controllers,
            clients=self.clients,
            dashboards=parts.dashboards,
            papers=self.papers,
            now=parts.clock.now(),
            drilled_at=drilled_at,
            degraded=on,
        )

    def register(self, app: AsyncApp, identity: Identity, actions: ActionDependencies) -> None:
        """Register the slash command, the mention and the Home tab."""
        web = self.parts.web

        async def do(call: Call, kind: str, target: str) -> Answer | None:
            why_not = await open_action(actions, web, kind=kind, target=target, click=_click(call))
            return saying(why_not) if why_not else None

        async def cause(call: Call, incident_id: int) -> Answer | None:
            await open_cause_of(self.services, web, incident_id, _click(call))
            return None

        async def silence(call: Call, incident_id: int) -> Answer | None:
            await open_silence_of(self.services, web, incident_id, _click(call))
            return None

        commands = CommandServices(
            services=self.services,
            answer_context=self.answer_context,
            render=answer_blocks,
            do=do,
            silence=silence,
            cause=cause,
            kpi=lambda bot, window: kpi(self.answer_context, self.digests, bot, window),
            drill=lambda call: self.drills.fire(call.user),
            postmortem=lambda call, incident: file_postmortem(
                self.answer_context, self.charting, incident, by=call.user, wake_sender=self.parts.wake_sender
            ),
            actions=lambda: actions_answer(self.answer_context),
            commands=COMMANDS,
        )
        register_commands(app, commands, our_user=identity.user_id)
        self.home.register(app)

    async def _run_all(self) -> Sequence[ChecklistResult]:
        return await run_lists(self.answer_context, list(CHECKLISTS))

    def jobs(self) -> list[Job]:
        """Return what the clock starts."""
        store, clock, wake_sender = self.parts.store, self.parts.clock, self.parts.wake_sender
        looks: Mapping[str, tuple[Callable[[], Awaitable[object]], float]] = {
            "digest": (
                DigestJob(
                    store=store, desk=self.desk, clock=clock, digests=self.digests, wake_sender=wake_sender
                ).run,
                LOOK_SECONDS,
            ),
            "checklists": (
                ChecklistJob(
                    store=store, desk=self.desk, clock=clock, run_all=self._run_all, wake_sender=wake_sender
                ).run,
                LOOK_SECONDS,
            ),
            "charts": (
                ChartJob(self.charting, clock, wake_sender).run,
                CHART_SECONDS,
            ),
            "drill": (DrillJob(store, self.desk, clock, self.drills).run, LOOK_SECONDS),
            "drill_follow": (self.drills.follow, FOLLOW_SECONDS),
            "home": (self.home.refresh, HOME_SECONDS),
            "forget_old": (RetentionJob(store, self.desk, self.parts.believed).run, 3600.0),
        }
        return [
            Job(name, call, seconds=seconds, at_start=name == "digest")
            for name, (call, seconds) in looks.items()
        ]


def _click(call: Call) -> Click:
    return Click(
        user=call.user,
        user_name=call.user_name,
        handle="",
        action_id="",
        channel=call.channel,
        thread_ts=call.thread_ts,
        trigger_id=call.trigger_id,
    )
