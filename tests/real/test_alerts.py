"""Alerts of well-known rule sets and of nobody's: subject, family, severity and the checks that are asked."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.fakes.episodes import firing
from triage.desk import Desk
from triage.diagnosis.symptoms import STRANGE, family
from triage.incidents.subjects import subject_of
from triage.model import Source, SubjectKind
from triage.playbooks.alert_words import TOPICS, topic_of, words_of
from triage.playbooks.lookup import playbook_for
from triage.playbooks.table import of_topic

CASES: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("alerts.yaml"))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIRST = {"bot": ("bot_state", "fee_source"), "container": ("container", "changes"), "host": ("host", "container"),
         "bus": ("streams", "container"), "watch": ("watchers", "bot_state"), "probe": ("bot_state", "error_logs"),
         "database": ("container", "changes")}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["labels"].values()))
def test_an_alert_is_understood_as_a_person_would(case: dict[str, Any]) -> None:
    """Each was judged before it was run."""
    desk, labels = Desk(), case["labels"]
    subject, playbook = subject_of(labels, desk), playbook_for(desk, labels["alertname"])
    assert [subject.kind.value, subject.name] == case["is"]
    assert family(firing(labels["alertname"], subject, NOW, labels=labels)) == case["family"]
    assert playbook.severity_of(labels, desk.severities).rank == case["severity"]
    assert playbook.checks[:2] == FIRST[case["asks"]]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("StaleOrderBook", "stale orderbook"), ("OOMKilled", "oom killed"), ("HTTP5xx", "http 5xx"),
        ("WSReconnects", "ws reconnects"), ("bot_paused", "bot paused"),
        ("RealizedPnLNegative", "realized pnl negative"), ("no-fills.2h", "no fills 2h"),
        ("BotNoTradesFor1h", "bot no trades for 1h"), ("", ""), ("ČSN", "čsn"),
    ],
)  # fmt: skip
def test_a_name_is_taken_apart_into_words(name: str, words: str) -> None:
    """However its writer joined them."""
    assert words_of(name) == words


@pytest.mark.parametrize(
    "name",
    ["Bottleneck", "LoginFailed", "SmartAttributeDrift", "VolumeAnomaly", "BotStopped", "FullMoon", "KillSwitchArmed",
     "DiskettesSold", "BotSettingsDiffer", "SomethingNew", ""],
)  # fmt: skip
def test_a_name_whose_words_tell_nothing_is_strange(name: str) -> None:
    """A part of a word is no word; "stopped" may be a guard, a person or a crash."""
    assert topic_of(name, SubjectKind.BOT) is None


def test_an_event_is_not_read_by_its_words() -> None:
    """A category of the audit stream is the desk's own word and no rule's name."""
    subject = subject_of({"bot": "bot1"}, Desk())
    assert family(firing("order_paused", subject, NOW, source=Source.AUDIT)) == STRANGE
    assert family(firing("order_paused", subject, NOW)) == "pause"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.pattern.pattern[:30])
def test_each_topic_has_a_playbook(topic: Any) -> None:  # noqa: ANN401 - a row of the table
    """With checks, advice, and a severity that is no graver without a label than with one."""
    playbook = of_topic(topic)
    assert playbook.checks
    assert playbook.advice.endswith(".")
    assert topic.gravest.rank <= topic.usual.rank
