"""A silence hides what it is about: the same labels identify the subject and the silence."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.episodes import firing
from triage.desk import Desk
from triage.desk_sections.bots import Bot
from triage.incidents.silences import described, hidden_by, matchers_for, unidentified
from triage.incidents.subjects import IDENTITY, subject_of
from triage.model import Episode, Severity, Subject, SubjectKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def episode(**labels: str) -> Episode:
    """Return a firing alert ``Down`` with these labels."""
    return firing(
        "Down",
        Subject(SubjectKind.DESK, "hbot"),
        NOW,
        episode=str(sorted(labels.items())),
        severity=Severity.SEV2,
        labels={"alertname": "Down", "severity": "critical", **labels},
    )


def written(*episodes: Episode) -> list[str]:
    """Return the silences of some alerts as Alertmanager prints their matchers, without those of no value."""
    return [
        ", ".join(str(each) for each in matchers if each.value or each.name == "alertname")
        for matchers in matchers_for(episodes)
    ]


@pytest.mark.parametrize(
    "label", ["bot", "container", "name", "service", "pod", "job", "instance", "host", "nodename"]
)
def test_every_label_that_identifies_is_matched(label: str) -> None:
    """And so the alert of another one still sounds."""
    mine, other = episode(**{label: "one"}), episode(**{label: "two"})
    assert written(mine) == [f'alertname="Down", {label}="one"']
    assert hidden_by(matchers_for([mine]), [mine, other]) == (mine,)


def test_a_target_is_matched_by_all_that_names_it() -> None:
    """The same instance under another job is somebody else; the bot's name is enough for a bot."""
    assert written(episode(job="node", instance="h1:9100")) == [
        'alertname="Down", instance="h1:9100", job="node"'
    ]
    assert written(episode(bot="bot1", job="exporter", instance="e:1")) == ['alertname="Down", bot="bot1"']


def test_alerts_that_differ_in_one_label_share_a_silence() -> None:
    """Values are escaped: a dot is a dot."""
    assert written(episode(container="a.b"), episode(container="c")) == [
        r'alertname="Down", container=~"a\.b|c"'
    ]
    silences = matchers_for([episode(container="a.b"), episode(container="c")])
    assert hidden_by(silences, [episode(container="aXb")]) == ()


def test_what_nothing_identifies_is_not_silenced() -> None:
    """``alertname`` alone would hide every other alert of that name."""
    nameless = episode(severity="warning")
    assert written(nameless) == []
    assert unidentified([nameless, episode(bot="bot1")]) == ("Down",)
    assert unidentified([replace(nameless, firing=False)]) == ()


def test_a_units_silence_names_its_host() -> None:
    """The same unit runs on every host; so does the control group of a container without a name."""
    assert written(episode(name="ssh.service", instance="h1:9100", job="node")) == [
        'alertname="Down", instance="h1:9100", job="node", name="ssh.service"'
    ]
    assert written(episode(name="/system.slice/cron", instance="h1:8080")) == [
        'alertname="Down", instance="h1:8080", name="/system.slice/cron"'
    ]
    assert unidentified([episode(name="ssh.service")]) == ("Down",)


def test_a_container_of_a_pod_is_matched_with_its_pod() -> None:
    """Every pod of a kind has a container of that name."""
    assert written(episode(container="main", pod="bot1-7f9")) == [
        'alertname="Down", container="main", pod="bot1-7f9"'
    ]


def test_an_alert_without_a_name_is_silenced_by_its_labels() -> None:
    """Alertmanager takes such alerts; the word that is shown in the name's place would match nothing."""
    nameless = replace(episode(bot="bot1"), name="unnamed alert", labels={"bot": "bot1"})
    assert written(nameless) == ['alertname="", bot="bot1"']
    assert hidden_by(matchers_for([nameless]), [nameless, episode(bot="bot1")]) == (nameless,)


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ({"job": "node"}, {"job": "node", "bot": "bot1"}),
        ({"job": "kube"}, {"job": "kube", "deployment": "bot2"}),
        ({"instance": "h1:9100", "job": "node"}, {"instance": "h1:9100", "job": "node", "name": "redis"}),
        ({"container": "main"}, {"container": "main", "pod": "bot1-7f9"}),
        ({"container": "main"}, {"container": "main", "bot": "bot1"}),
        ({"container_name": "main"}, {"container_name": "main", "name": "redis"}),
        ({"service": "redis"}, {"service": "redis", "container": "hbot-bot1"}),
        ({"container": "x1"}, {"container": "x1", "com_docker_compose_service": "redis"}),
        ({"bot": "none", "instance": "h1:9100"}, {"bot": "none", "instance": "h2:9100"}),
        ({"bot": "-", "container": "redis"}, {"bot": "-", "container": "loki"}),
        ({"container": "POD", "pod": "bot1-0"}, {"container": "POD", "pod": "bot2-0"}),
        ({"name": "x1", "compose_service": "loki"}, {"name": "x1", "compose_service": "redis"}),
    ],
)
def test_an_alert_with_more_labels_still_sounds(mine: dict[str, str], other: dict[str, str]) -> None:
    """The label that the silenced alert lacks may say that the other one is about something else."""
    silences = matchers_for([episode(**mine)])
    assert hidden_by(silences, [episode(**mine), episode(**other)]) == (episode(**mine),)
    further = episode(**mine, severity="info", regime="wide")
    assert hidden_by(silences, [further]) == (further,)


def test_what_a_silence_leaves_out_is_said_in_words() -> None:
    """Twenty matchers without a value are no reading."""
    (silence,) = matchers_for([episode(container="redis", pod="redis-0")])
    assert described(silence) == (
        'alertname="Down", container="redis", pod="redis-0", and no label bot, exported_container, name, container_name, '
        "of Compose"
    )
    (silence,) = matchers_for([episode(bot="bot1")])
    assert described(silence) == 'alertname="Down", bot="bot1"'


_VALUES = st.sampled_from(
    [
        "bot1",
        "hbot-bot1",
        "redis",
        "ssh.service",
        "/docker/abc",
        "h1:9100",
        "h2:9100",
        "a.b",
        "a+b",
        "a|b",
        "(",
        "node",
    ]
)


_LABELS = st.dictionaries(
    st.sampled_from([label for group in IDENTITY for label in group]), _VALUES, min_size=1, max_size=4
)
_DESK = Desk(bots=(Bot(name="bot1"), Bot(name="node")))


@st.composite
def _two_of_one_name(draw: st.DrawFn) -> tuple[Episode, Episode]:
    """Draw two alerts of one name: the second has some labels of the first, some of its own, some of both."""
    one = draw(_LABELS)
    shared = {label: value for label, value in one.items() if draw(st.booleans())}
    return episode(**one), episode(**shared, **{k: v for k, v in draw(_LABELS).items() if k not in shared})


@given(_two_of_one_name())
def test_no_silence_hides_an_alert_about_something_else(two: tuple[Episode, Episode]) -> None:
    """What tells two subjects apart tells two silences apart; and an alert is hidden by its own."""
    mine, other = two
    silences = matchers_for([mine])
    assert hidden_by(silences, [mine]) == ((mine,) if silences else ())
    if subject_of(mine.labels, _DESK) != subject_of(other.labels, _DESK):
        assert hidden_by(silences, [other]) == ()
