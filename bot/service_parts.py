"""Every part of the service, made once and wired; what runs them is ``bot.app``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.audit_anchor import AuditAnchor
from bot.fallback.registry import open_channels
from bot.intake_loop import IntakeLoop
from bot.links import LinkMaker
from bot.liveness import Liveness
from bot.metrics import MetricsPage, SelfMeters
from bot.readiness import Readiness
from bot.replicas import BEAT_SECONDS, Replicas, owner
from bot.settings import Settings
from bot.shared_clock import SharedClock
from bot.slack.blocks.report import report_view
from bot.slack.client import Identity, SlackClient
from bot.slack.delivery import Delivery
from bot.slack.directory import ChannelMembers, Channels, UserGroups
from bot.slack.listener import SlackListener
from bot.slack.meters import SlackMeters
from bot.slack.problems import said_together
from bot.slack.rate_limits import RateLimiter
from bot.slack.renderers import incident_renderers
from bot.slack.sender import Sender
from bot.slack.unknown_outcomes import SETTLE_SECONDS, DeliveryTimes
from bot.store import SqlStore
from bot.triage_loop import TriageLoop
from bot.watched_reads import FOLDERS
from bot.wiring import commands
from bot.wiring.actions import ActionWiring
from bot.wiring.commands import CommandWiring
from bot.wiring.listener_meters import ListenerMeters
from bot.wiring.listeners import ListenerDependencies, ListenerWiring
from bot.wiring.paging import paging_jobs
from handlers.alertmanager import AlertmanagerWebhook
from handlers.slack.actions import open_offered
from handlers.slack.faults import tell_faults
from handlers.slack.gate import Gate, guard
from handlers.slack.routes import register
from handlers.slack.services import Services
from schedules.clock_watch import LOOK_EVERY_SECONDS as CLOCK_SECONDS
from schedules.clock_watch import ClockWatch, real_seconds_of
from schedules.reconcile import ReconcileJob
from schedules.table import Job
from schedules.tidying import TidyingJob
from schedules.trading import LOOK_EVERY_SECONDS, TradingWatch
from triage.incidents.intake import Intake
from triage.incidents.naming import display_name
from triage.incidents.notifications import DIGEST_CHANNEL, INCIDENT_CHANNEL
from triage.memory.believed_clock import BelievedClock
from triage.model import Incident, Signal, Source
from triage.playbooks.lookup import playbook_for
from triage.ports.bell import Bell
from triage.ports.checklists import Dashboards
from triage.ports.clock import Clock
from triage.ports.sources import Sources
from triage.ports.store import Tx
from triage.reports.incident_view import IncidentView, view_incident
from triage.roles import Readers, Roles
from triage.runs.runner import TriageRunner

LISTENER = "slack listener"
DRAIN_SECONDS = 4.0
"""What the last sending of a shutdown may take; Docker waits 10 s for all of it."""


@dataclass(slots=True)
class Bells:
    """The bells that wake the loops: one a loop."""

    inbox: Bell = field(default_factory=Bell)
    grave: Bell = field(default_factory=Bell)
    """With ``inbox``, for what people must notice at once."""
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


class ServiceParts:
    """All the parts, wired, for a clock and adapters."""

    def __init__(self, settings: Settings, adapters: Adapters, *, clock: Clock) -> None:
        self.settings, self.desk, self.adapters, self.clock = settings, settings.desk, adapters, clock
        self.owner = owner()
        self._workspace = ""
        self._daily_loss = {
            bot.name: self.desk.limits_of(bot.name).daily_loss_pct_max / 100 for bot in self.desk.bots
        }
        self.bells, self.liveness = Bells(), Liveness(clock)
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
            grave=self.bells.grave.ring,
            hidden=self.bells.reconcile.ring,
            blocked=lambda: self.intake_loop.blocked or self.sender.blocked,
        )
        self.metrics = MetricsPage(
            store,
            clock,
            self.webhook.counts,
            self.liveness,
            lambda: (store.writer.commits, store.writer.units),
        )
        self.runner = TriageRunner(
            store=store,
            desk=self.desk,
            sources=sources,
            clock=clock,
            owner=self.owner,
            wake_sender=self.bells.outbox.ring,
        )
        self.reconciliation = ReconcileJob(store, self.desk, sources, clock, stored=self.bells.inbox.ring)
        self.intake_loop = IntakeLoop(
            store=store,
            intake=Intake(self.desk, self._title_of),
            clock=clock,
            ask=self.reconciliation.ask_prometheus,
            inbox=self.bells.inbox,
            grave=self.bells.grave,
            outbox=self.bells.outbox,
            triage=self.bells.triage,
            liveness=self.liveness,
        )
        self.triages = TriageLoop(self.runner, self.bells.triage, self.liveness)
        self.channels = Channels(
            adapters.slack,
            {INCIDENT_CHANNEL: settings.triage_channel, DIGEST_CHANNEL: settings.digest_channel},
            store,
        )
        self.groups, self.members = UserGroups(adapters.slack, clock), ChannelMembers(adapters.slack, clock)
        roles = Roles(self.desk.roles, self.groups)
        self.actions = ActionWiring(
            settings,
            store,
            sources,
            clock,
            owner=self.owner,
            wake_sender=self.bells.outbox.ring,
            liveness=self.liveness,
            roles=roles,
        )
        self.sender = self._sender(store, adapters.slack)
        self.believed = BelievedClock(store, clock)
        shared = clock if isinstance(clock, SharedClock) else None
        whose = "the machine's" if shared is None else "the database's"
        self.clock_watch = ClockWatch(store, clock, real_seconds_of(clock), whose)
        self.replicas = Replicas(store, self.owner, clock, SETTLE_SECONDS, freed=self._changed, shared=shared)
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
        self.fallbacks = open_channels(settings)
        self.readiness = Readiness(
            store,
            clock,
            self.liveness,
            slack_connected=lambda: self.listener.connected,
            slack_problems=self._slack_problems,
            troubles=self._troubles,
            store_problem=store.health.problem,
            agent=settings.triage_agent,
        )
        self.listeners = ListenerWiring(
            settings,
            ListenerDependencies(
                store=store,
                sources=sources,
                clock=clock,
                believed=self.believed,
                liveness=self.liveness,
                owner=self.owner,
                stored=self._event_stored,
                dependencies=self.readiness.dependencies,
            ),
        )
        self.metrics.registry.register(ListenerMeters(self.listeners))

        self.audit_anchor = AuditAnchor(store, self.actions.services.access.agent, self.metrics.registry)
        self.metrics.registry.register(
            SelfMeters(self.liveness, self._all_troubles, lambda: self.intake_loop.put_aside)
        )

    def _command_wiring(self, adapters: Adapters) -> CommandWiring:
        access, wake_sender = self.actions.services.access, self.bells.outbox.ring
        parts = commands.CommandDependencies(
            store=adapters.store,
            sources=adapters.sources,
            clock=self.clock,
            believed=self.believed,
            access=access,
            dashboards=adapters.dashboards,
            web=adapters.slack.web,
            view=self.view,
            wake_sender=wake_sender,
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
        return playbook_for(self.desk, signal.name, signal.source).title_for(
            display_name(signal.subject), name
        )

    def _sender(self, store: SqlStore, client: SlackClient) -> Sender:
        meters = SlackMeters(self.metrics.registry)
        incidents = incident_renderers(
            self.view,
            self.desk.severities,
            asks=self.desk.feedback.ask,
            workspace=lambda: self._workspace,
        )
        renderers = {**incidents, **self.actions.renderers}
        delivery = Delivery(
            store,
            client,
            self.channels,
            renderers,
            clock=self.clock,
            meters=meters,
            owner=self.owner,
            times=DeliveryTimes(patience=60 * self.desk.delivery.unknown_minutes),
        )
        return Sender(
            store,
            delivery,
            pace=RateLimiter(self.clock),
            clock=self.clock,
            meters=meters,
            bell=self.bells.outbox,
            drain_seconds=DRAIN_SECONDS,
            beat=lambda: self.liveness.beat("sender"),
        )

    def view(self, tx: Tx, incident: Incident) -> IncidentView:
        """Gather what an incident's message shows."""
        view = view_incident(tx, incident, all_bots=tuple(self._daily_loss))
        links = self.links.links(incident, view.episodes)
        return replace(view, links=links, daily_loss=self._daily_loss)

    def _changed(self) -> None:
        """Somebody pressed something: there may be messages to send and a triage to run."""
        self.bells.outbox.ring()
        self.bells.triage.ring()

    def _register(self, app: AsyncApp, identity: Identity) -> None:
        """Register every listener on the app, behind the gate."""
        self._workspace = identity.url

        async def in_channel() -> frozenset[str]:
            return await self.members.members(await self.channels.resolve(INCIDENT_CHANNEL))

        readers = Readers(self.desk.roles, self.services.roles, in_channel)
        tell_faults(app, lambda error: self.liveness.failed(LISTENER, error))
        guard(app, Gate(self.services, identity.team_id, readers.may_read, identity.enterprise_id or ""))
        actions = self.actions.register(app, self.services)
        register(app, self.services, partial(open_offered, actions))
        self.commands.register(app, identity, actions)

    def _slack_problems(self) -> Mapping[str, str]:
        return {
            **self.listener.problems,
            **self.sender.problems,
            **self.groups.problems,
            **self.members.problems,
        }

    def _troubles(self) -> Mapping[str, str]:
        """Say what does not work, by name, for ``/readyz``; empty texts are well."""
        liveness = self.liveness
        return {
            "reconcile": self.reconciliation.trouble or liveness.trouble("reconcile"),
            "inbox": self.intake_loop.trouble or liveness.trouble("intake"),
            "triage": liveness.trouble("triage"),
            "actions": liveness.trouble("actions"),
            "sending": liveness.trouble("sender"),
            LISTENER: liveness.trouble(LISTENER),
            "folders": FOLDERS.problem(),
            "audit": self.audit_anchor.trouble,
            "records": self.adapters.store.health.records.problem(),
            "clock": "; ".join(filter(None, (self.clock_watch.trouble, self.replicas.trouble))),
            "retention": self.believed.trouble,
            "home tab": self.commands.home.trouble,
            **self.listeners.troubles(),
        }

    def _all_troubles(self) -> Mapping[str, str]:
        """As above, with what ``/readyz`` has of its own."""
        slack = said_together(self._slack_problems().values())
        store = self.adapters.store.health.problem()
        return {**self._troubles(), "store": store, "slack": slack, "loops": self.readiness.stuck()}

    def jobs(self) -> list[Job]:
        """Return what the clock starts."""
        tidying = TidyingJob(self.adapters.store, self.desk, self.clock)
        trading = TradingWatch(
            store=self.adapters.store,
            desk=self.desk,
            sources=self.adapters.sources,
            clock=self.clock,
            wake_sender=self.bells.outbox.ring,
            minutes=self.commands.papers,
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
            *paging_jobs(self.adapters.store, self.desk, self.clock, self.fallbacks, self.bells.outbox.ring),
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
