"""The settings of Grafana."""

from pydantic import BaseModel, SecretStr

from bot.http_url import HttpUrl


class GrafanaSettings(BaseModel):
    """Where Grafana is, and a service account's token; empty: not configured, and no links."""

    grafana_url: HttpUrl = ""
    grafana_token: SecretStr = SecretStr("")


SETTINGS = GrafanaSettings
