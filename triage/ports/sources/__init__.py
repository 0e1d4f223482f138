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
    unread_words,
)
from triage.ports.sources.containers import (
    COMPOSE_LABELS,
    FILES_LABEL,
    FOLDER_LABEL,
    HASH_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    UNREADABLE,
    ContainerEvent,
    Containers,
    ContainerState,
    ExecResult,
    FileStat,
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
    unread_rules,
)
from triage.ports.sources.streams import GroupInfo, RedisHealth, StreamEntry, StreamInfo, Streams

__all__ = [
    "COMPOSE_LABELS",
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
    "Sources",
    "StreamEntry",
    "StreamInfo",
    "Streams",
    "Target",
    "unread_rules",
    "unread_words",
]


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of evidence; one that is not configured is a stand-in that raises SourceNotConfigured."""

    metrics: Metrics
    logs: Logs
    alerts: Alerts
    containers: Containers
    streams: Streams
