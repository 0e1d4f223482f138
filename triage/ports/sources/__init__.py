"""The sources of evidence. Every method raises ``triage.errors.SourceError`` and nothing else.

Each has a time limit of its own; a caller may cancel sooner. "No data" is an empty answer, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from triage.ports.sources.alerts import (
    UNREADABLE_ALERT,
    ActiveAlert,
    Alerts,
    Matcher,
    Silence,
    Silences,
    unread_alerts,
)
from triage.ports.sources.containers import (
    COMPOSE_LABELS,
    ENV_FILE_LABEL,
    FILES_LABEL,
    FOLDER_LABEL,
    HASH_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    ContainerEvent,
    Containers,
    ContainerState,
    ExecResult,
    FileStat,
    every_container,
    unread_container,
    unread_containers,
)
from triage.ports.sources.logs import LogLine, LogLines, Logs
from triage.ports.sources.metrics import (
    UNREADABLE_RULE,
    FiringAlert,
    Metrics,
    QueryResult,
    RangeResult,
    RuleState,
    Sample,
    Series,
    Target,
    unread_firing,
    unread_of_rules,
    unread_rules,
    unread_target,
    unread_targets,
)
from triage.ports.sources.streams import GroupInfo, RedisHealth, StreamEntry, StreamInfo, Streams
from triage.ports.sources.unread import UNREADABLE

__all__ = [
    "COMPOSE_LABELS",
    "ENV_FILE_LABEL",
    "FILES_LABEL",
    "FOLDER_LABEL",
    "HASH_LABEL",
    "PROJECT_LABEL",
    "SERVICE_LABEL",
    "UNREADABLE",
    "UNREADABLE_ALERT",
    "UNREADABLE_RULE",
    "ActiveAlert",
    "Alerts",
    "ContainerEvent",
    "ContainerState",
    "Containers",
    "ExecResult",
    "FileStat",
    "FiringAlert",
    "GroupInfo",
    "LogLine",
    "LogLines",
    "Logs",
    "Matcher",
    "Metrics",
    "QueryResult",
    "RangeResult",
    "RedisHealth",
    "RuleState",
    "Sample",
    "Series",
    "Silence",
    "Silences",
    "Sources",
    "StreamEntry",
    "StreamInfo",
    "Streams",
    "Target",
    "every_container",
    "unread_alerts",
    "unread_container",
    "unread_containers",
    "unread_firing",
    "unread_of_rules",
    "unread_rules",
    "unread_target",
    "unread_targets",
]


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of evidence; one that is not configured is a stand-in that raises SourceNotConfigured."""

    metrics: Metrics
    logs: Logs
    alerts: Alerts
    containers: Containers
    streams: Streams
