"""The parts of desk.yaml about paging people: ``escalation``, ``oncall``, ``delivery``, ``fallback``."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from triage.desk_sections.chat_ids import Group, Mention, Person
from triage.desk_sections.names import Zone
from triage.desk_sections.section import DeskSection
from triage.model import Severity

LACKING = "lacking"
"""The type of a fault of a whole section in which something is missing."""
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)
"""When a rota may start: turns are reckoned from there."""


def _written_as_time(value: object) -> object:
    if isinstance(value, time) or (isinstance(value, str) and ":" in value):
        return value
    raise ValueError(f"{value!r} is no time; write hours and minutes, for instance '09:00'")


def _by_the_wall(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("has a zone of its own; write '09:00', and the zone as timezone: Europe/Berlin")
    return value


WallTime = Annotated[time, BeforeValidator(_written_as_time), AfterValidator(_by_the_wall)]
"""A time of day by the clock of the section's ``timezone``. A bare number is none: 22 would be 22 seconds past midnight."""


class EscalationStep(DeskSection):
    """One step: so many minutes after the incident opened unacknowledged, who is mentioned, and the fallback channels."""

    after_minutes: float = Field(gt=0, le=24 * 60)
    mention: tuple[Mention, ...] = ()
    fallback: bool = False

    @model_validator(mode="after")
    def _tells_somebody(self) -> Self:
        if not self.mention and not self.fallback:
            raise PydanticCustomError(
                LACKING, "a step tells nobody; give it mention: [oncall] or fallback: true"
            )
        return self


class QuietHours(DeskSection):
    """When the severities named here wait until the morning; a window may go over midnight."""

    start: WallTime
    end: WallTime
    timezone: Zone = "UTC"
    severities: frozenset[Severity] = frozenset({Severity.SEV2, Severity.SEV3})

    @model_validator(mode="after")
    def _some_hours(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end are the same, so no hour is quiet; give two times")
        return self


class EscalationSettings(DeskSection):
    """What happens to an incident that nobody acknowledges; no steps: nothing does.

    ``remind_acknowledged_minutes``: how often the person is reminded who acknowledged a Sev-1 that still fires (0: never).
    ``gather_minutes``: in this time a step speaks once, for all incidents that are due.
    """

    steps: tuple[EscalationStep, ...] = ()
    severities: frozenset[Severity] = frozenset({Severity.SEV1})
    remind_acknowledged_minutes: float = Field(default=60, ge=0)
    gather_minutes: float = Field(default=5, ge=0, le=60)
    quiet_hours: QuietHours | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        minutes = [step.after_minutes for step in self.steps]
        if minutes != sorted(set(minutes)):
            raise ValueError("steps: after_minutes must rise from step to step")
        return self


class Rota(DeskSection):
    """People who take turns: the first one from ``starts`` on, the next after ``weeks``, handed over at ``handover``."""

    people: tuple[Person, ...] = Field(min_length=1)
    starts: date = Field(ge=_FIRST_DAY, le=_LAST_DAY)
    handover: WallTime = time(9)
    timezone: Zone = "UTC"
    weeks: int = Field(default=1, ge=1, le=8)


class OnCallSettings(DeskSection):
    """Who is on call: a rota, or a group of the chat; ``/triage oncall`` overrides either for a while."""

    rota: Rota | None = None
    group: Group = ""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.rota is not None and self.group:
            raise ValueError("rota and group are both given: keep one of them")
        return self


class DeliverySettings(DeskSection):
    """How long a message waits for Slack.

    ``unknown_minutes``: for Slack's word whether it took a message. Then its thread goes on without it, and where Slack
    cannot be asked it is posted once more, saying that it may stand twice. 0: it waits for as long as it takes.
    """

    unknown_minutes: float = Field(default=10, ge=0, le=24 * 60)


class FallbackSettings(DeskSection):
    """When an incident that the chat has not taken goes out over the fallback channels.

    ``gather_seconds``: after one notice, the next waits so long and holds all that came meanwhile.
    """

    after_seconds: float = Field(default=60, ge=5)
    severities: frozenset[Severity] = frozenset({Severity.SEV1})
    gather_seconds: float = Field(default=60, ge=0)
