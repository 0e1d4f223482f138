"""Dead letters: read in both of their shapes, named by reason, and too many of them by either measure."""

import json
from collections.abc import Mapping

import pytest

from tests.triage.signals.happening import DESK, NOW
from triage.desk_events import DeskEvent, Parked, PayloadEntry
from triage.model import SubjectKind
from triage.signals.dead_letters import read_dead_letter, volume
from triage.signals.rates import Rate

STREAM = DESK.streams.dead_letter
ID = f"{round(NOW.timestamp() * 1000) - 5000}-0"
CALM = Rate(count=1, before=60, hours=10)


def read(payload: object) -> DeskEvent | Parked:
    """Read a payload."""
    text = payload if isinstance(payload, str) or payload is None else json.dumps(payload)
    return read_dead_letter(DESK, STREAM, PayloadEntry(ID, text), NOW)


@pytest.mark.parametrize(
    ("payload", "subject", "reason", "text", "points_to"),
    [
        (
            {"reason": "schema_validation", "entry_id": "1-0", "payload": '{"instance_name": "bot1", "action": "resume"}'},
            "bot1", "schema_validation", "schema_validation (resume)", "",
        ),
        (
            {"reason": "expired_intent", "entry_id": "1-0", "event_id": "e1"},
            DESK.name, "expired_intent", "expired_intent", "e1",
        ),
        (
            {"reason": "local_authority_reject:cap", "payload": {"instance_name": "bot2", "event_id": "e2"}},
            "bot2", "local_authority_reject:cap", "local_authority_reject:cap", "e2",
        ),
        ({"reason": "schema_validation", "payload": "not json"}, DESK.name, "schema_validation", "schema_validation", ""),
        ({"reason": "x", "payload": [1], "unknown": 1}, DESK.name, "x", "x", ""),
    ],
)  # fmt: skip
def test_a_letter_is_read_in_each_of_its_shapes(
    payload: Mapping[str, object], subject: str, reason: str, text: str, points_to: str
) -> None:
    """Whose it is and what was refused, as far as the refused message can be read at all."""
    event = read(payload)
    assert isinstance(event, DeskEvent)
    assert (event.subject.name, event.reason, event.text) == (subject, reason, text)
    assert event.correlation_id == points_to
    assert event.key == f"{STREAM}/{ID}"


@pytest.mark.parametrize("payload", [None, "{", "[]", "{}", {"reason": ""}, {"reason": 7}])
def test_what_is_no_letter_is_parked_with_a_reason(payload: object) -> None:
    """It is put aside, never tried again."""
    letter = read(payload)
    assert isinstance(letter, Parked)
    assert letter.reason


def test_numbers_do_not_make_reasons_of_their_own() -> None:
    """Two refusals that differ in a number are of one kind."""
    first, second = (read({"reason": f"expired_intent: {n} ms late"}) for n in (1203, 88123))
    assert isinstance(first, DeskEvent)
    assert isinstance(second, DeskEvent)
    assert first.kind == second.kind


@pytest.mark.parametrize(
    ("hour", "rate", "words"),
    [
        ({}, CALM, ""),
        ({"a": 20}, CALM, ""),
        ({"a": 21}, CALM, "21 dead letters in 1 h (limit 20): a *21"),
        ({"a": 1, "b": 15, "c": 4, "d": 4}, CALM, "24 dead letters in 1 h (limit 20): b *15, c *4, d *4"),
        ({"a": 6}, Rate(6, 2, 20), "6 in 10 min (usual: 0): a *6"),
        ({"a": 6}, Rate(6, 600, 20), ""),
        ({"a": 30}, Rate(30, 60_000, 20), "30 dead letters in 1 h (limit 20): a *30"),
    ],
    ids=["none", "at the limit", "over it", "loudest first", "surge below it", "usual", "usual, and over it"],
)
def test_the_volume_is_judged_by_a_limit_and_by_its_baseline(
    hour: Mapping[str, int], rate: Rate, words: str
) -> None:
    """Either is enough; the limit holds even where so many are usual."""
    found = volume(DESK, hour, rate)
    assert (found.text if found else "") == words.replace("*", "\N{MULTIPLICATION SIGN}")
    assert found is None or (found.name, found.subject.kind) == ("DeadLetters", SubjectKind.DESK)
