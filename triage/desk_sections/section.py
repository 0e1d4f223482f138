"""What every part of desk.yaml is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

_YEARS = 100
_A_DAY: Mapping[str, int] = {"seconds": 86_400, "minutes": 1440, "hours": 24, "days": 1}
"""How many of a unit are a day, by the last word of a key."""
_MOST = 10**12


def no_truth(value: object) -> object:
    """Refuse true and false where a number belongs: they would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("is no number: it is true or false")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


class DeskSection(BaseModel):
    """A part of desk.yaml: unknown keys are refused, so a typo is noticed; values do not change.

    A time in seconds, minutes, hours or days is at most a century, so that it can be reckoned with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _plain_number(cls, value: object, info: ValidationInfo) -> object:
        annotation = cls.model_fields[info.field_name or ""].annotation
        numeric = {int, float} & {annotation, *get_args(annotation)}
        return no_truth(value) if numeric else value

    @field_validator("*", mode="after")
    @classmethod
    def _within_a_century(cls, value: object, info: ValidationInfo) -> object:
        unit = (info.field_name or "").rpartition("_")[2]
        most = _YEARS * 365 * _A_DAY[unit] if unit in _A_DAY else _MOST
        if isinstance(value, (int, float)) and value > most:
            raise ValueError(f"must be at most {most}")
        return value
