"""Which bots are known to live now: asked of Prometheus by whoever judges a silence."""

from __future__ import annotations

from triage.desk import Desk
from triage.ports.sources import Metrics
from triage.queries.quoting import one_of, quoted


async def living_bots(metrics: Metrics, desk: Desk) -> tuple[str, ...]:
    """Return the bots whose fresh state says that they write and publish. Raises SourceError where nobody knows."""
    bots = quoted(one_of(bot.name for bot in desk.bots))
    fresh = desk.triage.snapshot_stale_seconds
    query = (
        f'max by (bot) (hbot_bot_state{{state=~"running|soft_pause", bot=~{bots}}}) == 1 '
        f"and on (bot) max by (bot) (hbot_bot_snapshot_age_seconds) < {fresh:g}"
    )
    answer = await metrics.query(query)
    return tuple(sorted(sample.labels["bot"] for sample in answer.samples if "bot" in sample.labels))
