"""The desk as ``desk.yaml`` describes it; every key has the default of the desk in the runbooks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from triage.desk_sections.names import NAME_PATTERN, ActionKind, Name
from triage.desk_sections.paging import (
    DeliverySettings,
    EscalationSettings,
    FallbackSettings,
    OnCallSettings,
)
from triage.desk_sections.roles import ActionPolicy, AgentSettings, RoleSettings
from triage.desk_sections.schedules import DrillSettings, RetentionSettings, ScheduleSettings
from triage.desk_sections.section import DeskSection, no_truth
from triage.desk_sections.triage import (
    CorrelationSettings,
    FeedbackSettings,
    ListeningSettings,
    PlaybookSettings,
    TriageSettings,
    WatchdogSettings,
)
from triage.kpis.limits import KpiLimits, sound_band
from triage.model import Severity
from triage.severities import plain

DEFAULT_COMPOSE_FILE = "docker-compose.yml"
"""With it no file is named to compose: it takes its defaults, with an override beside them, or ``COMPOSE_FILE``."""
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

    @field_validator("base_pct")
    @classmethod
    def _is_band(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None:
            sound_band(value)
        return value

    @property
    def monitors(self) -> bool:
        """It is of variant d: it only monitors, and never trades."""
        return self.variant == "d"


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
    file: str = DEFAULT_COMPOSE_FILE
    files: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Several files, in the order of compose's ``-f``, in place of ``file``: the first one's folder is the project's."""
    profiles: tuple[Name, ...] = ("multi", "external")
    external_profile: Name = "external"
    external_services: tuple[Name, ...] = ("signal-service", "risk-service", "coordination-service", "redis")
    """In the order in which they are stopped; Redis last."""
    redis_service: Name = "redis"
    """The Redis whose streams the desk runs on; another one beside it is a service like any other."""
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
    container_template: str = Field(
        default="hbot-{service}", json_schema_extra={"pattern": r"^[^{}]*\{service\}[^{}]*$"}
    )

    @field_validator("container_template")
    @classmethod
    def _has_the_service(cls, value: str) -> str:
        if value.count("{service}") != 1 or not re.fullmatch(NAME_PATTERN, value.replace("{service}", "s")):
            raise ValueError(f"{value!r} names no container; write {{service}} once, as in hbot-{{service}}")
        return value

    @model_validator(mode="after")
    def _one_way_of_naming(self) -> Self:
        if self.files and "file" in self.model_fields_set:
            raise ValueError("files: it names every file; take compose.file away")
        return self

    @property
    def services(self) -> tuple[str, ...]:
        """The services beside the bots; a Redis that no profile starts where desk.yaml names it."""
        redis = (self.redis_service,) if "redis_service" in self.model_fields_set else ()
        return tuple(dict.fromkeys((*self.external_services, *self.monitoring_services, *redis)))

    @property
    def named_files(self) -> tuple[str, ...]:
        """The files that compose is called with (``-f``); empty where it finds them by itself."""
        return self.files or (() if self.file == DEFAULT_COMPOSE_FILE else (self.file,))


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
    claim_idle_seconds: float = Field(default=10, gt=0)
    dead_letters_per_hour_max: float = Field(default=20, ge=0)
    """More than this in an hour is not acceptable, whatever the baseline says."""
    burst_factor: float = Field(default=4.0, gt=1)
    """A rate is a surge above this many times its own baseline (and at least 5 in 10 minutes)."""
    market_data_stale_seconds: float = Field(default=180, gt=0)

    @model_validator(mode="after")
    def _own_group(self) -> Self:
        if self.group == self.desk_group:
            raise ValueError(f"group: {self.group!r} is the desk's own: it would steal their messages")
        return self


def _only_numbers(limits: object) -> object:
    for name, value in limits.items() if isinstance(limits, dict) else ():
        try:
            no_truth(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return limits


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
    kpis: Annotated[KpiLimits, BeforeValidator(_only_numbers)] = KpiLimits()
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
    delivery: DeliverySettings = DeliverySettings()
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
        for name in names:
            if (service := self.service_of(name)) in self.compose.services:
                raise ValueError(f"bots: {name} is the service {service} of compose: it would be both")
        for what, of in (("service", self.service_of), ("container", self.container_of)):
            used: dict[str, str] = {}
            for name in names:
                if (other := used.setdefault(of(name), name)) != name:
                    raise ValueError(
                        f"bots: {other} and {name} have one {what}, {of(name)}: they would be one bot"
                    )
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
    def redis_container(self) -> str:
        """The container of the Redis that the desk's streams are in."""
        return self.container_of(self.compose.redis_service)

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


T = TypeVar("T")
_DESKS = 16


def once_a_desk(
    make: Callable[[tuple[Bot, ...], ComposeSettings], T],
) -> Callable[[tuple[Bot, ...], ComposeSettings], T]:
    """Work out once what depends on a desk's bots and services: it is asked for every alert of every webhook.

    The same desk is known by being the same: to hash it would take longer than most of what is asked.
    """
    made: dict[tuple[int, int], tuple[tuple[Bot, ...], ComposeSettings, T]] = {}

    @wraps(make)
    def of(bots: tuple[Bot, ...], compose: ComposeSettings) -> T:
        found = made.get((id(bots), id(compose)))
        if found is None:
            if len(made) >= _DESKS:
                made.clear()
            found = made[id(bots), id(compose)] = (
                bots,
                compose,
                make(bots, compose),
            )  # held, so that no id is another's
        return found[2]

    return of


@once_a_desk
def _bots_by_container(bots: tuple[Bot, ...], compose: ComposeSettings) -> dict[str, Bot]:
    desk = Desk(bots=bots, compose=compose)
    return {desk.container_of(bot.name): bot for bot in reversed(bots)}


@once_a_desk
def _monitoring_containers(bots: tuple[Bot, ...], compose: ComposeSettings) -> frozenset[str]:
    desk = Desk(bots=bots, compose=compose)
    return frozenset(desk.container_of(service) for service in compose.monitoring_services)
