"""A drill's story: which hops it has passed, when, and where it stopped. Pure, and kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from triage.ports.chat import Answer, Line, Mark, section
from triage.wording import duration


class Hop(StrEnum):
    """The way of an alert, in its order."""

    POSTED = "posted"
    HELD = "held"
    STORED = "stored"
    OPENED = "opened"
    TOLD = "told"
    RESOLVED = "resolved"


TITLES: Mapping[Hop, str] = {
    Hop.POSTED: "Alertmanager took the test alert",
    Hop.HELD: "Alertmanager holds it",
    Hop.STORED: "its webhook reached us and was stored",
    Hop.OPENED: "an incident was opened",
    Hop.TOLD: "the incident is in Slack",
    Hop.RESOLVED: "the alert ended and its resolve reached us",
}
MENDS: Mapping[Hop, str] = {
    Hop.POSTED: "check ALERTMANAGER_URL and that Alertmanager runs: hbot-triage doctor asks it",
    Hop.HELD: "Alertmanager took the alert and does not show it: look at its log",
    Hop.STORED: "Alertmanager holds the alert and its webhook did not come: check the route and the receiver in "
    "alertmanager.yml (deploy/alertmanager), the address and the bearer token, a silence, and that "
    "group_wait is shorter than drill.hold_seconds",
    Hop.OPENED: "the alert is stored and was not sorted: look at /readyz and the service's log",
    Hop.TOLD: "the incident is not in Slack: look at /readyz and the service's log",
    Hop.RESOLVED: "the resolve did not come: set send_resolved: true at the receiver, and drill.resolve_seconds "
    "longer than group_interval",
}


@dataclass(frozen=True, slots=True)
class DrillLimits:
    """How long the drill's alert fires, and how long a hop may take (seconds)."""

    hold: float
    hop: float
    resolve: float


@dataclass(frozen=True, slots=True)
class DrillStory:
    """One drill. ``passed``: when each hop was; ``document``: what its report is posted from (0: not yet).

    ``notice``: the document of its notice over the fallback channels (0: none is set), ``fallback`` how that stands.
    """

    id: str
    by: str
    started_at: datetime
    limits: DrillLimits
    passed: Mapping[Hop, datetime] = field(default_factory=dict)
    document: int = 0
    incident_id: int | None = None
    failed: Hop | None = None
    why: str = ""
    notice: int = 0
    fallback: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing further is awaited."""
        return self.failed is not None or self.next is None

    @property
    def succeeded(self) -> bool:
        """Whether it came the whole way."""
        return self.failed is None and self.next is None

    @property
    def next(self) -> Hop | None:
        """The hop that is awaited."""
        return next((hop for hop in Hop if hop not in self.passed), None)

    @property
    def ends_at(self) -> datetime:
        """When its alert ends by itself."""
        return self.started_at + timedelta(seconds=self.limits.hold)

    def pass_(self, hop: Hop, at: datetime) -> DrillStory:
        """Take note that a hop was passed; one that is known already keeps its time."""
        return self if hop in self.passed else replace(self, passed={**self.passed, hop: at})

    def fail(self, hop: Hop, why: str) -> DrillStory:
        """Take note that it stopped at a hop."""
        return replace(self, failed=hop, why=why)

    def deadline(self) -> datetime:
        """Return until when the awaited hop may take."""
        hop = self.next
        if hop is Hop.RESOLVED:
            return self.ends_at + timedelta(seconds=self.limits.resolve)
        last = max(self.passed.values(), default=self.started_at)
        return last + timedelta(seconds=self.limits.hop)

    def to_text(self) -> str:
        """Return it as JSON."""
        body = asdict(self)
        body["started_at"] = self.started_at.isoformat()
        body["passed"] = {hop.value: at.isoformat() for hop, at in self.passed.items()}
        return json.dumps(body)

    @classmethod
    def from_text(cls, text: str) -> DrillStory:
        """Return the drill that ``to_text`` gave."""
        body = json.loads(text)
        body["started_at"] = datetime.fromisoformat(body["started_at"])
        body["passed"] = {Hop(name): datetime.fromisoformat(at) for name, at in body["passed"].items()}
        body["limits"] = DrillLimits(**body["limits"])
        body["failed"] = Hop(body["failed"]) if body["failed"] else None
        return cls(**body)


def drill_answer(story: DrillStory, by: str) -> Answer:
    """Return the report: each hop with its time, and where it stopped, with the mend."""
    lines = [_line(story, hop) for hop in Hop]
    if story.fallback:
        missing = "not sent" in story.fallback
        lines.append(
            Line(story.fallback, name="the fallback channels", mark=Mark.WARN if missing else Mark.GOOD)
        )
    after = (
        [Line(f"{story.why}. The mend: {MENDS[story.failed]}.", name="Next")]
        if story.failed is not None
        else []
    )
    title = f"Drill: {_word(story)}"
    return Answer(
        title,
        tuple(part for part in (section(lines), section(after)) if part.lines),
        note=f"{story.id} · asked for by {by} · {story.started_at:%Y-%m-%d %H:%M:%S} UTC",
        preview=title,
    )


def _word(story: DrillStory) -> str:
    if story.failed is not None:
        return f"stopped before “{TITLES[story.failed]}”"
    if story.succeeded:
        took = (story.passed[Hop.TOLD] - story.started_at).total_seconds()
        return f"an alert reaches Slack in {_seconds(took)}"
    return "under way"


def _line(story: DrillStory, hop: Hop) -> Line:
    at = story.passed.get(hop)
    if at is not None:
        since = max(0.0, (at - story.started_at).total_seconds())
        return Line(f"after {_seconds(since)} ({at:%H:%M:%S} UTC)", name=TITLES[hop], mark=Mark.GOOD)
    if story.failed is hop:
        return Line("failed: it did not happen", name=TITLES[hop], mark=Mark.BAD)
    if story.failed is not None:
        return Line("not reached", name=TITLES[hop], mark=Mark.UNKNOWN)
    awaited = "waiting for it" if story.next is hop else "not yet"
    if hop is Hop.RESOLVED:
        awaited += f" (the alert ends {story.ends_at:%H:%M:%S} UTC)"
    return Line(awaited, name=TITLES[hop], mark=Mark.UNKNOWN)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)  # noqa: PLR2004 - a tenth matters below
