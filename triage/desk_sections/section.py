"""What every part of desk.yaml is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class DeskSection(BaseModel):
    """A part of desk.yaml: unknown keys are refused, so a typo is noticed; values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
