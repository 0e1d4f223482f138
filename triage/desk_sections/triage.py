"""The parts of desk.yaml about signals, incidents and their triage."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from triage.desk_sections.names import ActionKind
from triage.desk_sections.section import DeskSection
from triage.model import Severity

_SELECTOR = '{{job="bot_logs", bot="{bot}"}}'


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
    """Sev-1 that open a card of their own in ten seconds of a storm: the chat takes one post a second. More of them stand
    at the top of the storm's card, and are also shown in the channel."""
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
    bot_log_selector: str = _SELECTOR

    @field_validator("bot_log_selector")
    @classmethod
    def _is_template(cls, value: str) -> str:
        unknown = set(re.findall(r'"\{([a-z_]+)\}"', value)) - {"bot"}
        if unknown or not re.fullmatch(r"\s*\{.+\}\s*", value):
            raise ValueError(f"{value!r} is no selector; write for instance {_SELECTOR}")
        return value

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
    log_silence_minutes: float = Field(default=15, ge=0, le=240)
    """For so long no line at all may reach Loki while bots live; 0: it is not watched."""
    log_selector: str = Field(default='{job=~".+"}', max_length=400)
    """The streams of which some always speak: all that the log shipper reads."""
    trouble_seconds: float = Field(default=300, gt=0)
    """A trouble of our own (a source, a loop, an unsent message) that lasts this long is an incident."""
