"""Loki as a source of evidence: opened, and asked by the doctor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.loki.client import NAME, Loki
from bot.sources.loki.settings import LokiSettings
from bot.sources.not_configured import not_configured
from triage.desk import Desk
from triage.errors import SourceError
from triage.ports.sources import Logs
from triage.queries import logql
from triage.wording import duration, listed

LOG_SECONDS = 3600.0
"""How far back a bot must have logged something."""


def _open(settings: LokiSettings, opening: Opening) -> Logs:
    tenant = {"X-Scope-OrgID": settings.loki_tenant} if settings.loki_tenant else {}
    url = settings.loki_url
    return Loki(opening.http(NAME, "LOKI_URL", url, tenant)) if url else not_configured(NAME)


async def _look(desk: Desk, logs: Loki) -> SourceHealth:
    await logs.ready()
    now = datetime.now(UTC)  # the doctor looks at a world with a clock of its own
    silent = []
    for bot in desk.bots:
        streams = logql.from_template(desk.triage.bot_log_selector, bot=bot.name)
        if await logs.count(streams, end=now, window_seconds=LOG_SECONDS) is None:
            silent.append(bot.name)
    if silent:
        return SourceHealth(
            "warning",
            f"ready, no line in the last hour of {', '.join(silent)}",
            "check triage.bot_log_selector of desk.yaml against the labels in Loki, LOKI_TENANT and promtail",
        )
    seen = f"ready, holds the logs of {len(desk.bots)} bots"
    strange = await _unknown_bots(desk, logs, now)
    kept = await _kept_seconds(desk, logs)
    if kept is not None and kept < _needed_seconds(desk):
        seen += f"; keeps lines {duration(kept)}, and triage looks back {duration(_needed_seconds(desk))}"
        mend = "raise limits_config.retention_period of Loki, or lower triage.log_baseline_hours"
        return SourceHealth("warning", "; ".join([seen, *strange]), mend)
    if strange:
        return SourceHealth(
            "warning", "; ".join([seen, *strange]), "name these bots in desk.yaml, or mend promtail's labels"
        )
    return SourceHealth("ok", "; ".join([seen, *await _reach(desk, logs, now)]))


def _needed_seconds(desk: Desk) -> float:
    """Return how far back the check for errors asks: its baseline, which ends a window before the trouble began."""
    return desk.triage.log_baseline_hours * LOG_SECONDS + desk.triage.log_window_minutes * 60


async def _kept_seconds(desk: Desk, logs: Loki) -> float | None:
    """Ask for how long it keeps the bots' lines; a Loki whose configuration may not be read is not doubted."""
    template = desk.triage.bot_log_selector
    try:
        return await logs.retention_seconds(logql.from_template(template, bot=bot.name) for bot in desk.bots)
    except SourceError:
        return None


async def _unknown_bots(desk: Desk, logs: Loki, now: datetime) -> list[str]:
    """Say whose lines come with the selector's other labels and are no bot's of desk.yaml."""
    every = logql.of_any_bot(desk.triage.bot_log_selector)
    if every is None:
        return []
    selector, label = every
    found = await logs.counts(selector, by=label, end=now, window_seconds=LOG_SECONDS)
    strange = sorted(set(found) - {bot.name for bot in desk.bots} - {""})
    return [f"lines with {label}={listed(strange)}, which desk.yaml does not know"] if strange else []


async def _reach(desk: Desk, logs: Logs, now: datetime) -> list[str]:
    """Say where it holds nothing as old as the baseline of the check for errors: no fault of a young desk."""
    hours = desk.triage.log_baseline_hours
    end = now - timedelta(hours=hours) + timedelta(seconds=LOG_SECONDS)
    for bot in desk.bots:
        streams = logql.from_template(desk.triage.bot_log_selector, bot=bot.name)
        if await logs.count(streams, end=end, window_seconds=LOG_SECONDS) is not None:
            return []
    return [
        f"nothing of {hours:g} h ago: what is usual rests on less (a young desk, or a retention that is too short)"
    ]


SOURCE = EvidenceSource(
    name="loki", fills="logs", written="LOKI_URL", settings=LokiSettings, open=_open, look=_look
)
