"""Events of the desk, made in a line, at a fixed time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from triage.desk import Desk
from triage.desk_events import DeskEvent, Gravity
from triage.model import Source, Subject, SubjectKind
from triage.ports.sources import ContainerEvent
from triage.signals.containers import container_event

NOW = datetime(2026, 2, 20, 3, 16, tzinfo=UTC)
DESK = Desk()
BOT1 = Subject(SubjectKind.BOT, "bot1")
INFO, WARNING, ERROR = Gravity
CONTAINER = "hbot-bot1"


def audit(
    category: str, gravity: Gravity = WARNING, *, key: str = "e1", reason: str = "", bot: str = "bot1"
) -> DeskEvent:
    """Make an audit event."""
    return DeskEvent(
        key=f"audit/{key}",
        source=Source.AUDIT,
        at=NOW,
        subject=Subject(SubjectKind.BOT, bot),
        gravity=gravity,
        category=category,
        text=f"{category} said",
        reason=reason,
    )


def engine(action: str, *, ago: float = 0, container: str = CONTAINER, **facts: Any) -> ContainerEvent:  # noqa: ANN401 - the event's own fields
    """Make an event as the engine tells it, so many seconds ago."""
    at = NOW - timedelta(seconds=ago)
    values = {"container_id": "c0ffee", "image": "hbot/bot:1", **facts}
    return ContainerEvent(
        action=action, container=container, at=at, time_ns=int(at.timestamp() * 1e9), **values
    )


def told(action: str, *, ago: float = 0, container: str = CONTAINER, **facts: Any) -> DeskEvent:  # noqa: ANN401 - as above
    """Make an event of the engine as the desk's."""
    event = container_event(DESK, engine(action, ago=ago, container=container, **facts), NOW)
    assert event is not None
    return event
