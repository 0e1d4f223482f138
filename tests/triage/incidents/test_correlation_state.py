"""What correlation knows of the incidents: names are asked for when they decide something."""

from dataclasses import replace
from datetime import UTC, datetime

from triage.incidents.correlation_state import CorrelationState
from triage.model import (
    Incident,
    IncidentShape,
    IncidentStatus,
    Severity,
    Signal,
    SignalStatus,
    Source,
    Subject,
    SubjectKind,
)

NOW = datetime(2026, 2, 20, 3, 0, tzinfo=UTC)
BOT = Subject(SubjectKind.BOT, "bot1")
INCIDENT = Incident(
    id=1,
    title="bot1 is frozen",
    name="BotFrozen",
    subjects=(BOT,),
    status=IncidentStatus.TRIGGERED,
    severity=Severity.SEV2,
    opened_at=NOW,
    changed_at=NOW,
    shape=IncidentShape.STORM,
)
SIGNAL = Signal(
    source=Source.ALERTMANAGER,
    episode="a/1",
    status=SignalStatus.FIRING,
    name="BotSlow",
    subject=BOT,
    severity=Severity.SEV2,
    starts_at=NOW,
    received_at=NOW,
)


def test_the_names_of_a_storms_thousands_are_not_read_for_each_pass() -> None:
    """They are asked for once, by whoever needs to know one that nobody mentioned."""
    asked: list[int] = []

    def names_of(incident_id: int) -> tuple[str, ...]:
        asked.append(incident_id)
        return ("BotOld",)

    state = CorrelationState.of([INCIDENT], names_of=names_of)
    state.put(INCIDENT, SIGNAL)
    assert state.holds(INCIDENT, "BotFrozen")
    assert state.holds(INCIDENT, "BotSlow")
    assert asked == []
    assert state.holds(INCIDENT, "BotOld")
    assert not state.holds(INCIDENT, "BotUnknown")
    assert state.holds(INCIDENT, "BotSlow")
    assert asked == [1]


def test_of_an_incident_that_is_new_nobody_is_asked() -> None:
    """What it holds is what was put into it."""
    state = CorrelationState.of([], names_of=lambda _: ("BotOld",))
    state.put(replace(INCIDENT, id=2), SIGNAL)
    assert state.holds(replace(INCIDENT, id=2), "BotSlow")
    assert not state.holds(replace(INCIDENT, id=2), "BotOld")
