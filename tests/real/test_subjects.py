"""What an alert is about: a scrape target is not a host, and nine things are not one."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from triage.desk import Desk
from triage.incidents.subjects import subject_of
from triage.model import Severity
from triage.playbooks.lookup import playbook_for

CASES: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("subjects.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["labels"].values()))
def test_an_alert_is_about_what_its_labels_name(case: dict[str, Any]) -> None:
    """Bot, container, service, family, target, host, desk: the first that says something."""
    subject = subject_of(case["labels"], Desk())
    assert [subject.kind.value, subject.name] == case["is"]


@pytest.mark.parametrize(
    ("alert", "row"),
    [
        ("PostgresReplicationLag", "Postgres"), ("OpsDbWriterStopped", "OpsDb"), ("MarketDataTrackingStale", "MarketData"),
        ("PromotionGateRed", "PromotionGate"), ("CoordinationTargetsStale", "Coordination"),
        ("ExporterScrapeErrors", "Exporter"), ("ControlPlaneAnything", "ControlPlane"),
        ("OpsDBWriterLate", "OpsDB"),
        ("PgReplicationLag", "Pg"), ("HostOutOfMemory", "Host"), ("NodeFilesystemAlmostOutOfSpace", "Node"),
        ("InstanceDown", "Instance"), ("PrometheusTargetMissing", "PrometheusTarget"), ("LokiRequestErrors", "Loki"),
        ("PGTooManyLocks", "PG"), ("SSLCertExpiry", "SSL"), ("KubePodCrashLooping", "KubePod"), ("KubeletDown", "Kubelet"),
        ("DockerContainerUnhealthy", "DockerContainer"), ("PostgreSQLSlowQueries", "PostgreSQL"), ("PodRestarting", "Pod"),
        ("KubeDaemonSetRolloutStuck", "KubeDaemonSet"), ("PrometheusAllTargetsMissing", "PrometheusAllTargets"),
        ("KillSwitchFired", "KillSwitchTriggered"), ("kill_switch_active", "KillSwitchTriggered"),
        ("KillSwitchArmed", "default"),
        ("BotKillSwitchTripped", "KillSwitchTriggered"), ("HardStopEngaged", "BotHardStopActive"),
        ("OrderRejectSpike", "Order"),
        ("ExchangeApiDown", "Exchange"), ("LiquidationRisk", "Liquidation"), ("WebsocketDisconnected", "Websocket"),
        ("DeadLetterRate", "DeadLetter"), ("KubeAPIDown", "Kube"), ("LogPanic", "Log"), ("LoginFailed", "default"),
        ("BlackboxProbeFailed", "Blackbox"), ("Bottleneck", "default"), ("Hostile", "default"),
    ],
)  # fmt: skip
def test_later_alerts_have_their_rows(alert: str, row: str) -> None:
    """By name or by the beginning of it; none falls to the default."""
    assert playbook_for(Desk(), alert).name == row


def test_what_stops_trading_is_grave() -> None:
    """A bot killed for memory, and a paper exchange that is gone."""
    desk = Desk()
    killed = playbook_for(desk, "ContainerOomKilled")
    assert killed.severity_of({"name": "hbot-bot1"}) is Severity.SEV1
    assert killed.severity_of({"name": "hbot-grafana"}) is Severity.SEV3
    for name in ("ContainerKilled", "ContainerOOMKilled", "ContainerOomKills", "PaperExchangeUnreachable"):
        assert playbook_for(desk, name).severity_of({"name": "hbot-bot1"}) is Severity.SEV1
    assert playbook_for(desk, "ContainerOOMKilled").severity_of({"name": "hbot-grafana"}) is Severity.SEV3
    assert playbook_for(desk, "PaperExchangeDown").severity_of({}) is Severity.SEV1
