"""The desk as ``desk.yaml`` describes it; every key has the default of the desk in the runbooks."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from triage.action_kinds import KINDS
from triage.cron import Cron
from triage.desk_sections.paging import EscalationSettings, FallbackSettings, OnCallSettings
from triage.desk_sections.section import DeskSection
from triage.kpis.limits import KpiLimits
from triage.model import Severity
from triage.severities import plain

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
"""A bot, service, container or profile: what may stand in a command line or a label."""


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1)
        raise ValueError(
            f"{kind!r} is no action; {f'did you mean {near[0]}?' if near else 'use one of ' + ', '.join(KINDS)}"
        )
    return kind


ActionKind = Annotated[
    str, AfterValidator(_known_kind), WithJsonSchema({"type": "string", "enum": list(KINDS)})
]
"""A kind of action: the name of a file in ``triage/actions/kinds/``."""
CONFIGURATION = "/home/hummingbot/conf"
"""Where a bot's configuration is in its container."""


class Bot(DeskSection):
    """One bot. ``container``, ``controller`` and ``variant`` default from the desk's templates."""

    name: Name
    container: Name | None = None
    service: Name | None = None
    controller: str = "epp_v2_4"
    variant: str = "a"
    cancel_budget_per_min: float | None = Field(default=None, gt=0)
    base_pct: tuple[float, float] | None = None


class Role(DeskSection):
    """Slack users and user groups who hold a role."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


class RoleSettings(DeskSection):
    """Who may do what. With no role nobody may act; who may read is ``reading``."""

    operator: Role = Role()
    approver: Role = Role()
    reading: Literal["everybody", "operator", "channel"] = "everybody"
    """Who may read: everybody of the workspace, who holds a role, or who is in the incidents' channel (or holds one)."""


class ActionPolicy(DeskSection):
    """Who may run an action and how many different people must confirm it."""

    role: Literal["operator", "approver"] = "operator"
    confirmations: Annotated[int, Field(ge=1, le=2)] = 1


class Paths(DeskSection):
    """Folders of the desk, relative to desk.yaml or absolute."""

    compose: Path = Path("../compose")
    env: Path = Path("../env/.env")
    data: Path = Path("../data")
    backups: Path = Path("../backups")
    caches: tuple[str, ...] = (
        "/home/hummingbot/controllers/__pycache__",
        "/home/hummingbot/controllers/market_making/__pycache__",
    )

    @field_validator("caches")
    @classmethod
    def _only_bytecode(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not re.fullmatch(r"/[A-Za-z0-9_./-]+/__pycache__", path) or ".." in path.split("/"):
                raise ValueError(f"{path!r} is not an absolute path that ends in /__pycache__")
        return value

    def under(self, root: Path) -> Self:
        """Return the same paths, the relative ones taken below ``root``."""
        fields = ("compose", "env", "data", "backups")
        return self.model_copy(update={name: (root / getattr(self, name)).resolve() for name in fields})


class ComposeSettings(DeskSection):
    """How Docker Compose is called, and which services belong to what."""

    command: tuple[str, ...] = Field(default=("docker", "compose"), min_length=1)
    file: str = "docker-compose.yml"
    profiles: tuple[Name, ...] = ("multi", "external")
    external_profile: Name = "external"
    external_services: tuple[Name, ...] = ("signal-service", "risk-service", "coordination-service", "redis")
    """In the order in which they are stopped; Redis last."""
    monitoring_services: tuple[Name, ...] = (
        "prometheus",
        "grafana",
        "node-exporter",
        "cadvisor",
        "bot-metrics-exporter",
        "loki",
        "promtail",
    )
    project: Name = "hbot"
    """What compose calls the project (``-p``); the label ``com.docker.compose.project`` of what runs tells it."""
    healthy_seconds: float = Field(default=120, gt=0, le=3600)
    """How long an action waits for a container to run and its health check to pass."""
    container_template: str = "hbot-{service}"


class StreamSettings(DeskSection):
    """The Redis streams of the desk and how we read them."""

    audit: str = "hb.audit.v1"
    dead_letter: str = "hb.dead_letter.v1"
    market_data: str = "hb.market_data.v1"
    execution_intent: str = "hb.execution_intent.v1"
    readers: dict[str, Name] = {  # noqa: RUF012 - pydantic copies it
        "hb.market_data.v1": "signal-service",
        "hb.signal.v1": "risk-service",
        "hb.risk_decision.v1": "coordination-service",
    }
    """Which service reads a stream in the desk's group: where that group falls behind there, it is the one to look at."""
    group: str = "hbot_triage_v1"
    desk_group: str = "hb_group_v1"
    look_back_minutes: float = Field(default=15, ge=0)
    claim_idle_seconds: float = Field(default=60, gt=0)
    dead_letters_per_hour_max: float = Field(default=20, ge=0)
    """More than this in an hour is not acceptable, whatever the baseline says."""
    burst_factor: float = Field(default=4.0, gt=1)
    """A rate is a surge above this many times its own baseline (and at least 5 in 10 minutes)."""
    market_data_stale_seconds: float = Field(default=180, gt=0)

    @model_validator(mode="after")
    def _own_group(self) -> Self:
        if self.group == self.desk_group:
            raise ValueError(
                f"streams.group is {self.group!r}, the desk's own: it would steal their messages"
            )
        return self


class ScheduleSettings(DeskSection):
    """Cron expressions (five fields) in one time zone; an empty one switches the job off."""

    timezone: str = "UTC"
    digest: str = "5 0 * * *"
    drill: str = "0 9 * * mon"
    checklists: str = "*/30 * * * *"
    snapshots: str = "30 4 * * *"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no time zone; use a name such as Europe/Berlin") from error
        return value

    @field_validator("digest", "drill", "checklists", "snapshots")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        if not value.strip():
            return ""
        try:
            Cron.parse(value)
        except ValueError as error:
            raise ValueError(
                f"{value!r} is no cron expression ({error}); write for instance '5 0 * * *', or '' to switch it off"
            ) from error
        return value


class DrillSettings(DeskSection):
    """The controlled alert test: how long its alert fires, and how long each hop may take."""

    hold_seconds: float = Field(default=90, gt=0, le=3600)
    """Longer than Alertmanager's group_wait: an alert that ends before is never sent."""
    hop_seconds: float = Field(default=120, gt=0, le=3600)
    resolve_seconds: float = Field(default=900, gt=0, le=7200)
    """Longer than Alertmanager's group_interval, at which a resolve is sent."""


class RetentionSettings(DeskSection):
    """How long things are kept, in days. The audit trail and open incidents are kept for ever."""

    incidents_days: float = Field(default=365, gt=0)
    """Resolved incidents with their alerts, timelines, triages, messages and actions."""
    signals_days: float = Field(default=180, gt=0)
    findings_days: float = Field(default=180, gt=0)
    documents_days: float = Field(default=90, gt=0)


class FeedbackSettings(DeskSection):
    """Whether people are asked how good the verdicts are."""

    ask: bool = True
    """Once an incident is over its thread asks, once and quietly, whether the verdict was right."""


class PlaybookSettings(DeskSection):
    """An addition to, or an override of, a shipped playbook; what is not given stays as it was."""

    severity: Severity | None = None
    title: str | None = None
    checks: tuple[str, ...] | None = None
    actions: tuple[ActionKind, ...] | None = None
    advice: str | None = None
    deadline_seconds: float | None = Field(default=None, gt=0, le=120)


class CorrelationSettings(DeskSection):
    """When signals belong together."""

    wide_window_seconds: float = Field(default=180, ge=0)
    reopen_within_seconds: float = Field(default=600, ge=0)
    storm_incidents: int = Field(default=8, ge=2)
    """So many new incidents in ``storm_window_seconds`` are a storm: one card counts the rest. Half as many a window
    keep it up."""
    storm_window_seconds: float = Field(default=60, gt=0)
    storm_own_cards: int = Field(default=3, ge=0)
    """Sev-1 that open a card of their own in ten seconds of a storm: Slack takes one post a second. More of them stand
    at the top of the storm's card, and are told aloud."""
    event_quiet_seconds: float = Field(default=1800, gt=0)
    reconcile_seconds: float = Field(default=60, gt=0)


class TriageSettings(DeskSection):
    """How triage asks."""

    again_after_seconds: float = Field(default=60, ge=0)
    """At most one new triage of an incident in this time, unless something graver joins or somebody asks for it."""
    deadline_seconds: float = Field(default=5.0, gt=0, le=120)
    log_window_minutes: float = Field(default=15, gt=0, le=24 * 60)
    log_baseline_hours: float = Field(default=24, gt=0, le=168)
    snapshot_stale_seconds: float = Field(default=180, gt=0)
    bot_log_selector: str = '{{job="bot_logs", bot="{bot}"}}'
    dashboards: tuple[str, ...] = ("Hummingbot Trading Desk Overview", "Hummingbot Bot Deep Dive")
    """Titles of Grafana's dashboards that the checklist opens."""
    expected_rules: tuple[str, ...] = (
        "BotHardStopActive",
        "BotSoftPauseTooLong",
        "BotNoFillsWhileRunning",
        "BotNegativeEdgePersistent",
        "BotFeeSourceFallback",
        "BotDailyPnlDrawdown",
        "BotLogErrorSpike",
        "ContainerDown",
        "PrometheusTargetDown",
    )
    """Alert rules that must be loaded; one that is missing makes the watchers a warning."""
    verify_after_seconds: float = Field(default=90, ge=0)
    health_watch_seconds: float = Field(default=300, ge=0)
    return_watch_seconds: float = Field(default=14_400, ge=0)
    """For so long after that it is looked whether trading that was not back comes back; 0: it is not."""


class WatchdogSettings(DeskSection):
    """The dead-man's switch: an alert that always fires must keep coming."""

    alertname: str = "Watchdog"
    max_silence_seconds: float = Field(default=600, gt=0)
    enabled: bool = True


class ListeningSettings(DeskSection):
    """What the desk says by itself (audit stream, dead letters, containers), and when that is a signal."""

    look_back_minutes: float = Field(default=15, ge=0)
    """Container events of this time are asked for at the first start (the streams have their own)."""
    at_once: frozenset[str] = frozenset({"kill_switch"})
    """Categories of audit events that open or join an incident whatever their severity; errors always do."""
    only_kept: frozenset[str] = frozenset()
    """Categories that never make a signal: they are kept for timelines and triage."""
    window_minutes: int = Field(default=10, ge=1, le=240)
    """Warnings are counted over this long, and compared with ``baseline_hours`` before."""
    baseline_hours: float = Field(default=24, gt=0, le=168)
    burst_min: int = Field(default=5, ge=1)
    repeat_minutes: float = Field(default=10, ge=0)
    """One kind of event (bot, category, reason) makes one signal in this time, while its incident is open."""
    before_minutes: float = Field(default=10, gt=0, le=24 * 60)
    """Triage tells what happened in this time before the trouble began."""
    changes_before_minutes: float = Field(default=30, ge=0, le=24 * 60)
    """Changes of this time before an incident stand on its timeline."""
    timeline_max: int = Field(default=200, ge=0)
    """Events on one incident's timeline; the rest is in the stream."""
    keep_days: float = Field(default=7, gt=0)
    keep_events: int = Field(default=200_000, ge=1000)
    restart_loop_turns: int = Field(default=3, ge=2)
    restart_loop_minutes: float = Field(default=10, gt=0)
    redis_look_seconds: float = Field(default=2.0, gt=0, le=4)
    redis_slow_seconds: float = Field(default=0.5, gt=0)
    group_lag_max: int = Field(default=1000, ge=1)
    """Entries that a group of the desk may be behind."""
    trouble_seconds: float = Field(default=300, gt=0)
    """A trouble of our own (a source, a loop, an unsent message) that lasts this long is an incident."""


class AgentPeople(DeskSection):
    """Slack users whom the agent itself believes to hold a role that is given to a group."""

    operator: frozenset[str] = frozenset()
    approver: frozenset[str] = frozenset()


class AgentSettings(DeskSection):
    """What the agent that touches the desk allows at all, whoever confirms it."""

    kinds: tuple[ActionKind, ...] = KINDS
    """Kinds of actions that may be done here."""
    actions_per_hour: int = Field(default=20, ge=1, le=1000)
    people: AgentPeople = AgentPeople()
    """Who is in the roles' groups: Slack alone knows that, and the agent cannot ask it."""

    def allows(self, kind: str) -> bool:
        """Whether a kind may be done here."""
        return kind in self.kinds


class Desk(DeskSection):
    """The whole of desk.yaml."""

    name: Name = "hbot"
    bots: tuple[Bot, ...] = (
        Bot(name="bot1"),
        Bot(name="bot2", variant="d"),
        Bot(name="bot3"),
    )
    roles: RoleSettings = RoleSettings()
    actions: dict[ActionKind, ActionPolicy] = Field(default_factory=dict)
    paths: Paths = Paths()
    compose: ComposeSettings = ComposeSettings()
    streams: StreamSettings = StreamSettings()
    kpis: KpiLimits = KpiLimits()
    schedules: ScheduleSettings = ScheduleSettings()
    playbooks: dict[str, PlaybookSettings] = Field(default_factory=dict)
    correlation: CorrelationSettings = CorrelationSettings()
    severities: dict[str, Severity] = Field(default_factory=dict)
    """Words of alerts' ``severity`` label beside, or instead of, those of ``triage.severities``."""
    triage: TriageSettings = TriageSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    drill: DrillSettings = DrillSettings()
    retention: RetentionSettings = RetentionSettings()
    feedback: FeedbackSettings = FeedbackSettings()
    listening: ListeningSettings = ListeningSettings()
    agent: AgentSettings = AgentSettings()
    escalation: EscalationSettings = EscalationSettings()
    oncall: OnCallSettings = OnCallSettings()
    fallback: FallbackSettings = FallbackSettings()

    @field_validator("severities")
    @classmethod
    def _plain_words(cls, value: dict[str, Severity]) -> dict[str, Severity]:
        return {plain(word): severity for word, severity in value.items()}

    @model_validator(mode="after")
    def _unique_bots(self) -> Self:
        names = [bot.name for bot in self.bots]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"bots: {', '.join(twice)} named more than once")
        return self

    def bot(self, name: str) -> Bot | None:
        """Return the bot of that name, or None."""
        return next((bot for bot in self.bots if bot.name == name), None)

    def container_of(self, bot_or_service: str) -> str:
        """Return the container name of a bot or a service, e.g. ``hbot-bot1``."""
        bot = self.bot(bot_or_service)
        if bot is not None and bot.container is not None:
            return bot.container
        return self.compose.container_template.format(service=self.service_of(bot_or_service))

    def service_of(self, bot: str) -> str:
        """Return the compose service of a bot (a service is its own)."""
        known = self.bot(bot)
        return known.service or known.name if known is not None else bot

    def bot_of_container(self, container: str) -> Bot | None:
        """Return the bot that runs in a container, or None."""
        return _bots_by_container(self.bots, self.compose).get(container)

    @property
    def monitoring_containers(self) -> frozenset[str]:
        """The containers of dashboards and the like."""
        return _monitoring_containers(self.bots, self.compose)

    def limits_of(self, bot: str) -> KpiLimits:
        """Return the KPI limits of a bot: the desk's, with what the bot's own entry changes."""
        known = self.bot(bot)
        if known is None:
            return self.kpis
        return self.kpis.override(cancel_budget_per_min=known.cancel_budget_per_min, base_pct=known.base_pct)

    def policy(self, kind: str) -> ActionPolicy:
        """Return who may run an action; the default asks one operator."""
        return self.actions.get(kind, ActionPolicy())


# Asked for every alert of every webhook, while a desk hardly ever changes: worked out once.


@lru_cache(maxsize=16)
def _bots_by_container(bots: tuple[Bot, ...], compose: ComposeSettings) -> dict[str, Bot]:
    desk = Desk(bots=bots, compose=compose)
    return {desk.container_of(bot.name): bot for bot in reversed(bots)}


@lru_cache(maxsize=16)
def _monitoring_containers(bots: tuple[Bot, ...], compose: ComposeSettings) -> frozenset[str]:
    desk = Desk(bots=bots, compose=compose)
    return frozenset(desk.container_of(service) for service in compose.monitoring_services)
