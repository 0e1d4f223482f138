"""The images this machine knows and can pull, and how a bot behaves under each release."""

import hashlib
from dataclasses import dataclass

DAY = 86_400
BOT_REPOSITORY = "hummingbot/hummingbot"
GOOD_IMAGE = f"{BOT_REPOSITORY}:version-2.4.0"
OLD_IMAGE = f"{BOT_REPOSITORY}:version-2.3.0"
BAD_IMAGE = f"{BOT_REPOSITORY}:version-2.5.0"


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its reference, age in days when the desk's life starts, size, and what it breaks.

    ``cancel_reject_share``: how many of the bot's cancel requests the exchange refuses under this release.
    """

    reference: str
    age_days: float
    size: int
    cancel_reject_share: float = 0.0

    @property
    def id(self) -> str:
        """The content id, ``sha256:…``."""
        return "sha256:" + hashlib.sha256(self.reference.encode()).hexdigest()

    def created_at(self, start: float) -> float:
        """Unix seconds, for a desk whose life starts at ``start``."""
        return start - self.age_days * DAY


KNOWN = (
    Image(OLD_IMAGE, 64, 2_610_000_000),
    Image(GOOD_IMAGE, 21, 2_640_000_000),
    Image(BAD_IMAGE, 0.2, 2_655_000_000, cancel_reject_share=0.9),
    Image("redis:7.2", 90, 138_000_000),
    Image("hbot/signal-service:1.3.0", 30, 412_000_000),
    Image("hbot/risk-service:1.3.0", 30, 398_000_000),
    Image("hbot/coordination-service:1.3.0", 30, 391_000_000),
    Image("hbot/bot-metrics-exporter:0.6.1", 40, 171_000_000),
    Image("prom/prometheus:v2.51.0", 120, 262_000_000),
    Image("prom/alertmanager:v0.27.0", 120, 70_000_000),
    Image("prom/node-exporter:v1.8.0", 120, 23_000_000),
    Image("grafana/grafana:10.4.0", 120, 428_000_000),
    Image("grafana/loki:2.9.8", 120, 75_000_000),
    Image("grafana/promtail:2.9.8", 120, 198_000_000),
    Image("gcr.io/cadvisor/cadvisor:v0.49.1", 120, 82_000_000),
)
BY_REFERENCE = {image.reference: image for image in KNOWN}
