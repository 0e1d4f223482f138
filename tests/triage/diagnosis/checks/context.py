"""A triage of bot1, or of what a test says, at a fixed time."""

from datetime import datetime, timedelta

from tests.fakes.sources import NOW, FakeSources
from triage.desk import Desk
from triage.diagnosis.checks.base import CheckContext
from triage.model import Incident, IncidentStatus, Severity, Subject, SubjectKind


def incident_of(
    *bots: str, name: str = "BotHardStopActive", since: datetime = NOW - timedelta(minutes=4)
) -> Incident:
    """Make an open incident about bots."""
    return Incident(
        id=1,
        title=f"{bots[0]} hard_stop",
        name=name,
        subjects=tuple(Subject(SubjectKind.BOT, bot) for bot in bots),
        severity=Severity.SEV1,
        status=IncidentStatus.TRIGGERED,
        opened_at=since,
        changed_at=since,
    )


def context(
    sources: FakeSources,
    *bots: str,
    desk: Desk | None = None,
    since: datetime = NOW - timedelta(minutes=4),
    name: str = "BotHardStopActive",
) -> CheckContext:
    """Make the context of a triage of these bots (bot1, if none are named)."""
    named = bots or ("bot1",)
    known = desk or Desk()
    return CheckContext(
        desk=known, sources=sources.port, now=NOW, since=since, bots=named,
        containers=tuple(known.container_of(bot) for bot in named),
        incident=incident_of(*named, name=name, since=since), single_bot=len(named) == 1,
    )  # fmt: skip
