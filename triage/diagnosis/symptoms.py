"""What an alert says, whether what it says holds now, and which symptoms a desk shows without any alert."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from triage.model import Episode, Incident, Json, Severity, Source, Subject, SubjectKind
from triage.playbooks.alert_words import topic_of
from triage.playbooks.table import known_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.diagnosis.facts import Facts

FAMILIES: Mapping[str, str] = {
    "BotHardStopActive": "stop", "KillSwitchTriggered": "stop", "kill_switch": "stop",
    "BotSoftPauseTooLong": "pause", "BotNoFillsWhileRunning": "no_fills",
    "BotNegativeEdgePersistent": "edge", "RealizedPnlNegative": "loss",
    "BotFeeSourceFallback": "fees", "BotDailyPnlDrawdown": "loss", "BotLogErrorSpike": "errors",
    "BotFrozen": "frozen", "MinutePipelineStale": "frozen", "DailyStateStale": "frozen",
    "OrderBookStale": "book", "WsReconnectSpike": "book", "ConnectorIOSlow": "book",
    "ExchangeOrderFailureSpike": "orders", "PositionDriftHigh": "position", "MarginRatioLow": "position",
    "BotDeriskStall": "position", "FundingRateHigh": "funding",
    "TickDurationHigh": "slow", "IndicatorComputeSlow": "slow",
    "ContainerDown": "down", "ContainerDied": "down", "ContainerRestartLoop": "loop", "ContainerOomKilled": "oom",
    "ContainerHighCpu": "container_cpu", "ContainerHighMemory": "container_memory", "ContainerUnhealthy": "unhealthy",
    "HighCpuUsage": "cpu", "HighMemoryUsage": "memory", "HighDiskUsage": "disk", "DiskAlmostFull": "disk",
    "HighNetworkErrorRate": "network", "PrometheusTargetDown": "scrape", "LogsStopped": "logs",
    "AlertingBlind": "blind", "Watchdog": "blind",
    "RedisDown": "redis", "RedisClientDisconnected": "redis", "RedisReconnectChurn": "redis",
    "RedisReadOnly": "redis_unwell", "RedisSlow": "redis_unwell", "RedisNotSaving": "redis_unwell",
    "RedisEvicting": "redis_unwell", "StreamLost": "bus_lost", "StreamGap": "bus_lost",
    "MarketDataStale": "bus_stale", "StreamGroupBehind": "behind", "DeadLetters": "dead_letters",
    "intent_rejected": "dead_letters", "portfolio_risk_action": "stop",
    # what shows without an alert, see ``troubles``
    "hard_stop": "stop", "frozen": "frozen", "not running": "down", "restart loop": "loop", "killed for memory": "oom",
    "unhealthy": "unhealthy", "Redis does not answer": "redis", "Redis unwell": "redis_unwell", "not scraped": "scrape",
    "disk nearly full": "disk", "CPU high": "cpu", "memory high": "memory", "many errors": "errors",
    "fees not resolved": "fees", "blind": "blind", "degraded mode": "degraded",
}  # fmt: skip
"""What each alert of the desk's rules and each signal of ours is about."""

_NEARLY_ALL = 0.75
"""Of its memory limit: below it a container is far from what its alert states (0.9)."""
_LAG = 60.0
"""How long after a thing began the minute, the scrape or the rule's evaluation can show it, in seconds."""
_LONG_PAUSE = 600.0
"""Half of the seconds that the alert of a long pause waits for: who pauses for less is not what it tells of."""
_COME_AND_GO = frozenset({"edge_gate_blocked", "high_vol", "market_spread_too_small"})
"""Reasons of a guard that holds a bot for minutes, many times a day."""
_SPIKE, _DISK, _BUSY, _WINDOW = 20, 0.93, 0.95, 900.0
DELAYS: Mapping[str, float] = {
    "BotNoFillsWhileRunning": 3600.0, "BotSoftPauseTooLong": 1200.0, "BotFeeSourceFallback": 1800.0,
    "BotNegativeEdgePersistent": 1500.0, "BotDailyPnlDrawdown": 300.0, "BotHardStopActive": 180.0,
    "BotLogErrorSpike": 300.0, "BotFrozen": 360.0, "ContainerDown": 180.0,
}  # fmt: skip
"""How long after its trouble began an alert fires, in seconds: what its rule waits for."""
STRANGE = "strange"
"""The family of what nobody wrote down."""
_PREFIXES = (("PaperExchange", "paper"), ("ControlPlane", "behind"))

BOT_TROUBLE = frozenset({"stop", "pause", "no_fills", "errors", "orders", "book", "position", "slow"})
"""What a bot that cannot trade as it should may show."""
GONE = frozenset({"down", "loop", "oom", "unhealthy", "frozen", "no_fills"})
"""What a process that does not live may show."""


def family(episode: Episode) -> str:
    """Return what an alert is about; ``strange`` where nobody wrote it down."""
    names = (episode.name, episode.labels.get("category", ""), known_name(episode.name))
    known = next((FAMILIES[name] for name in names if name in FAMILIES), None)
    if known is not None:
        return known
    if episode.source is Source.DEAD_LETTER:
        return "dead_letters"
    by_prefix = next((found for prefix, found in _PREFIXES if episode.name.startswith(prefix)), None)
    if by_prefix is not None or episode.source is not Source.ALERTMANAGER:
        return by_prefix or STRANGE
    topic = topic_of(episode.name, episode.subject.kind)
    return topic.family if topic is not None else STRANGE


def _by_words(episode: Episode) -> bool:
    """Say whether only the words of its name tell what an alert is about: then its condition is not known."""
    return known_name(episode.name) not in FAMILIES and family(episode) != "flaps"


def holds(facts: Facts, episode: Episode) -> bool | None:
    """Say whether what an alert states is so now, by fresh evidence; None where that cannot be told.

    An event happened: whether it holds is no question. What an alert states of which only the words are known may be
    another thing than what was measured: of ``RedisTooManyConnections`` it tells nothing that Redis answers.
    """
    if episode.is_event:
        return None
    found = _holds(facts, episode)
    return None if found is False and family(episode) != "pause" and _by_words(episode) else found


def _holds(facts: Facts, episode: Episode) -> bool | None:
    subject, about = episode.subject, family(episode)
    if subject.kind is SubjectKind.BOT:
        return _holds_of_bot(facts, subject.name, episode, about)
    if subject.kind is SubjectKind.CONTAINER:
        return _holds_of_container(facts, subject.name, about)
    if about in {"cpu", "memory", "disk"}:
        values = [host.get(about) for host in facts.hosts().values()]
        known = [value for value in values if value is not None]
        return max(known) > {"cpu": 0.8, "memory": 0.8, "disk": 0.78}[about] if known else None
    if about == "scrape":
        up = facts.data("watchers").get("target_up")
        names_it = episode.labels.get("job", "bot-metrics") == "bot-metrics"
        return (not up) if up is not None and names_it else None
    if about == "redis":
        reachable = facts.data("streams").get("reachable")
        return None if reachable is None else not reachable
    return None


def _holds_of_bot(  # noqa: PLR0911, C901 - a table of conditions
    facts: Facts, bot: str, episode: Episode, about: str
) -> bool | None:
    name = known_name(episode.name)
    if about in {"down", "loop", "oom", "unhealthy", "container_memory"}:
        return _holds_of_container(facts, facts.desk.container_of(bot), about)
    state = facts.state(bot)
    if about == "frozen" and name != "DailyStateStale":
        return None if state.get("age_seconds") is None else bool(state.get("frozen"))
    if about == "errors":
        counted = facts.data("error_logs").get("bots", {}).get(bot, {}).get("count")
        windows = facts.data("error_logs").get("window_seconds", _WINDOW) / _WINDOW
        return None if counted is None else counted > _SPIKE / 2 * max(1.0, windows)
    if about == "fees":
        kind = facts.data("fee_source").get("bots", {}).get(bot, {}).get("kind")
        return None if kind is None else kind != "api"
    if not state.get("state") or state.get("frozen") or state.get("age_seconds") is None:
        return None
    if about == "stop" and name in {"BotHardStopActive", "KillSwitchTriggered"}:
        return bool(state["state"] == "hard_stop")
    if about == "pause":
        return state["state"] == "soft_pause" and _paused_since(state, episode, facts.now)
    if about == "no_fills":
        return None if state["state"] == "running" else False
    if name == "BotNegativeEdgePersistent":
        return None if state.get("net_edge_15m") is None else state["net_edge_15m"] < 0
    if name == "BotDailyPnlDrawdown":
        return None if state.get("daily_pnl") is None else state["daily_pnl"] < -50  # noqa: PLR2004 - the rule's own limit
    return None


def _paused_since(state: Mapping[str, Json], episode: Episode, now: datetime) -> bool | None:
    """Say whether a pause is the one that the alert tells of: it is long, or it began before the alert did.

    A short pause comes every few minutes: that the present one began before the alert says nothing.
    """
    held, reasons = state.get("held_seconds"), set(state.get("reasons") or ())
    if held is None or held >= DELAYS["BotSoftPauseTooLong"]:
        return True
    everyday = bool(reasons) and reasons <= _COME_AND_GO
    earlier = held + _LAG >= (now - episode.starts_at).total_seconds()
    if earlier if not everyday else earlier and held >= _LONG_PAUSE:
        return True
    if held >= _LONG_PAUSE and not everyday:
        return True
    return None if state.get("held_at_least") else False


def brief_pause(facts: Facts, bot: str) -> bool:
    """Say whether a bot is known to be paused for a short while only."""
    now = facts.now_of(bot)
    held = now.get("held_seconds")
    return now.get("state") == "soft_pause" and held is not None and held < _LONG_PAUSE


def _holds_of_container(  # noqa: PLR0911 - a table of conditions
    facts: Facts, name: str, about: str
) -> bool | None:
    now = facts.container(name)
    if not now or (now.get("running") is None and not now.get("missing")):
        return None
    if about == "down":
        return not now.get("running")
    if about == "loop":
        return bool(now.get("looping")) or not now.get("running") or (now.get("restarts_hour") or 0) > 1
    if about == "oom":
        return bool(now.get("oom"))
    if about == "container_memory":
        return None if now.get("memory") is None else now["memory"] > _NEARLY_ALL
    if about == "unhealthy":
        return now.get("health") == "unhealthy" or not now.get("running")
    return None


def delay_seconds(facts: Facts) -> float:
    """Return how long before the first alert the trouble may have begun, by what its rule waits for."""
    first = min(
        (each for each in facts.episodes if not each.is_event), key=lambda each: each.starts_at, default=None
    )
    return DELAYS.get(first.name, 0.0) if first is not None else 0.0


def incident_signals(incident: Incident) -> tuple[Episode, ...]:
    """Return an incident's own name as its signals, where no alert of it is known."""
    return tuple(_signal(incident.name, subject, incident.opened_at) for subject in incident.subjects)


def troubles(facts: Facts) -> tuple[Episode, ...]:
    """Return what shows on the desk by itself, as signals: for who asks without an alert.

    A pause is usual; so is a single error. What fires for the bots counts as what it is.
    """
    found = [_signal(name, subject, facts.now) for name, subject in _troubles(facts)]
    fires = facts.data("scope").get("alerts", {}).items()
    found += [
        _signal(name, Subject(SubjectKind.BOT, who), facts.now)
        for name, whom in fires
        for who in whom
        if who in facts.bots
    ]
    return tuple(found)


def _troubles(facts: Facts) -> Iterator[tuple[str, Subject]]:
    for bot, state in facts.of_bots("bot_state"):
        yield from ((name, Subject(SubjectKind.BOT, bot)) for name in _bot_troubles(facts, bot, state))
    for container, now in facts.of_containers():
        subject = Subject(SubjectKind.CONTAINER, container)
        yield from ((name, subject) for name in _box_troubles(now))
    yield from ((name, Subject(SubjectKind.DESK, facts.desk.name)) for name in _desk_troubles(facts))


def _bot_troubles(facts: Facts, bot: str, state: Mapping[str, Json]) -> Iterator[str]:
    if state.get("frozen"):
        yield "frozen"
    elif state.get("state") == "hard_stop":
        yield "hard_stop"
    if facts.data("fee_source").get("bots", {}).get(bot, {}).get("kind") == "unresolved":
        yield "fees not resolved"
    log = facts.data("error_logs").get("bots", {}).get(bot, {})
    if (log.get("count") or 0) > _SPIKE and log["count"] > 3 * (log.get("usual") or 0):
        yield "many errors"


def _box_troubles(now: Mapping[str, Json]) -> Iterator[str]:
    if now.get("looping"):
        yield "restart loop"
    elif now.get("missing") or now.get("running") is False:
        yield "not running"
    if now.get("oom"):
        yield "killed for memory"
    if now.get("health") == "unhealthy":
        yield "unhealthy"


def _desk_troubles(facts: Facts) -> Iterator[str]:
    streams, watch = facts.data("streams"), facts.data("watchers")
    if facts.degraded_since is not None:
        yield "degraded mode"
    if streams.get("reachable") is False:
        yield "Redis does not answer"
    elif streams and (streams.get("role") != "master" or streams.get("persistence_ok") is False):
        yield "Redis unwell"
    if watch.get("target_up") is False:
        yield "not scraped"
    if "down" in {watch.get("prometheus"), watch.get("alertmanager"), watch.get("loki")} or watch.get(
        "rules_bad"
    ):
        yield "blind"
    for host in facts.hosts().values():
        if (host.get("disk") or 0) > _DISK:
            yield "disk nearly full"
        if (host.get("cpu") or 0) > _BUSY:
            yield "CPU high"
        if (host.get("memory") or 0) > _BUSY:
            yield "memory high"


def _signal(name: str, subject: Subject, at: datetime) -> Episode:
    return Episode(
        incident_id=0,
        source=Source.OPERATOR,
        episode=name,
        name=name,
        subject=subject,
        severity=Severity.SEV2,
        firing=True,
        starts_at=at,
        ends_at=None,
        last_seen_at=at,
    )
