"""The settings of Prometheus."""

from pydantic import BaseModel

from bot.http_url import HttpUrl


class PrometheusSettings(BaseModel):
    """Where Prometheus is; empty: not configured."""

    prometheus_url: HttpUrl = ""


SETTINGS = PrometheusSettings
