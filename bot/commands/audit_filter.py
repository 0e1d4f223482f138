"""Which lines of the audit trail are wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from triage.errors import BadInput
from triage.ports.store import AuditEntry


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Which lines are wanted; an empty part lets every line through. Capitals do not matter.

    ``text``: in actor, event or target; ``who``: in the actor's id or name; ``event``: in the event; ``about``: in the
    target, or the incident that the line belongs to; ``since``: not before.
    """

    text: str = ""
    who: str = ""
    event: str = ""
    about: str = ""
    since: datetime | None = None

    def lets(self, entry: AuditEntry, name: str) -> bool:
        """Say whether a line is wanted; ``name``: how its actor is shown."""
        actor = f"{entry.actor} {name}"
        parts = (
            (self.text, f"{actor} {entry.event} {entry.target}"),
            (self.who, actor),
            (self.event, entry.event),
        )
        within = all(wanted.lower() in said.lower() for wanted, said in parts)
        return within and self._about(entry) and (self.since is None or entry.at >= self.since)

    def _about(self, entry: AuditEntry) -> bool:
        wanted, target = self.about.lower(), entry.target.lower()
        incident = str(entry.detail.get("incident", "")).lower()
        if re.fullmatch(r"inc-\d+", wanted):  # INC-4 is not INC-42
            return wanted in {target, incident}
        return wanted in target or wanted in incident


def since_of(text: str, now: datetime) -> datetime | None:
    """Read ``24h``, ``7d``, or a time such as ``2026-02-21T00:00``, in UTC where it names no zone. Raises BadInput."""
    if not text:
        return None
    if found := re.fullmatch(r"([1-9]\d{0,3})([hd])", text.strip().lower()):
        return now - timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{text[:40]!r} is no time; write 24h, 7d or 2026-02-21T00:00", "--since") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
