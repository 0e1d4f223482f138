"""The shipped playbooks: one row for every alert the desk's rules know, and a row per source for the rest.

Severity follows the desk's own scale: Sev-1 trading safety at risk, Sev-2 execution degraded but
controlled, Sev-3 observability and tooling.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from triage.drill_alert import ALERTNAME
from triage.model import Severity, Source
from triage.playbooks.alert_words import TOPICS, Topic
from triage.playbooks.model import BOT_DASHBOARD, DESK_DASHBOARD, Playbook

_S1, _S2, _S3 = Severity.SEV1, Severity.SEV2, Severity.SEV3

_BOT = (
    "bot_state",
    "fee_source",
    "error_logs",
    "container",
    "changes",
    "host",
    "scope",
    "watchers",
    "streams",
    "audit_trail",
)
_CODE = (*_BOT[:5], "bytecode", *_BOT[5:])
_CONTAINER = (
    "container",
    "changes",
    "bot_state",
    "error_logs",
    "host",
    "scope",
    "watchers",
    "streams",
    "audit_trail",
)
_HOST = ("host", "container", "bot_state", "scope", "watchers")
_CLOCK = ("host", "container", "bot_state", "error_logs", "scope", "watchers")
_BUS = (
    "streams",
    "container",
    "changes",
    "bot_state",
    "error_logs",
    "host",
    "scope",
    "watchers",
    "audit_trail",
)
_DATABASE = ("container", "changes", "host", "bot_state", "scope", "watchers")
_WATCH = ("watchers", "bot_state", "container", "host", "scope")

_PROBED = ("bot_state", "error_logs", "container", "host", "scope", "watchers")

_CONTROLLED_STOP = "Leave it stopped until the cause is known; nothing to restart while a risk limit holds."


def _row(
    name: str,
    title: str,
    severity: Severity | None,
    checks: tuple[str, ...],
    advice: str,
) -> Playbook:
    board = BOT_DASHBOARD if checks in {_BOT, _CODE} else DESK_DASHBOARD
    return Playbook(
        name=name,
        title="{subject} " + title,
        severity=severity,
        checks=checks,
        actions=(),
        advice=advice,
        dashboard=board,
    )


_ROWS = (
    # bots
    _row("BotHardStopActive", "in hard stop", _S1, _CODE, _CONTROLLED_STOP),
    _row("BotSoftPauseTooLong", "paused for too long", _S2, _BOT,
         "Look at the pause's reason: an edge gate or high volatility ends by itself, a band or a bus outage does not."),
    _row("BotNoFillsWhileRunning", "runs without fills", _S2, _CODE,
         "Compare spread and net edge with the market, then look for order errors in the log."),
    _row("BotNegativeEdgePersistent", "net edge below 0", _S2, _BOT,
         "Check the fee source before touching strategy thresholds; pause if the edge stays negative."),
    _row("BotFeeSourceFallback", "fees from a fallback", _S2, _BOT,
         "Find out why the exchange's fee query fails before adjusting strategy thresholds."),
    _row("BotDailyPnlDrawdown", "daily loss", _S1, _BOT,
         "Pause the bot if it still trades, and review the fills before it may resume."),
    _row("BotLogErrorSpike", "error spike in the log", _S2, _CODE,
         "Read the new templates first: they name what broke."),
    _row("BotFrozen", "frozen", _S1, _CODE,
         "Its state on show is old: look at the exchange for open orders, then restart it."),
    _row("DailyStateStale", "daily state stale", _S2, _BOT,
         "Check that the bot still writes its files and the disk has room."),
    _row("MinutePipelineStale", "minute pipeline stale", _S2, _BOT,
         "Check that the bot still writes minute.csv and the exporter reads it."),
    _row("OrderBookStale", "order book stale", _S1, _BOT,
         "It quotes on old prices: pause it until the stream is back."),
    _row("PositionDriftHigh", "position drift", _S1, _BOT,
         "Compare the exchange's balances with the bot's before it may trade on."),
    _row("MarginRatioLow", "margin ratio low", _S1, _BOT,
         "Reduce the position or add margin by hand now."),
    _row("ExchangeOrderFailureSpike", "order failures", _S1, _BOT,
         "Check the exchange's status page and our rate limits; pause while orders fail."),
    _row("TickDurationHigh", "ticks take too long", _S2, _BOT, "Look for a busy host or a slow connector."),
    _row("KillSwitchTriggered", "kill switch", _S1, _CODE,
         "Somebody or a guard pulled it: find out who and why in the audit stream before anything is resumed."),
    _row("BotDeriskStall", "derisking stalls", _S1, _BOT,
         "The position does not shrink as it should: look for failing orders, reduce by hand if needed."),
    _row("WsReconnectSpike", "websocket reconnects", _S2, _BOT,
         "Check the exchange's status and the host's network."),
    _row("FundingRateHigh", "funding rate high", _S3, _BOT,
         "Holding the position is dear: review its side and size."),
    _row("RealizedPnlNegative", "realized PnL negative", _S2, _BOT,
         "Review the fills and the fee source."),
    _row("IndicatorComputeSlow", "indicators slow", _S3, _BOT, "Look for a busy host."),
    _row("ConnectorIOSlow", "connector slow", _S2, _BOT,
         "Check the exchange's status and the host's network."),
    # containers
    *(
        _row(name, "container down", _S1, _CONTAINER,
             "Read its last log lines and exit code, then bring it up again.")
        for name in ("ContainerDown", "ContainerKilled", "ContainerExited", "DockerContainerDown")
    ),
    _row("ContainerRestartLoop", "restart loop", _S1, _CONTAINER,
         "It dies again and again: find the cause before restarting it once more."),
    _row("ContainerOomKilled", "killed for memory", _S1, _CONTAINER,
         "It hit its memory limit: find the growth, or raise the limit, before it trades on."),
    _row("ContainerHighCpu", "container CPU high", _S3, _CONTAINER,
         "See what it computes; compare with the other bots."),
    _row("ContainerHighMemory", "container memory high", _S3, _CONTAINER,
         "It will meet its limit: plan a restart in a quiet time."),
    # host
    _row("HighCpuUsage", "CPU high", _S3, _HOST, "Find the container that takes it."),
    _row("HighMemoryUsage", "memory high", _S2, _HOST,
         "Find the container that grows before the kernel picks one."),
    _row("HighDiskUsage", "disk filling", _S3, _HOST, "Clear old logs and images before it is full."),
    _row("DiskAlmostFull", "disk almost full", _S1, _HOST,
         "Free space now: full, neither Redis nor the bots can write, and no backup can be made."),
    _row("HighNetworkErrorRate", "network errors", _S3, _HOST, "Check the interface and the provider."),
    # what watches and what connects
    _row("PrometheusTargetDown", "gives no metrics", _S3, _WATCH,
         "Bring the exporter back: until then its alerts are blind."),
    _row("RedisClientDisconnected", "Redis disconnected", _S1, _BUS,
         "If Redis is down: degraded mode, with the local safeguards active."),
    _row("RedisReconnectChurn", "Redis reconnects", _S2, _BUS,
         "Check Redis' memory and the host before it goes down for good."),
    *(
        _row(name, "paper exchange down", _S1, _BUS,
             "The bots' paper orders go nowhere and their fills stand still: bring its service back first.")
        for name in (
            "PaperExchangeDown", "PaperExchangeServiceDown", "PaperExchangeUnavailable", "PaperExchangeUnreachable",
            "PaperExchangeOffline", "PaperExchangeAbsent", "PaperExchangeNotRunning",
        )
    ),
    _row("PostgresDown", "Postgres down", _S2, _DATABASE,
         "What the desk records waits for it: look at its container and the disk."),
    # our own signals
    replace(
        _row(ALERTNAME, "", _S3, ("watchers",), "Nothing is wrong and nobody has to do anything: it ends by itself."),
        title="Drill: a test alert, nothing is wrong",
        only_actions=True,
    ),
    _row("RedisDown", "Redis down", _S1, _BUS,
         "Degraded mode: run without the external stack, local safeguards active."),
    _row("RedisReadOnly", "Redis takes no writes", _S1, _BUS,
         "Find out who made it a replica or filled its memory."),
    _row("RedisSlow", "Redis slow", _S2, _BUS, "Look at its memory and the host's disk."),
    _row("RedisNotSaving", "Redis cannot save", _S2, _BUS,
         "Look at the disk: what Redis holds would not survive a restart."),
    _row("RedisEvicting", "Redis drops keys", _S2, _BUS, "Raise maxmemory or find what grew."),
    _row("StreamLost", "stream or group lost", _S2, _BUS,
         "Find out whether Redis was flushed or restored: the desk's own consumers lost their place too."),
    _row("StreamGap", "entries lost to trimming", _S2, _BUS,
         "More was written than we could read: what we show has a gap."),
    _row("MarketDataStale", "market data stands still", _S2, _BUS,
         "The bots run but publish nothing: look at their bus connection and at Redis."),
    _row("StreamGroupBehind", "services fall behind", _S2, _BUS,
         "Signals and risk decisions come late: look at the external services."),
    _row("DeadLetters", "too many dead letters", _S2, _BUS,
         "Read the reasons: a schema that changed, or intents that come too late."),
    _row("ContainerDied", "container died", _S2, _CONTAINER,
         "Read its exit code and last log lines; see whether it came back."),
    _row("ContainerUnhealthy", "container unhealthy", _S2, _CONTAINER,
         "Its health check fails: read its log before restarting it."),
    _row("AlertingBlind", "alerting is blind", _S2, _WATCH,
         "No alert would reach us now: check Prometheus, Alertmanager and the route of the Watchdog."),
    _row("LogsStopped", "logs do not reach Loki", _S3, _CONTAINER,
         "Look at the log shipper; until it ships again read the logs on the host."),
    _row("TriageImpaired", "is impaired", _S3, _WATCH,
         "See /readyz of hbot-triage, and hbot-triage doctor for the mend."),
    _row("kill_switch", "kill switch", _S1, _CODE,
         "Somebody or a guard pulled it: find out who and why before anything is resumed."),
)  # fmt: skip

BY_NAME = {row.name: row for row in _ROWS}

BY_PREFIX = {
    row.name: row
    for row in (
        _row("PaperExchange", "paper exchange: {alert}", _S2, _BUS,
             "Look at the paper exchange's service and its audit events."),
        _row("Postgres", "{alert}", _S2, _DATABASE,
             "Look at the database's container, its disk and its connections: what the desk records waits for it."),
        *(
            _row(name, "ops database: {alert}", _S3, _DATABASE,
                 "The bots trade on, their history has a gap: look at the writer's log, then at Postgres.")
            for name in ("OpsDb", "OpsDB")
        ),
        _row("MarketData", "market data: {alert}", _S2, _BUS,
             "Signals rest on it: look at the market data's service and at Redis before trusting an edge."),
        _row("DataTracking", "data tracking: {alert}", _S3, _BUS,
             "What is recorded has a gap: look at the recorder's service and the disk."),
        _row("Coordination", "coordination: {alert}", _S2, _BUS,
             "Targets and intents come from it: look at the coordination service's log and at Redis."),
        _row("Exporter", "{alert}", _S3, _WATCH,
             "Figures may be old or missing: look at the exporter's log and the files it reads."),
        _row("MetricsExporter", "{alert}", _S3, _WATCH,
             "Figures may be old or missing: look at the exporter's log and the files it reads."),
        _row("BotMetricsExporter", "{alert}", _S3, _WATCH,
             "Figures may be old or missing: look at the exporter's log and the files it reads."),
        _row("Scrape", "{alert}", _S3, _WATCH, "Figures may be missing: look at the target and the network to it."),
        *(
            _row(name, "gates: {alert}", _S3, _BUS,
                 "A gate of the desk's release process fails: read its report; nothing trades differently because of it.")
            for name in ("Gate", "PromotionGate", "ReleaseGate", "StrictGate", "ReadinessGate")
        ),
        _row("ControlPlane", "control plane: {alert}", _S2, _BUS,
             "Look at the control services and their log."),
        _row("Redis", "{alert}", _S2, _BUS, "Look at Redis: reachability, memory, role."),
        *(
            _row(name, "killed for memory", _S1, _CONTAINER,
                 "It hit its memory limit: find the growth, or raise the limit, before it trades on.")
            for name in ("ContainerOom", "ContainerOOM")
        ),
        *(
            _row(name, "{alert}", None, _CONTAINER, "Read its log and exit code.")
            for name in ("Container", "DockerContainer", "KubePod", "KubeContainer", "KubeDeployment", "KubeStatefulSet",
                         "KubeDaemonSet", "KubeJob", "Pod", "CPUThrottling")
        ),
        *(
            _row(name, "{alert}", _S2, _DATABASE,
                 "Look at the database's container, its disk and its connections: what the desk records waits for it.")
            for name in ("Pg", "PG", "PostgreSQL")
        ),
        *(
            _row(name, "{alert}", None, _HOST, "Look at the host: its disk, its memory, its processor, its clock.")
            for name in ("Host", "Node", "Disk", "Filesystem", "Systemd", "Clock", "Smart", "Raid", "HighCpu", "HighMemory",
                         "HighDisk", "HighNetwork", "Windows", "Zfs", "Ups", "Docker", "KubeNode", "Kubelet", "OutOfDisk",
                         "HighLoad", "MemoryPressure", "Swap")
        ),
        *(
            _row(name, "{alert}", None, _WATCH, "Figures may be missing: look at the target and the network to it.")
            for name in ("Target", "Instance", "PrometheusTarget", "PrometheusAllTargets", "PrometheusJob")
        ),
        *(
            _row(name, "{alert}", None, _WATCH, "What watches the desk fails: look at its container and its log.")
            for name in ("Prometheus", "Alertmanager", "Loki", "Promtail", "Grafana", "Cadvisor", "cAdvisor")
        ),
        *(
            _row(name, "{alert}", None, _PROBED, "Asked from outside, it does not answer: look at its address and route.")
            for name in ("Blackbox", "Probe", "Endpoint", "SSL", "Ssl", "TLS", "Certificate", "ICMP", "Ping")
        ),
        *(
            _row(name, "{alert}", None, _BOT,
                 "Check the exchange's status page, our rate limits and the order errors in the log.")
            for name in ("Exchange", "Order", "Ws", "WebSocket", "Websocket", "Connector", "RateLimit")
        ),
        *(
            _row(name, "{alert}", None, _BOT,
                 "Compare the exchange's balances and position with the bot's; pause it while they differ.")
            for name in ("Position", "Margin", "Liquidation", "Balance", "Equity", "Pnl", "PnL", "Drawdown", "DailyLoss",
                         "DailyPnl")
        ),
        *(
            _row(name, "{alert}", None, _BUS, "Look at Redis and at the service that reads the stream.")
            for name in ("Stream", "DeadLetter", "Intent")
        ),
        *(
            _row(name, "{alert}", None, _CODE, "Read the new templates first: they name what broke.")
            for name in ("Log", "ErrorLog", "HighErrorLog")
        ),
        _row("Kube", "{alert}", None, _HOST, "Look at the cluster's own services and at the node."),
        _row("Bot", "{alert}", None, _CODE,
             "Check state and net edge, then the fee source, then the error log."),
    )
}  # fmt: skip

_HAPPENED = r"_?(?:triggered|fired|tripped|activ(?:e|ated?)|engaged|entered|pulled|hit|on)?"
_SAME = (
    (re.compile(rf"(?:bot_?)?kill_?switch{_HAPPENED}", re.IGNORECASE), "KillSwitchTriggered"),
    (re.compile(rf"(?:bot_?)?hard_?stop{_HAPPENED}", re.IGNORECASE), "BotHardStopActive"),
    (
        re.compile(
            r"redis_?(?:is_?)?(?:down|unreachable|unavailable|offline|absent|not_?running)", re.IGNORECASE
        ),
        "RedisDown",
    ),
)


def known_name(alertname: str) -> str:
    """Return the name that the desk's own rules have for an alert: a kill switch is triggered, fired, or tripped."""
    return next((name for pattern, name in _SAME if pattern.fullmatch(alertname)), alertname)


DEFAULT = _row(
    "default",
    "{alert}",
    None,
    _BOT,
    "No playbook is written for this one: check state and net edge, the fee source, the error log, the containers.",
)

CONTAINER_CHECKS = _CONTAINER
_CHECKS = {
    "bot": _CODE, "container": _CONTAINER, "host": _HOST, "bus": _BUS, "watch": _WATCH, "probe": _PROBED,
    "database": _DATABASE, "clock": _CLOCK,
}  # fmt: skip


@lru_cache(maxsize=len(TOPICS))
def of_topic(topic: Topic) -> Playbook:
    """Return the playbook of what an alert is about by the words of its name; it has the name of the family."""
    row = _row(topic.family, "{alert}", None, _CHECKS[topic.checks], topic.advice)
    return replace(row, usual=topic.usual, gravest=topic.gravest)


BY_SOURCE = {
    Source.AUDIT: _row("audit", "{alert}", None, _CODE, "Follow the correlation ids in the audit stream."),
    Source.DEAD_LETTER: _row(
        "dead_letter",
        "{alert}",
        _S2,
        _BUS,
        "Read the reasons: a schema that changed or an intent that came too late.",
    ),
    Source.CONTAINER: _row("container", "{alert}", _S2, _CONTAINER, "Read its exit code and last log lines."),
    Source.STREAMS: _row("streams", "{alert}", _S2, _BUS, "Check Redis and the external services."),
    Source.WATCHDOG: _row(
        "watchdog",
        "{alert}",
        _S2,
        _WATCH,
        "Alerting may be blind: check Prometheus and Alertmanager.",
    ),
    Source.CHECKLIST: _row("checklist", "{alert}", _S3, _BOT, "See the checklist's failed items."),
}
