"""The settings of the push service."""

from typing import Self

from pydantic import BaseModel, SecretStr, model_validator

from bot.fallback.declaration import refuse_half
from bot.http_url import SecretUrl

ADDRESS = "TRIAGE_FALLBACK_PUSH"


class PushSettings(BaseModel):
    """The topic's address and its access token; empty: not used, no token."""

    triage_fallback_push: SecretUrl = SecretStr("")
    triage_fallback_push_token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _whole_push(self) -> Self:
        refuse_half(
            (f"{ADDRESS}_TOKEN", self.triage_fallback_push_token), (ADDRESS, self.triage_fallback_push)
        )
        return self


SETTINGS = PushSettings
