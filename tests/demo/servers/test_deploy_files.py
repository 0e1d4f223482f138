"""The rules and the Alertmanager configuration the project ships: good for the real tools, and true to the desk."""

import shutil
import subprocess
from pathlib import Path

import pytest

from demo.servers.am_config import build_route, load_config
from demo.servers.rules import load

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus" / "desk-rules.yml"
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"
DESK = {
    "BotHardStopActive": (180, "critical"),
    "BotSoftPauseTooLong": (1200, "warning"),
    "BotNoFillsWhileRunning": (1800, "warning"),
    "BotNegativeEdgePersistent": (600, "warning"),
    "BotFeeSourceFallback": (1800, "warning"),
    "BotDailyPnlDrawdown": (300, "critical"),
    "BotLogErrorSpike": (300, "warning"),
    "ContainerDown": (120, "critical"),
    "BotFrozen": (120, "critical"),
}
SEVERITIES = {
    "critical": {"ContainerRestartLoop", "ContainerOomKilled", "DiskAlmostFull", "KillSwitchTriggered"},
    "warning": {
        *("ContainerHighCpu", "ContainerHighMemory", "HighCpuUsage", "HighMemoryUsage", "HighDiskUsage"),
        *("HighNetworkErrorRate", "PrometheusTargetDown"),
    },
    "none": {"Watchdog"},
}


@pytest.mark.parametrize(
    "command",
    [("promtool", "check", "rules", str(RULES)), ("amtool", "check-config", str(ALERTMANAGER))],
    ids=["promtool", "amtool"],
)
def test_the_real_tools_accept_the_file(command: tuple[str, ...]) -> None:
    """What Prometheus' and Alertmanager's own checkers say."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on PATH")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_the_rules_are_the_desks() -> None:
    """Waiting time and severity of each alert the desk names."""
    rules = {r.spec.alert: r for group in load(RULES, 15.0) for r in group.rules}
    assert {n: (rules[n].hold, rules[n].spec.labels["severity"]) for n in DESK} == DESK
    for severity, names in SEVERITIES.items():
        assert {rules[n].spec.labels["severity"] for n in names} == {severity}
    assert all({"summary", "description"} <= r.spec.annotations.keys() for r in rules.values())


def test_the_routes_are_the_desks() -> None:
    """Grouping and intervals; critical alerts are repeated hourly, the Watchdog at every flush."""
    config, _ = load_config(ALERTMANAGER)
    root = build_route(config.route)
    (warning,) = root.matching({"alertname": "X", "severity": "warning"})
    (critical,) = root.matching({"alertname": "X", "severity": "critical"})
    (watchdog,) = root.matching({"alertname": "Watchdog", "severity": "none"})
    assert warning.group_by == critical.group_by == frozenset({"alertname", "severity"})
    assert (warning.group_wait, warning.group_interval, warning.repeat_interval) == (30, 300, 4 * 3600)
    assert (critical.group_wait, critical.group_interval, critical.repeat_interval) == (30, 300, 3600)
    assert watchdog.repeat_interval < watchdog.group_interval == 60
    (webhook,) = config.receivers[0].webhook_configs
    assert webhook.url == "http://127.0.0.1:8085/webhooks/alertmanager"
    assert webhook.http_config.authorization is not None
    assert webhook.http_config.authorization.credentials_file
