"""The Prometheus stand-in with a clock that a test moves: scraping, rules, and what Alertmanager is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.clock import ManualClock
from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.local_server import Fault
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.promql_values import Sample
from demo.servers.scraping import Target

RULES = """
groups:
  - name: desk
    rules:
      - {alert: SoftPauseTooLong, expr: 'hbot_state{state="soft_pause"} == 1', for: 20m, labels: {severity: warning}}
      - {alert: Sticky, expr: 'hbot_state{state="hard_stop"} == 1', keep_firing_for: 10m}
      - {alert: Broken, expr: 'hbot_state * on () hbot_state'}
"""
AM = "{route: {receiver: none}, receivers: [{name: none}]}"


@dataclass(slots=True)
class Bot:
    """A bot whose metrics a test sets."""

    soft_pause: int = 0
    hard_stop: int = 0
    down: bool = False

    def metrics(self) -> str:
        """Give exposition text. Raises OSError while it is down."""
        if self.down:
            raise OSError("connection refused")
        return (
            f'hbot_state{{bot="bot1",state="soft_pause"}} {self.soft_pause}\n'
            f'hbot_state{{bot="bot1",state="hard_stop"}} {self.hard_stop}\n'
        )


@dataclass(slots=True)
class Desk:
    """A bot, its Prometheus and its Alertmanager on one clock."""

    bot: Bot
    clock: ManualClock
    prometheus: PrometheusServer
    alertmanager: AlertmanagerServer

    async def pass_time(self, seconds: float) -> None:
        """Let time pass in steps of 15 seconds."""
        for _ in range(round(seconds / 15)):
            self.clock.advance(15)
            await self.prometheus.tick()

    def states(self) -> dict[str, str]:
        """Give the state of each active alert."""
        return {a.labels["alertname"]: a.state for _, a in self.prometheus.engine.active()}

    def told(self) -> dict[str, bool]:
        """Give what Alertmanager knows: alert name to whether it is resolved."""
        now = self.alertmanager.now_ns()
        return {a.labels["alertname"]: a.resolved(now) for a in self.alertmanager.dispatcher.alerts.values()}

    def value(self, query: str) -> list[float]:
        """Ask an instant query; give the values."""
        found = self.prometheus.evaluator.instant(query, round(self.clock.now() * 1000))
        assert isinstance(found, list)
        return [s.value for s in found if isinstance(s, Sample)]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Give a desk with its rules loaded."""
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    bot, clock = Bot(), ManualClock()
    async with AlertmanagerServer(AM, clock) as alertmanager:
        config = PrometheusConfig(
            targets=[Target("bot-metrics", "exporter:9400", bot.metrics)],
            rule_files=[rules],
            alertmanager_url=alertmanager.url,
        )
        async with PrometheusServer(config, clock) as prometheus:
            yield Desk(bot, clock, prometheus, alertmanager)


async def test_an_alert_waits_its_time_fires_and_resolves(desk: Desk) -> None:
    """Pending for twenty minutes of the clock, then firing, then gone and told as resolved."""
    desk.bot.soft_pause = 1
    await desk.pass_time(19 * 60)
    assert desk.states() == {"SoftPauseTooLong": "pending"}
    assert desk.told() == {}
    await desk.pass_time(90)
    assert desk.states() == {"SoftPauseTooLong": "firing"}
    assert desk.told() == {"SoftPauseTooLong": False}
    assert desk.value('ALERTS{alertstate="firing"}') == [1.0]
    desk.bot.soft_pause = 0
    await desk.pass_time(15)
    assert desk.states() == {}
    assert desk.told() == {"SoftPauseTooLong": True}
    assert desk.value("ALERTS") == []


async def test_a_condition_that_ends_before_its_time_never_fires(desk: Desk) -> None:
    """The clock of `for` starts anew."""
    for _ in range(3):
        desk.bot.soft_pause = 1
        await desk.pass_time(15 * 60)
        desk.bot.soft_pause = 0
        await desk.pass_time(15)
    assert desk.states() == {}
    assert desk.told() == {}


async def test_a_firing_alert_is_sent_again_so_that_alertmanager_does_not_forget_it(desk: Desk) -> None:
    """Still known as firing after an hour, though each post ends after four minutes."""
    desk.bot.hard_stop = 1
    await desk.pass_time(3600)
    assert desk.told() == {"Sticky": False}
    desk.prometheus.alertmanager_url = ""
    await desk.pass_time(300)
    assert desk.told() == {"Sticky": True}


async def test_an_alert_is_kept_firing_for_as_long_as_its_rule_says(desk: Desk) -> None:
    """Ten minutes after the condition ended, and not if it came back in between."""
    desk.bot.hard_stop = 1
    await desk.pass_time(60)
    desk.bot.hard_stop = 0
    await desk.pass_time(9 * 60)
    assert desk.states() == {"Sticky": "firing"}
    await desk.pass_time(120)
    assert desk.states() == {}
    assert desk.told() == {"Sticky": True}


async def test_what_alertmanager_missed_is_sent_when_it_answers_again(desk: Desk) -> None:
    """A failed post is counted and made good a minute later."""
    desk.alertmanager.faults.add(Fault("status", "/api/v2/alerts", status=500, times=1))
    desk.bot.hard_stop = 1
    await desk.pass_time(30)
    assert (desk.prometheus.notify_errors, desk.told()) == (1, {})
    await desk.pass_time(75)
    assert desk.told() == {"Sticky": False}


async def test_a_target_that_is_down_takes_its_series_away_at_once(desk: Desk) -> None:
    """`up` is 0 and nothing lingers for five minutes; it comes back with the target."""
    await desk.pass_time(30)
    assert len(desk.value("hbot_state")) == 2
    desk.bot.down = True
    await desk.pass_time(15)
    assert desk.value("hbot_state") == []
    assert desk.value("up") == [0.0]
    assert desk.value("up == 0 and on () vector(1)") == [0.0]
    desk.bot.down = False
    await desk.pass_time(15)
    assert desk.value("up") == [1.0]


async def test_a_rule_that_cannot_be_evaluated_is_counted_and_named(desk: Desk) -> None:
    """Its health is `err`, its group counts failures, the other rules go on."""
    await desk.pass_time(60)
    broken = desk.prometheus.engine.groups[0].rules[2]
    assert broken.health == "err"
    assert "many-to-many matching not allowed" in broken.last_error
    assert desk.value("prometheus_rule_evaluation_failures_total")[0] >= 3
    assert desk.prometheus.engine.groups[0].rules[0].health == "ok"


async def test_bad_rules_leave_the_old_ones_and_say_so(desk: Desk) -> None:
    """A reload that fails is a metric, and keeps what was loaded."""
    desk.prometheus.config.rule_files[0].write_text("groups: [{name: x, rules: [{alert: A, expr: 'sum('}]}]")
    assert not desk.prometheus.reload()
    assert "unclosed" in desk.prometheus.reload_error
    await desk.pass_time(15)
    assert desk.value("prometheus_config_last_reload_successful") == [0.0]
    assert [r.spec.alert for r in desk.prometheus.engine.groups[0].rules] == [
        "SoftPauseTooLong",
        "Sticky",
        "Broken",
    ]
    desk.prometheus.config.rule_files[0].write_text("groups: [{")
    assert not desk.prometheus.reload(), "no YAML at all"
    assert "flow mapping" in desk.prometheus.reload_error or "flow node" in desk.prometheus.reload_error
    desk.prometheus.config.rule_files[0].write_text("groups: []")
    assert desk.prometheus.reload()
    await desk.pass_time(15)
    assert desk.value("prometheus_config_last_reload_successful") == [1.0]
