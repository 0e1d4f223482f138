"""The settings of Alertmanager."""

from pydantic import BaseModel

from bot.http_url import HttpUrl


class AlertmanagerSettings(BaseModel):
    """Where Alertmanager is; empty: not configured."""

    alertmanager_url: HttpUrl = ""


SETTINGS = AlertmanagerSettings
