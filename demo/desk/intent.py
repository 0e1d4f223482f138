"""An execution intent as it stands in its stream, and the bot it is for."""

from typing import Literal

from pydantic import BaseModel, Field, ValidationError


class Intent(BaseModel):
    """An execution_intent; unknown keys are ignored, as the desk's contract says."""

    schema_version: Literal["1.0"]
    event_type: Literal["execution_intent"]
    event_id: str = Field(min_length=1)
    correlation_id: str | None = None
    producer: str
    timestamp_ms: int
    instance_name: str
    controller_id: Literal["epp_v2_4"]
    action: Literal["set_target_base_pct", "soft_pause", "resume", "kill_switch"]
    target_base_pct: float | None = Field(default=None, ge=0, le=1)
    expires_at_ms: int | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


def addressee(payload: str) -> str | None:
    """Return the bot an intent is for; None when it does not say (the first bot then refuses it)."""
    try:
        return Intent.model_validate_json(payload).instance_name
    except ValidationError:
        return None
