"""What the doctor compares: labels of rules and series with desk.yaml, what is kept with what triage looks back."""

from collections.abc import Sequence
from typing import Any

import pytest

from bot.sources.alertmanager.source import SOURCE as ALERTMANAGER
from bot.sources.loki.retention import retention_of
from bot.sources.prometheus.labels import leading_nowhere
from bot.sources.times import span_seconds
from tests.fakes.sources import FakeAlerts, FakeMetrics, sample
from triage.desk import Desk
from triage.ports.sources import UNREADABLE_ALERT, RuleState, Sample
from triage.queries import logql

SERIES: dict[str, Sequence[Sample]] = {
    "hbot_bot_state": [sample(1, bot=bot) for bot in ("bot1", "bot2", "bot3")],
    "container_last_seen": [sample(1, name=f"hbot-{name}") for name in ("bot1", "bot2", "bot3", "redis")],
    "by (job)": [sample(1, job=job) for job in ("bot-metrics", "node")],
    "by (instance)": [sample(1, instance=name) for name in ("exporter:9400", "node-exporter:9100")],
}


def rule(query: str, name: str = "A", **labels: str) -> RuleState:
    """A rule that is loaded."""
    return RuleState(name, "inactive", "ok", labels=labels, query=query)


async def nowhere(*rules: RuleState, **series: Sequence[Sample]) -> str:
    """Return what leads nowhere, in one text."""
    metrics: Any = FakeMetrics(answers={**SERIES, **series})
    return "; ".join(await leading_nowhere(Desk(), metrics, rules))


@pytest.mark.parametrize(
    "query",
    [
        'hbot_bot_state{bot=~"bot[12]", state="hard_stop"} == 1',
        'time() - container_last_seen{name=~"hbot-.*"} > 60',
        'node_systemd_unit_state{name="docker.service", state="failed"} == 1',
        'up{job="node"} == 0 or up{instance="exporter:9400"} == 0',
        'rate(x{job!="gone"}[5m]) > 1',
        "hbot_bot_state{bot=~`bot.*`} == 1",
        'foo{bot="whatever"} > 1',
        "vector(1)",
    ],
)
async def test_a_rule_that_looks_for_what_is_there_is_fine(query: str) -> None:
    """By name or expression; a label that means something else in other series is left alone."""
    assert await nowhere(rule(query)) == ""


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('hbot_bot_state{bot="bot9"} == 1', 'bot="bot9"'),
        ('time() - container_last_seen{name=~"kzay-.*"} > 60', 'name=~"kzay-.*"'),
        ('absent(up{job="bot_metrics"})', 'job="bot_metrics"'),
        ("up{instance='exporter:9401'} == 0", "instance='exporter:9401'"),
    ],
)
async def test_a_rule_that_looks_for_what_no_series_has_is_named(query: str, words: str) -> None:
    """It never fires, and nothing else says so."""
    assert await nowhere(rule(query)) == f"{words}, which no series has, is looked for by the rule A"


async def test_labels_that_a_rule_sets_are_held_against_the_desk() -> None:
    """An alert with them would be about nobody; a template is filled by what fires."""
    found = await nowhere(
        rule("1", "B", bot="bot7"),
        rule("1", "C", service="tempo", team="x"),
        rule("1", "D", bot="{{ $labels.bot }}"),
    )
    assert found == (
        'bot="bot7", which desk.yaml does not know, is set by the rule B; '
        'service="tempo", which desk.yaml does not know, is set by the rule C'
    )


async def test_containers_under_another_name_are_told() -> None:
    """The bot runs, and cAdvisor calls it something else than desk.yaml does."""
    found = await nowhere(container_last_seen=[sample(1, name="bot1"), sample(1, name="redis")])
    assert "cAdvisor has no container hbot-bot1, hbot-bot2, hbot-bot3; it names bot1, redis" in found
    assert await nowhere(container_last_seen=[]) == ""


async def test_bots_are_compared_both_ways() -> None:
    """Those that only the series know, and those that they do not."""
    found = await nowhere(hbot_bot_state=[sample(1, bot="bot1"), sample(1, bot="hummingbot7")])
    assert "series of hummingbot7, which desk.yaml does not know" in found
    assert "no series in an hour of bot2, bot3" in found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15d", 1_296_000.0),
        ("744h0m0s", 2_678_400.0),
        ("1d12h", 129_600.0),
        ("0s", 0.0),
        ("10GiB", None),
        ("", None),
    ],
)
def test_lengths_of_time_are_read(text: str, seconds: float | None) -> None:
    """As Prometheus and Loki write them."""
    assert span_seconds(text) == seconds


LOKI = """\
target: all
limits_config:
  ingestion_rate_mb: 4
  retention_period: {period}
compactor:
  working_directory: /loki
  retention_enabled: {enabled}
table_manager:
  retention_deletes_enabled: {deletes}
  retention_period: 2d
"""


@pytest.mark.parametrize(
    ("period", "enabled", "deletes", "seconds"),
    [
        ("12h", "true", "false", 43_200.0),
        ("0s", "true", "false", None),
        ("12h", "false", "false", None),
        ("12h", "false", "true", 172_800.0),
    ],
)
def test_loki_s_retention_counts_where_something_deletes(
    period: str, enabled: str, deletes: str, seconds: float | None
) -> None:
    """The compactor, or the table manager of older ones; without either, lines are kept for ever."""
    assert retention_of(LOKI.format(period=period, enabled=enabled, deletes=deletes)) == seconds


STREAMS = """\
limits_config:
  retention_period: 31d
  retention_stream:
  - period: 6h
    priority: 1
    selector: '{namespace="dev"}'
  - period: 24h
    priority: 2
    selector: "{job=\\"bot_logs\\", level=\\"debug\\"}"
  - selector: '{job="bot_logs"}'
    priority: 2
    period: 2d
  - selector: '{job="bot_logs", bot="bot2"}'
    priority: 3
    period: 12h
  split_queries_by_interval: 30m
compactor:
  retention_enabled: true
"""


@pytest.mark.parametrize(
    ("streams", "hours"),
    [
        ('{job="bot_logs", bot="bot1"}', 24),
        ('{job="bot_logs", bot="bot2"}', 12),
        ('{job="bots", bot="bot1", namespace="live"}', 744),
        ("", 12),
    ],
)
def test_a_period_of_some_streams_counts_where_it_may_be_theirs(streams: str, hours: int) -> None:
    """By the labels that both name; the highest priority, and of those the shortest."""
    assert retention_of(STREAMS, streams) == hours * 3600.0


def test_the_selector_of_any_bot_keeps_the_other_labels() -> None:
    """So that only streams of bots are looked at."""
    assert logql.of_any_bot('{{job="bot_logs", bot="{bot}"}}') == ('{job="bot_logs", bot=~".+"}', "bot")
    assert logql.of_any_bot('{{job="{bot}-{bot}"}}') is None


async def test_an_alert_that_cannot_be_read_is_none_that_is_held() -> None:
    """The doctor counts the others, and warns."""
    alerts = FakeAlerts()
    alerts.hold(alertname="BotFrozen", bot="bot1")
    alerts.hold(alertname="BotFrozen", bot="bot2")
    assert (await ALERTMANAGER.look(Desk(), alerts)).seen == "ready, holds 2 alerts"
    alerts.held.append(UNREADABLE_ALERT)
    health = await ALERTMANAGER.look(Desk(), alerts)
    assert health.state == "warning"
    assert health.seen == "ready, holds 2 alerts; 1 of the 3 alerts that Alertmanager holds cannot be read"
