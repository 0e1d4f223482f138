"""Words of severity of other teams, on the desk's own scale."""

import pytest

from triage.desk import Desk
from triage.incidents.alerts import NOTE, alert_signal
from triage.model import Severity, SignalStatus, utc
from triage.severities import is_paging, meaning, plain, severity_of


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("P1", Severity.SEV1),
        ("p0", Severity.SEV1),
        ("emergency", Severity.SEV1),
        ("Disaster", Severity.SEV1),
        ("sev1", Severity.SEV1),
        ("SEV-1", Severity.SEV1),
        ("Sev 1", Severity.SEV1),
        ("blocker", Severity.SEV1),
        ("FATAL", Severity.SEV1),
        ("1", Severity.SEV1),
        ("high", Severity.SEV2),
        ("crit", Severity.SEV2),
        ("urgent", Severity.SEV2),
        ("critical", Severity.SEV2),
        ("page", Severity.SEV2),
        ("P2", Severity.SEV2),
        ("error", Severity.SEV2),
        ("Warning", Severity.SEV3),
        ("info", Severity.SEV3),
        ("P4", Severity.SEV3),
        ("\uff30\uff11", Severity.SEV1),
        ("on-call", Severity.SEV2),
        ("Immediate", Severity.SEV2),
        ("average", Severity.SEV3),
    ],
)
def test_a_word_that_other_teams_use_has_its_place(word: str, severity: Severity) -> None:
    """However it is spelt."""
    assert meaning(word) is severity


@pytest.mark.parametrize(
    ("word", "severity", "paging"),
    [
        ("P1 - Critical", Severity.SEV1, True),
        ("2/critical", Severity.SEV2, True),
        ("Emergency!", Severity.SEV1, True),
        ("P3 (low)", Severity.SEV3, False),
        ("sev-1 (page)", Severity.SEV1, True),
        ("prio 1: wake up", None, False),
        ("severity: critical", Severity.SEV2, True),
        ("page-oncall", Severity.SEV2, True),
        ("not critical", None, False),
        ("!", None, False),
    ],
)
def test_of_several_words_the_gravest_counts_where_each_is_known(
    word: str,
    severity: Severity | None,
    paging: bool,  # noqa: FBT001 - a value of the table above
) -> None:
    """A number beside its word is usual; a word that nobody knows may turn the others round."""
    assert meaning(word) is severity
    assert is_paging({"severity": word}) is paging


def test_an_unknown_word_counts_as_sev2_and_none_at_all_asks_for_nothing() -> None:
    """Taken for less, a grave alert would go unheard."""
    assert severity_of({"severity": "spicy"}) is Severity.SEV2
    assert severity_of({"severity": " "}) is Severity.SEV3
    assert severity_of({}) is Severity.SEV3


@pytest.mark.parametrize(
    ("labels", "severity", "paging"),
    [
        ({"Severity": "critical"}, Severity.SEV2, True),
        ({"Priority": "P1"}, Severity.SEV1, True),
        ({"URGENCY": "high"}, Severity.SEV2, False),
        ({"sev": "1"}, Severity.SEV1, True),
        ({"severity_level": "critical"}, Severity.SEV2, True),
        ({"alert_severity": "spicy"}, Severity.SEV2, False),
        ({"severity": " ", "priority": "P0"}, Severity.SEV1, True),
        ({"priority": "3", "level": "error"}, Severity.SEV3, False),
        ({"alert_severity": "warning", "Severity": "P1"}, Severity.SEV1, True),
        ({"sev": "3", "severity_level": "critical"}, Severity.SEV2, True),
        ({"Severity": "critical", "SEVERITY": "info"}, Severity.SEV2, True),
        ({"Priority": "P1", "priority": "low"}, Severity.SEV1, True),
    ],
)
def test_the_label_is_found_however_it_is_called(
    labels: dict[str, str],
    severity: Severity,
    paging: bool,  # noqa: FBT001 - a value of the table above
) -> None:
    """Capital letters and the names of other teams; a bare number of a priority says nothing by itself."""
    assert severity_of(labels) is severity
    assert is_paging(labels) is paging


def test_the_desks_own_words_come_first() -> None:
    """Its ``P1`` may be another one's ``P3``; how they are spelt does not matter."""
    desk = Desk.model_validate({"severities": {"Spicy-Hot": "Sev-1", "p1": "Sev-3"}})
    assert severity_of({"severity": "spicy hot"}, desk.severities) is Severity.SEV1
    assert severity_of({"severity": "P1"}, desk.severities) is Severity.SEV3
    assert is_paging({"severity": "spicyhot"}, desk.severities)


def test_a_word_of_any_length_is_read_as_a_short_one() -> None:
    """Only short words are remembered: what an alert carries may be long, and another one each time."""
    for long in (f"critical {'!' * 100}", f"{'-' * 100}P2"):
        assert meaning(long) is Severity.SEV2
    assert plain("Sev - " * 100) == "sev" * 100


def _signal(word: str, name: str = "NobodyKnowsMe") -> tuple[Severity, str]:
    now = utc(1_760_000_000)
    signal = alert_signal(
        Desk(),
        status=SignalStatus.FIRING,
        fingerprint="f",
        labels={"alertname": name, "bot": "bot1", "severity": word},
        annotations={},
        starts_at=now.isoformat(),
        ends_at="",
        generator_url="",
        now=now,
    )
    return signal.severity, str(signal.data.get(NOTE, ""))


def test_an_alert_with_an_unknown_word_says_so() -> None:
    """The incident's line tells the word and where it can be added."""
    severity, note = _signal("spicy")
    assert severity is Severity.SEV2
    assert "'spicy' is not in `severities` of desk.yaml" in note
    assert _signal("P1") == (Severity.SEV1, "")
    assert _signal("spicy", "BotHardStopActive") == (Severity.SEV1, "")
