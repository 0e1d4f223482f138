"""What correlation knows of the incidents: names are asked for when they decide something."""

from dataclasses import replace

from tests.contracts.store_samples import incident, signal
from triage.incidents.correlation_state import CorrelationState
from triage.model import IncidentShape

INCIDENT = incident(id=1, name="BotFrozen", shape=IncidentShape.STORM)
SIGNAL = signal(name="BotSlow")


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
