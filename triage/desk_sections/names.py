"""What names in desk.yaml look like."""

from __future__ import annotations

from typing import Annotated

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
