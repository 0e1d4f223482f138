"""The desk as ``desk.yaml`` describes it; every key has the default of the desk in the runbooks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from triage.desk_sections.bots import Bot
from triage.desk_sections.compose import ComposeSettings, Paths
from triage.desk_sections.names import ActionKind, Name
from triage.desk_sections.paging import (
    DeliverySettings,
    EscalationSettings,
    FallbackSettings,
    OnCallSettings,
)
from triage.desk_sections.roles import ActionPolicy, AgentSettings, RoleSettings
from triage.desk_sections.schedules import DrillSettings, RetentionSettings, ScheduleSettings
from triage.desk_sections.section import DeskSection, no_truth
from triage.desk_sections.streams import StreamSettings
from triage.desk_sections.triage import (
    CorrelationSettings,
    FeedbackSettings,
    ListeningSettings,
    PlaybookSettings,
    TriageSettings,
    WatchdogSettings,
)
from triage.kpis.limits import KpiLimits
from triage.model import Severity
from triage.severities import plain


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
