"""Which audit events are signals: at once, by their rate, or never."""

import pytest

from tests.triage.signals.happening import DESK, ERROR, INFO, NOW, WARNING, audit
from triage.desk_events import DeskEvent, EventKind, Gravity
from triage.desk_sections.triage import ListeningSettings
from triage.model import Severity, SignalStatus, Source
from triage.signals.audit_policy import SIGNALS_MAX, audit_signals, warned
from triage.signals.rates import Rate

SURGE, USUAL = Rate(count=50, before=60, hours=10), Rate(count=5, before=600, hours=10)
KEEPING = DESK.model_copy(update={"listening": ListeningSettings(only_kept=frozenset({"chatter"}))})


def names(
    events: list[DeskEvent], *, raised: tuple[DeskEvent, ...] = (), rate: Rate | None = None
) -> list[str]:
    """Return the categories of the signals made; ``rate``: that of each kind."""
    rates: dict[EventKind, Rate] = {event.kind: rate for event in events} if rate is not None else {}
    kinds = {event.kind for event in raised}
    made = audit_signals(KEEPING, events, raised=kinds, rates=rates, now=NOW)
    assert [signal.name for _, signal in made] == [event.category for event, _ in made]
    return [signal.name for _, signal in made]


@pytest.mark.parametrize(
    ("category", "gravity", "rate", "speaks"),
    [
        ("kill_switch", INFO, None, True),
        ("kill_switch", WARNING, USUAL, True),
        ("kill_switch", ERROR, None, True),
        ("order_failed", ERROR, None, True),
        ("something_new", ERROR, USUAL, True),
        ("risk_decision", WARNING, SURGE, True),
        ("risk_decision", WARNING, USUAL, False),
        ("risk_decision", WARNING, None, False),
        ("intent_applied", INFO, None, False),
        ("intent_applied", INFO, SURGE, False),
        ("chatter", ERROR, None, False),
        ("chatter", WARNING, SURGE, False),
    ],
)
def test_what_speaks_at_once_by_its_rate_or_never(
    category: str,
    gravity: Gravity,
    rate: Rate | None,
    speaks: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """A kill switch and an error at once; a warning when it surges; info and what is only kept never."""
    assert names([audit(category, gravity)], rate=rate) == ([category] if speaks else [])


def test_only_warnings_that_could_speak_are_counted() -> None:
    """A rate is asked for nothing else: it costs a question to the store."""
    events = [
        audit("kill_switch", WARNING),
        audit("chatter", WARNING),
        audit("a", ERROR),
        audit("b", INFO),
        audit("c", WARNING),
    ]
    assert {kind.category for kind in warned(KEEPING, events)} == {"c"}


def test_one_kind_makes_one_signal_and_each_bot_and_reason_is_a_kind() -> None:
    """Bot, category and reason tell kinds apart."""
    events = [
        audit("order", ERROR, reason="no margin"),
        audit("order", ERROR, reason="no margin"),
        audit("order", ERROR, reason="rate limit"),
        audit("order", ERROR, reason="no margin", bot="bot2"),
    ]
    made = audit_signals(DESK, events, raised=set(), rates={}, now=NOW)
    assert [(str(signal.subject), signal.labels["reason"]) for _, signal in made] == [
        ("bot1", "no margin"),
        ("bot1", "rate limit"),
        ("bot2", "no margin"),
    ]


def test_what_was_told_lately_in_an_open_incident_is_not_told_again() -> None:
    """Its like is on the timeline already."""
    event = audit("order", ERROR, reason="no margin")
    assert names([event], raised=(event,)) == []
    assert names([event], raised=(audit("order", ERROR, reason="rate limit"),)) == ["order"]


def test_a_flood_of_kinds_has_an_end() -> None:
    """One batch makes so many signals and no more."""
    events = [audit("order", ERROR, reason=f"r{n}", key=str(n)) for n in range(SIGNALS_MAX + 5)]
    assert len(names(events)) == SIGNALS_MAX


def test_a_signal_carries_what_the_event_said() -> None:
    """Its id, time, labels, and why it speaks; where nothing was surging, its own words."""
    event = audit("order_failed", ERROR, reason="no margin", key="id-1")._replace(
        correlation_id="up-1",
        data={"producer": "hb"},
    )
    [(origin, signal)] = audit_signals(DESK, [event], raised=set(), rates={}, now=NOW)
    assert origin is event
    assert (signal.source, signal.episode, signal.status) == (Source.AUDIT, "id-1", SignalStatus.EVENT)
    assert signal.labels == {
        "category": "order_failed", "reason": "no margin", "severity": "error", "producer": "hb", "correlation_id": "up-1",
    }  # fmt: skip
    assert signal.annotations["summary"] == "order_failed said"
    assert signal.starts_at == event.at
    [(_, surging)] = audit_signals(
        DESK, [audit("risk", reason="edge")], raised=set(), rates={audit("risk", reason="edge").kind: SURGE}, now=NOW
    )  # fmt: skip
    assert surging.annotations == {"summary": "50 in 10 min (usual: 1): edge", "message": "risk said"}


def test_a_kill_switch_is_grave_whatever_it_says_of_itself() -> None:
    """Trading safety is at risk: Sev-1."""
    [(_, signal)] = audit_signals(DESK, [audit("kill_switch", INFO)], raised=set(), rates={}, now=NOW)
    assert signal.severity is Severity.SEV1
