"""The silence of what always speaks: bots live, and no log line of theirs or of others reaches Loki any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.desk import Desk
from triage.model import Source, Subject, SubjectKind
from triage.signals.condition import Condition
from triage.wording import doing, duration

STOPPED = "LogsStopped"
ENOUGH = 16.0
"""Lines that are usual in the window: where fewer are, a window without any may be chance."""


@dataclass(frozen=True, slots=True)
class LogFlow:
    """One look at Loki.

    ``lines``: what it took in the window; ``usual``: what it takes in as long a time; ``living``: bots whose fresh
    snapshots show that they live.
    """

    lines: int
    usual: float
    living: tuple[str, ...]


def log_silence(desk: Desk, look: LogFlow, now: datetime, *, stands: bool) -> Condition | None:
    """Return the condition where lines stopped to come; what ``stands`` ends with the first line and with nothing else.

    Without a bot that lives silence is to be expected, and where little is logged it proves nothing: neither begins it.
    """
    if look.lines or (not stands and (not look.living or look.usual < ENOUGH)):
        return None
    window = timedelta(minutes=desk.listening.log_silence_minutes)
    text = f"no log line has reached Loki for {duration(window.total_seconds())}"
    if look.living:
        text += f", while {doing(look.living, 'lives', 'live')}"
    return Condition(STOPPED, Source.WATCHDOG, Subject(SubjectKind.DESK, desk.name), text, since=now - window)
