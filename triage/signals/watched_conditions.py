"""Conditions that we watch ourselves: each is a signal that fires while it stands and resolves when it ends.

What fires is remembered in the notes, so a restart neither repeats an episode nor leaves one open.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from triage.desk import Desk
from triage.model import Severity, Signal, SignalStatus, Source, Subject, SubjectKind
from triage.playbooks.lookup import playbook_for
from triage.ports.store import Tx
from triage.signals.condition import Condition

_NOTES = "standing"


def settle(
    tx: Tx,
    desk: Desk,
    watch: str,
    now_wrong: Mapping[str, Condition],
    now: datetime,
    *,
    unsure: Collection[str] = (),
) -> tuple[Signal, ...]:
    """Store the signals of what began and what ended since this watch last looked.

    ``watch`` names the one who looks, the keys of ``now_wrong`` what it looks at; a key that is not there is
    well. ``unsure``: keys of which nothing is known now, or not enough yet: what stands of them goes on standing, also
    after a restart. Returns the signals stored.
    """
    tx.exclusive(f"{_NOTES}/{watch}")
    prefix = f"{_NOTES}/{watch}/"
    firing = {key.removeprefix(prefix): value for key, value in tx.notes.all(prefix).items() if value}
    signals: list[Signal] = []
    for key, condition in now_wrong.items():
        if key not in firing:
            signal = begun(desk, watch, key, condition, now)
            signals.append(signal)
            tx.notes.put(prefix + key, _kept(signal))
    for key in firing:
        if key not in now_wrong and key not in unsure:
            ended = tx.notes.parsed(prefix + key, lambda kept: _ended(kept, now))
            signals += [ended] if ended is not None else []  # what cannot be read is ended by a person
            tx.notes.put(prefix + key, "")
    if signals:
        tx.signals.add(signals)
    return tuple(signals)


def stands(tx: Tx, watch: str, key: str) -> bool:
    """Whether a condition was told to stand, by this process or one before it, and not told to have ended."""
    return bool(tx.notes.get(f"{_NOTES}/{watch}/{key}"))


def begun(desk: Desk, watch: str, key: str, condition: Condition, now: datetime) -> Signal:
    """Return the signal of a condition that was first seen now."""
    labels = {"severity": "error", **condition.labels}
    if condition.subject.kind is SubjectKind.CONTAINER:
        labels["name"] = condition.subject.name
    return Signal(
        source=condition.source,
        episode=f"{watch}/{key}/{now.isoformat()}",
        status=SignalStatus.FIRING,
        name=condition.name,
        subject=condition.subject,
        severity=playbook_for(desk, condition.name, condition.source).severity_of(labels, desk.severities),
        starts_at=min(condition.since or now, now),
        received_at=now,
        labels=labels,
        annotations={"summary": condition.text},
    )


def _kept(signal: Signal) -> str:
    return json.dumps(
        {
            "source": signal.source.value,
            "episode": signal.episode,
            "name": signal.name,
            "subject": [signal.subject.kind.value, signal.subject.name],
            "severity": signal.severity.value,
            "starts_at": signal.starts_at.isoformat(),
        }
    )


def _ended(kept: str, now: datetime) -> Signal:
    was = json.loads(kept)
    return Signal(
        source=Source(was["source"]),
        episode=was["episode"],
        status=SignalStatus.RESOLVED,
        name=was["name"],
        subject=Subject(SubjectKind(was["subject"][0]), was["subject"][1]),
        severity=Severity(was["severity"]),
        starts_at=datetime.fromisoformat(was["starts_at"]),
        received_at=now,
        ends_at=now,
    )


@dataclass(slots=True)
class Debounce:
    """Ignores what lasts for a single look: a condition begins or ends after so many looks in a row that say so."""

    bad_looks: int = 2
    good_looks: int = 2
    standing: dict[str, Condition] = field(default_factory=dict)
    looks: int = 0
    _turning: dict[str, int] = field(default_factory=dict)

    def look(
        self, wrong: Mapping[str, Condition], unknown: Collection[str] = ()
    ) -> Mapping[str, Condition] | None:
        """Take one look into account; return what stands now, None as long as the first looks prove nothing.

        ``unknown``: keys of which this look learned nothing; they neither begin nor end by it.
        """
        self.looks += 1
        for key in {*wrong, *self.standing}.difference(unknown):
            turned = (key in wrong) != (key in self.standing)
            self._turning[key] = self._turning.get(key, 0) + 1 if turned else 0
            if key in wrong and self._turning[key] >= self.bad_looks:
                self.standing[key] = wrong[key]
                self._turning[key] = 0
            elif key not in wrong and self._turning[key] >= self.good_looks:
                del self.standing[key], self._turning[key]
        for key in [key for key in self._turning if key not in wrong and key not in self.standing]:
            del self._turning[key]
        return self.standing if self.looks >= max(self.bad_looks, self.good_looks) else None
