"""Who is on call: the rota's turn, a user group, or an override that somebody set for a while."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from triage.desk_sections.chat_ids import ONCALL
from triage.desk_sections.paging import OnCallSettings, Rota
from triage.ports.store import Tx

_KEY = "oncall/override"


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody is on call until a time, whatever the rota says."""

    person: str
    until: datetime
    by: str


def turn(rota: Rota, now: datetime) -> tuple[str, datetime]:
    """Return whose turn it is and until when (UTC). Before ``starts`` it is the first person's.

    Handover is by the wall clock of the rota's zone, so a week with summer time has an hour more or less. A time that
    comes twice that night is the first of the two: nobody is handed back.
    """
    zone = ZoneInfo(rota.timezone)
    local = now.astimezone(zone)
    days = rota.weeks * 7
    elapsed = (local.date() - rota.starts).days
    handover = datetime.combine(local.date(), rota.handover, zone).astimezone(UTC)
    if elapsed % days == 0 and now.astimezone(UTC) < handover:
        elapsed -= 1
    index = max(0, elapsed // days)
    ends = datetime.combine(rota.starts + timedelta(days=days * (index + 1)), rota.handover, zone)
    return rota.people[index % len(rota.people)], ends.astimezone(now.tzinfo)


def override_of(tx: Tx, now: datetime) -> Override | None:
    """Return the override that holds now."""
    override = tx.notes.parsed(_KEY, _read)
    return override if override is not None and now < override.until else None


def _read(text: str) -> Override:
    data = json.loads(text)
    return Override(str(data["person"]), datetime.fromisoformat(data["until"]), str(data["by"]))


def set_override(tx: Tx, override: Override, now: datetime) -> None:
    """Put somebody on call; recorded."""
    data = {"person": override.person, "until": override.until.isoformat(), "by": override.by}
    tx.notes.put(_KEY, json.dumps(data))
    tx.audit.append(at=now, actor=override.by, event="oncall.override", target=override.person, detail=data)


def clear_override(tx: Tx, *, by: str, now: datetime) -> bool:
    """Take an override back; recorded. Returns whether there was one."""
    if override_of(tx, now) is None:
        return False
    tx.notes.put(_KEY, "")
    tx.audit.append(at=now, actor=by, event="oncall.override_ended", target="oncall")
    return True


def on_call(tx: Tx, settings: OnCallSettings, now: datetime) -> tuple[str, ...]:
    """Return the ids of who is on call: one person, one user group, or nobody."""
    override = override_of(tx, now)
    if override is not None:
        return (override.person,)
    if settings.rota is not None:
        return (turn(settings.rota, now)[0],)
    return (settings.group,) if settings.group else ()


def mentioned(tx: Tx, settings: OnCallSettings, mention: tuple[str, ...], now: datetime) -> tuple[str, ...]:
    """Return the ids that a step's ``mention`` means now, each once."""
    found = [
        person for name in mention for person in (on_call(tx, settings, now) if name == ONCALL else (name,))
    ]
    return tuple(dict.fromkeys(found))
