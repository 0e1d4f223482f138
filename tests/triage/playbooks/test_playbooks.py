"""Playbooks: one for every alert of the desk, overridable, and a wrong override is named at the start."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.episodes import firing
from triage.desk import Desk
from triage.desk_sections.triage import PlaybookSettings
from triage.diagnosis.checks import CHECKS
from triage.diagnosis.playbook_settings import validate_playbooks
from triage.diagnosis.symptoms import family
from triage.errors import SettingError
from triage.incidents.subjects import subject_of
from triage.model import Severity, Source, Subject, SubjectKind
from triage.playbooks.lookup import playbook_for
from triage.playbooks.table import BY_NAME, BY_PREFIX, BY_SOURCE, DEFAULT

NAMED = [
    "BotHardStopActive",
    "BotSoftPauseTooLong",
    "BotNoFillsWhileRunning",
    "BotNegativeEdgePersistent",
    "BotFeeSourceFallback",
    "BotDailyPnlDrawdown",
    "BotLogErrorSpike",
    "ContainerDown",
    "ContainerRestartLoop",
    "ContainerHighCpu",
    "ContainerHighMemory",
    "ContainerOomKilled",
    "HighCpuUsage",
    "HighMemoryUsage",
    "HighDiskUsage",
    "DiskAlmostFull",
    "HighNetworkErrorRate",
    "PrometheusTargetDown",
    "BotFrozen",
    "DailyStateStale",
    "MinutePipelineStale",
    "OrderBookStale",
    "PositionDriftHigh",
    "MarginRatioLow",
    "ExchangeOrderFailureSpike",
    "TickDurationHigh",
    "KillSwitchTriggered",
    "BotDeriskStall",
    "WsReconnectSpike",
    "FundingRateHigh",
    "RealizedPnlNegative",
    "IndicatorComputeSlow",
    "ConnectorIOSlow",
    "RedisReconnectChurn",
    "RedisClientDisconnected",
]


@pytest.mark.parametrize("name", NAMED)
def test_every_alert_of_the_desk_has_a_playbook_of_its_own(name: str) -> None:
    """With a plain title, a severity and advice."""
    playbook = playbook_for(Desk(), name)
    assert playbook.name == name
    assert playbook.severity is not None
    assert playbook.advice.endswith(".")
    title = playbook.title_for("bot1", name)
    assert title.startswith("bot1 ")
    assert name not in title


@pytest.mark.parametrize("playbook", [*BY_NAME.values(), *BY_PREFIX.values(), *BY_SOURCE.values(), DEFAULT])
def test_what_is_shipped_names_only_checks_and_actions_that_exist(playbook: object) -> None:
    """As strict with ourselves as with desk.yaml."""
    assert playbook.checks  # type: ignore[attr-defined]
    assert set(playbook.checks) <= set(CHECKS)  # type: ignore[attr-defined]
    PlaybookSettings(actions=playbook.actions)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("alert", "source", "name"),
    [
        ("PaperExchangeRejects", Source.ALERTMANAGER, "PaperExchange"),
        ("ControlPlaneLag", Source.ALERTMANAGER, "ControlPlane"),
        ("BotSomethingNew", Source.ALERTMANAGER, "Bot"),
        ("NobodyKnowsThis", Source.ALERTMANAGER, "default"),
        ("kill_switch", Source.AUDIT, "kill_switch"),
        ("intent_rejected", Source.AUDIT, "audit"),
        ("schema_validation", Source.DEAD_LETTER, "dead_letter"),
        ("die", Source.CONTAINER, "container"),
    ],
)
def test_others_go_by_prefix_by_source_or_to_the_default(alert: str, source: Source, name: str) -> None:
    """A new alert still gets a thread and a triage."""
    assert playbook_for(Desk(), alert, source).name == name


def test_the_severity_of_an_unknown_alert_follows_its_label() -> None:
    """Critical is Sev-2 until somebody decides that it is more."""
    playbook = playbook_for(Desk(), "NobodyKnowsThis")
    assert playbook.severity_of({"severity": "critical"}) is Severity.SEV2
    assert playbook.severity_of({"severity": "warning"}) is Severity.SEV3
    assert playbook.severity_of({}) is Severity.SEV3


def test_a_dashboard_s_container_does_not_wake_anybody() -> None:
    """The bot's container down is Sev-1, Grafana's is Sev-3."""
    playbook = playbook_for(Desk(), "ContainerDown")
    assert playbook.severity_of({"name": "hbot-bot1"}) is Severity.SEV1
    assert playbook.severity_of({"name": "hbot-grafana"}) is Severity.SEV3
    chosen = Desk(playbooks={"ContainerDown": PlaybookSettings(severity=Severity.SEV1)})
    assert playbook_for(chosen, "ContainerDown").severity_of({"name": "hbot-grafana"}) is Severity.SEV1


def test_desk_yaml_overrides_what_it_names_and_leaves_the_rest() -> None:
    """A playbook of one's own for an alert of one's own, and the default for all others."""
    desk = Desk(
        playbooks={
            "BotFrozen": PlaybookSettings(severity=Severity.SEV2, checks=("container", "host"), actions=()),
            "OurOwn": PlaybookSettings(title="{subject}: our own {alert}", deadline_seconds=2.0),
            "default": PlaybookSettings(advice="Call Ana."),
        }
    )
    validate_playbooks(desk)
    frozen = playbook_for(desk, "BotFrozen")
    assert (frozen.severity, frozen.checks, frozen.actions) == (Severity.SEV2, ("container", "host"), ())
    assert frozen.only_actions
    assert frozen.advice == playbook_for(Desk(), "BotFrozen").advice
    own = playbook_for(desk, "OurOwn")
    assert own.title_for("bot1", "OurOwn") == "bot1: our own OurOwn"
    assert own.deadline_seconds == 2.0
    assert playbook_for(desk, "Unheard").advice == "Call Ana."


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"checks": ("bot_stat",)}, "playbooks.X.checks: 'bot_stat' is no check; did you mean bot_state"),
        ({"checks": ("zzz",)}, "'zzz' is no check; use one of bot_state, fee_source"),
        ({"title": "{who} stopped"}, "playbooks.X.title: .*names {who}, which nobody fills"),
        ({"title": "{subject.__class__}"}, "nobody fills"),
        ({"title": "{subject"}, "braces that do not fit"),
        ({"title": "{subject!z}"}, "cannot be filled|braces that do not fit"),
    ],
)
def test_a_wrong_override_is_named_with_its_mend(settings: dict[str, object], words: str) -> None:
    """One line: the setting, what is wrong with it, what to write instead."""
    desk = Desk(playbooks={"X": PlaybookSettings.model_validate(settings)})
    with pytest.raises(SettingError, match=words):
        validate_playbooks(desk)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_names_make_a_title(subject: str, alert: str) -> None:
    """Braces and percent signs in labels are text."""
    title = playbook_for(Desk(), alert).title_for(subject, alert)
    assert subject in title


@pytest.mark.parametrize(
    ("labels", "title"),
    [
        ({"alertname": "BotHardStopActive", "bot": "bot1"}, "bot1 in hard stop"),
        ({"alertname": "BotSoftPauseTooLong", "bot": "bot1"}, "bot1 paused for too long"),
        (
            {"alertname": "PrometheusTargetDown", "job": "bot-metrics", "instance": "metrics:1"},
            "metrics:1 gives no metrics",
        ),
        (
            {"alertname": "ControlPlaneGateFailed", "job": "control-plane"},
            "control plane: ControlPlaneGateFailed",
        ),
    ],
)
def test_titles_are_words(labels: dict[str, str], title: str) -> None:
    """No state's own name, no brackets round a target, nothing twice."""
    about = subject_of(labels, Desk())
    assert playbook_for(Desk(), labels["alertname"]).title_for(about.name, labels["alertname"]) == title


@pytest.mark.parametrize("name", ["KillSwitchFired", "HardStopEngaged", "kill_switch_tripped"])
def test_what_stops_a_bot_is_known_by_its_other_names(name: str) -> None:
    """The playbook, what the alert is about, and whether it holds; a desk's row of the known name counts too."""
    episode = firing(name, Subject(SubjectKind.BOT, "bot1"), datetime(2026, 3, 1, tzinfo=UTC))
    assert family(episode) == "stop"
    assert playbook_for(Desk(), name).severity is Severity.SEV1
    known = playbook_for(Desk(), name).name
    desk = Desk(playbooks={known: PlaybookSettings(advice="Call the desk.")})
    assert playbook_for(desk, name).advice == "Call the desk."
