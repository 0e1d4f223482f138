"""A silence hides what it is about: the same labels identify the subject and the silence."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from triage.incidents.silences import hidden_by, matchers_for, unidentified
from triage.model import Episode, Severity, Source, Subject, SubjectKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def episode(**labels: str) -> Episode:
    """Return a firing alert ``Down`` with these labels."""
    return Episode(
        incident_id=1,
        source=Source.ALERTMANAGER,
        episode=str(sorted(labels.items())),
        name="Down",
        subject=Subject(SubjectKind.DESK, "hbot"),
        severity=Severity.SEV2,
        firing=True,
        starts_at=NOW,
        ends_at=None,
        last_seen_at=NOW,
        labels={"alertname": "Down", "severity": "critical", **labels},
    )


def written(*episodes: Episode) -> list[str]:
    """Return the silences of some alerts as Alertmanager prints their matchers."""
    return [", ".join(map(str, matchers)) for matchers in matchers_for(episodes)]


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
