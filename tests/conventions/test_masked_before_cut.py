"""Whatever is read from outside is masked before it is cut: wherever a secret lies, no half of it is kept.

Each entry is fed texts that are longer than what it keeps, with a secret at every place across the cut; what it keeps
is then masked as it is when it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bot.desk.commands import HEAD, TAIL, CommandOutput
from bot.sources.docker.shapes import unreadable_event
from handlers.slack.action_form import reason_in
from triage.desk import Desk
from triage.desk_events import PayloadEntry
from triage.incidents.alerts import alert_signal, salvaged_signal
from triage.kpis.grid import MinuteGrid
from triage.logs.lines import read_lines
from triage.masking import masked
from triage.model import SignalStatus
from triage.ports.sources import LogLine
from triage.signals.audit import read_audit
from triage.signals.dead_letters import read_dead_letter

NOW = datetime(2026, 2, 20, 16, 33, tzinfo=UTC)
_DESK = Desk()
_SECRETS = {
    "a token": ("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
    "an address": ("redis://ana:", "hollybush93", "@redis:6379/0"),
    "a name's value": ("passphrase=", "correcthorse77"),
}
"""What leads to the secret, the secret, and what follows it."""


def _alert(**given: object) -> object:
    fields = {
        "labels": {"alertname": "X"},
        "annotations": {},
        "starts_at": "",
        "ends_at": "",
        "generator_url": "",
    }
    return alert_signal(_DESK, status=SignalStatus.FIRING, fingerprint="f", now=NOW, **{**fields, **given})  # type: ignore[arg-type]


def _audit(**given: object) -> object:
    payload = {
        "event_id": "1",
        "timestamp_ms": 1_771_605_180_000,
        "category": "c",
        "severity": "error",
        **given,
    }
    return read_audit(_DESK, "s", PayloadEntry("1771605180000-0", json.dumps(payload)), NOW)


def _letter(**given: object) -> object:
    return read_dead_letter(
        _DESK, "s", PayloadEntry("1771605180000-0", json.dumps({"reason": "r", **given})), NOW
    )


def _logged(text: str) -> object:
    return read_lines([LogLine(NOW, text, {})])


def _fee(text: str) -> object:
    grid = MinuteGrid(0, 1)
    grid._fee(text)
    return grid.unresolved


def _output(text: str) -> object:
    output = CommandOutput()
    for piece in (text, "\n", "y" * (TAIL + HEAD)):
        output.add(piece)
    return str(output)


def _end_of_output(text: str) -> object:
    """Give the output so that its last part, which is kept, begins inside the text."""
    output = CommandOutput()
    output.add("y" * HEAD + text + " more" * ((TAIL - 100) // 5))
    return str(output)


_ENTRIES: dict[str, tuple[int, Callable[[str], object]]] = {
    "alert's name": (200, lambda text: _alert(labels={"alertname": text})),
    "alert's bot": (200, lambda text: _alert(labels={"bot": text}).subject),  # type: ignore[attr-defined]
    "alert's container": (200, lambda text: _alert(labels={"container": text}).subject),  # type: ignore[attr-defined]
    "alert's host": (200, lambda text: _alert(labels={"nodename": text}).subject),  # type: ignore[attr-defined]
    "alert's job": (200, lambda text: _alert(labels={"job": text}).subject),  # type: ignore[attr-defined]
    "alert's label": (8000, lambda text: _alert(labels={"a": text})),
    "alert's annotation": (8000, lambda text: _alert(annotations={"summary": text})),
    "alert's link": (8000, lambda text: _alert(generator_url=text)),
    "alert of another shape": (
        8000,
        lambda text: salvaged_signal(_DESK, {"aa": text}, "no labels", NOW).data,
    ),
    "audit event's text": (1000, lambda text: _audit(message=text)),
    "audit event's text, not ASCII": (1000, lambda text: _audit(message=f"{text} \u00e9")),
    "audit event's metadata": (300, lambda text: _audit(metadata={"note": text})),
    "audit event's metadata, not ASCII": (300, lambda text: _audit(metadata={"note": f"{text} \u00e9"})),
    "audit event's category": (80, lambda text: _audit(category=text)),
    "audit event's producer": (80, lambda text: _audit(producer=text)),
    "audit event's bot": (80, lambda text: _audit(instance_name=text)),
    "audit event's version": (20, lambda text: _audit(schema_version=f"9{text}")),
    "audit event's type": (40, lambda text: _audit(event_type=text)),
    "parked entry": (4000, lambda text: read_audit(_DESK, "s", PayloadEntry("1-0", f"no JSON {text}"), NOW)),
    "dead letter's reason": (200, lambda text: _letter(reason=text)),
    "dead letter's action": (200, lambda text: _letter(payload={"action": text})),
    "log line's message": (600, lambda text: _logged(f"2026-02-20 16:33:00,312 - 1 - a.b - ERROR - {text}")),
    "log line without a record": (600, lambda text: _logged(f"ERROR {text}")),
    "log line of JSON": (300, lambda text: _logged(json.dumps({"level": "error", "aa": text}))),
    "engine's event of another shape": (500, lambda text: unreadable_event(text.encode())),
    "fee source of a CSV file": (80, _fee),
    "beginning of a command's output": (HEAD, _output),
    "end of a command's output": (0, _end_of_output),
    "reason of a confirmation": (
        500,
        lambda text: reason_in({"state": {"values": {"reason": {"reason": {"value": text}}}}}),
    ),
}


@pytest.mark.parametrize("secret", _SECRETS.values(), ids=_SECRETS)
@pytest.mark.parametrize(("limit", "keep"), _ENTRIES.values(), ids=_ENTRIES)
def test_no_cut_of_what_comes_in_leaves_half_a_secret(
    limit: int, keep: Callable[[str], object], secret: tuple[str, ...]
) -> None:
    """At each place of the text where the cut may fall."""
    hidden = secret[1]
    halves = [hidden[at : at + 6] for at in range(len(hidden) - 5)]
    whole = "".join(secret)
    for offset in range(max(0, limit - len(whole) - 12), limit + 4, 2):
        text = f"{'word ' * (offset // 5)}{'x' * (offset % 5)} {whole} {'more ' * 20}"
        shown = masked(str(keep(text)))
        assert not [half for half in halves if half in shown], offset
