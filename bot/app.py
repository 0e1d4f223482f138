"""The composition root: opens what is outside, makes the parts, runs the loops, and takes it all down in order.

What flows where::

    Alertmanager ─webhook─▶ signals ─sorter─▶ incidents ─┬─▶ outbox ─sender─▶ Slack
    reconcile, streams, containers ──┘                   └─▶ triage runs ─checks─▶ findings, verdict ─▶ outbox
    Slack ─button, command─▶ handlers ─▶ operations ─▶ timeline, audit, outbox
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from loguru import logger
from slack_bolt.async_app import AsyncApp

from bot.audit_anchor import AuditAnchor
from bot.connections import ConnectionLimits
from bot.ids import owner
from bot.intake_loop import IntakeLoop
from bot.links import LinkMaker
from bot.metrics import MetricsPage
from bot.pulse import IDLE_SECONDS, Pulse, lasting
from bot.readiness import Readiness
from bot.replicas import BEAT_SECONDS, Replicas
from bot.self_meters import SelfMeters
from bot.settings import Settings
from bot.slack.blocks.report import report_view
from bot.slack.client import Identity, SlackClient, open_client
from bot.slack.delivery import Delivery
from bot.slack.directory import ChannelMembers, Channels, UserGroups
from bot.slack.listener import SlackListener
from bot.slack.meters import SlackMeters
from bot.slack.rate_limits import RateLimiter
from bot.slack.renderers import incident_renderers
from bot.slack.sender import Sender
from bot.slack.uncertain import SETTLE_SECONDS
from bot.store import SqlStore, open_store
from bot.store.lock import only_process
from bot.triage_loop import TriageLoop
from bot.tuning import FrontDoor
from bot.watched_files import FOLDERS
from bot.web import WebServer, listen, make_web
from bot.wiring import commands
from bot.wiring.actions import ActionWiring
from bot.wiring.commands import CommandWiring
from bot.wiring.fallback import fallback_channels
from bot.wiring.listeners import ListenerDependencies, ListenerWiring
from bot.wiring.sources import open_configured
from handlers.alertmanager import WEBHOOK_PATH, AlertmanagerWebhook
from handlers.health import Health
from handlers.slack.gate import Gate, guard
from handlers.slack.routes import register
from handlers.slack.services import Services
from schedules.clock_watch import LOOK_EVERY_SECONDS as CLOCK_SECONDS
from schedules.clock_watch import ClockWatch, passed_by
from schedules.escalation import EscalationJob
from schedules.fallback import FallbackJob
from schedules.reconcile import ReconcileJob
from schedules.table import Job, running
from schedules.tidying import TidyingJob
from schedules.trading import LOOK_EVERY_SECONDS, TradingWatch
from triage.errors import StoreUnavailable
from triage.incidents import unsortable
from triage.incidents.intake import Intake
from triage.incidents.notifications import DIGEST_CHANNEL, INCIDENT_CHANNEL
from triage.model import Incident, Signal, Source
from triage.playbooks.lookup import playbook_for
from triage.ports.bell import Bell
from triage.ports.checklists import Dashboards
from triage.ports.clock import Clock, SystemClock
from triage.ports.sources import Sources
from triage.ports.store import Tx
from triage.reports.incident_view import IncidentView, view_incident
from triage.roles import Readers, Roles
from triage.runs.runner import TriageRunner

PAGING_SECONDS = 3.0
"""How often escalation and the fallback channels look whether something is due."""
INBOX_SECONDS, DRAIN_SECONDS = 1.5, 4.0
"""What the last sorting and the last sending of a shutdown may take; Docker waits 10 s for all of it."""


def our_version() -> str:
    """Return the installed version."""
    try:
        return version("hbot-triage")
    except PackageNotFoundError:
        return "0.0.0"


@dataclass(slots=True)
class Bells:
    """Who wakes whom."""

    inbox: Bell = field(default_factory=Bell)
    outbox: Bell = field(default_factory=Bell)
    triage: Bell = field(default_factory=Bell)
    reconcile: Bell = field(default_factory=Bell)


@dataclass(frozen=True, slots=True)
class Adapters:
    """What was opened: the memory, the sources of evidence, Slack."""

    store: SqlStore
    sources: Sources
    slack: SlackClient
    dashboards: Dashboards


class Service:
    """All the parts, wired. Tests make one with the clock and the adapters of their choice."""

    def __init__(self, settings: Settings, adapters: Adapters, *, clock: Clock) -> None:
        self.settings, self.desk, self.adapters, self.clock = settings, settings.desk, adapters, clock
        self.owner = owner()
        self._workspace = ""
        self.bells, self.pulse = Bells(), Pulse(clock)
        store, sources = adapters.store, adapters.sources
        self.links = LinkMaker(
            self.desk, settings.grafana_url, settings.prometheus_url, settings.alertmanager_url
        )
        self.webhook = AlertmanagerWebhook(
            store,
            self.desk,
            clock,
            settings.triage_webhook_token.get_secret_value(),
            stored=self._alerted,
            hidden=self.bells.reconcile.ring,
            blocked=lambda: self.intake_loop.blocked,
        )
        self.metrics = MetricsPage(
            store, clock, self.webhook.counts, self.pulse, lambda: (store.writer.commits, store.writer.units)
        )
        self.runner = TriageRunner(store, self.desk, sources, clock, self.owner, told=self.bells.outbox.ring)
        self.reconciliation = ReconcileJob(store, self.desk, sources, clock, stored=self.bells.inbox.ring)
        self.intake_loop = IntakeLoop(
            store,
            Intake(self.desk, self._title_of),
            clock,
            self.bells.inbox,
            self.bells.outbox,
            self.bells.triage,
            self.pulse,
        )
        self.triages = TriageLoop(self.runner, self.bells.triage, self.pulse)
        self.channels = Channels(
            adapters.slack,
            {INCIDENT_CHANNEL: settings.triage_channel, DIGEST_CHANNEL: settings.digest_channel},
            store,
        )
        roles = Roles(self.desk.roles, UserGroups(adapters.slack, clock))
        self.actions = ActionWiring(
            settings,
            store,
            sources,
            clock,
            owner=self.owner,
            told=self.bells.outbox.ring,
            pulse=self.pulse,
            roles=roles,
        )
        self.sender = self._sender(store, adapters.slack)
        self.clock_watch = ClockWatch(store, clock, passed_by(clock))
        self.replicas = Replicas(store, self.owner, clock, SETTLE_SECONDS, freed=self._changed)
        self.services = Services(
            store,
            clock,
            roles,
            sources.alerts,
            changed=self._changed,
            report=report_view,
        )
        self.commands = self._command_wiring(adapters)
        self.listener = SlackListener(settings, adapters.slack, self._register, self.services.in_flight)
        self.fallbacks = fallback_channels(settings)
        self.readiness = Readiness(
            store,
            clock,
            self.pulse,
            slack_connected=lambda: self.listener.connected,
            slack_problems=self._slack_problems,
            troubles=self._troubles,
            store_problem=store.health.problem,
            agent=settings.triage_agent,
        )
        self.listeners = ListenerWiring(
            settings,
            ListenerDependencies(
                store,
                sources,
                clock,
                self.pulse,
                self.owner,
                self._event_stored,
                self.readiness.dependencies,
                self.metrics.registry,
            ),
        )

        self.audit_anchor = AuditAnchor(store, self.actions.services.access.agent, self.metrics.registry)
        self.metrics.registry.register(
            SelfMeters(self.pulse, self._all_troubles, lambda: self.intake_loop.put_aside)
        )

    def _command_wiring(self, adapters: Adapters) -> CommandWiring:
        access, told = self.actions.services.access, self.bells.outbox.ring
        parts = commands.CommandDependencies(
            adapters.store,
            adapters.sources,
            self.clock,
            access,
            adapters.dashboards,
            adapters.slack.web,
            self.view,
            told,
        )
        return CommandWiring(self.settings, parts, self.services)

    def _alerted(self) -> None:
        """An alert came: sort it at once, ahead of what the desk says in masses."""
        self.bells.inbox.ring()
        self.listeners.alerted()

    def _event_stored(self) -> None:
        """An event of the desk was stored: there may be signals to sort and lines to send."""
        self.bells.inbox.ring()
        self.bells.outbox.ring()

    def _title_of(self, signal: Signal) -> str:
        # An audit event's name is a category such as ``intent_rejected``, an alert's name is searched for as it is.
        name = signal.name.replace("_", " ") if signal.source is Source.AUDIT else signal.name
        return playbook_for(self.desk, signal.name, signal.source).title_for(signal.subject.name, name)

    def _sender(self, store: SqlStore, client: SlackClient) -> Sender:
        meters = SlackMeters(self.metrics.registry)
        incidents = incident_renderers(
            self.view,
            self.desk.severities,
            asks=self.desk.feedback.ask,
            workspace=lambda: self._workspace,
        )
        renderers = {**incidents, **self.actions.renderers}
        delivery = Delivery(store, client, self.channels, renderers, clock=self.clock, meters=meters)
        return Sender(
            store,
            delivery,
            pace=RateLimiter(self.clock),
            clock=self.clock,
            meters=meters,
            bell=self.bells.outbox,
            owner=self.owner,
            drain_seconds=DRAIN_SECONDS,
            beat=lambda: self.pulse.beat("sender"),
        )

    def view(self, tx: Tx, incident: Incident) -> IncidentView:
        """Gather what an incident's message shows."""
        bots = tuple(bot.name for bot in self.desk.bots)
        view = view_incident(tx, incident, all_bots=bots)
        limits = {bot: self.desk.limits_of(bot).daily_loss_pct_max / 100 for bot in bots}
        return replace(view, links=self.links.links(incident, view.episodes), daily_loss=limits)

    def _changed(self) -> None:
        """Somebody pressed something: there may be messages to send and a triage to run."""
        self.bells.outbox.ring()
        self.bells.triage.ring()

    def _register(self, app: AsyncApp, identity: Identity) -> None:
        """Register every listener on the app, behind the gate."""
        self._workspace = identity.url
        members = ChannelMembers(self.adapters.slack, self.clock)

        async def in_channel() -> frozenset[str]:
            return await members.members(await self.channels.resolve(INCIDENT_CHANNEL))

        readers = Readers(self.desk.roles, self.services.roles, in_channel)
        guard(app, Gate(self.services, identity.team_id, readers.may_read, identity.enterprise_id or ""))
        register(app, self.services)
        actions = self.actions.register(app, self.services)
        self.commands.register(app, identity, actions)

    def _slack_problems(self) -> Mapping[str, str]:
        listener = {"listener": self.listener.problem} if self.listener.problem else {}
        return {**listener, **self.sender.problems}

    def _troubles(self) -> Mapping[str, str]:
        """Say what does not work, by name, for ``/readyz``; empty texts are well."""
        pulse = self.pulse
        return {
            "reconcile": self.reconciliation.trouble or pulse.trouble("reconcile"),
            "inbox": self.intake_loop.trouble or pulse.trouble("intake"),
            "triage": pulse.trouble("triage"),
            "actions": pulse.trouble("actions"),
            "sending": pulse.trouble("sender"),
            "folders": FOLDERS.problem(),
            "audit": self.audit_anchor.trouble,
            "records": self.adapters.store.health.records.problem(),
            "clock": self.clock_watch.trouble,
            **self.listeners.troubles(),
        }

    def _all_troubles(self) -> Mapping[str, str]:
        """As above, with what ``/readyz`` has of its own."""
        slack = "; ".join(self._slack_problems().values())
        return {**self._troubles(), "store": self.adapters.store.health.problem(), "slack": slack}

    def jobs(self) -> list[Job]:
        """Return what the clock starts."""
        tidying = TidyingJob(self.adapters.store, self.desk, self.clock)
        escalation = EscalationJob(
            self.adapters.store, self.desk, self.clock, tuple(self.fallbacks), self.bells.outbox.ring
        )
        fallback = FallbackJob(
            self.adapters.store, self.desk, self.clock, self.fallbacks, self.bells.outbox.ring
        )
        trading = TradingWatch(
            self.adapters.store,
            self.desk,
            self.adapters.sources,
            self.clock,
            self.bells.outbox.ring,
            self.commands.papers,
        )
        return [
            Job(
                "reconcile",
                self.reconciliation.run,
                seconds=self.desk.correlation.reconcile_seconds,
                at_start=True,
            ),
            Job("trading", trading.run, seconds=LOOK_EVERY_SECONDS, at_start=True),
            Job("tidying", self._then_send(tidying.run), seconds=60),
            Job("clock", self.clock_watch.run, seconds=CLOCK_SECONDS, at_start=True),
            Job("escalation", escalation.run, seconds=PAGING_SECONDS),
            Job("fallback", fallback.owe_due, seconds=PAGING_SECONDS),
            *(
                Job(f"fallback {name}", partial(fallback.send_over, name), seconds=PAGING_SECONDS)
                for name in self.fallbacks
            ),
            Job("audit anchor", self.audit_anchor.run, seconds=60, at_start=True),
            *self._replica_jobs(),
            *self.listeners.jobs(),
            *self.actions.jobs(),
            *self.commands.jobs(),
        ]

    def _replica_jobs(self) -> list[Job]:
        if self.adapters.store.alone:
            return []
        return [Job("replicas", self.replicas.beat, seconds=BEAT_SECONDS)]

    def _then_send(self, job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        async def call() -> None:
            await job()
            self.bells.outbox.ring()

        return call

    async def run(self, stop: asyncio.Event, server: WebServer, sockets: list[socket.socket]) -> None:
        """Run until ``stop`` is set, then take the parts down in the order in which work flows through them."""
        await self._take_over()
        async with asyncio.TaskGroup() as group:
            web = group.create_task(server.serve(sockets=sockets), name="web")
            loops = [
                group.create_task(lasting("intake", self.intake_loop.run, self.pulse), name="intake"),
                group.create_task(lasting("triage", self.triages.run, self.pulse), name="triage"),
                group.create_task(
                    lasting("reconcile", self._reconcile_when_asked, self.pulse), name="reconcile"
                ),
                group.create_task(self.listeners.run(), name="listeners"),
                group.create_task(lasting("actions", self.actions.run, self.pulse), name="actions"),
            ]
            sending = group.create_task(lasting("sender", self.sender.run, self.pulse), name="sender")
            listener = group.create_task(
                lasting("slack listener", lambda: self.listener.run(stop)), name="slack listener"
            )
            jobs = self.jobs()
            self.listeners.expect(jobs)
            async with running(jobs, beat=self.pulse.beat):
                logger.info("ready on {address}", address=self.settings.triage_listen)
                await stop.wait()
            logger.info("stopping")
            server.stop()
            await web
            await listener
            await self._sort_the_rest()
            for loop in loops:
                loop.cancel()
            self.sender.stop()
            await sending
            if not self.adapters.store.alone:
                await self.replicas.leave()

    async def _take_over(self) -> None:
        """Take back what a process before us had claimed, where it cannot be alive any more; try again what it put aside.

        With a damaged database the service starts all the same: it says so, and does what can be done.
        """

        def release(tx: Tx) -> None:
            if self.adapters.store.alone:
                tx.runs.release()
                tx.outbox.release()
            unsortable.take_up(tx)

        try:
            await self.adapters.store.write(release)
            if (
                not self.adapters.store.alone
            ):  # before anything is claimed: the others are to know whose it is
                await self.replicas.beat()
        except StoreUnavailable as error:
            if not error.damaged:
                raise

    async def _reconcile_when_asked(self) -> None:
        while True:
            self.pulse.beat("reconcile")
            if await self.bells.reconcile.wait(IDLE_SECONDS):
                await self.reconciliation.run()

    async def _sort_the_rest(self) -> None:
        """Sort what the last webhooks brought; what there is no time for waits in the inbox for the next start."""
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(INBOX_SECONDS):
                while (await self.intake_loop.once()).more:
                    pass


async def serve(settings: Settings, *, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Open everything, run until ``stop`` is set. Raises TriageError where it cannot start."""
    clock = clock or SystemClock()
    listener = listen(settings.address)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        database = settings.triage_database_url.get_secret_value()
        stack.enter_context(only_process(database))
        opened = await stack.enter_async_context(open_configured(settings))
        adapters = Adapters(
            store=await stack.enter_async_context(
                open_store(database, lean=True, audit_key=settings.audit_key)
            ),
            sources=opened.sources,
            slack=await stack.enter_async_context(
                open_client(settings.slack_bot_token.get_secret_value(), url=settings.slack_api_url)
            ),
            dashboards=opened.dashboards,
        )
        service = Service(settings, adapters, clock=clock)
        health = Health(service.readiness.dependencies, service.metrics.page)
        web = make_web(
            [service.webhook.router(), health.router(), service.listener.router()], version=our_version()
        )
        door = FrontDoor(web, {WEBHOOK_PATH: service.webhook.receive})
        await service.run(stop, WebServer(door, ConnectionLimits(service.webhook.known)), [listener])
