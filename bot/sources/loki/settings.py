"""The settings of Loki."""

from pydantic import BaseModel

from bot.http_url import HttpUrl


class LokiSettings(BaseModel):
    """Where Loki is, and the tenant whose logs are asked for; empty: not configured, no tenant."""

    loki_url: HttpUrl = ""
    loki_tenant: str = ""


SETTINGS = LokiSettings
