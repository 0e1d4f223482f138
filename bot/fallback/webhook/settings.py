"""The settings of the webhook."""

from typing import Self

from pydantic import BaseModel, SecretStr, model_validator

from bot.fallback.declaration import refuse_half
from bot.http_url import SecretUrl

ADDRESS = "TRIAGE_FALLBACK_WEBHOOK"


class WebhookSettings(BaseModel):
    """Where notices are posted, and the secret that signs them; empty: not used, not signed."""

    triage_fallback_webhook: SecretUrl = SecretStr("")
    triage_fallback_webhook_secret: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _whole_webhook(self) -> Self:
        refuse_half(
            (f"{ADDRESS}_SECRET", self.triage_fallback_webhook_secret),
            (ADDRESS, self.triage_fallback_webhook),
        )
        return self


SETTINGS = WebhookSettings
