"""What names in desk.yaml look like."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field, WithJsonSchema

from triage.action_kinds import KINDS
from triage.wording import nearest

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A bot, service, container or profile: what may stand in a command line or a label."""


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        near = nearest(kind, KINDS)
        raise ValueError(
            f"{kind!r} is no action; {f'did you mean {near}?' if near else 'use one of ' + ', '.join(KINDS)}"
        )
    return kind


ActionKind = Annotated[
    str, AfterValidator(_known_kind), WithJsonSchema({"type": "string", "enum": list(KINDS)})
]
"""A kind of action: the name of a file in ``triage/actions/kinds/``."""


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of zones, as Europe is
        raise ValueError(f"{value!r} is no time zone; {_zone_like(value)}") from error
    return value


def _zone_like(value: str) -> str:
    """Return the zone that was meant: written in another case, without its continent, or misspelt."""
    zones, word = sorted(available_timezones()), value.casefold()
    cities = [zone for zone in zones if word in {zone.casefold(), zone.casefold().rpartition("/")[2]}]
    near = cities[0] if cities else nearest(value, zones, 0.9)
    return f"did you mean {near}?" if near else "use a name such as Europe/Berlin"


Zone = Annotated[str, AfterValidator(_known_zone)]
"""A time zone by its name."""
