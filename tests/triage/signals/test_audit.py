"""Entries of the audit stream, read together and one by one."""

import json
from datetime import UTC, datetime

import pytest

from triage.desk import Desk
from triage.desk_events import DeskEvent, Parked, PayloadEntry
from triage.signals import audit
from triage.signals.audit import read_audit, read_audits

NOW = datetime(2026, 2, 21, 12, tzinfo=UTC)
DESK = Desk()


def _entry(number: int, **changes: object) -> PayloadEntry:
    payload = {
        "event_id": f"event-{number}",
        "timestamp_ms": int(NOW.timestamp() * 1000) - number,
        "category": "intent_applied",
        "instance_name": "bot1",
        "message": f"set_target_base_pct {number}",
        "producer": "risk-service",
        "metadata": {"action": "set_target_base_pct", "target": "0.5"},
        **changes,
    }
    return PayloadEntry(f"{int(NOW.timestamp() * 1000)}-{number}", json.dumps(payload))


ODD = (
    PayloadEntry("1-0", None),
    PayloadEntry("1-1", "no json"),
    PayloadEntry("1-2", "{}"),
    _entry(3, schema_version="2.0"),
    _entry(4, event_type="ml"),
    _entry(5, message="api_secret=Kx81orchid77"),
    _entry(6, metadata={"api_key": "Kx81orchid77", "n": 2**80, "none": None, "deep": {"a": [1]}}),
    _entry(7, message="NUL \0 and half a pair \ud83d", metadata={"\ud83d\0": "\0"}),
    _entry(8, message="word " * 10_000, category="c" * 200, producer="p" * 300),
    _entry(9, metadata={f"name {number}": "x" * 400 for number in range(40)}),
    _entry(10, timestamp_ms=0),
    _entry(11, severity="ERROR", message="rejected: order 123456 refused", metadata={}),
    PayloadEntry("not an id", _entry(12).payload),
)


@pytest.mark.parametrize("only_odd", [True, False])
def test_entries_read_together_are_what_each_is_alone(*, only_odd: bool) -> None:
    """Whatever its neighbours are."""
    entries = [*ODD] if only_odd else [each for odd in ODD for each in (_entry(20), odd, _entry(21))]
    assert read_audits(DESK, "s", entries, NOW) == [read_audit(DESK, "s", each, NOW) for each in entries]


def test_a_secret_beside_ordinary_events_is_masked_and_nothing_of_theirs() -> None:
    """One event with a secret has the whole batch looked at one by one."""
    entries = [
        _entry(1),
        _entry(2, message="token=Kx81orchid77", metadata={"password": "hunter22x"}),
        _entry(3),
    ]
    first, second, third = read_audits(DESK, "s", entries, NOW)
    assert isinstance(first, DeskEvent)
    assert isinstance(second, DeskEvent)
    assert isinstance(third, DeskEvent)
    assert (second.text, second.data["metadata"]) == ("token=***", {"password": "***"})
    assert (first.text, third.text) == ("set_target_base_pct 1", "set_target_base_pct 3")


def test_ordinary_events_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at each costs a flood of them a third of its time."""
    looked: list[str] = []

    def look(text: str) -> str:
        looked.append(text)
        return text

    monkeypatch.setattr(audit, "masked", look)
    events = read_audits(DESK, "s", [_entry(number) for number in range(100)], NOW)
    assert not looked
    assert not any(isinstance(event, Parked) for event in events)
